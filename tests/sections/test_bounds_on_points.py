"""Numbers at the points of lines and planes, against fractions: within their bounds, not far."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import leaky_relu, maxout, piecewise_linear, relu
from milpcount.sections.arrays import NumpyArrays
from milpcount.sections.corners import GrowingPoints, Points
from milpcount.sections.exact import ExactSigns, Pattern, Place
from milpcount.sections.network_program import program_of
from milpcount.sections.units import unit_errors

CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
UNITS = (relu(), leaky_relu(3.0), CLIP, maxout(2))
DEPTH = 4


def network(seed, unit):
    """Return a network whose layers add large numbers up to small ones."""
    random, sizes = np.random.default_rng([seed, unit.rank]), [4, 5, 5, 5, 5]
    layers = []
    for number, (a, b) in enumerate(pairwise(sizes)):
        weight = random.normal(size=(b * unit.rank, a))
        if number and seed % 2:
            weight -= weight.mean(axis=1, keepdims=True)
        bias = random.normal(size=b * unit.rank) + (1e6 if seed % 2 and unit.is_relu else 0.0)
        layers.append(({number: weight}, bias, unit))
    return mc.Network.from_layers(4, layers)


def exactly(net, x):
    """Yield what comes out of each layer's map, and of its units, for fractions."""
    for layer in net.layers:
        integers, q = layer.affine.exact()
        values = [
            (row[0] + sum(w * v for w, v in zip(row[1:], x, strict=True))) / Fraction(q)
            for row in integers
        ]
        unit = layer.activations[0]
        own = [values[k : k + unit.rank] for k in range(0, len(values), unit.rank)]
        x = [_out(unit, v) for v in own]
        yield values, x


def _out(unit, values):
    if unit.is_maxout:
        return max(values)
    for piece in unit.pieces:
        if all(
            (values[0] > Fraction(unit.rows[r].threshold)) == (s > 0) for r, s in piece.literals
        ):
            return Fraction(piece.slope) * values[0] + Fraction(piece.intercept)
    raise AssertionError


def shares(found, bounds, right):
    for value, bound, true in zip(found, bounds, right, strict=True):
        off = abs(Fraction(float(value)) - true)
        assert off == 0 if bound == 0 else off <= Fraction(float(bound)), (off, bound)
        if bound:
            yield float(off / Fraction(float(bound)))


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_values_and_outputs_at_given_points(unit):
    worst = dict.fromkeys(range(DEPTH), 0.0)
    for seed in range(6):
        net, random = network(seed, unit), np.random.default_rng(seed)
        a, b = random.normal(size=(2, 4)) * 10
        segment = mc.Segment(a, b).bind(4)
        program, at = program_of(net, segment), random.uniform(size=(3, 1))
        x, e = program.start(at)
        held, off = {0: x}, {0: e}
        for step in program.steps:
            read = [held[name] for name in step.reads]
            errors = [off[name] for name in step.reads]
            if step.affine is not None:
                held[step.name], off[step.name] = step.affine(read), step.affine.error(read, errors)
            else:
                y = program.arrays.activate(step, read[0])
                held[step.name], off[step.name] = y, unit_errors(step, read[0], errors[0], y)
        for i, t in enumerate(at[:, 0]):
            start = [
                Fraction(p) + Fraction(float(t)) * (Fraction(q) - Fraction(p))
                for p, q in zip(a.tolist(), b.tolist(), strict=True)
            ]
            for k, (values, outputs) in enumerate(exactly(net, start)):
                mine = [
                    *shares(held["v", k + 1][i], off["v", k + 1][i], values),
                    *shares(held[k + 1][i], off[k + 1][i], outputs),
                ]
                worst[k] = max(worst[k], *mine)
    assert all(1e-6 < share < 1.0 for share in worst.values()), worst


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_units_change_by_no_more_than_their_values_may(unit):
    net, random = network(0, unit), np.random.default_rng(7)
    step = program_of(net, mc.Segment(np.zeros(4), np.ones(4)).bind(4)).steps[1]
    sizes = 10.0 ** random.uniform(-12, 1, size=(60, 5 * unit.rank))
    x = random.normal(size=sizes.shape) * sizes
    e = sizes * 10.0 ** random.uniform(-2, 1, size=sizes.shape)
    y = NumpyArrays().activate(step, x)
    bound = unit_errors(step, x, e, y)
    for k in range(60):
        signs = random.choice([-1.0, 1.0], size=x.shape[1]).tolist()
        pairs = zip(x[k].tolist(), e[k].tolist(), signs, strict=True)
        true = [Fraction(v) + Fraction(r) * Fraction(s) for v, r, s in pairs]
        own = [true[i : i + unit.rank] for i in range(0, len(true), unit.rank)]
        list(shares(y[k], bound[k], [_out(net.layers[0].activations[0], v) for v in own]))


def test_values_where_rows_are_zero():
    """The place of a crossing is known as well as the row's values; what else is there, no better.

    Rows are affine on an edge: true values at its ends are floats and their errors at most, here.
    """
    random, worst = np.random.default_rng(0), 0.0
    for _ in range(200):
        size = 10.0 ** random.uniform(-3, 3, size=4)
        x = random.normal(size=(2, 4)) * size
        x[1, 0] = -np.sign(x[0, 0]) * abs(x[1, 0])
        e = np.abs(x) * 10.0 ** random.uniform(-16, -8, size=x.shape)
        true = [
            [
                Fraction(float(v)) + Fraction(float(r)) * Fraction(int(random.choice([-1, 1])))
                for v, r in zip(*row, strict=True)
            ]
            for row in zip(x, e, strict=True)
        ]
        points = Points(NumpyArrays(), np.array([[0.0], [1.0]]), {"f": x}, {"f": e})
        growing = GrowingPoints(points, "f")
        base, p, q = np.array([[0, 1]]), x[:1, 0], x[1:, 0]
        growing.add(base, p, q, e[:1, 0], e[1:, 0])
        w = true[0][0] / (true[0][0] - true[1][0])
        right = [(1 - w) * u + w * v for u, v in zip(*true, strict=True)]
        worst = max(worst, *shares(growing.x[2, 1:], growing.e[2, 1:], right[1:]))
    assert 1e-3 < worst < 1.0


def test_exact_rows_have_their_thresholds():
    net = mc.Network.from_arrays([[[2.0]]], [[0.5]], output=False, activation=CLIP)
    signs = ExactSigns(lambda: net, mc.Box(-1, 1).bind(1))
    none = Pattern.of(np.zeros(0, dtype=int))
    assert signs.row(Place(0, none, 0, -1, 1.0)) == (Fraction(-1, 2), Fraction(2))
