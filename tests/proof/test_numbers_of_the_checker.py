"""The checker by itself, on rows that floating point gets wrong: it accepts what is true only."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.proof import check
from tests.cancelling import cancelling, constant_of_rounding
from tests.networks import patterns
from tests.proof.files import tampered

BOX = mc.Box(-1, 1)


def subject(net, folder, quantity="activation_regions"):
    """Return what the checker knows of a network on the box."""
    path = folder / "count.proof"
    mc.count(net, BOX, proof=path, quantity=quantity)
    with np.load(path) as file:
        return check.Proof(folder / "count.proof.npz", file).s


def float_points(seed, n):
    """Return points at all distances from the lines of a cancelling network."""
    random = np.random.default_rng(seed)
    t = random.uniform(-1, 1, size=(400, n))
    t[:, 1] = t[:, 0] + 2.0 ** random.uniform(-20, 0, size=400) * random.choice([-1, 1], size=400)
    return t[(abs(t) < 1).all(axis=1)]


@pytest.mark.parametrize("seed", range(4))
def test_a_witness_in_floats_is_one(seed, tmp_path):
    """What is accepted without fractions is accepted with them, also where floats see a sliver."""
    net = cancelling(seed, 2)
    s = subject(net, tmp_path)
    accepted = 0
    for last in ((0, 0), (0, 1), (1, 0), (1, 1)):
        P = np.array([(1, 1, *last)], dtype=np.uint8)
        for t in float_points(seed, 2):
            if s.attained(P, t[None])[0]:
                assert s.attained(P, check.exactly(t)[None], True)[0]
                accepted += 1
    assert accepted > 20


@pytest.mark.parametrize("seed", range(4))
def test_a_clause_in_floats_is_one(seed, tmp_path):
    """The two last units are positive together, or negative, where exact arithmetic says so."""
    net = cancelling(seed, 2)
    s, found = subject(net, tmp_path), patterns(net, BOX, mc.ExactTree())
    weight = net.layers[1].affine.weight
    ratio = abs(weight[1, 0] / weight[0, 0])
    first = len(s.rows) + 2
    for piece in (0, 1):
        literals = np.array([2 * first + (1 - piece), 2 * (first + 1) + (1 - piece)])
        given = np.array([0]), np.array([2]), literals, np.array([ratio, 1.0])
        clauses = check.Clauses(s, 1, np.array([(1, 1, 0, 0)], dtype=np.uint8), *given)
        exists = (1, 1, piece, piece) in found
        assert clauses.refuted_exactly(0) != exists
        assert not (exists and clauses.refuted()[0])


def test_a_witness_on_a_breakpoint_proves_a_pattern_and_no_region(tmp_path):
    net = mc.Network.from_arrays([[[1.0, 0.0], [-1.0, 0.0]]], [[0.0, 0.0]], output=False)
    P, t = np.zeros((1, 2), dtype=np.uint8), check.exactly(np.array([[0.0, 0.5]]))
    assert not subject(net, tmp_path).attained(P, t, True)[0]
    assert subject(net, tmp_path, "activation_patterns").attained(P, t, True)[0]


def test_a_unit_that_is_zero_is_no_breakpoint(tmp_path):
    net = mc.Network.from_arrays([[[1.0, 0.0], [0.0, 0.0]]], [[0.0, 0.0]], output=False)
    P, t = np.array([[1, 0]], dtype=np.uint8), check.exactly(np.array([[0.5, 0.5]]))
    assert subject(net, tmp_path).attained(P, t, True)[0]


def test_an_unbounded_direction_has_no_maximum(tmp_path):
    path = tmp_path / "count.proof"
    mc.count(mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False), mc.Unbounded(), proof=path)
    with np.load(path) as file:
        s = check.Proof(tmp_path / "count.proof.npz", file).s
    assert s.highest(check.exactly(np.array([1.0, 1.0]))) == np.inf
    assert s.highest(check.exactly(np.array([-1.0, 0.0]))) == -1


def test_a_clause_has_no_negative_multipliers(tmp_path):
    s = subject(cancelling(0, 2), tmp_path)
    row = np.array([2 * len(s.rows)])  # x + K, which is positive everywhere
    heads, one = np.zeros((1, 4), dtype=np.uint8), np.array([1])
    for multiplier in (-1.0, 1.0):
        given = np.array([0]), one, row, np.array([multiplier])
        clause = check.Clauses(s, 0, heads, *given)
        assert not clause.refuted_exactly(0)


def test_cells_of_a_layer_are_those_of_an_arrangement():
    assert check.most(1, ((8, 3, 3, True, 1),)) == 1 + 3
    assert check.most(2, ((8, 3, 3, True, 2),)) == 1 + 3 + 3
    assert check.most(2, ((8, 3, 3, False, 2),)) == 7
    assert check.most(2, ((6, 3, 3, False, None),)) == 6


def test_a_row_that_floats_take_for_negative_is_not_refuted(tmp_path):
    wrong = 0
    for seed in range(24):
        net = constant_of_rounding(seed, 2)
        s, found = subject(net, tmp_path), patterns(net, BOX, mc.ExactTree())
        piece = next(iter(found))[2]  # that the third unit has everywhere
        literal = np.array([2 * (len(s.rows) + 2) + (1 - piece)])
        given = np.array([0]), np.array([1]), literal, np.array([1.0])
        clause = check.Clauses(s, 1, np.array([(1, 1, 0, 0)], dtype=np.uint8), *given)
        assert not clause.refuted()[0] and not clause.refuted_exactly(0)
        row = clause.floats[0][0, len(s.rows) + 2]
        wrong += (1 if piece else -1) * row[0] < 0
    assert wrong > 2


def test_a_point_outside_is_no_witness(tmp_path):
    s, P = subject(cancelling(0, 2), tmp_path), np.array([(1, 1, 1, 0)], dtype=np.uint8)
    if not s.attained(P, np.array([[0.5, -0.5]]))[0]:
        P = np.array([(1, 1, 0, 1)], dtype=np.uint8)
    for t in ([0.5, -0.5], [1.5, -0.5], [0.5, -1.5]):
        inside = max(map(abs, t)) < 1
        assert s.attained(P, np.array([t]))[0] == inside
        assert s.attained(P, check.exactly(np.array([t])), True)[0] == inside


def test_what_a_side_may_cite(tmp_path):
    s = subject(cancelling(0, 2), tmp_path)
    P, first = np.array([(1, 1, 0, 0)], dtype=np.uint8), len(s.rows)

    def cited(row, sign, *, cell=0, unit=1, piece=1):
        literal = np.array([2 * (first + row) + (sign < 0)])
        given = np.array([0]), np.array([1]), literal, np.array([1.0])
        clause = check.Clauses(s, 0, P, *given)
        one = (np.array([v]) for v in (cell, unit, piece, 0))
        return bool(clause.cited(P, *one))

    assert cited(0, 1) and cited(1, 1) and cited(1, -1, piece=0)
    assert not cited(0, -1) and not cited(1, 1, piece=0)
    assert not cited(0, 1, cell=1)
    assert not cited(1, 1, unit=0)  # it is decided later


def test_no_pattern_comes_twice(tmp_path):
    subject(cancelling(0, 2), tmp_path)

    def twice(arrays):
        for name in ("patterns", "points"):
            arrays[name] = np.insert(arrays[name], 1, arrays[name][1], 0)

    changed = tampered(tmp_path / "count.proof", twice)
    with np.load(changed) as file, pytest.raises(AssertionError, match="do not increase"):
        check.Proof(tmp_path / "count.proof.npz", file)
