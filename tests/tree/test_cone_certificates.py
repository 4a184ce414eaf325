"""Empty cells of unbounded sets: what float64 proves is true, and it proves nearly all of them."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.domain.shapes import Unbounded
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.kernel.compiled import entry
from milpcount.kernel.cone_certificate import is_empty_cone
from milpcount.network import leaky_relu, relu
from milpcount.tree.search import Search
from tests.networks import random_network

is_empty = entry(is_empty_cone.py_func)  # in the kernel it is a part of others


def cone(rows, error):
    """Return a search's cell and work arrays with these rows behind the sides of the cube."""
    count, d = rows.shape
    search = Search(random_network(0, d - 1, (count + 2,)), Unbounded().bind(d - 1))
    cell = search.state.cell
    for k, row in enumerate(rows):
        cell.rows[2 * d + k] = row
    cell.error[2 * d : 2 * d + count] = error
    return cell, search.scratch


def claimed(rows, error=0.0):
    count, d = rows.shape
    cell, work = cone(rows, error)
    multipliers = np.zeros(len(cell.error))
    multipliers[2 * d : 2 * d + count] = 1.0
    return is_empty(cell, multipliers, 2 * d + count, work), multipliers[2 * d : 2 * d + count]


def coefficients(rows):
    """Return what the first row is of the others, None if these are no basis."""
    matrix = [[Fraction(int(v)) for v in column] for column in rows[1:].T]
    found = np.linalg.matrix_rank(rows[1:]) == rows.shape[1]
    return _solve(matrix, [Fraction(int(v)) for v in rows[0]]) if found else None


def _solve(matrix, rhs):
    n = len(rhs)
    table = [[*row, b] for row, b in zip(matrix, rhs, strict=True)]
    for a in range(n):
        at = next(q for q in range(a, n) if table[q][a])
        table[a], table[at] = table[at], table[a]
        table[a] = [v / table[a][a] for v in table[a]]
        for q in range(n):
            if q != a:
                table[q] = [v - table[q][a] * w for v, w in zip(table[q], table[a], strict=True)]
    return [row[-1] for row in table]


def test_a_row_that_is_a_negative_sum_of_a_basis_proves_the_cone_empty():
    rng, proved = np.random.default_rng(0), 0
    for _ in range(400):
        d = int(rng.integers(2, 6))
        rows = rng.integers(-3, 4, size=(d + 1, d)).astype(float)
        if rng.random() < 0.5:  # one that is
            rows[0] = -(rng.integers(0, 3, size=d) @ rows[1:])
        parts = coefficients(rows)
        answer, multipliers = claimed(rows)
        assert answer == (parts is not None and all(c < 0 for c in parts))
        proved += answer
        if answer:
            assert multipliers == pytest.approx([1.0, *(-float(c) for c in parts)])
    assert proved > 50


def test_what_rounding_may_have_made_is_not_taken_for_a_proof():
    rows = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    assert claimed(rows)[0]
    assert claimed(rows, error=0.1)[0]
    assert not claimed(rows, error=0.4)[0]  # the true first row may then be (-0.6, 0.2)
    thin = np.array([[-1.0, -1e-17], [1.0, 0.0], [0.0, 1.0]])
    assert claimed(thin)[0] is False
    flat = np.array([[-2.0, -2.0], [1.0, 1.0], [1.0, 1.0 + 2.0**-52]])  # hardly a basis
    assert not claimed(flat, error=2.0**-53)[0]


def test_too_few_rows_or_too_many_prove_nothing():
    rows = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert not claimed(rows[:2])[0]
    assert not claimed(rows)[0]


def patterns(network, inputs, **options):
    tree = ExactRegionTree(ExactNetwork(network, inputs), **options)
    return {cell.pattern for cell in tree.walk() if cell is not None}


@pytest.mark.parametrize("quantity", ["regions", "patterns"])
@pytest.mark.parametrize("seed", range(8))
def test_regions_of_all_of_space_are_those_of_the_exact_tree(seed, quantity):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    unit = relu() if seed % 2 else leaky_relu(0.25)
    sizes, layers = [n, 4, 3, 3], []
    for k in range(3):
        weight, bias = rng.normal(size=(sizes[k + 1], sizes[k])), rng.normal(size=sizes[k + 1])
        layers.append(({k: weight}, bias, unit))
    network, inputs = mc.Network.from_layers(n, layers), Unbounded().bind(n)
    closed = quantity == "patterns"
    search = Search(network, inputs, True, patterns=closed)
    for _ in search.run():
        pass
    assert set(search.regions.patterns()) == patterns(network, inputs, patterns=closed)


@pytest.mark.parametrize("widths", [(4, 8, 8, 6), (7, 7, 7), (10, 8, 8)])
def test_nearly_all_empty_cells_are_proved_without_exact_arithmetic(widths):
    # Fewer units than inputs move in many cells of the first layer: rows then have lines in common.
    network = random_network(1, widths[0], widths[1:])
    result = mc.count(network, mc.Unbounded())
    decided = result.details["decisions"]
    assert decided["decided_in_exact_arithmetic"] < 0.03 * decided["empty_by_farkas_multipliers"]
    # All regions of these networks come within a distance.
    assert result.lower == mc.count(network, mc.Box(-1e5, 1e5)).lower
