"""The statistics of MBound: published numbers, exact tails, and coverage by simulation."""

from fractions import Fraction
from math import comb, log2

import numpy as np
import pytest

from milpcount.counters.mbound.xor_statistics import (
    error_rate,
    estimate,
    exponent,
    hybrid_bound,
    least_feasible,
    least_runs,
    share,
    tail,
)
from milpcount.errors import OptionError

FIVE = Fraction(1, 20)


@pytest.mark.parametrize(("runs", "needed"), [(5, 5), (20, 15), (30, 20), (50, 32)])
def test_feasible_runs_that_prove_a_bound_with_95_percent(runs, needed):
    assert least_feasible(runs, FIVE) == needed
    assert tail(runs, needed) <= FIVE < tail(runs, needed - 1)


def test_five_runs_are_the_least_for_95_percent():
    assert least_runs(FIVE) == 5
    with pytest.raises(OptionError, match=r"confidence 0\.9375 and no more; give runs=5 or more"):
        least_feasible(4, FIVE)
    assert least_runs(Fraction(1, 2**70)) == 70


def test_tails_are_exact():
    assert tail(3, 2) == Fraction(1, 2)
    assert tail(4, 4) == Fraction(1, 16)
    assert tail(7, 0) == tail(7, -1) == 1 and tail(7, 8) == 0
    assert tail(200, 150) == Fraction(sum(comb(200, k) for k in range(150, 201)), 2**200)


def test_confidence_is_taken_as_it_is_written():
    assert error_rate(0.95) == FIVE  # not 1 - 0.95 in floating point, which is less
    assert error_rate(0.9999) == Fraction(1, 10_000)
    for wrong in (0, 1, 1.5, -0.1, float("nan"), "0.9", True, None):
        with pytest.raises(OptionError, match="between 0 and 1, such as"):
            error_rate(wrong)


class TestExponent:
    def test_by_hand(self):
        # 20 runs that end with 9 XORs are feasible with 8, and prove |F| >= 2^7.
        assert exponent([9] * 20, 20, FIVE) == 7
        assert exponent([9] * 15 + [1] * 5, 20, FIVE) == 7
        assert exponent([9] * 14 + [8] + [1] * 5, 20, FIVE) == 6
        assert exponent([9] * 14 + [1] * 6, 20, FIVE) == 0

    def test_it_is_the_largest_exponent_the_rule_allows(self):
        random = np.random.default_rng(0)
        for _ in range(200):
            xors = random.integers(1, 12, size=20).tolist()
            feasible = [sum(x > s for x in xors) for s in range(14)]
            allowed = [j for j in range(13) if tail(20, feasible[j + 1]) <= FIVE]
            assert exponent(xors, 20, FIVE) == max(allowed, default=0)

    def test_runs_that_never_began_count_as_infeasible(self):
        assert exponent([9] * 15, 20, FIVE) == 7
        assert exponent([9] * 14, 20, FIVE) == 0
        assert exponent([], 20, FIVE) == 0

    def test_one_region_proves_nothing_more(self):
        assert exponent([1] * 20, 20, FIVE) == exponent([2] * 20, 20, FIVE) == 0


class TestShare:
    @pytest.mark.parametrize("runs", [1, 5, 20, 50])
    def test_its_power_is_just_within_the_error(self, runs):
        q = share(runs, FIVE)
        assert q**runs <= FIVE < (q + Fraction(1, 2**40)) ** runs

    def test_hybrid_bounds_by_hand(self):
        # One run: E[M] = |F| 2^-s, and M exceeds 20 times that with probability at most 1/20.
        assert hybrid_bound([7], 1, 10, FIVE) == -(-(2**10 * 7) // 20)
        assert hybrid_bound([7, 9, 8], 3, 0, Fraction(1, 8)) == 4  # q = 1/2
        assert hybrid_bound([7, 9], 3, 0, Fraction(1, 8)) == 1  # a run is missing
        assert hybrid_bound([7, 0, 8], 3, 5, Fraction(1, 8)) == 1


def xors_needed(size, random):
    """Return what a run returns for a set that uniform hashes cut, in the long-XOR limit."""
    s = 0
    while size:
        size, s = int(random.binomial(size, 0.5)), s + 1
    return s


def failures_allowed(trials):
    """Return the least number of failures that refutes an error rate of 5 % at the 0.1 % level."""
    chance = lambda k: comb(trials, k) * 0.05**k * 0.95 ** (trials - k)  # noqa: E731
    k, left = 0, 1.0
    while left > 1e-3:
        left, k = left - chance(k), k + 1
    return k


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 1000])
def test_the_bound_exceeds_the_truth_in_no_more_than_5_percent(size):
    random = np.random.default_rng(size)
    bounds = [
        2 ** exponent([xors_needed(size, random) for _ in range(20)], 20, FIVE) for _ in range(300)
    ]
    assert sum(bound > size for bound in bounds) < failures_allowed(300)
    assert np.mean(np.log2(bounds)) >= log2(size) - 3


def test_one_more_would_be_wrong_too_often():
    # The exponent is no safer than it has to be: two more would fail nearly always.
    random = np.random.default_rng(0)
    drawn = [[xors_needed(1000, random) for _ in range(20)] for _ in range(100)]
    wrong = sum(2 ** (exponent(xors, 20, FIVE) + 2) > 1000 for xors in drawn)
    assert wrong >= failures_allowed(100)


@pytest.mark.parametrize("size", [100, 1000, 12345])
def test_the_hybrid_bound_exceeds_the_truth_in_no_more_than_5_percent(size):
    random = np.random.default_rng(size)
    s = max(0, int(log2(size)) - 4)
    wrong = sum(
        hybrid_bound(random.binomial(size, 2.0**-s, 20).tolist(), 20, s, FIVE) > size
        for _ in range(300)
    )
    assert wrong < failures_allowed(300)


def test_the_hybrid_bound_is_attained_by_sets_that_are_cut_as_a_whole():
    # A subspace of 2^s patterns: all survive an XOR or half of them. With M = |F| 2^-s / q in a
    # share q of the runs, the bound is wrong with probability q^runs: Markov's inequality is met.
    random, runs, size = np.random.default_rng(1), 2, 64
    q = share(runs, FIVE)
    residue = int(size / q) + 1
    wrong = sum(
        hybrid_bound([residue if random.random() < q else 0 for _ in range(runs)], runs, 0, FIVE)
        > size
        for _ in range(4000)
    )
    assert 120 < wrong < 4000 * 0.05 + 4.5 * np.sqrt(190)


@pytest.mark.parametrize("size", [50, 1000, 10**6])
def test_the_estimate_is_right_on_average(size):
    random = np.random.default_rng(size)
    guess = estimate([xors_needed(size, random) for _ in range(4000)])
    assert abs(log2(guess) - log2(size)) < 0.15


def test_estimates_of_huge_sets_are_integers():
    assert estimate([]) is None
    assert estimate([1]) == 1
    assert estimate([3000] * 3).bit_length() == 2999
