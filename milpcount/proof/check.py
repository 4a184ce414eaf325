"""Checks a proof of a count of regions: ``python check.py NETWORK.npz PROOF``; needs numpy alone.

The claim. X is the set of parameters t with lower <= t <= upper and rows @ t <= rhs; the network
reads origin + directions @ t. A unit has pieces, each the set where some of the unit's rows have a
given sign: "positive", or "not positive". A pattern names a piece of every unit. On the set where
the layers above have given pieces, a *cell* of a layer, its rows are affine functions of t. What is
counted: patterns with interior points (R2; X has some itself), or attained anywhere (R1).

The lower end. Patterns are listed in lexicographic order, so none twice, each with a witness t in X
where its rows have their signs; of R2 each row is moreover strictly positive or negative there, or
identically zero and "not positive": so it is in a neighbourhood of t, which meets X's interior.

The upper end. The listed patterns' beginnings are a tree. A pattern that is not listed leaves it at
some unit u: it agrees with listed ones before u, and its piece k of u is one that they have not.
All such *sides* are gone through, and each cites a *clause* of its cell: signs of rows that follow
from the pieces before u and from k, and multipliers m >= 0 such that the sum of m * sign * row, and
of m * domain row, is negative on the box, or nowhere positive while a row with a multiplier is
positive at x: in R1 one with the sign "positive", in R2 any that is not identically zero. Here x is
a point of the pattern; of R2 an interior one where no row vanishes unless it does identically, as
others vanish on no open set. There the sum is at least 0, in the second case positive: there is no
such x (so a row that is identically zero refutes "positive"). A side that cites nothing is open. If
all are closed the count is exact. Open ones, and X, are bounded by a theorem, see docs/proofs.md.

Arithmetic. All numbers in the files are rational. What is computed in floats is a sum of products
of them, each in at most N roundings (in any order, fused or not), and so off by less than N 2^-52
times its *magnitude*: the sum of the products' absolute values, and of 1e-200 for what underflows.
What that leaves open, and whatever is not finite, is decided in rational numbers.
"""

import hashlib
import json
import sys
from fractions import Fraction
from functools import cache
from math import comb, inf, prod
from pathlib import Path
from types import SimpleNamespace

import numpy as np

U, SMALL, TINY = 2.0**-52, 1e-100, 1e-200
exactly = np.vectorize(Fraction, otypes=[object])

def need(condition, what):
    """Refuse a step that does not hold."""
    if not condition:
        raise AssertionError(what)

def rationals(array):
    """Return a file's array of floats or integers, or numbers in a text, as [1, "1/3"], exactly."""
    kind = {"f": float, "i": np.int64, "u": np.int64}.get(array.dtype.kind)
    return array.astype(kind) if kind else exactly(np.array(json.loads(array.item()), object))

def numbers(values, exact=False):
    """Return a list of numbers exactly, alone, or else of floats and their magnitudes."""
    m = exactly(values) if exact else values.astype(float)
    return [m] if exact else [m, abs(m) + TINY]

# The network. Units are tables: of `rank` values v, rows [a, b, t] for v_a - v_b - t (v_b left out
# if b is -1), and pieces [value, slope, shift, [[row, sign], ..]]: slope * value + shift comes out.
def layer(arrays, number, runs):
    """Return a map with the columns that it reads and its units, given as runs of alike ones."""
    weight, bias = (rationals(arrays[f"{key}{number}"]) for key in "Wb")
    reads = arrays[f"reads{number}"].astype(int)
    runs = runs or [[bias.size, {"rank": 1, "rows": [], "pieces": [[0, 1, 0, []]]}]]  # the output
    units = [x for n, x in runs for _ in range(n)]
    start, most = np.cumsum([0] + [x["rank"] for x in units]), max(len(x["pieces"]) for x in units)
    need(weight.shape == (start[-1], reads.size) and bias.size == start[-1], "a map does not fit")
    rows = np.array([(u, s + a, s + max(b, 0), -(b >= 0), -t) for u, (s, x) in enumerate(
        zip(start, units)) for a, b, t in x["rows"]], dtype=float).reshape(-1, 5)
    padded = [x["pieces"] + x["pieces"][-1:] * (most - len(x["pieces"])) for x in units]
    value, slope, shift = np.array([[p[:3] for p in x] for x in padded], float).transpose(2, 0, 1)
    ask = [[dict(piece[3]).get(r, 0) for piece in pieces]
           for x, pieces in zip(units, padded) for r in range(len(x["rows"]))]
    unit_of, a, b = rows[:, :3].T.astype(int)
    return SimpleNamespace(
        weight=weight, bias=bias, reads=reads, unit_of=unit_of, a=a, b=b, minus=rows[:, 3:4],
        less=rows[:, 4:], pieces=np.array([len(x["pieces"]) for x in units]), slope=slope,
        shift=shift, value=value.astype(int) + start[:-1, None],
        ask=np.array(ask, dtype=np.int8).reshape(-1, most))

def read_network(path):
    """Return the number of inputs, the layers with the output as the last, a digest of the file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in sorted(file.files)}
    content = (f"{key} {a.dtype} {a.shape} ".encode() + a.tobytes() for key, a in arrays.items())
    meta, layers, before = json.loads(arrays["metadata"].item()), [], 0
    n_in = end = meta["inputs"]
    for number, runs in enumerate([*meta["activations"], None]):
        layers.append(x := layer(arrays, number, runs))
        need((np.diff(x.reads) > 0).all() and 0 <= x.reads[0] <= x.reads[-1] < end, "reads amiss")
        x.alone = number > 0 and x.reads[0] >= before
        before, end = end, end + len(x.pieces)
    return n_in, layers, hashlib.sha256(b"".join(content)).hexdigest()

class Subject:
    """A network on a domain: rows, the domain's first, as functions (constant, slopes) of t."""
    def __init__(self, path, header):
        self.n_in, self.layers, self.digest = read_network(path)
        domain, hidden, self.seeded = header["domain"], self.layers[:-1], header["seeded"] is True
        self.closed = ("activation_regions", "activation_patterns").index(header["quantity"]) == 1
        self.lower, self.upper = ([v if v in (inf, -inf) else Fraction(v) for v in domain[key]]
                                  for key in ("lower", "upper"))
        self.d, self.one = len(self.lower), (np.arange(1 + len(self.lower)) == 0).astype(int)
        low, high = np.array([self.lower, self.upper], dtype=float)
        self.inner = np.nextafter(low, inf), np.nextafter(high, -inf)  # where points may be
        self.low, self.high = np.nextafter(low, -inf), np.nextafter(high, inf)  # where x may be
        def read(key, *shape):
            return exactly(np.array(domain[key], dtype=object).reshape(shape))
        self.own, frame = domain["inputs"], (("origin", 1), ("directions", -1))
        self.frame = np.hstack([read(key, self.n_in, width) for key, width in frame])
        self.rows = np.hstack([read("rhs", -1, 1), -read("rows", -1, self.d)])
        self.roundings = 2 * self.d + self.n_in + sum(x.weight.shape[1] + 16 for x in self.layers)
        self.part, self.unit0 = cache(self.made), np.cumsum([0] + [len(x.pieces) for x in hidden])
        self.row0, self.known = np.cumsum([len(self.rows)] + [len(x.ask) for x in hidden]), {}
        self.pieces = np.concatenate([x.pieces for x in hidden])
        self.unit_of = np.concatenate([np.full(len(self.rows), -1)] + [
            x.unit_of + u for x, u in zip(hidden, self.unit0)])
        self.ask = np.ones((self.row0[-1], self.pieces.max()), dtype=np.int8)
        for x, r in zip(hidden, self.row0):
            self.ask[r : r + len(x.ask), : x.ask.shape[1]] = x.ask
        if not self.closed:
            t = np.array([Fraction(v) for v in [1, *header["interior"]]])
            need((self.rows @ t > 0).all() and len(t) == 1 + self.d and all(map(
                lambda a, v, b: a < v < b, self.lower, t[1:], self.upper)), "no interior point")

    def made(self, number, exact):
        """Return what a map makes of the inputs, its weights on units, and the units it reads."""
        x = self.layers[number]
        mine, weight = x.reads < self.n_in, np.zeros((x.bias.size, self.n_in), x.weight.dtype)
        weight[:, x.reads[mine]] = x.weight[:, mine]
        inputs = [np.hstack([w @ f + b * self.one[: f.shape[1]], w[:, self.own]]) for w, f, b in
                  zip(*(numbers(a, exact) for a in (weight, self.frame, x.bias[:, None])))]
        return inputs, numbers(x.weight[:, ~mine], exact), x.reads[~mine] - self.n_in

    def values(self, number, outs, x=None, exact=False):
        """Return a map of units above, and its rows, at points x (1 + d, k), or as functions."""
        inputs, weight, read = self.part(number, exact)
        v = [a[None] for a in inputs] if x is None else [a[None] @ p for a, p in zip(inputs, x)]
        if read.size:
            v = [a + w @ np.concatenate(o, 1)[:, read] for a, w, o in zip(v, weight, zip(*outs))]
        at, one = self.layers[number], self.one if x is None else 1
        return v, [a[:, at.a] + a[:, at.b] * minus + less * one for a, minus, less in zip(
            v, numbers(at.minus, exact), numbers(at.less, exact))]

    def chosen(self, number, v, pieces, one, exact=False):
        """Return the outputs of units on pieces, shape (cells, units, 1 or points)."""
        x, at = self.layers[number], (np.arange(pieces.shape[1])[None, :, None], pieces)
        return [np.take_along_axis(a, x.value[at], 1) * slope + shift * one for a, slope, shift in
                zip(v, numbers(x.slope[at], exact), numbers(x.shift[at], exact))]

    def walk(self, x, pieces, last, exact=False):
        """Yield the rows of the domain and of layers 0 to last, as above."""
        rows, one, outs = numbers(self.rows, exact), self.one if x is None else 1, []
        yield [a[None] for a in rows] if x is None else [(a @ p)[None] for a, p in zip(rows, x)]
        for number in range(last + 1):
            v, rows = self.values(number, outs, x, exact)
            yield rows
            if number < last:
                p = pieces[:, self.unit0[number] : self.unit0[number + 1]]
                outs.append(self.chosen(number, v, p, one, exact))

    def forms(self, pattern, last):
        """Return the rows of the domain and of layers 0 to `last` on a pattern, exactly."""
        key = last, pattern[: self.unit0[last]].tobytes()
        if key not in self.known:
            rows = self.walk(None, pattern[None, :, None].astype(int), last, True)
            self.known = {key: np.concatenate([a[0] for a, in rows])}
        return self.known[key]

    def slack(self, magnitude, terms=0):
        """Return by how much sums of functions can be off on the box, for multipliers of 1."""
        far = np.maximum(abs(self.low), abs(self.high))
        return (self.roundings + terms) * U * (magnitude[..., 0] + magnitude[..., 1:] @ far)

    def top(self, m, slack):
        """Return upper bounds of functions on the box, nan or inf where there is none."""
        return m[..., 0] + slack + np.maximum(m[..., 1:] * self.low, m[..., 1:] * self.high).sum(-1)

    def highest(self, f):
        """Return the maximum of a function on the box, exactly; inf if there is none."""
        ends = [(v, b if v > 0 else a) for v, a, b in zip(f[1:], self.lower, self.upper) if v != 0]
        return inf if any(abs(e) == inf for _, e in ends) else f[0] + sum(v * e for v, e in ends)

    def attained(self, patterns, t, exact=False):
        """Return which points t, shape (k, d), prove the patterns."""
        P, (low, high) = patterns.T.astype(int), (self.lower, self.upper) if exact else self.inner
        good = ((t >= np.array(low)) & (t <= np.array(high))).all(axis=1)
        x = [np.concatenate([np.ones((1, len(t)), dtype=int), t.T])]
        x += [] if exact else [abs(x[0]).max(axis=1, keepdims=True, initial=TINY)]  # of all points
        for number, v in enumerate(self.walk(x, P[None], len(self.layers) - 2, exact), -1):
            r = slice(self.row0[number] if number >= 0 else 0, self.row0[number + 1])
            ask = self.ask[r][np.arange(r.stop - r.start)[:, None], P[self.unit_of[r]]]
            s = ask * v[0][0]
            fits = (s > (0 if exact else self.roundings * U * v[1][0])) | (ask == 0)
            thin = exact & (s == 0) & ((ask < 0) | (number < 0))
            if number >= 0 and not self.closed and thin.any():
                thin &= (self.forms(patterns[0], number)[r] == 0).all(axis=1)[:, None]
            good &= (fits | thin).all(axis=0)
        return good

    def points(self, given):
        """Return parameters of witnesses: as given, or what seeds of the rows of inputs make."""
        if not self.seeded:
            return given
        rows = [self.part(n, False)[0][0] for n, x in enumerate(self.layers[:-1])
                if x.reads[0] < self.n_in] + [self.rows.astype(float)]
        width = self.high - self.low
        t = given @ (np.concatenate(rows)[:, 1:] * width)
        return np.clip(self.low + width * np.clip(0.5 + t, 0.0, 1.0), *self.inner)

    def bounds(self, pieces):
        """Return an upper bound on the patterns in each cell; piece -1 of a unit is any piece."""
        p, outs, kinds = pieces.copy(), [], []
        for number, x in enumerate(self.layers[:-1]):
            own, (v, rows) = p[:, slice(*self.unit0[number:][:2]), None], self.values(number, outs)
            low, high, down, up = (s * self.top(s * m, self.slack(size)) + np.zeros((len(p), 1))
                                   for m, size in (rows, v) for s in (-1, 1))
            cannot = ((x.ask > 0) & (high <= 0)[..., None]) | ((x.ask < 0) & (low > 0)[..., None])
            of, k = x.unit_of == np.arange(len(x.pieces))[:, None], np.arange(x.ask.shape[1])
            may = ~(of @ cannot) & (k < x.pieces[:, None]) & ((own == k) | (own < 0))
            count, flat, rows = may.sum(-1), (may & (x.slope == 0)).sum(-1), of.sum(1)
            own[..., 0] = np.where(count == 1, may.argmax(-1), -1)
            simple = (count <= 1) | ((count == 2) & (flat == 1) & (rows == 1))
            kinds.append(zip(map(prod, count.tolist()), ((count > 1) * rows).sum(-1).tolist(),
                             (count > flat).sum(-1).tolist(), simple.all(-1).tolist(),
                             [None if self.closed else 0 if x.alone else self.d] * len(p)))
            # Of a unit that is not settled, the range of its value is all that is known.
            a, b = (x.slope * end[:, x.value] + x.shift for end in (down, up))
            low = np.where(may, np.minimum(a, b), inf).min(-1)
            high = np.where(may, np.maximum(a, b), -inf).max(-1)
            size = abs(x.slope) * np.maximum(abs(up), abs(down))[:, x.value] + abs(x.shift)
            size = size.max(-1) + (high - low) / (2 * self.roundings * U) + TINY
            outs.append([np.where(own >= 0, f, g[..., None] * self.one) for f, g in zip(self.chosen(
                number, v, np.maximum(own, 0), self.one), ((low + high) / 2, size))])
        return [most(self.d, kind) for kind in zip(*kinds)]

    def left_open(self, P, u, k):
        """Return a bound on the patterns that agree with P before units u, whose pieces are k."""
        at = np.arange(len(self.pieces))
        path = np.where(at < u[:, None], P, np.where(at == u[:, None], k[:, None], -1))
        return sum(sum(self.bounds(path[n : n + 64])) for n in range(0, len(u), 64))

@cache
def most(r, kinds):
    """Return a bound on the patterns of the layers that are left, which r dimensions reach."""
    if not kinds:
        return 1
    (choices, h, s, simple, dimensions), below = kinds[0], kinds[1:]
    if dimensions is None:
        return choices * most(r, below)
    r = max(r, dimensions)
    cells = [comb(h, j) for j in range(min(h, r) + 1)]
    if simple:
        return sum(n * most(min(r, s - j), below) for j, n in enumerate(cells))
    return min(choices, sum(cells)) * most(min(r, s), below)

class Clauses:
    """Clauses of some cells of a layer: of each its cell and size; of all rows and multipliers."""
    def __init__(self, s, layer, heads, cell, size, literals, multipliers):
        self.s, self.layer, self.heads, self.cell, self.size = s, layer, heads, cell, size
        self.row, self.sign, self.lam = literals >> 1, 1 - 2 * (literals & 1), multipliers
        self.start, self.floats = np.cumsum(size) - size, None
        need((size > 0).all() and (self.row >= 0).all() and cell.size == size.size
             and size.sum() == literals.size == multipliers.size, "clauses of a false size")

    def cited(self, P, cell, u, k, ref):
        """Return whether clauses follow from patterns up to units u and their pieces k."""
        size = self.size[ref]
        of = np.repeat(np.arange(ref.size), size)
        e = np.arange(of.size) + np.repeat(self.start[ref] - np.cumsum(size) + size, size)
        unit = self.s.unit_of[self.row[e]]
        piece = np.where(unit == u[of], k[of], P[of, unit])
        return (self.cell[ref] == cell).all() and (unit <= u[of]).all() and (
            self.s.ask[self.row[e], piece] == self.sign[e]).all()

    def refuted(self):
        """Return which clauses floats prove: negative on the box, whatever the roundings."""
        s, good = self.s, np.zeros(self.size.size, dtype=bool)
        if good.size and self.floats is None:
            rows = zip(*s.walk(None, self.heads[:, :, None].astype(int), self.layer))
            every = np.zeros((len(self.heads), 1, 1))
            f, size = (np.concatenate([a + every for a in part], axis=1) for part in rows)
            self.floats = f, s.slack(size, self.size.max())
        floats = np.minimum(self.lam, 1 / SMALL).astype(float)  # any will do
        fit = (floats == 0) | (floats > SMALL)
        for c in range(0, good.size, n := max(1, (1 << 16) // (1 + s.d))):
            first, size = self.start[c], self.size[c : c + n]
            at, start = slice(first, first + size.sum()), self.start[c : c + n] - first
            which, lam = (np.repeat(self.cell[c : c + n], size), self.row[at]), floats[at]
            m = np.add.reduceat(self.floats[0][which] * (lam * self.sign[at])[:, None], start)
            top = s.top(m, np.add.reduceat(lam * self.floats[1][which], start))
            good[c : c + n] = (top < 0) & (top > -inf) & np.logical_and.reduceat(fit[at], start)
        return good

    def refuted_exactly(self, c):
        """Return whether a clause holds, in rational numbers."""
        s, forms = self.s, self.s.forms(self.heads[self.cell[c]], self.layer)
        rows = [(Fraction(self.lam[e]), int(self.sign[e]), self.row[e])
                for e in range(self.start[c], self.start[c] + self.size[c])]
        top = s.highest(sum(m * sign * forms[r] for m, sign, r in rows))
        strict = any(m > 0 and r >= len(s.rows) and (sign > 0 or not (s.closed or (
            forms[r] == 0).all())) for m, sign, r in rows)
        return min(m for m, _, _ in rows) >= 0 and (top < 0 or (top == 0 and strict))

def sides(P, at, here, pieces, start, stop):
    """Return sides at units start to stop: units, rows of P whose paths they leave, and pieces."""
    found = []
    for u in range(start, stop):
        new = at[here] < u  # those that begin in another way than all before
        free = np.tile(np.arange(pieces.max()) < pieces[u], (new.sum(), 1))
        free[np.cumsum(new) - 1, P[here, u]] = False
        node, k = free.nonzero()
        found.append((np.full(node.size, u), here[new][node], k))
    return [np.concatenate(x) for x in zip(*found)]

class Proof:
    """A proof's file, and what it proves."""
    def __init__(self, network, file):
        self.file, self.header = file, json.loads(file["header"].item())
        self.s, P, format = Subject(network, self.header), file["patterns"], self.header["format"]
        need(format == 3 and self.header["network"] == self.s.digest, "it is of another network")
        need(P.dtype.kind == "u" and P.ndim == 2 and len(P) and P.shape[1] == self.s.unit0[-1]
             and (P < self.s.pieces).all(), "a pattern has pieces that no unit has")
        at, row = (P[1:] != P[:-1]).argmax(axis=1), np.arange(len(P) - 1)
        need((P[1:][row, at] > P[:-1][row, at]).all(), "patterns do not increase")
        self.P, self.at = P, np.append(-1, at)

    def witnessed(self):
        """Check the witnesses; exact ones where those in floats prove nothing."""
        s, given = self.s, self.file["points"].astype(float)
        exact = json.loads(self.file["exact_points"].item())
        need(len(given) == len(self.P), "there is not one witness for each pattern")
        for first in range(0, len(given), n := max(1, (1 << 20) // (1 + s.d))):
            P, t = self.P[first : first + n], s.points(given[first : first + n])
            for j in np.flatnonzero(~s.attained(P, t)):
                x = exactly(np.array(exact.get(str(first + j), t[j].tolist()), dtype=object))
                need(x.shape == (s.d,) and s.attained(P[j : j + 1], x[None], True)[0],
                     f"the witness of pattern {first + j} does not prove it")

    def covered(self):
        """Check that nothing is left out; return a bound on what is left open."""
        s, left = self.s, 0
        for layer, (start, stop) in enumerate(zip(s.unit0, s.unit0[1:])):
            here = np.flatnonzero(self.at < stop)
            ends, done, number = np.append(np.flatnonzero(self.at[here] < start), here.size), 0, 0
            while done < ends.size - 1:
                key, more = f"{layer}/{number}/", int(self.file[f"{layer}/{number}/cells"])
                need(0 < more < ends.size - done, f"{key}cells: not those that there are")
                left += self.block(key, layer, here[ends[done] : ends[done + more]])
                done, number = done + more, number + 1
        return left

    def block(self, key, layer, here):
        """Check the sides in some cells of a layer; return a bound on what is left open."""
        s, P, heads = self.s, self.P, here[self.at[here] < self.s.unit0[layer]]
        cell, size, literals, refs, lam = (rationals(self.file[key + x]) for x in (
            "cell", "size", "literals", "refs", "multipliers"))
        c = Clauses(s, layer, P[heads], cell, size, literals, lam)
        rest = np.flatnonzero(~c.refuted())
        for number in rest[np.argsort(cell[rest], kind="stable")]:  # rows are kept of one cell
            need(c.refuted_exactly(number), f"{key}: clause {number} is not refuted")
        u, i, k = sides(P, self.at, here, s.pieces, *s.unit0[layer : layer + 2])
        need(refs.size == u.size and ((refs >= -1) & (refs < size.size)).all(), f"{key}refs: amiss")
        for n in range(0, u.size, 1 << 16):
            e = n + np.flatnonzero(refs[n : n + (1 << 16)] >= 0)
            of = np.searchsorted(heads, i[e], "right") - 1
            need(c.cited(P[i[e]], of, u[e], k[e], refs[e]),
                 f"{key}refs: a side cites a clause that its pieces do not imply")
        e = refs < 0
        return s.left_open(P[i[e]].astype(int), u[e], k[e])

def check(network, file, say=print):
    """Check a proof; print what it proves; fail where a step is false."""
    proof = Proof(network, file)
    proof.witnessed()
    s, header, found, left = proof.s, proof.header, len(proof.P), proof.covered()
    upper = found + (left and min(left, s.bounds(np.full((1, len(s.pieces)), -1))[0] - found))
    need([header["lower"], header["upper"]] == [str(found), str(upper)], "a false claim")
    count = f"exactly {found}" if found == upper else f"at least {found}, at most {upper}"
    where, ends = hashlib.sha256(json.dumps(header["domain"]).encode()), {*zip(s.lower, s.upper)}
    plain = s.own == [*range(s.n_in)] and len(ends) == 1 and not len(s.rows) and not s.frame.any()
    where = "[{}, {}]^{}".format(*ends.pop(), s.d) if plain else f"domain {where.hexdigest()[:16]}"
    say(f"{count} {header['quantity'].replace('_', ' ')} of network {s.digest[:16]} on {where}")
    return found, upper

def main(arguments, say=print, what=check):
    """Check NETWORK.npz PROOF; return 0, or 1 where a step is false or a file cannot be read."""
    try:
        need(len(arguments) == 2, "give two files: NETWORK.npz PROOF")
        with np.errstate(all="ignore"), Path(arguments[1]).open("rb") as raw:
            what(arguments[0], np.load(raw), say)  # what is not finite is decided exactly
        return 0
    except Exception as error:
        false = isinstance(error, AssertionError)
        say(f"NOT proved: {error if false else f'the files cannot be read ({error!r})'}")
    return 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
