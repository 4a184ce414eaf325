"""Maximum coverage: how many sets k elements can meet. Exact where affordable, safe elsewhere.

The greedy choice is of no use here: it covers too few, and a bound must not.
"""

import numpy as np

from milpcount.types import Array

_BITS = np.array([byte.bit_count() for byte in range(256)], np.uint8)
_EXACT = 16
"""Elements up to which all of their subsets are looked at."""
_SUBSETS = 200_000
"""Subsets of k elements that are looked at beyond that, for small k."""


def maximum_coverage(meets: Array) -> list[int]:
    """Return upper bounds f(0), .., f(n) on the sets that k of n elements meet together.

    Parameters
    ----------
    meets : ndarray of bool, shape (sets, n)
        Whether element j meets set i.

    Returns
    -------
    list of int
        Exact for n <= 16, and for those k with few subsets; elsewhere the least of what k elements
        meet when their sets are disjoint, of all sets that can be met, and of
        ``floor(f(k-1) k / (k-1))``: of k elements one adds no more than their average.
    """
    needed = meets[meets.any(axis=1)]
    n = meets.shape[1]
    if not needed.size:
        return [0] * (n + 1)
    words = _words(needed)
    if n <= _EXACT:
        return _all_subsets(words)
    apart = np.concatenate([[0], np.cumsum(np.sort(needed.sum(axis=0))[::-1])])
    found = [0]
    chosen = np.zeros((1, words.shape[1]), np.uint64)
    last = np.full(1, -1)
    for k in range(1, n + 1):
        if chosen.size and len(chosen) * n <= _SUBSETS:
            chosen, last = _one_more(words, chosen, last)
            found.append(int(_count(chosen).max()))
            continue
        chosen = chosen[:0]
        average = found[-1] * k // (k - 1) if k > 1 else len(needed)
        found.append(max(found[-1], min(len(needed), int(apart[k]), average)))
    return found


def _words(meets: Array) -> Array:
    """Return one row of 64-bit words per element, a bit for each set it meets."""
    sets = -(-meets.shape[0] // 64) * 64
    padded = np.zeros((meets.shape[1], sets), np.uint8)
    padded[:, : meets.shape[0]] = meets.T
    return np.packbits(padded, axis=1).view(np.uint64)


def _count(words: Array) -> Array:
    return np.asarray(_BITS[words.view(np.uint8)].sum(axis=1, dtype=np.int64))


def _all_subsets(words: Array) -> list[int]:
    covered = np.zeros((1, words.shape[1]), np.uint64)
    sizes = np.zeros(1, np.int64)
    for element in words:
        covered = np.concatenate([covered, covered | element])
        sizes = np.concatenate([sizes, sizes + 1])
    best = np.zeros(len(words) + 1, np.int64)
    np.maximum.at(best, sizes, _count(covered))
    return [int(value) for value in best]


def _one_more(words: Array, chosen: Array, last: Array) -> tuple[Array, Array]:
    """Return the subsets of one element more, each once: elements are added in order."""
    grown = [(chosen[last < j] | words[j], j) for j in range(len(words))]
    marks = np.concatenate([np.full(len(rows), j) for rows, j in grown])
    return np.concatenate([rows for rows, _ in grown]), marks
