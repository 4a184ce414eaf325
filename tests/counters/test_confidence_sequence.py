"""The lower confidence sequence: what it says of known numbers, and that it keeps its promise."""

import math

import numpy as np
import pytest

from milpcount.counters.confidence_sequence import (
    _log_wealth,
    log_lower_bound,
    log_mean,
    to_integer,
)


def bound(values, confidence=0.95):
    with np.errstate(divide="ignore"):
        return math.exp(log_lower_bound(np.log(np.asarray(values, dtype=float)), confidence))


class TestKnownNumbers:
    def test_of_nothing_nothing_follows(self):
        assert log_lower_bound(np.zeros(0), 0.95) == -math.inf
        assert log_lower_bound(np.full(5, -math.inf), 0.95) == -math.inf

    def test_one_number_is_worth_what_markov_gives(self):
        # A gambler with the fraction f rejects m where 1 - f + f X / m >= 20: m <= f X / (19 + f).
        value = bound([1000.0])
        assert 1000 / 20 * 0.3 < value < 1000 / 20

    def test_many_equal_numbers_come_close_to_their_value(self):
        assert 0.98 * 70 < bound([70.0] * 1000) < 70

    def test_it_lies_below_the_mean_and_grows_with_the_sample(self):
        x = np.random.default_rng(0).lognormal(0.0, 1.0, size=4000)
        bounds = [bound(x[:n]) for n in (50, 400, 4000)]
        assert bounds == sorted(bounds)
        assert bounds[-1] < x.mean() < 1.2 * bounds[-1]

    def test_a_higher_confidence_gives_a_lower_bound(self):
        x = np.random.default_rng(1).exponential(size=100)
        assert bound(x, 0.999) < bound(x, 0.95) < bound(x, 0.5)

    def test_the_scale_does_not_matter(self):
        x = np.random.default_rng(2).normal(size=50)
        low = log_lower_bound(x, 0.95)
        assert log_lower_bound(x + 3000.0, 0.95) == pytest.approx(low + 3000.0, abs=1e-5)

    def test_zeros_count(self):
        assert bound([8.0, 0.0] * 200) < 4.0

    def test_integers_of_any_size(self):
        assert to_integer(-math.inf) == 0
        assert to_integer(math.log(438.5)) == 438
        assert to_integer(1000 * math.log(2) + 1e-9) >= 2**1000
        assert to_integer(math.log(0.5)) == 0

    def test_the_mean_of_logarithms_of_large_numbers(self):
        assert log_mean(np.array([5000.0, 5000.0 + math.log(3)])) == pytest.approx(
            5000.0 + math.log(2)
        )


class TestCoverage:
    """Over many samples the bound exceeds the mean in no more than 5 % of them."""

    @pytest.mark.parametrize(
        "draw",
        [
            lambda r, n: r.lognormal(-1.125, 1.5, size=n),  # heavy tail, mean 1
            lambda r, n: 2.0 * r.integers(0, 2, size=n),  # as the sides of a tree
            lambda r, n: (r.random(n) < 0.01) * 100.0,  # nearly always 0
            lambda r, n: r.exponential(size=n),
        ],
    )
    def test_at_every_sample_size_at_once(self, draw):
        random, trials, failures = np.random.default_rng(7), 300, 0
        for _ in range(trials):
            x = draw(random, 300)
            failures += any(bound(x[:n]) > 1.0 for n in (2, 10, 40, 120, 300))
        # With a probability of 5 % each, more than 25 of 300 have a probability below 1 %.
        assert failures <= 25

    def test_a_choice_of_the_next_distribution_by_the_past_does_not_break_it(self):
        random, failures = np.random.default_rng(8), 0
        for _ in range(300):
            x = []
            for _ in range(100):
                spread = 1.5 if x and x[-1] < 1.0 else 0.3
                x.append(random.lognormal(-(spread**2) / 2, spread))
            failures += bound(x) > 1.0
        assert failures <= 25


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("n", [1, 9, 40])
def test_the_wealth_at_the_bound_is_what_ville_asks(n, confidence):
    values = np.random.default_rng(n).normal(size=n)
    bound = log_lower_bound(values, confidence)
    needed = -math.log1p(-confidence)
    assert needed <= _log_wealth(values, bound) <= needed + 1e-3
