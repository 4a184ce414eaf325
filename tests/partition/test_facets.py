"""Facets proved in float64 are facets, errors are bounded, and no neighbour is missed."""

from fractions import Fraction

import numpy as np

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells
from milpcount.partitions.certified_signs import CertainRows
from milpcount.partitions.facets import Facets
from tests.extremes import case
from tests.graphs import KINDS, skip_with_jump
from tests.networks import random_network


def continuous(count, seed):
    kinds = [kind for kind in KINDS if kind is not skip_with_jump]
    for number in range(count):
        random = np.random.default_rng([seed, number])
        yield kinds[number % len(kinds)](random, 1 + number % 3, number % 2 == 0)


def test_rows_are_as_far_off_as_is_said():
    networks = [*continuous(8, 1), *(case(seed)[0] for seed in range(12))]
    for network in networks:
        random = np.random.default_rng(0)
        points = random.normal(size=(20, network.n_inputs))
        rows, patterns = CertainRows(network).at(points)
        domain = mc.Unbounded().bind(network.n_inputs)
        exact = ExactNetwork(network, domain)
        for k, pattern in enumerate(map(tuple, patterns.tolist())):
            found = [exact.rows(layer, pattern) for layer in range(len(network.layers))]
            x = [Fraction(1), *map(Fraction, points[k].tolist())]
            wanted = [
                sum(v * t for v, t in zip(values, x, strict=True)) / q
                for part in found
                for values, q in zip(part.values.tolist(), part.denominators, strict=True)
            ]
            for value, error, true in zip(rows.values[k], rows.errors[k], wanted, strict=True):
                if np.isfinite(value) and np.isfinite(error):
                    assert abs(Fraction(float(value)) - true) <= Fraction(float(error))


def pairs_of(network, domain):
    inputs = domain.bind(network.n_inputs)
    part = mc.partition(network, domain)
    finder = CandidateFinder(network, inputs)
    found = finder.find(part.patterns, np.zeros(len(part), dtype=np.int64))
    cells = Cells(ExactNetwork(network, inputs))
    return part, Facets(cells, part._store, part.result.regions), cells, found


def test_what_float64_proves_is_true():
    proved = asked = 0
    networks = [*continuous(12, 2), *(random_network(s, 3, (5, 4)) for s in range(2))]
    for network in networks:
        part, facets, cells, found = pairs_of(network, mc.Box(-1, 1))
        certain = facets.crossed(found.pairs, found.units) | facets.is_certain(found.units)
        for (i, j), sure in zip(found.pairs.tolist(), certain.tolist(), strict=True):
            one, other = part.pattern(i), part.pattern(j)
            behind = {p.row for p in cells.hyperplanes(other)}
            shared = any(
                tuple(-v for v in p.row) in behind and cells.share_facet(one, other, p.row)
                for p in cells.hyperplanes(one)
            )
            assert shared or not sure
            proved, asked = proved + sure, asked + shared
    assert proved > 0.7 * asked > 50


def test_what_is_behind_a_facet_is_a_region():
    for network in continuous(16, 3):
        part = mc.partition(network, mc.Box(-1, 1))
        cells, known = part._cells, set(map(tuple, part.patterns.tolist()))
        for pattern in known:
            for plane in cells.hyperplanes(pattern):
                if cells.point_between((pattern,), plane.row) is not None:
                    behind = cells.behind(pattern, plane.row)
                    assert behind in known
                    assert cells.share_facet(pattern, behind, plane.row)
