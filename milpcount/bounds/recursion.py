"""The recursion behind the rectifier bounds: polynomial time where the theorems sum over J.

Serra et al. (2018) sum over all (j_1, .., j_L) with ``j_l <= min(n_0, n_1 - j_1, .., n_l)``. All
that a later layer needs to know of the earlier j is the running minimum d, so with R(L+1, .) = 1

    R(l, d) = sum_{j <= min(d, n_l)} C(n_l, j) R(l+1, min(d, n_l - j)).

For j <= n_l - d the factor is R(l+1, d), so that a layer costs two products per dimension rather
than one per pair (d, j).
"""

from collections.abc import Sequence
from typing import Any

from milpcount.bounds.binomials import fast_binomials


def count_patterns(
    n_inputs: int,
    widths: Sequence[int],
    ranks: Sequence[int] | None = None,
    *,
    all_off: bool = True,
) -> int:
    """Return R(1, n_inputs).

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    ranks : sequence of int, optional
        Upper bounds on the ranks of the weights.
    all_off : bool
        Whether patterns with a layer of inactive units only are counted.

    Returns
    -------
    int
    """
    n_inputs = min(n_inputs, max(widths))  # more inputs than units make no difference
    caps = [min(n, r) for n, r in zip(widths, ranks or widths, strict=True)]
    spans = _spans(n_inputs, widths, caps)
    values: dict[int, Any] = dict.fromkeys(range(max(widths) + 1), 1)
    bits = sum(widths)
    for n, cap, (low, high) in reversed(list(zip(widths, caps, spans, strict=True))):
        inner = _layer(n, cap, low, min(high, cap), values, all_off, bits)
        values = {d: inner[min(d, cap)] for d in range(low, high + 1)}
    return int(values[n_inputs])


def _spans(n_inputs: int, widths: Sequence[int], caps: Sequence[int]) -> list[tuple[int, int]]:
    """Return the least and greatest dimension with which each layer can be entered."""
    spans, low, high = [], n_inputs, n_inputs
    for n, cap in zip(widths, caps, strict=True):
        spans.append((low, high))
        high = min(high, cap)
        low = min(low, high, n - high)
    return spans


def _layer(
    n: int,
    cap: int,
    low: int,
    high: int,
    after: dict[int, Any],
    all_off: bool,
    bits: int,
) -> dict[int, Any]:
    """Return R(l, d) for the dimensions of a layer, at most its cap."""
    choose, sums = fast_binomials(n, high, bits)
    least = min(low, high, n - high)
    # Regions with n - e inactive units, whose image has dimension e.
    below, total = {least: 0}, 0
    for e in range(least, high):
        if e or all_off:
            total = total + choose[e] * after[e]
        below[e + 1] = total
    found = {}
    for d in range(min(low, high), high + 1):
        flat = min(d, n - d)  # up to so many inactive units leave the dimension at d
        found[d] = sums[flat] * after[d] + (below[d] - below[flat])
    return found
