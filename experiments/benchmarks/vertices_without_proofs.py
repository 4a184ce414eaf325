"""A plain loop over cells that carry their vertices, without any proof: what bounds cost.

A cell is its vertices, each with a bit set of the facets it lies on; two are neighbours if they
share d - 1 facets. A row of one sign at all of them, up to 1e-10, does not split the cell. Rows of
the layer below are accumulated, a unit at a time. For general weights only, and up to 64 facets on
a path: a wrong count is possible, which is the point of comparing.
"""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

_MATH = {"reassoc", "contract"}
_MOST_VERTICES = 4000


def count(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], low: np.ndarray, high: np.ndarray
) -> int:
    """Return the number of activation regions of a rectifier network on a box."""
    d = weights[0].shape[1]
    widths = np.array([len(b) for b in biases])
    most = max(int(widths.max()), d)
    W, B = np.zeros((len(biases), most, most)), np.zeros((len(biases), most))
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        W[i, : w.shape[0], : w.shape[1]] = w
        B[i, : b.size] = b
    corners = np.arange(2**d)[:, None] >> np.arange(d) & 1
    facets = (1 << (2 * np.arange(d) + corners)).sum(axis=1).astype(np.uint64)
    found, _, _ = _search(
        W, B, widths, d, np.where(corners, high, low), facets, 2 * d, _MOST_VERTICES
    )
    return int(found)


@numba.njit(fastmath=_MATH)
def _popcount(x: Any) -> Any:
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@numba.njit(fastmath=_MATH)
def _search(W: Any, B: Any, widths: Any, d: Any, X0: Any, M0: Any, bits0: Any, most: Any) -> Any:
    L = widths.shape[0]
    total = widths.sum()
    K = W.shape[1]
    maxv = most
    X = np.zeros((total + 1, maxv, d))
    M = np.zeros((total + 1, maxv), np.uint64)
    n = np.zeros(total + 1, np.int64)
    nbits = np.zeros(total + 1, np.int64)
    X[0, : X0.shape[0]] = X0
    M[0, : X0.shape[0]] = M0
    n[0] = X0.shape[0]
    nbits[0] = bits0
    # Affine functions of d + 1 numbers: rows of the layer being decided, acc of the one below.
    layer = np.zeros(total + 1, np.int64)
    place = np.zeros(total + 1, np.int64)
    stage = np.zeros(total + 1, np.int64)
    rows = np.zeros((L, K, d + 1))
    acc = np.zeros((total + 1, K, d + 1))
    vals = np.zeros((total + 1, maxv))
    openu = np.zeros((L, K), np.int64)
    nopen = np.zeros(L, np.int64)
    for u in range(widths[0]):
        for a in range(d):
            rows[0, u, a] = W[0, u, a]
        rows[0, u, d] = B[0, u]
    depth = 0
    regions = 0
    splits = 0
    evals = 0
    entered = np.zeros(total + 1, np.bool_)
    while depth >= 0:
        q = layer[depth]
        if not entered[depth]:
            # entering layer l at this cell: settle
            entered[depth] = True
            m = 0
            nv = n[depth]
            if q + 1 < L:
                for u in range(widths[q + 1]):
                    for a in range(d):
                        acc[depth, u, a] = 0.0
                    acc[depth, u, d] = B[q + 1, u]
            for u in range(widths[q]):
                lo = 1e300
                hi = -1e300
                for v in range(nv):
                    t = rows[q, u, d]
                    for a in range(d):
                        t += rows[q, u, a] * X[depth, v, a]
                    lo = min(lo, t)
                    hi = max(hi, t)
                evals += nv
                if lo < -1e-10 and hi > 1e-10:
                    openu[q, m] = u
                    m += 1
                elif hi > 1e-10 and q + 1 < L:
                    for w in range(widths[q + 1]):
                        f = W[q + 1, w, u]
                        for a in range(d + 1):
                            acc[depth, w, a] += f * rows[q, u, a]
            nopen[q] = m
            place[depth] = 0
            stage[depth] = 0
            if m == 0:
                if q == L - 1:
                    regions += 1
                    depth -= 1
                else:
                    for u in range(widths[q + 1]):
                        for a in range(d + 1):
                            rows[q + 1, u, a] = acc[depth, u, a]
                    layer[depth] = q + 1
                    entered[depth] = False
                continue
        # decide open unit `place`
        u = openu[q, place[depth]]
        nv = n[depth]
        if stage[depth] == 0:
            lo = 1e300
            hi = -1e300
            for v in range(nv):
                t = rows[q, u, d]
                for a in range(d):
                    t += rows[q, u, a] * X[depth, v, a]
                vals[depth, v] = t
                lo = min(lo, t)
                hi = max(hi, t)
            evals += nv
            if lo >= -1e-10 or hi <= 1e-10:
                stage[depth] = 3 if hi > 1e-10 else 4  # one side only
            else:
                stage[depth] = 1
                if q == L - 1 and place[depth] + 1 == nopen[q]:
                    regions += 2
                    depth -= 1
                    continue
        s = stage[depth]
        if s == 5:
            depth -= 1
            continue
        active = s == 1 or s == 3
        # child
        c = depth + 1
        k = 0
        if s == 3 or s == 4:
            for v in range(nv):
                for a in range(d):
                    X[c, v, a] = X[depth, v, a]
                M[c, v] = M[depth, v]
            k = nv
            nbits[c] = nbits[depth]
            stage[depth] = 5
        else:
            splits += 1
            bit = np.uint64(1) << np.uint64(nbits[depth])
            for v in range(nv):
                t = vals[depth, v]
                if (t > 0.0) == active:
                    for a in range(d):
                        X[c, k, a] = X[depth, v, a]
                    M[c, k] = M[depth, v]
                    k += 1
            for v in range(nv):
                if vals[depth, v] > 0.0:
                    for w in range(nv):
                        if vals[depth, w] <= 0.0:
                            common = M[depth, v] & M[depth, w]
                            if _popcount(common) >= d - 1:
                                f = vals[depth, v] / (vals[depth, v] - vals[depth, w])
                                if k >= maxv:
                                    return -1, splits, evals
                                for a in range(d):
                                    X[c, k, a] = X[depth, v, a] + f * (
                                        X[depth, w, a] - X[depth, v, a]
                                    )
                                M[c, k] = common | bit
                                k += 1
            nbits[c] = nbits[depth] + 1
            stage[depth] = 2 if s == 1 else 5
            if s == 2:
                stage[depth] = 5
        n[c] = k
        if q + 1 < L:
            for w in range(widths[q + 1]):
                f = W[q + 1, w, u] if active else 0.0
                for a in range(d + 1):
                    acc[c, w, a] = acc[depth, w, a] + f * rows[q, u, a]
        if place[depth] + 1 < nopen[q]:
            layer[c] = q
            place[c] = place[depth] + 1
            stage[c] = 0
            entered[c] = True
        elif q == L - 1:
            regions += 1
            continue
        else:
            for w in range(widths[q + 1]):
                for a in range(d + 1):
                    rows[q + 1, w, a] = acc[c, w, a]
            layer[c] = q + 1
            entered[c] = False
        depth = c
    return regions, splits, evals
