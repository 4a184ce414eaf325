"""Numbers from one end of float64 to the other: nothing that is not finite passes a comparison."""

from fractions import Fraction

import numba
import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, OptionError
from milpcount.kernel import cell, certify, polygon, projection, rows
from milpcount.kernel.program import compile_program
from milpcount.network import Network, piecewise_linear
from milpcount.tree.search import Search
from tests.extremes import QUANTITIES, difference
from tests.networks import random_network

REGIONS, PATTERNS = QUANTITIES
FOLDED = mc.Network.from_arrays(
    [[[1, 0], [0, 1], [1, -1]], [[1.0, -1, 0.5], [1, 1, -1]]],
    [[0, 0, 0], [-0.25, 0.1]],
    output=False,
)


def by_tree(network, domain, quantity=REGIONS, **options):
    result = mc.count(network, domain, quantity=quantity, **options)
    assert result.is_exact
    return result.lower


def by_both(network, domain, quantity=REGIONS):
    tree = by_tree(network, domain, quantity)
    return tree, mc.count(network, domain, mc.ExactTree(), quantity=quantity).lower


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_tree_agrees_with_exact_arithmetic_on_networks_of_any_scale(first):
    assert [found for seed in range(first, first + 50) if (found := difference(seed))] == []


class TestOverflow:
    @pytest.mark.parametrize(("quantity", "count"), [(REGIONS, 2), (PATTERNS, 3)])
    def test_a_box_whose_width_overflows(self, quantity, count):
        network = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
        assert by_tree(network, mc.Box(-1e308, 1e308), quantity) == count

    def test_weights_whose_products_overflow(self):
        weights = [[[1e150, 0]], [[1e150], [-1e150]], [[-1.6e60, 0], [1e160, -1e300]]]
        network = Network.from_arrays(weights, [[0.0], [0, 0], [0, 1.0]], output=False)
        assert by_both(network, mc.Box([-0.6, -1], [0.6, 1])) == (2, 2)

    def test_a_dead_unit_stays_dead_where_its_pre_activation_overflows(self):
        # Below -0.9 the first unit is inactive, so what it would be times 1e200 never counts.
        network = Network.from_arrays(
            [[[1e200, 0], [0, 1]], [[1e200, 1.0]], [[1.0]]],
            [[-2e200, 0.0], [-0.5], [-0.25]],
            output=False,
        )
        result = mc.count(network, mc.Box(-1, 1))
        assert result.lower == mc.count(network, mc.Box(-1, 1), mc.ExactTree()).lower == 4

    def test_a_wide_network_with_a_row_that_overflows(self):
        base = random_network(0, 20, (4, 2))
        weights = [base.layers[0].affine.weight * [[1e300], [1], [1], [1]]]
        weights.append(base.layers[1].affine.weight * [[1e-300, 1, 1, 1], [1e10, 1, 1, 1]])
        biases = [base.layers[0].affine.bias * [1e300, 1, 1, 1], base.layers[1].affine.bias]
        tree, exact = by_both(Network.from_arrays(weights, biases, output=False), mc.Box(-1, 1))
        assert tree == exact > 8

    def test_kept_regions_are_proved(self):
        network = Network.from_arrays([[[1.0], [-1.0], [1e300]]], [[0.0, 0.0, -1.5]], output=False)
        result = mc.count(network, mc.Box(-1e308, 1e308), keep_regions=True)
        assert result.lower == len(result.regions) == 3
        assert result.verify()

    def test_witnesses_where_a_layer_overflows_are_exact(self):
        network = Network.from_arrays([[[1e200]], [[1e200]]], [[0.0], [-1.0]], output=False)
        result = mc.count(network, mc.Box(-1, 1), keep_regions=True)
        assert {region.pattern for region in result.regions} == {(0, 0), (1, 0), (1, 1)}
        assert result.verify()


class TestUnderflow:
    def test_products_that_underflow_to_zero_keep_their_signs(self):
        network = Network.from_arrays(
            [[[1e-200, 0], [0, 1e-200]], [[1e-200, -1e-200], [1e-300, 0]]],
            [[0.0, 0.0], [0.0, -1e-320]],
            output=False,
        )
        assert by_both(network, mc.Box(-1, 1)) == (5, 5)
        assert by_both(network, mc.Box(-1, 1), PATTERNS) == (5, 5)

    def test_a_unit_of_products_that_underflow_is_not_a_dead_one(self):
        # The third layer's unit is 1e-100 x - 5e-101, through 1e-400 x.
        network = Network.from_arrays(
            [[[1e-200]], [[1e-200]], [[1e300]]], [[0.0], [0.0], [-5e-101]], output=False
        )
        assert by_both(network, mc.Box(0, 1)) == (2, 2)

    def test_a_majorant_is_zero_only_where_nothing_is_there(self):
        weights = [[[1e-200], [0.0]], [[1e-200, 1.0], [0.0, 1.0]]]
        network = Network.from_arrays(weights, [[0.0, 0.0], [0.0, 0.0]], output=False)
        search = Search(network, mc.Box(0.5, 1).bind(1))
        for _ in search.run():
            pass
        assert (search.state.values.s > 0).tolist() == [True, False, True, False]
        assert search.found == 1


class TestExactDomains:
    """Domains with numbers that float64 rounds."""

    DIFFERENCE = Network.from_arrays([[[1.0, -1.0]]], [[0.0]], output=False)

    @pytest.mark.parametrize("power", [-300, 300])
    def test_a_box_of_fractions_of_any_size(self, power):
        side = Fraction(10) ** power / 3
        assert by_both(self.DIFFERENCE, mc.Box([0, 0], [side, side])) == (2, 2)

    def test_one_whose_width_overflows(self):
        side = Fraction(10) ** 308 + Fraction(1, 3)
        assert by_both(self.DIFFERENCE, mc.Box([-side, -side], [side, side])) == (2, 2)


class TestPolytopes:
    @pytest.mark.parametrize("bounds", [{"lower": -1, "upper": 1}, {}], ids=["box", "unbounded"])
    @pytest.mark.parametrize("rhs", [0.0, 1.0, 1e308])
    def test_a_row_without_coefficients_is_no_restriction(self, rhs, bounds):
        whole = mc.Box(-1, 1) if bounds else mc.Unbounded()
        domain = mc.Polytope([[0.0, 0.0]], [rhs], **bounds)
        for quantity in QUANTITIES:
            assert by_tree(FOLDED, domain, quantity) == by_tree(FOLDED, whole, quantity) == 12

    def test_one_that_cannot_hold_leaves_nothing(self):
        with pytest.raises(DomainError, match="no interior point"):
            mc.count(FOLDED, mc.Polytope([[0.0, 0.0]], [-1.0], -1, 1))

    @pytest.mark.parametrize("bounds", [{"lower": -1, "upper": 1}, {}], ids=["box", "unbounded"])
    @pytest.mark.parametrize(
        ("row", "rhs", "count"),
        [
            ([1e-15, 0], 0, 5),
            ([1e-15, 1e-15], 1e-16, 11),
            ([1e308, 1e308], 1e308, 12),
            ([1e-300, 1e-300], 1e-301, 11),
            ([1e308, 1e-308], 0, 8),
            ([1e308, 1e-308], 1e-308, 10),
            ([5e-324, 0], 0, 5),
            ([1, 1e-18], 0, 8),
            ([1, 0], 1e308, 12),
        ],
    )
    def test_rows_of_any_size(self, row, rhs, count, bounds):
        assert by_both(FOLDED, mc.Polytope([row], [rhs], **bounds)) == (count, count)

    def test_one_that_floating_point_cannot_enter_is_counted_exactly(self):
        slab = [[1.0, 1, 1], [-1, -1, -1]], [0.5, -0.5 + 2.0**-52]
        domain, random = mc.Polytope(*slab, -1, 1), np.random.default_rng(0)
        weights = [random.normal(size=(3, 3)) for _ in range(3)]
        network = Network.from_arrays(weights, [np.zeros(3)] * 3, output=False)
        assert by_both(network, domain) == (10, 10)
        search = Search(network, domain.bind(3), forced={0: 1})
        for _ in search.run():
            assert not search.can_split
        assert search.can_split and search.left() == [] and search.share == 1.0
        assert 0 < search.found < 10
        with pytest.raises(DomainError, match=r"too thin for floating point.*method 'tree'"):
            mc.count(network, domain, mc.Probing(probes=10), seed=0)


class TestManyPieces:
    def test_three_hundred_pieces_are_three_hundred_patterns(self):
        random = np.random.default_rng(0)
        cuts, slopes = np.linspace(-0.99, 0.99, 299), random.normal(size=300)
        unit = piecewise_linear(cuts.tolist(), slopes.tolist(), [0.0] * 300)
        network = Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=unit)
        for quantity in QUANTITIES:
            result = mc.count(network, mc.Box(-1, 1), quantity=quantity, keep_regions=True)
            assert result.lower == len({region.pattern for region in result.regions}) == 300
        walked = mc.count(network, mc.Box(-1, 1), mc.Probing(probes=16), seed=0)
        assert 270 < walked.estimate < 330


class TestOtherMethods:
    HUGE = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)

    def test_what_walks_leave_out_lowers_the_bound_and_no_more(self):
        result = mc.count(self.HUGE, mc.Box(-1e308, 1e308), mc.Probing(probes=20), seed=0)
        assert result.lower == result.estimate == 1 < 2 == result.upper

    def test_the_program_is_refused(self):
        with pytest.raises(OptionError, match="too far apart for the MILP's solvers"):
            mc.count(self.HUGE, mc.Box(-1e308, 1e308), mc.SolutionPool())


@numba.njit
def is_interior(rows, offset, error, first, count, g):
    return certify.is_interior(rows, offset, error, first, count, g)


@numba.njit
def is_empty(rows, offset, error, lam, first, count, V, y, z):
    return certify.is_empty(rows, offset, error, lam, first, count, V, y, z)


@numba.njit
def is_below(corners, count, a, b, offset, level):
    return polygon.is_below(corners, count, a, b, offset, level)


@numba.njit
def project(cell, trial, count, work):
    return projection.project(cell, trial, count, work)


class TestProofs:
    """Certificates with a number that is not finite prove nothing."""

    ONE = np.ones(1)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_points(self, bad):
        row, offset, error = np.array([[1.0]]), np.zeros(1), np.full(1, 0.5)
        assert is_interior(row, offset, error, 0, 1, self.ONE)
        for wrong in (
            (row, offset, error, 0, 1, self.ONE * bad),
            (row * bad, offset, error, 0, 1, self.ONE),
            (row, offset + bad, error, 0, 1, self.ONE),
            (row, offset, error + abs(bad), 0, 1, self.ONE),
        ):
            assert not is_interior(*wrong)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200, 1e-200])
    def test_multipliers(self, bad):
        V, y, z = np.eye(1), np.zeros(1), np.zeros(1)
        row, offset, error = np.array([[1.0]]), np.array([-2.0]), np.array([0.5])
        assert is_empty(row, offset, error, self.ONE, 0, 1, V, y, z)
        assert not is_empty(row, offset, error, np.array([bad]), 0, 1, V, y, z)
        if not np.isfinite(bad):
            for wrong in (
                (row * bad, offset, error, self.ONE, 0, 1, V),
                (row, offset + bad, error, self.ONE, 0, 1, V),
                (row, offset, error, self.ONE, 0, 1, V * bad),
            ):
                assert not is_empty(*wrong, y, z)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_corners(self, bad):
        square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        assert is_below(square, 4, 1.0, 1.0, -5.0, -2.5)
        assert not is_below(square, 4, 1.0, 1.0, -5.0, -3.0)
        out = np.zeros((9, 2))
        for row in ((bad, 1.0, 0.0), (0.0, bad, 0.0), (0.0, 0.0, bad)):
            assert not is_below(square, 4, *row, 1.0)
            assert polygon.clip(square, 4, *row, 1e-12, out) == -1
        assert polygon.clip(square, 4, 1.0, 0.0, -0.5, abs(bad), out) == -1

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
    def test_rows(self, bad):
        """A lost row is left without a number, and no projection has to clear it."""
        network = Network.from_arrays([[[1.0], [1.0]]], [[0.0, 1.0]], output=False)
        layout = compile_program(network, mc.Box(-1, 1).bind(1))
        search = Search(network, mc.Box(-1, 1).bind(1), program=layout)
        program, state = layout.program, search.state
        state.rows.M[0], state.rows.b[0], state.rows.s[0] = bad, -3.0, bad
        given = (program, 0, program.ops[0], program.quantum[0], search.rounding)
        assert rows.classify(*given, state.rows)
        assert state.rows.kind[0] == rows.UNKNOWN and state.rows.s[0] == rows.LOST
        assert state.rows.M[0, 0] == state.rows.b[0] == 0.0
        for sign in (1, -1):
            cell.add_row(state, 2, 0, sign)
            assert state.cell.margin[2] < 0.0 < 1.0 < state.cell.error[2]
            assert state.cell.rows[2, 0] == state.cell.offset[2] == 0.0

    def test_a_projection_that_overflows_ends(self):
        network = Network.from_arrays([np.eye(2)], [[-1.0, -0.5]], output=False)
        search = Search(network, mc.Box(0, 1).bind(2))
        s, given = search.state, [[np.inf, 0], [0, 1]]
        s.cell.rows[4:6], s.cell.columns[:, 4:6] = given, np.transpose(given)
        s.cell.offset[4:6], s.cell.margin[:6] = [-1, -0.5], 0.0
        s.trial.lam[4] = 1.0
        assert project(s.cell, s.trial, 6, search.scratch) == projection.UNDECIDED
