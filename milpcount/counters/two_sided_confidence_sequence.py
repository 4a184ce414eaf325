"""A two-sided confidence sequence for the mean of bounded numbers, by betting.

Let Y_1, Y_2, .. lie in [0, H] with conditional means mu. Against the claim that the mean is m (or
less), a gambler bets on large numbers: ``1 + min(a, c / m) (Y - m)`` is what becomes of one coin,
at least ``1 - c``, and at most 1 on average if mu <= m. Against the claim that it is m or more,
another one bets on small numbers: ``1 + min(a, c / (H - m)) (m - Y)``. Rates a may depend on all
that came before. Products of these factors are non-negative supermartingales under their claims;
so are weighted means over gamblers. By Ville's inequality either exceeds ``2 / error`` at any time
with probability at most ``error / 2``, and every m at which it has is rejected (Waudby-Smith &
Ramdas, JRSS B 86, 2024, section 4). Each factor is monotone in m: between the values of m where the
minimum changes sides this is plain, and it is continuous there. So the ends are found by bisection.

What is known of Y may be an interval: the lower end of the mean goes by the lower ends of the Y,
the upper by the upper ones, and both wealths are then no larger than those of the Y themselves.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from milpcount.counters.confidence_sequence import FRACTIONS
from milpcount.types import Array

_MULTIPLES = (1.0, 3.0)
"""Of the rate that suits the width that is wanted; the larger one does better before."""
_WEIGHTS = (0.55, 0.25)
_STEADY = FRACTIONS[::2]
"""Fractions of the most that may be bet, of gamblers who share the rest of the weight: they do
better where the spread is not what was seen."""
_MOST = 0.9
"""Of what may be lost at once, by those that go by a rate."""
_ACCURACY = 1e-7
_ROUNDING = 1e-6
"""Relative; ends are moved outwards by it, far above the roundings of all sums."""
_FARTHEST = 400
"""Doublings of the mean that are tried for an end."""


def relative_width(epsilon: float) -> float:
    """Return x with ``(1 + x) / (1 - x) = (1 + epsilon)^2``."""
    ratio = (1.0 + epsilon) ** 2
    return (ratio - 1.0) / (ratio + 1.0)


@dataclass
class TwoSided:
    """The ends of a mean, from numbers as they come.

    Parameters
    ----------
    error : float
        Probability with which the mean may be outside, at any time: half of it for each end.
    highest : float
        H, which no number exceeds; infinity if that is not known: there is no upper end then.
    width : float
        Relative half width that is aimed at. It costs speed if it is another, never truth.
    mean, square : float
        Of numbers of the same kind that do not count, and of their squares: for the first bets.
    """

    error: float
    highest: float
    width: float
    mean: float
    square: float

    def __post_init__(self) -> None:
        self._low: Array = np.zeros(0)
        self._high: Array = np.zeros(0)
        self._rates: Array = np.zeros(0)
        self._sums = self.mean * _PRIOR, self.square * _PRIOR, float(_PRIOR)

    @property
    def count(self) -> int:
        """Numbers so far."""
        return len(self._low)

    @property
    def sample_mean(self) -> float:
        """Of the numbers so far, by their lower ends; nan without any."""
        return float(self._low.mean()) if self.count else math.nan

    def add(self, low: Array, high: Array) -> None:
        """Take further numbers, in their order; bets on them go by those before.

        Parameters
        ----------
        low, high : ndarray, shape (n,)
            What is known of each: it is between the two.
        """
        total, squares, count = self._sums
        mean = total / count
        spread = max(squares / count - mean * mean, 0.0)
        aim = self.width * mean
        rate = aim / (spread + aim * aim) if aim > 0.0 else 0.0
        self._rates = np.append(self._rates, np.full(len(low), rate))
        self._low = np.append(self._low, low)
        self._high = np.append(self._high, np.minimum(high, self.highest))
        self._sums = total + low.sum(), squares + (low * low).sum(), count + len(low)

    def ends(self) -> tuple[float, float]:
        """Return both ends of the mean, rounded outwards.

        They hold at all numbers of numbers at once, so the best of several are ends, too.
        """
        if not self.count:
            return 0.0, self.highest
        return self._lower(), self._upper()

    def _lower(self) -> float:
        """Return the largest mean that is too small, for certain."""
        values = self._low
        if not values.any():
            return 0.0
        start = float(values.mean())

        def rejected(m: float) -> bool:
            return self._wealth(values - m, m) >= self._threshold

        low, high = _bracket(rejected, start, up=False)
        return 0.0 if low is None else _bisect(rejected, low, high) * (1.0 - _ROUNDING)

    def _upper(self) -> float:
        """Return the smallest mean that is too large, for certain."""
        values, top = self._high, self.highest
        if math.isinf(top):
            return top

        def rejected(m: float) -> bool:
            return m < top and self._wealth(m - values, top - m) >= self._threshold

        start = float(values.mean())
        high, low = _bracket(rejected, start, up=True, top=top)
        found = top if high is None else _bisect(rejected, high, low)
        return min(top, found * (1.0 + _ROUNDING))

    @property
    def _threshold(self) -> float:
        return math.log(2.0 / self.error)

    def _wealth(self, gains: Array, room: float) -> float:
        """Return the logarithm of the gamblers' mean wealth; no gain is below ``-room``."""
        logs = []
        for multiple, weight in zip(_MULTIPLES, _WEIGHTS, strict=True):
            rate = np.minimum(multiple * self._rates, _MOST / room)
            logs.append(math.log(weight) + float(np.log1p(rate * gains).sum()))
        rest = math.log((1.0 - sum(_WEIGHTS)) / len(_STEADY))
        scaled = gains / room
        logs += [rest + float(np.log1p(f * scaled).sum()) for f in _STEADY.tolist()]
        return float(np.logaddexp.reduce(logs))


_PRIOR = 16
"""Numbers for which those that do not count stand."""


def _bracket(
    rejected: Callable[[float], bool], start: float, *, up: bool, top: float = math.inf
) -> tuple[float | None, float]:
    """Return a mean that is rejected and one that is not, a factor apart.

    Parameters
    ----------
    rejected : callable
    start : float
        Above 0, near the numbers' mean.
    up : bool
        Whether means are rejected above the end.
    top : float
        Beyond which nothing is tried.
    """
    out, back = (2.0, 0.5) if up else (0.5, 2.0)
    kept = start
    while rejected(kept):  # it has to lie on the near side
        kept *= back
    far = kept * out
    for _ in range(_FARTHEST):
        if far >= top or far == 0.0:
            break
        if rejected(far):
            return far, kept
        kept, far = far, far * out
    if up and kept < top and rejected(0.5 * (kept + top)):
        return 0.5 * (kept + top), kept
    return None, kept


def _bisect(rejected: Callable[[float], bool], bad: float, good: float) -> float:
    """Return a rejected mean that is next to one that is not."""
    while abs(good - bad) > _ACCURACY * bad:
        middle = 0.5 * (bad + good)
        bad, good = (middle, good) if rejected(middle) else (bad, middle)
    return bad
