"""What strata rest on: the range of their numbers, and walks that left a side out."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.approximate.strata import Pilot, Strata, log_highest
from milpcount.network import piecewise_linear
from milpcount.tree.search import Search

CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])

LOG_MEAN = math.log(50.0)


def strata(log_mean=LOG_MEAN):
    pilot = Pilot((64, 1), log_mean, 1.5, math.log(1000.0), 3.0, 100, 50, 0)
    return Strata(SimpleNamespace(), pilot, 0.2, 0.05)  # type: ignore[arg-type]


def walked(sizes, undecided=0):
    return SimpleNamespace(log_size=np.log(np.array(sizes)), tests=10, undecided=undecided)


@pytest.mark.parametrize("unit", [CLIP, "relu"])
def test_no_subtree_has_more_regions_than_its_units_have_combinations(unit):
    kind = {} if unit == "relu" else {"activation": unit}
    net = mc.Network.from_arrays([np.eye(3)], [np.zeros(3)], output=False, **kind)
    search = Search(net, mc.Box(-2, 2).bind(3))
    assert log_highest(search) == pytest.approx(3 * math.log(2 if unit == "relu" else 3))
    assert math.exp(log_highest(search)) >= mc.count(net, mc.Box(-2, 2)).lower * (1 - 1e-12)


def test_the_range_is_that_of_the_theorem():
    assert strata()._sequence.highest >= 1000.0 / 50.0
    assert math.isinf(strata(log_mean=-1000.0)._sequence.highest)


def test_a_walk_that_left_a_side_out_may_have_had_any_size():
    one, other = strata(), strata()
    assert one._take(walked([40.0, 60.0] * 500), 1000)
    assert other._take(walked([40.0, 60.0] * 500, undecided=1), 1000)
    one._conclude(), other._conclude()
    assert 40 < math.exp(one.low) < 50 < math.exp(one.high) < 60
    assert other.low == pytest.approx(one.low) and other.high > math.log(500)
    assert not strata()._take(walked([1.0]), 2)  # it was cut short
