"""Random XORs: what they are, and every way to write one down."""

from itertools import product

import numpy as np
import pytest

import milpcount as mc
from milpcount.enumeration.search import Parity
from milpcount.errors import OptionError
from milpcount.formulation.xor import Xor, XorFamily, all_variables, unstable_variables
from milpcount.limits import Deadline
from tests.networks import MAXOUT, STEPS, network

UNITS = tuple((unit, 1) for unit in range(10))


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("odd", [False, True])
def test_the_rows_of_a_parity_cut_off_the_points_of_the_other_parity(k, odd):
    parity, xor = Parity(tuple(range(k)), odd), Xor(UNITS[:k], odd)
    rows = parity.rows()
    assert len(rows) == 2 ** (k - 1)
    for point in product((0, 1), repeat=k):
        inside = all(row.holds(np.array(point, dtype=float)) for row in rows)
        assert (
            inside == xor.holds(point) == parity.holds(np.array(point)) == (sum(point) % 2 == odd)
        )


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("odd", [False, True])
def test_one_row_with_an_integer_says_the_same(k, odd):
    row = Parity(tuple(range(k)), odd).row(k)
    for point in product((0, 1), repeat=k):
        values = [row.holds(np.array([*point, y], dtype=float)) for y in range(k // 2 + 1)]
        assert any(values) == (sum(point) % 2 == odd)


@pytest.mark.parametrize("k", range(2, 6))
def test_the_rows_of_a_parity_are_its_convex_hull(k):
    # The centre of the cube is the mean of the points of either parity, so no row excludes it.
    for odd in (False, True):
        assert all(row.holds(np.full(k, 0.5)) for row in Parity(tuple(range(k)), odd).rows())


def test_without_variables_an_xor_holds_everywhere_or_nowhere():
    assert Xor((), odd=False).holds((0, 1, 1))
    assert not Xor((), odd=True).holds((0, 1, 1))


def test_a_variable_is_one_piece_of_a_unit():
    xor = Xor(((0, 1), (0, 2), (1, 2)), odd=True)
    held = {pattern for pattern in product(range(3), repeat=2) if xor.holds(pattern)}
    assert held == {(1, 0), (1, 1), (2, 0), (2, 1), (0, 2)}


class TestFamily:
    def test_the_same_arguments_give_the_same_xor_and_others_another(self):
        drawn = {
            (seed, run, k): XorFamily(UNITS, 5, seed).draw(run, k)
            for seed, run, k in product(range(4), repeat=3)
        }
        assert all(XorFamily(UNITS, 5, s).draw(r, k) == xor for (s, r, k), xor in drawn.items())
        assert len(set(drawn.values())) > 55  # of 504 supports and sides, 64 drawn

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 10])
    def test_supports_have_the_size_asked_for(self, size):
        for k in range(20):
            terms = XorFamily(UNITS, size).draw(0, k).terms
            assert len(set(terms)) == len(terms) == size

    def test_where_there_are_too_few_variables_all_are_taken(self):
        assert XorFamily(UNITS[:3], 5).draw(0, 0).terms == UNITS[:3]
        assert XorFamily((), 5).draw(0, 0).terms == ()

    @pytest.mark.parametrize("size", [1, 2, 3, 10, "dense"])
    def test_a_fixed_pattern_satisfies_half_of_the_xors(self, size):
        family, pattern = XorFamily(UNITS, size), (1, 0) * 5
        held = sum(family.draw(run, 0).holds(pattern) for run in range(2000))
        assert abs(held - 1000) < 4.5 * np.sqrt(500)

    def test_dense_takes_each_variable_half_of_the_time_the_empty_support_included(self):
        drawn = [XorFamily(UNITS[:2], "dense").draw(0, k) for k in range(4000)]
        for support in ((), UNITS[:1], UNITS[1:2], UNITS[:2]):
            for odd in (False, True):
                times = drawn.count(Xor(support, odd))
                assert abs(times - 500) < 4.5 * np.sqrt(500)

    @pytest.mark.parametrize("size", [0, -1, 2.5, "5", "long", None, True])
    def test_other_sizes_are_an_error(self, size):
        with pytest.raises(OptionError, match="an integer of at least 1"):
            XorFamily(UNITS, size)


class TestVariables:
    def test_stable_units_have_none(self):
        # On [-1, 1]: always on, splits, always off; in the second layer one of each again.
        net = network([[[1.0], [1.0], [1.0]], [[0.0, 1, 0]] * 3], [[2.0, 0, -2], [1, -0.5, -3]])
        box = mc.Box(-1, 1).bind(1)
        for level in ("interval", "lp", "milp"):
            assert unstable_variables(net, box, level, Deadline()) == ((1, 1), (4, 1))

    def test_tighter_bounds_find_more_of_them(self):
        # ReLU(x) - ReLU(x) is 0, which interval arithmetic does not see.
        net = network([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0, 0.0], [-0.5]])
        box = mc.Box(-1, 1).bind(1)
        assert unstable_variables(net, box, "interval", Deadline())[-1] == (2, 1)
        assert (2, 1) not in unstable_variables(net, box, "milp", Deadline())

    def test_without_bounds_all_units_take_part(self):
        box = mc.Box(-1, 1).bind(1)
        net = network([[[1.0], [1.0]]], [[5.0, 0.0]])
        whole = mc.Unbounded().bind(1)
        assert unstable_variables(net, whole, "lp", Deadline()) == ((0, 1), (1, 1))
        three = network([[[1.0], [1.0]]], [[5.0, 0.0]], STEPS)
        assert unstable_variables(three, box, "lp", Deadline()) == ((1, 1), (1, 2))
        ranked = network([np.ones((6, 1))], [np.arange(6.0)], MAXOUT)
        assert unstable_variables(ranked, box, "lp", Deadline()) == all_variables(ranked)
        assert all_variables(ranked) == ((0, 1), (0, 2), (1, 1), (1, 2))
