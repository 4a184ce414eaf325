"""Lower confidence bound for the mean of non-negative numbers, by betting.

A gambler who starts with 1 bets on numbers X_1, X_2, ... >= 0 whose conditional means are at most
m: with a fraction lambda of the wealth each time, the wealth after n of them is the product of
``1 - lambda + lambda X_i / m``, a non-negative supermartingale. By Ville's inequality it ever
reaches 1 / (1 - confidence) with probability at most 1 - confidence, so every m at which it has is
rejected (Waudby-Smith & Ramdas, JRSS B 86, 2024, section 4, with the upper limit of X taken away: a
bound from below needs none). Averaging the wealth of many gamblers keeps the property. They differ
in their fractions, which are fixed, and in when they begin: some let the first 8, 16, 32, ..
numbers pass, which are small where numbers get better as more is learned. The numbers may be chosen
adaptively, and the run may be stopped at any time for any reason.
"""

import math
from fractions import Fraction

import numpy as np

FRACTIONS = 1.0 / (1.0 + np.exp(-np.linspace(-4.5, 2.5, 12)))
"""Fractions of the wealth that the gamblers bet, from 1 % to 92 %."""

_FIRST_PASSED = 8
"""Numbers that the first of those who wait let pass; each of the others waits twice as long."""
_WAITING = 0.2
"""Share of the wealth of those who wait."""

_ACCURACY = 1e-6
"""Of the logarithm; the bound is rounded down by it, far above the roundings of all sums."""
_LARGEST = 700.0


def log_lower_bound(log_values: np.ndarray, confidence: float) -> float:
    """Return the logarithm of a lower bound of the mean that holds with a confidence.

    Parameters
    ----------
    log_values : ndarray, shape (n,)
        Natural logarithms of the numbers, in the order in which they were drawn; -inf for 0.
    confidence : float
        In (0, 1).

    Returns
    -------
    float
        -inf if nothing can be said. The bound holds at all n at once, so the largest of the bounds
        at several n is one too.
    """
    values = np.asarray(log_values, dtype=np.float64)
    if not np.isfinite(values).any():
        return -math.inf
    threshold = -math.log1p(-confidence)
    high = log_mean(values) + 1.0
    while _log_wealth(values, high) >= threshold:
        high += 1.0
    step, low = 2.0, high - 2.0
    while _log_wealth(values, low) < threshold:
        step *= 2.0
        high, low = low, low - step
    while high - low > _ACCURACY:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _log_wealth(values, middle) >= threshold else (low, middle)
    return low - _ACCURACY


def _log_wealth(log_values: np.ndarray, log_mean: float) -> float:
    """Return the logarithm of the mean wealth of the gamblers at one m; it falls as m grows."""
    ratio = np.exp(np.minimum(log_values - log_mean, _LARGEST))
    gains = np.log1p(FRACTIONS[:, None] * (ratio - 1.0))
    begins = _begins(ratio.size)
    ends = [*begins[1:], ratio.size]
    parts = np.stack([gains[:, i:j].sum(axis=1) for i, j in zip(begins, ends, strict=True)])
    wealth = np.cumsum(parts[::-1], axis=0)[::-1]
    # The j-th of those who wait has 1 / (j (j + 1)) of their part. Who has not begun has it still.
    turn = np.arange(1.0, len(begins))
    share = np.append(1.0 - _WAITING, _WAITING / (turn * (turn + 1.0))) / FRACTIONS.size
    owned = np.logaddexp.reduce(wealth + np.log(share)[:, None], axis=None)
    return float(np.logaddexp(owned, math.log(_WAITING / len(begins))))


def _begins(n: int) -> list[int]:
    """Return after how many of n numbers gamblers begin, as far as they do."""
    begins, passed = [0], _FIRST_PASSED
    while passed < n:
        begins.append(passed)
        passed *= 2
    return begins


def log_mean(log_values: np.ndarray) -> float:
    """Return the logarithm of the mean of numbers given by their logarithms."""
    return float(np.logaddexp.reduce(log_values) - math.log(len(log_values)))


def to_integer(log_value: float) -> int:
    """Return the integer part of ``exp(log_value)``; 0 for -inf."""
    if log_value == -math.inf:
        return 0
    exponent, fraction = divmod(log_value / math.log(2.0), 1.0)
    return math.floor(Fraction(2.0**fraction) * Fraction(2) ** int(exponent))
