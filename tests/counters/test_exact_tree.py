import numpy as np
import pytest

from milpcount import Box, Limits, Network, Quantity, Section, Status
from milpcount.counters.driver import count
from milpcount.counters.exact_tree import ExactTree
from milpcount.errors import OptionError
from milpcount.exact.verify import verify
from milpcount.result import Guarantee

RNG = np.random.default_rng(7)
DEEP = Network.from_arrays(
    [RNG.normal(size=(6, 2)), RNG.normal(size=(5, 6)), RNG.normal(size=(1, 5))],
    [RNG.normal(size=6) / 3, RNG.normal(size=5) / 3, np.zeros(1)],
)


def test_the_regions_are_kept_and_prove_the_count() -> None:
    found = count(DEEP, Box(-1, 1), ExactTree(), keep_regions=True)
    assert found.is_exact
    assert found.status is Status.COMPLETE
    assert found.guarantee is Guarantee.EXACT_ARITHMETIC
    assert found.method == {"name": "exact"}
    assert found.share == 1.0
    assert verify(found, DEEP, Box(-1, 1).bind(2))


def test_every_sampled_pattern_is_a_region() -> None:
    found = count(DEEP, Box(-1, 1), ExactTree(), keep_regions=True)
    assert found.regions is not None
    sampled = DEEP.pattern(np.random.default_rng(0).uniform(-1, 1, (2000, 2)))
    assert {tuple(p) for p in sampled.tolist()} <= {r.pattern for r in found.regions}


def test_a_section_is_counted_and_proved() -> None:
    section = Section([0.1, -0.2], [[0.7, 0.3]], Box(-1, 1))
    found = count(DEEP, section, ExactTree(), keep_regions=True)
    assert found.lower > 1
    assert verify(found, DEEP, section.bind(2))


def test_a_region_limit_is_met_exactly() -> None:
    found = count(DEEP, Box(-1, 1), ExactTree(), limits=Limits(regions=7), keep_regions=True)
    assert (found.lower, found.status) == (7, Status.REGION_LIMIT)
    assert found.regions is not None
    assert len(found.regions) == 7


def test_a_time_limit_leaves_valid_bounds() -> None:
    rng = np.random.default_rng(1)
    wide = Network.from_arrays([rng.normal(size=(40, 4))], [rng.normal(size=40)], output=False)
    found = count(wide, Box(-1, 1), ExactTree(), limits=Limits(seconds=0.5))
    assert found.status is Status.TIME_LIMIT
    assert found.seconds < 5
    assert found.lower < found.upper
    assert found.share is not None
    assert 0 < found.share < 1


def test_many_inputs() -> None:
    rng = np.random.default_rng(2)
    net = Network.from_arrays(
        [rng.normal(size=(4, 300)) / 10, rng.normal(size=(3, 4))],
        [-rng.random(4), rng.normal(size=3)],
        output=False,
    )
    found = count(net, Box(0, 1), ExactTree(), keep_regions=True)
    assert found.lower > 8
    assert verify(found, net, Box(0, 1).bind(300))


def test_other_quantities_are_refused() -> None:
    with pytest.raises(OptionError, match="cannot count grid_patterns; it counts activation"):
        count(DEEP, Box(-1, 1), ExactTree(), quantity=Quantity.GRID_PATTERNS)
