"""Both ends of a mean by betting: right by enumeration, honest about what is not known."""

import itertools
import math

import numpy as np
import pytest

from milpcount.counters.two_sided_confidence_sequence import TwoSided, relative_width


def sequence(error=0.2, highest=1.0, mean=0.5, width=0.3):
    return TwoSided(error, highest, width, mean, mean * mean + 0.1)


def ends_of(values, **options):
    found = sequence(**options)
    for value in values:
        found.add(np.array([value]), np.array([value]))
    return found.ends()


def test_the_mean_is_ever_outside_with_the_probability_allowed():
    # Every sequence of seven coins, with its probability: no sampling, and every time counts.
    ends = {
        coins: ends_of(coins, error=0.5)
        for length in range(1, 8)
        for coins in itertools.product((0.0, 1.0), repeat=length)
    }
    said = 0.0
    for p in (0.02, 0.1, 0.3, 0.5, 0.8, 0.95):
        outside = 0.0
        for coins in itertools.product((0.0, 1.0), repeat=7):
            seen = [ends[coins[:length]] for length in range(1, 8)]
            missed = any(not low <= p <= high for low, high in seen)
            heads = sum(coins)
            outside += missed * p**heads * (1 - p) ** (7 - heads)
        assert outside <= 0.5
        said = max(said, outside)
    assert said > 0.02  # the ends are no trivial ones


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_enough_numbers_give_the_width_that_was_asked_for(scale):
    random = np.random.default_rng(0)
    values = random.beta(2, 3, 2000) * scale
    found = TwoSided(0.05, scale, relative_width(0.1), 0.4 * scale, 0.2 * scale * scale)
    found.add(values, values)
    low, high = found.ends()
    assert low < values.mean() < high < 1.21 * low
    assert low <= 0.4 * scale <= high


def test_without_a_highest_number_there_is_a_lower_end_only():
    low, high = ends_of([1.0] * 50, highest=math.inf)
    assert 0.5 < low < 1.0 and math.isinf(high)


def test_nothing_is_said_without_numbers_or_of_zeros_alone():
    assert sequence().ends() == (0.0, 1.0)
    low, high = ends_of([0.0] * 100)
    assert low == 0.0 and 0.0 < high < 0.2


def test_numbers_all_at_the_top_leave_the_top():
    low, high = ends_of([1.0] * 100)
    assert 0.8 < low < 1.0 and high == 1.0


def test_what_is_known_between_two_ends_widens_the_interval():
    random = np.random.default_rng(1)
    values = random.random(300)
    sharp, vague = sequence(), sequence()
    sharp.add(values, values)
    vague.add(values * 0.9, np.minimum(values * 1.1, 1.0))
    assert vague.ends()[0] < sharp.ends()[0] < sharp.ends()[1] < vague.ends()[1]


def test_ends_are_where_wealth_reaches_the_threshold():
    # One coin, one gambler with all of the weight but for what the others add at most.
    found = sequence(error=0.5)
    found.add(np.full(40, 0.5), np.full(40, 0.5))
    low, high = found.ends()
    wealth = found._wealth(found._low - low, low)
    assert wealth == pytest.approx(math.log(4.0), abs=1e-3)
    wealth = found._wealth(high - found._high, 1.0 - high)
    assert wealth == pytest.approx(math.log(4.0), abs=1e-3)
