"""What keeps a lower confidence bound from the estimate, in words for the progress line."""

import math

import numpy as np

_CLOSE = 0.25
"""Bits below which a gap needs no words."""
_MOST = 0.5
"""Share of the mean from which one estimate is said to carry it."""
_BITS = math.log2(math.e)


def what_limits(log_values: np.ndarray, log_bound: float) -> str:
    """Return what limits the gap between the mean of values and its bound, "" if it is small.

    Either a few values are most of the mean, and the bound cannot rest on what may be luck; or they
    spread widely; or there are few.

    Parameters
    ----------
    log_values : ndarray, shape (n,)
        Natural logarithms, -inf for 0.
    log_bound : float
        Of the bound.
    """
    known = log_values[np.isfinite(log_values)]
    if not known.size:
        return "no walk has come to a region yet"
    total = float(np.logaddexp.reduce(known))
    gap = (total - math.log(log_values.size) - log_bound) * _BITS
    if gap < _CLOSE:
        return ""
    n, top = log_values.size, math.exp(float(known.max()) - total)
    if n > 1 and top > _MOST:
        return f"gap {gap:.1f} bits: one of {n:,} estimates is {top:.0%} of their mean"
    # Of those that matter: what the first rounds found before they learned says nothing.
    best = np.sort(known)[-max(1, known.size // 2) :]
    spread = float(best.max() - best.min()) * _BITS
    if n > 1 and spread > 1.0:
        return f"gap {gap:.1f} bits: the better half of {n:,} estimates spread over {spread:.1f}"
    return f"gap {gap:.1f} bits: {n:,} estimates are few"
