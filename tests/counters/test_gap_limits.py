"""The words for what limits a bound say what does."""

import math

import numpy as np
import pytest

from milpcount.counters.confidence_sequence import log_lower_bound
from milpcount.counters.probing.gap_limits import what_limits


def said(values: np.ndarray) -> str:
    return what_limits(values, log_lower_bound(values, 0.95))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([10.0] * 30 + [30.0]), "one of 31 estimates is 100% of their mean"),
        (np.tile(np.linspace(0.0, 4.0, 5), 8), "the better half of 40 estimates spread over"),
        (np.full(6, 9.0), "6 estimates are few"),
        (np.full(4000, 9.0), ""),
        (np.full(3, -math.inf), "no walk has come to a region"),
    ],
)
def test_what_limits_a_gap(values: np.ndarray, says: str) -> None:
    assert says in said(values)
    assert bool(says) == bool(said(values))
