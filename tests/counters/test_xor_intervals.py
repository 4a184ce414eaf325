"""Both ends from residues of XORs: exact roots, plans that keep their error, medians of groups."""

from fractions import Fraction
from math import comb

import pytest

from milpcount.counters.mbound.xor_intervals import Plan, ends, plan

HALF = Fraction(1, 2)


@pytest.mark.parametrize("total", [0, 1, 7, 600, 10**6])
@pytest.mark.parametrize(("runs", "xors"), [(1, 0), (1, 5), (3, 2)])
@pytest.mark.parametrize("k", [Fraction(20), Fraction(7, 3)])
def test_the_ends_are_the_first_and_last_number_that_fit(total, runs, xors, k):
    low, high = ends([total, *[0] * (runs - 1)], xors, Plan(1, k, 1))

    def fits(n):
        expected = Fraction(runs * n, 2**xors)
        return (total - expected) ** 2 <= k * expected

    assert fits(low) and fits(high)
    assert not any(fits(n) for n in range(max(0, low - 50), low))
    assert not any(fits(n) for n in range(high + 1, high + 50))


def test_the_plan_of_one_group_is_chebyshevs():
    found = plan(Fraction(1, 5), Fraction(1, 20))
    assert (found.groups, found.k, found.needed) == (1, 20, 600)  # 20 * 1.2 / 0.04


@pytest.mark.parametrize("error", [Fraction(1, 100), Fraction(1, 10**6)])
def test_small_errors_take_medians(error):
    found = plan(Fraction(1, 5), error)
    assert found.groups > 1 and found.groups % 2 == 1
    assert found.total < (1 / error) * 30
    # Each end of a group is wrong with at most p; the median needs half of them.
    p = 1 / (1 + found.k)
    g = found.groups
    wrong = sum(comb(g, j) * p**j * (1 - p) ** (g - j) for j in range(g // 2 + 1, g + 1))
    assert 2 * wrong <= error


@pytest.mark.parametrize("error", [Fraction(1, 5), Fraction(1, 20), Fraction(1, 1000)])
@pytest.mark.parametrize("epsilon", [Fraction(4, 5), Fraction(1, 5), Fraction(1, 50)])
def test_as_many_patterns_as_are_needed_give_the_epsilon(error, epsilon):
    found = plan(epsilon, error)
    low, high = ends([found.needed] * found.groups, 30, found)
    assert Fraction(high, low) <= (1 + epsilon) ** 2
    low, high = ends([found.needed // 2] * found.groups, 30, found)
    assert Fraction(high, low) > (1 + epsilon) ** 2


def test_medians_of_groups_leave_out_what_strays():
    k = Fraction(5)
    one = ends([100], 3, Plan(1, k, 1))
    three = ends([100, 10**6, 100], 3, Plan(3, k, 1))
    assert three == one


def test_groups_are_of_one_size():
    with pytest.raises(ValueError, match="one size"):
        ends([1, 2], 1, Plan(3, HALF, 1))
