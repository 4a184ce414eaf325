"""Checks proofs of linear regions, closed linear regions and affine pieces.

``python check_linear.py NETWORK.npz PROOF``; needs `check.py` beside it, and numpy.

The claim. The file proves, as `check` does, which activation regions there are (R2). On each the
network is an affine map of the parameters. Affine pieces (R6) are distinct maps; linear regions
(R4) the maximal connected open sets on which the function is affine; closed linear regions (R5)
the connected components of the union of the closures of one map's regions. Units are continuous,
which is checked, and so is the function.

Maps. All are evaluated at one point, in floats with bounds on their errors. Where two values are
certainly different, so are the maps; all others are compared as they are, in rational numbers.

Joined. Two regions of one map are one linear region if they share a facet: a point inside of X is
given where a hyperplane h = 0 passes, the rows of one region that vanish there are positive
multiples of h, those of the other one negative multiples, and all other rows are positive: then the
regions are all that is near the point but for h = 0, and the function is affine there. Closed
ones are one if they have a point in common: one is given, where no row is negative. So there are
at most as many sets as are left when all these are joined.

Apart. A path in an open set can be bent around what has two dimensions less than the set, and so
goes from one region to the next through facets; hence regions of one linear region are connected by
facets that two of them share. It remains to be shown of any two of one map that have not been
joined that they share none: multipliers m >= 0 of rows of both are given, and of the domain, such
that sum(m * sign * row) is nowhere positive on the box. On what the closures share all these
rows are at least 0. If the sum is negative the closures share nothing, which is what R5 needs. If
not, all rows with multipliers vanish there, and X's bounds are met with equality that the sum's
maximum needs: if there are such, or rows of the domain among those with multipliers, what is
shared lies in the boundary of X, where no facet is that two regions share; and if two of the rows
are no multiples of each other, it has two dimensions less. A proof of two regions holds for
others that agree with them in all pieces that those rows depend on.

If not all regions were found: there are as many sets as different maps were found, or more; and at
most as many as activation regions.
"""

import json
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np

if __name__ == "__main__":  # alone, beside the other one
    sys.path.insert(0, str(Path(__file__).parent))
    import check
else:
    from milpcount.proof import check

need, exactly = check.need, check.exactly
TITLES = {"linear_regions": "linear regions", "closed_linear_regions": "closed linear regions",
          "affine_pieces": "affine pieces"}

def continuous(unit):
    """Return whether a unit is known to be continuous: pieces from left to right, or a maximum."""
    rank, rows, pieces = unit["rank"], [tuple(row) for row in unit["rows"]], unit["pieces"]
    asks = [sorted(map(tuple, piece[3])) for piece in pieces]
    if rank > 1:
        pairs = list(combinations(range(rank), 2))
        return rows == [(b, a, 0) for a, b in pairs] and all(
            p[:3] == [k, 1, 0] and asks[k] == [(r, 1 if k == b else -1) for r, (a, b) in
                                               enumerate(pairs) if k in (a, b)]
            for k, p in enumerate(pieces)) and len(pieces) == rank
    at, n = [Fraction(row[2]) for row in rows], len(rows)
    lines = [(Fraction(p[1]), Fraction(p[2])) for p in pieces]
    return (len(pieces) == n + 1 and all(row[:2] == (0, -1) for row in rows)
            and all(a < b for a, b in zip(at, at[1:]))
            and all(asks[k] == [(k - 1, 1)] * (k > 0) + [(k, -1)] * (k < n) for k in range(n + 1))
            and all(a * t + b == c * t + d for t, (a, b), (c, d) in zip(at, lines, lines[1:])))

def outputs(s, pieces, x=None, exact=False):
    """Return the network's outputs on pieces (cells, units, 1 or k), as functions or at points."""
    one, outs = s.one if x is None else 1, []
    for number in range(len(s.layers) - 1):
        v, _ = s.values(number, outs, x, exact)
        p = pieces[:, s.unit0[number] : s.unit0[number + 1]]
        outs.append(s.chosen(number, v, p, one, exact))
    return s.values(len(s.layers) - 1, outs, x, exact)[0]

def map_of(s, pattern):
    """Return the map of a region in rational numbers."""
    (m,) = outputs(s, pattern[None, :, None].astype(int), exact=True)
    return tuple(np.broadcast_to(m, (1, *m.shape[1:])).ravel().tolist())

def labels(s, P):
    """Return a number for each pattern, the same for the same map; they count from 0."""
    random, low, high = np.random.default_rng(0), [], []
    x, weights = check.numbers(np.append(1.0, random.random(s.d))[:, None]), None
    for first in range(0, len(P), n := 4096):
        v = outputs(s, P[first : first + n].T.astype(int)[None], x)
        weights = random.random(v[0].shape[1]) if weights is None else weights
        m, size = (np.broadcast_to((weights @ a)[0], len(P[first : first + n])) for a in v)
        e = (s.roundings + weights.size) * check.U * size
        low, high = [*low, m - e], [*high, m + e]
    low, high = np.concatenate(low), np.concatenate(high)
    low, high = np.where(low == low, low, -np.inf), np.where(high == high, high, np.inf)
    order = np.argsort(low, kind="stable")
    new = np.append(True, low[order][1:] > np.maximum.accumulate(high[order])[:-1])
    found, count = np.empty(len(P), dtype=np.int64), 0
    for group in np.split(order, np.flatnonzero(new)[1:]):
        known = {}
        for i in group:
            key = map_of(s, P[i]) if len(group) > 1 else None
            found[i] = known.setdefault(key, count + len(known))
        count += len(known)
    return found

class Regions:
    """Regions in rational numbers: their rows, each turned so that it is positive inside."""

    def __init__(self, s, P):
        self.s, self.P, self.known = s, P, {}

    def rows(self, i):
        """Return the rows that bound a region, by their numbers; those that are zero bound none."""
        s = self.s
        if i not in self.known:
            self.known = dict([*self.known.items()][-255:])
            forms, q = s.forms(self.P[i], len(s.layers) - 2), len(s.rows)
            ask = [1] * q + s.ask[np.arange(q, len(forms)),
                                  self.P[i].astype(int)[s.unit_of[q:]]].tolist()
            self.known[i] = {r: sign * forms[r] for r, sign in enumerate(ask)
                             if sign and (forms[r] != 0).any()}
        return self.known[i]

    def share_facet(self, i, j, t):
        """Return whether a point proves that two regions share a facet."""
        s, planes = self.s, []
        x = np.array([Fraction(1), *t])
        inside = len(t) == s.d and all(a < v < b for a, v, b in zip(s.lower, t, s.upper))
        for k in (i, j):
            values = {r: row @ x for r, row in self.rows(k).items()}
            planes.append([self.rows(k)[r] for r, v in values.items() if v == 0])
            inside &= all(v >= 0 and (v > 0 or r >= len(s.rows)) for r, v in values.items())
        if not inside or not planes[0] or not planes[1]:
            return False
        h = planes[0][0]
        at = int(np.flatnonzero(h)[-1])  # not the constant: h vanishes at a point and is not zero
        return all((row * h[at] == h * row[at]).all() and row[at] * h[at] * sign > 0
                   for sign, rows in zip((1, -1), planes) for row in rows)

    def meet(self, i, j, t):
        """Return whether a point lies in the closures of two regions."""
        s, x = self.s, np.array([Fraction(1), *t])
        return (len(t) == s.d and all(a <= v <= b for a, v, b in zip(s.lower, t, s.upper))
                and all(row @ x >= 0 for k in (i, j) for row in self.rows(k).values()))

    def apart(self, i, j, entries, closed):
        """Return whether (side, row, multiplier) prove that two regions are apart."""
        s, used, total = self.s, [], np.full(1 + self.s.d, Fraction(0))
        for side, r, m in entries:
            if (r := int(r)) not in (rows := self.rows((i, j)[side])) or Fraction(m) < 0:
                return False
            total = total + Fraction(m) * rows[r]
            used += [(r, rows[r])] if Fraction(m) > 0 else []
        top = s.highest(total)
        if top != 0 or closed:
            return top < 0
        return (total[1:] != 0).any() or any(r < len(s.rows) for r, _ in used) or any(
            (np.outer(a, b) != np.outer(b, a)).any() for (_, a), (_, b) in zip(used, used[1:]))

    def like(self, members, i, entries, side):
        """Return which members agree with region i in all that its rows among entries depend on."""
        s, P = self.s, self.P[members].astype(int)
        good = np.ones(len(members), dtype=bool)
        for r in {int(r) for which, r, _ in entries if which == side and r >= len(s.rows)}:
            u = s.unit_of[r]
            start = s.unit0[np.searchsorted(s.unit0, u, "right") - 1]
            good &= (P[:, :start] == self.P[i][:start]).all(axis=1) & (
                s.ask[r, P[:, u]] == s.ask[r, int(self.P[i][u])])
        return good

def root(parent, i):
    """Return the representative of what has been joined with i."""
    while parent[i] != i:
        parent[i] = i = parent[parent[i]]
    return i

def sets_of(s, P, label, closed, section):
    """Return the number of sets, once all have been shown to be joined or apart."""
    regions, parent = Regions(s, P), list(range(len(P)))
    shared = regions.meet if closed else regions.share_facet
    for number, (i, j, t) in enumerate(section["joined"]):
        need(0 <= min(i, j) and max(i, j) < len(P) and label[i] == label[j]
             and shared(i, j, [Fraction(v) for v in t]), f"point {number} does not join them")
        parent[root(parent, i)] = root(parent, j)
    parent = np.array([root(parent, i) for i in range(len(P))])
    todo = classes(label, parent)
    for number, (members, left) in enumerate(todo):
        for i, j, entries in section["apart"][number]:
            need(regions.apart(i, j, entries, closed), f"regions {i} and {j} are not apart")
            one, other = (regions.like(members, k, entries, at) for at, k in enumerate((i, j)))
            left &= ~(np.outer(one, other) | np.outer(other, one))
        need(not left.any(), "regions of one map have neither been joined nor told apart")
    return len(set(parent.tolist()))

def classes(label, parent):
    """Return the regions of each map that are several sets, and which pairs are to be apart."""
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    several = [g for g in groups if len(set(parent[g].tolist())) > 1]
    return [(g, parent[g][:, None] != parent[g]) for g in several]

def check_further(network, file, say=print):
    """Check a proof; print what it proves; fail where a step is false."""
    proof = check.Proof(network, file)
    s, further = proof.s, proof.header["further"]
    need(further["quantity"] in TITLES and not s.closed, "a quantity that is not covered")
    with np.load(network) as arrays:
        records = json.loads(arrays["metadata"].item())["activations"]
    need(all(continuous(x) for r in records for x in (
        [x for _, x in r] if isinstance(r, list) else [r])), "a unit may not be continuous")
    (found, upper), where = check.check(network, file, say), say
    label = labels(s, proof.P)
    lower = len(set(label.tolist()))
    if found == upper:
        upper = lower
        if further["quantity"] != "affine_pieces":
            closed = further["quantity"] == "closed_linear_regions"
            lower = upper = sets_of(s, proof.P, label, closed, json.loads(file["further"].item()))
    need([further["lower"], further["upper"]] == [str(lower), str(upper)], "a false claim")
    count = f"exactly {lower}" if lower == upper else f"at least {lower}, at most {upper}"
    where(f"{count} {TITLES[further['quantity']]} of the same")
    return lower, upper

if __name__ == "__main__":
    sys.exit(check.main(sys.argv[1:], what=check_further))
