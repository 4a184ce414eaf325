"""Checks a proof of a count of regions: ``python check.py NETWORK.npz PROOF``; needs numpy alone.

The claim. X is the set of parameters t with lower <= t <= upper and rows @ t <= rhs; the network
reads origin + directions @ t. A unit has pieces, each the set where some of the unit's rows have a
given sign: "positive", or "not positive". A pattern names a piece of every unit. On the set where
the layers above have given pieces, a *cell* of a layer, its rows are affine functions of t. What
is counted: patterns with interior points (R2; X has some itself), or attained anywhere (R1).

The lower end. Patterns are listed in lexicographic order, so none twice, each with a witness t in X
where its rows have their signs; of R2 each row is moreover strictly positive or negative there, or
identically zero and "not positive": so it is in a neighbourhood of t, which meets X's interior.

The upper end. The listed patterns' beginnings are a tree. A pattern that is not listed leaves it at
some unit u: it agrees with listed ones before u, and its piece k of u is one that they have not.
All such *sides* are gone through, and each cites a *clause* of its cell: signs of rows that follow
from the pieces before u and from k, and multipliers m >= 0 such that
sum(m * sign * row) + sum(m * domain row) is negative on the box, or nowhere positive while a row
with a multiplier is positive at x: in R1 one with the sign "positive", in R2 any that is not
identically zero. Here x is a point of the pattern; of R2 an interior one where no row vanishes
unless it does identically, as others vanish on no open set. There the sum is at least 0, in the
second case positive: there is no such x. (A row that is identically zero refutes "positive" so.)
A side that cites nothing is open. If all are closed the count is exact.

Open sides are bounded, by the recursion of Serra, Tjandraatmadja and Ramalingam (2018). In a cell,
a unit is settled if its rows' ranges on the box leave one piece. Let the points before a layer span
r dimensions at most, h rows belong to units that are not settled, and s units have a slope on some
piece: as h hyperplanes part r dimensions into at most sum(C(h, j), j <= r) cells, so many patterns
are there at most, or as many as pieces can be combined; behind it there are at most min(r, s)
dimensions. If all units that are not settled have one row and one flat piece, at most C(h, j)
patterns have j of these, and behind them there are at most min(r, s - j) dimensions: as bounds grow
with dimensions, the worst case has C(h, j) of them for j = 0, .., r. A layer that reads more than
the one before it gets all dimensions. Of R1 pieces are multiplied. The bound is the smaller one of
that for all of X, and of the listed patterns and those for the open sides together.

Arithmetic. Floats carry bounds on their errors (any order of summation, fused or not; a sum of k
products is off by less than (k + 8) 2^-52 times its terms' magnitudes); what they leave open, and
whatever is not finite, is decided in rational numbers: all numbers in the files are rational.
"""

# fmt: off
# Dense on purpose: to be read from beginning to end.
import hashlib
import json
import sys
from fractions import Fraction
from functools import cache
from math import comb, inf, prod
from pathlib import Path
from types import SimpleNamespace

import numpy as np

U, GROWN, TINY, LARGE = 2.0**-52, 1 + 2.0**-20, 1e-200, 1e100
TITLES = {"activation_regions": "activation regions", "activation_patterns": "activation patterns"}
exactly = np.vectorize(Fraction, otypes=[object])

class Refuted(Exception):
    """A step that does not hold, or a file that cannot be read."""

def need(condition, what):
    """Raise `Refuted` unless a condition holds."""
    if not condition:
        raise Refuted(what)

class Num:
    """An array m of floats with bounds e on their errors, None for none; or of Fractions."""

    def __init__(self, m, e=None):
        self.m, self.e, self.exact = m, e, m.dtype == object

    @classmethod
    def of(cls, values, exact=False):
        """Return floats or Fractions as they are, or those as floats, or these as Fractions."""
        if exact or values.dtype != object:
            return cls(exactly(values) if exact and values.size else values)
        return cls(m := values.astype(float), abs(m) * U + TINY)

    @property
    def errors(self):
        """The errors, zeros if there are none."""
        return 0.0 * self.m if self.e is None else self.e

    def __getitem__(self, i):
        return Num(self.m[i], None if self.e is None else self.e[i])

    def __matmul__(self, b):
        m, k = self.m @ b.m, self.m.shape[-1]
        if self.exact:
            return Num(m)
        if self.m.size and not abs(self.m).max() < LARGE:
            return Num(m, np.full(m.shape, inf))  # else b times U below 1e-308 is no matter
        e = abs(self.m) @ (abs(b.m) * ((k + 8) * U) + b.errors * GROWN)
        return Num(m, (e + self.errors @ (abs(b.m) + b.errors)) * GROWN + TINY)

    def at(self, x):
        """Return the product with exact columns; the largest entries bound the errors of all."""
        m, most = self.m @ x, abs(x).max(axis=1, initial=0)[:, None]
        if self.exact:
            return Num(m)
        e = (abs(self.m) * ((self.m.shape[-1] + 8) * U) + self.errors) @ most * GROWN + TINY
        return Num(m, (e if most.max(initial=0) < LARGE else inf) + 0.0 * m)

    def __add__(self, b):
        e = None if self.exact else (
            self.errors + b.errors + 4 * U * (abs(self.m) + abs(b.m))) * GROWN + TINY
        return Num(self.m + b.m, e)

    def __mul__(self, factor):
        m = self.m * factor
        return Num(m) if self.exact else Num(m, (self.errors * abs(factor) + U * abs(m)) * GROWN)

def joined(parts):
    """Return arrays of numbers one after the other, along their second axis."""
    n, exact = max(len(x.m) for x in parts), parts[0].exact
    some = [[x.m for x in parts]] + [[x.errors for x in parts]] * (not exact)
    return Num(*(np.concatenate([np.broadcast_to(a, (n, *a.shape[1:])) for a in arrays], axis=1)
                 for arrays in some))

# The network. Units are tables: of `rank` values v, rows [a, b, t] for v_a - v_b - t (v_b left out
# if b is -1), and pieces [value, slope, shift, [[row, sign], ..]]: slope * value + shift comes out.

def affine(arrays, name):
    """Return weights and bias of a map; of a product of factors exactly."""
    if f"factor{name}" in arrays:
        f, s, d = (exactly(arrays[f"{key}{name}"]) for key in ("factor", "shift", "divisor"))
        return np.diag(f / d) + Fraction(0), s / d
    if f"b{name}" in arrays:
        bias = arrays[f"b{name}"].astype(float)
        if f"W{name}" in arrays:
            return arrays[f"W{name}"].astype(float), bias
        weight, lengths = np.zeros(arrays[f"shape{name}"]), np.diff(arrays[f"indptr{name}"])
        weight[np.repeat(np.arange(bias.size), lengths),
               arrays[f"indices{name}"]] = arrays[f"data{name}"]
        return weight, bias
    (weight, bias), k = map(exactly, affine(arrays, f"{name}.0")), 1
    while f"b{name}.{k}" in arrays or f"shift{name}.{k}" in arrays:
        w, b = map(exactly, affine(arrays, f"{name}.{k}"))
        weight, bias, k = w @ weight, w @ bias + b, k + 1
    return weight, bias

def layer(weight, bias, reads, runs):
    """Return a map, the columns that it reads, and its units, given as runs of alike ones."""
    units = [x for n, x in runs for _ in range(bias.size // x["rank"] if n is None else n)]
    start = np.cumsum([0] + [x["rank"] for x in units])
    need(weight.shape == (bias.size, reads.size) and start[-1] == bias.size, "a map does not fit")
    rows = np.array([(s + a, s + max(b, 0), -(b >= 0), -t) for s, x in zip(start, units)
                     for a, b, t in x["rows"]], dtype=float).reshape(-1, 4)
    counts, pieces = (np.array([len(x[key]) for x in units]) for key in ("rows", "pieces"))
    table = np.array([[x["pieces"][min(k, len(x["pieces"]) - 1)][:3] for k in range(pieces.max())]
                      for x in units], dtype=float)
    ask = np.zeros((len(rows), pieces.max()), dtype=np.int8)
    for first, unit in zip(np.cumsum(counts) - counts, units):
        for k, piece in enumerate(unit["pieces"]):
            for r, sign in piece[3]:
                ask[first + r, k] = sign
    return SimpleNamespace(
        weight=weight, bias=bias, reads=reads, value=table[..., 0].astype(int) + start[:-1, None],
        slope=table[..., 1], shift=table[..., 2], pieces=pieces, ask=ask,
        unit_of=np.repeat(np.arange(len(units)), counts), a=rows[:, 0].astype(int),
        b=rows[:, 1].astype(int), minus=rows[:, 2:3].astype(int), less=rows[:, 3:])

def read_network(path):
    """Return the number of inputs, the layers with the output as the last, a digest of the file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in sorted(file.files)}
    digest = hashlib.sha256()
    for key, array in arrays.items():
        digest.update(f"{key} {array.dtype} {array.shape} ".encode() + array.tobytes())
    meta, layers, before = json.loads(arrays["metadata"].item()), [], None
    identity = {"rank": 1, "rows": [], "pieces": [[0, 1, 0, []]]}
    for number, record in enumerate([*meta["activations"], identity]):
        if record is not identity or meta.get("output", True):
            weight, bias = affine(arrays, str(number))
        else:
            weight, bias = np.eye(before.size), np.zeros(before.size)
        if not layers:
            n_in = end = meta.get("inputs", weight.shape[1])
            before = np.arange(n_in)
        reads = arrays.get(f"reads{number}", before).astype(int)
        need((np.diff(reads) > 0).all() and reads[0] >= 0 and reads[-1] < end, "a map reads amiss")
        layers.append(layer(
            weight, bias, reads, record if isinstance(record, list) else [[None, record]]))
        layers[-1].alone = number > 0 and reads[0] >= before[0]
        before, end = np.arange(end, end + len(layers[-1].pieces)), end + len(layers[-1].pieces)
    return n_in, layers, digest.hexdigest()

class Subject:
    """A network on a domain: rows of its units at points, or as functions of the parameters.

    Rows are numbered, those of the domain first; `ask` has the sign that each piece asks of each.
    """

    def __init__(self, path, header):
        self.n_in, self.layers, self.digest = read_network(path)
        domain, hidden = header["domain"], self.layers[:-1]
        self.closed = header["quantity"] == "activation_patterns"
        def read(key, *shape):
            array = np.array(domain[key], dtype=object).reshape(shape)
            return exactly(array) if array.size else array
        ends = [[v if v in (inf, -inf) else Fraction(v) for v in domain[key]]
                for key in ("lower", "upper")]
        self.lower, self.upper, self.d = *ends, len(ends[0])
        low, high = (np.array([float(v) for v in end]) for end in ends)
        self.inner = np.nextafter(low, inf), np.nextafter(high, -inf)  # where points may be
        self.low, self.high = np.nextafter(low, -inf), np.nextafter(high, inf)  # where x may be
        self.far, self.known = np.maximum(abs(self.low), abs(self.high)), {}
        self.most = cache(self.most_from)
        self.origin, self.own = read("origin", self.n_in, 1), domain.get("inputs")
        if self.own is None:  # else which input each parameter is
            self.directions = read("directions", self.n_in, self.d)
        self.rows = np.concatenate([read("rhs", -1, 1), -read("rows", -1, self.d)], axis=1)
        self.domain, self.parts = [Num.of(self.rows), Num(self.rows)], {False: [], True: []}
        self.idle = (self.rows[:, 1:] == 0).all(axis=1) & (self.rows[:, 0] >= 0)
        self.unit0 = np.cumsum([0] + [len(x.pieces) for x in hidden])
        self.row0 = np.cumsum([len(self.rows)] + [len(x.ask) for x in hidden])
        self.pieces = np.concatenate([x.pieces for x in hidden])
        self.unit_of = np.concatenate([np.full(len(self.rows), -1)] + [
            x.unit_of + u for x, u in zip(hidden, self.unit0)])
        most, self.one = self.pieces.max(), (np.arange(1 + self.d) == 0).astype(int)
        self.ask = np.concatenate([np.ones((len(self.rows), most), dtype=np.int8)] + [
            np.pad(x.ask, ((0, 0), (0, most - x.ask.shape[1]))) for x in hidden])
        self.seeds = None if header["seeded"] is not True else np.concatenate(
            [self.part(n, False)[0].m for n, x in enumerate(hidden) if x.reads[0] < self.n_in]
            + [self.domain[0].m])[:, 1:]
        if not self.closed:
            t = np.array([Fraction(v) for v in [1, *header["interior"]]])
            need(len(t) == 1 + self.d and ((self.rows @ t > 0) | self.idle).all() and all(a < v < b
                 for a, v, b in zip(self.lower, t[1:], self.upper)), "the point is not inside")

    def part(self, number, exact):
        """Return what a map makes of the inputs, its weights on units, and the units it reads."""
        made = self.parts[exact]
        while len(made) <= number:
            x = self.layers[len(made)]
            mine, weight = x.reads < self.n_in, np.zeros((x.bias.size, self.n_in), x.weight.dtype)
            weight[:, x.reads[mine]] = x.weight[:, mine]
            weight = Num.of(weight, exact)
            slopes = weight[:, self.own] if self.own is not None else (
                weight @ Num.of(self.directions, exact))
            constant = weight @ Num.of(self.origin, exact) + Num.of(x.bias[:, None], exact)
            made.append((joined([constant, slopes]), Num.of(x.weight[:, ~mine], exact),
                         x.reads[~mine] - self.n_in))
        return made[number]

    def values(self, number, outs, x=None, exact=False):
        """Return what a map makes of units above, at points x (1 + d, k), or as functions."""
        inputs, weight, read = self.part(number, exact)
        v = (inputs if x is None else inputs.at(x))[None]
        return v + weight @ joined(outs)[:, read] if read.size else v

    def compared(self, number, v, one, exact=False):
        """Return the rows of units."""
        x = self.layers[number]
        return v[:, x.a] + v[:, x.b] * x.minus + Num.of(x.less * one, exact)

    def chosen(self, number, v, pieces, one, exact=False):
        """Return the outputs of units on pieces, shape (cells, units, 1 or points)."""
        x, at = self.layers[number], (np.arange(pieces.shape[1])[None, :, None], pieces)
        v = Num(*(None if a is None else np.take_along_axis(a, x.value[at], 1)
                  for a in (v.m, v.e)))
        slope, shift = Num.of(x.slope[at], exact), Num.of(x.shift[at] * one, exact)
        return v * slope.m + shift

    def walk(self, x, pieces, last, exact=False):
        """Yield the rows of the domain and of layers 0 to last, on pieces (cells, units, 1 or k).

        At points x, shape (1 + d, k), the first entry of each being 1, or as functions (constant,
        slopes) of the parameters.
        """
        rows, one, outs = self.domain[exact], self.one if x is None else x[0], []
        yield (rows if x is None else rows.at(x))[None]
        for number in range(last + 1):
            v = self.values(number, outs, x, exact)
            yield self.compared(number, v, one, exact)
            if number < last:
                p = pieces[:, self.unit0[number] : self.unit0[number + 1]]
                outs.append(self.chosen(number, v, p, one, exact))

    def slack(self, f, terms=0):
        """Return by how much sums of functions can be off on the box, for multipliers of 1."""
        size, error = (a[..., 0] + a[..., 1:] @ self.far for a in (abs(f.m), f.errors))
        return (error + (terms + self.d + 16) * U * size) * GROWN + TINY

    def top(self, m, slack):
        """Return upper bounds of functions on the box, nan or inf where there is none."""
        return m[..., 0] + slack + np.maximum(m[..., 1:] * self.low, m[..., 1:] * self.high).sum(-1)

    def highest(self, f):
        """Return the maximum of a function on the box, exactly; inf if there is none."""
        ends = [(v, b if v > 0 else a) for v, a, b in zip(f[1:], self.lower, self.upper) if v != 0]
        bounded = not any(isinstance(end, float) for _, end in ends)
        return f[0] + sum(v * end for v, end in ends) if bounded else inf

    def bounds(self, pieces):
        """Return an upper bound on the patterns in each cell; piece -1 of a unit is any piece."""
        p, outs, kinds, one = pieces.copy(), [], [], self.one
        for number, x in enumerate(self.layers[:-1]):
            v, mine = self.values(number, outs), slice(*self.unit0[number : number + 2])
            rows = self.compared(number, v, one)
            up, down = (np.broadcast_to(self.top(s * rows.m, self.slack(rows)), (
                len(p), rows.m.shape[1]))[..., None] for s in (1, -1))
            cannot = ((x.ask > 0) & (up <= 0)) | ((x.ask < 0) & (down < 0))
            of, k = (x.unit_of == np.arange(len(x.pieces))[:, None]) * 1, np.arange(x.ask.shape[1])
            may = (np.einsum("ur,crk->cuk", of, cannot) == 0) & (k < x.pieces[:, None]) & (
                (p[:, mine, None] == k) | (p[:, mine, None] < 0))
            count, flat, rows = may.sum(-1), (may & (x.slope == 0)).sum(-1), of.sum(1)
            p[:, mine] = np.where(count == 1, may.argmax(-1), -1)
            simple = (count <= 1) | ((count == 2) & (flat == 1) & (rows == 1))
            kinds.append(zip(map(prod, count.tolist()), ((count > 1) * rows).sum(-1).tolist(),
                             (count > flat).sum(-1).tolist(), simple.all(-1).tolist()))
            f = self.chosen(number, v, np.maximum(p[:, mine, None], 0), one)
            # Of a unit that is not settled, the range of its value is all that is known.
            up, down = (s * self.top(s * v.m, self.slack(v))[:, x.value] for s in (1, -1))
            a, b = x.slope * up + x.shift, x.slope * down + x.shift
            size = (abs(x.slope) * np.maximum(abs(up), abs(down)) + abs(x.shift)).max(-1)
            a, b = (np.where(may, np.maximum(a, b), -inf).max(-1),
                    np.where(may, np.minimum(a, b), inf).min(-1))
            known, m = (p[:, mine] >= 0)[..., None], (a + b)[..., None] / 2 * one
            e = ((a - b) / 2 + 16 * U * size + TINY)[..., None] * one
            outs.append(Num(np.where(known, f.m, m), np.where(known, f.errors, e)))
        return [self.most(self.d, kind) for kind in zip(*kinds)]

    def left_open(self, P, u, k):
        """Return a bound on the patterns that agree with P before units u, whose pieces are k."""
        at = np.arange(len(self.pieces))
        path = np.where(at < u[:, None], P, np.where(at == u[:, None], k[:, None], -1))
        return sum(sum(self.bounds(path[n : n + 64])) for n in range(0, len(u), 64))

    def most_from(self, rank, kinds):
        """Return the recursion's value, from a layer on."""
        if not kinds:
            return 1
        (choices, rows, moving, simple), below = kinds[0], kinds[1:]
        rank = rank if self.layers[-1 - len(kinds)].alone else self.d
        cells = [choices] if self.closed else [comb(rows, j) for j in range(min(rows, rank) + 1)]
        if simple and not self.closed:
            return sum(n * self.most(min(rank, moving - j), below) for j, n in enumerate(cells))
        return min(choices, sum(cells)) * self.most(min(rank, moving), below)

    def attained(self, patterns, t, exact=False):
        """Return which points t, shape (k, d), prove the patterns."""
        P, ends = patterns.T.astype(np.int64), (self.lower, self.upper) if exact else self.inner
        good = ((t >= np.array(ends[0])) & (t <= np.array(ends[1]))).all(axis=1)
        x = np.concatenate([np.ones((1, len(t)), dtype=int), t.T])
        for number, v in enumerate(self.walk(x, P[None], len(self.layers) - 2, exact), -1):
            r = slice(self.row0[number] if number >= 0 else 0, self.row0[number + 1])
            ask = self.ask[r][np.arange(r.stop - r.start)[:, None], P[self.unit_of[r]]]
            s, least = ask * v.m[0], 0 if exact else v.errors[0]
            fits = (s > least) | (ask == 0)
            if number < 0:
                fits |= self.idle[:, None] | (exact and s == 0)
            elif exact and (thin := (s == 0) & (ask < 0)).any():
                fits |= thin & (self.closed or (self.forms(patterns[0], number)[r] == 0).all(
                    axis=1)[:, None])
            good &= fits.all(axis=0)
        return good

    def forms(self, pattern, last):
        """Return the rows of the domain and of layers 0 to `last` on a pattern, exactly."""
        key = last, pattern[: self.unit0[last]].tobytes()
        if key not in self.known:
            p = pattern[None, :, None].astype(int)
            self.known = {key: joined(list(self.walk(None, p, last, True))).m[0]}
        return self.known[key]

    def points(self, given):
        """Return parameters of witnesses: as given, or what seeds of the rows of inputs make."""
        if self.seeds is None:
            return given
        t, width = given @ (self.seeds * (self.high - self.low)), self.high - self.low
        return np.clip(self.low + width * np.clip(0.5 + t, 0.0, 1.0), *self.inner)

# The proof.

class Clauses:
    """Clauses of some cells of a layer: of each its cell and size; of all rows and multipliers."""

    def __init__(self, s, layer, heads, cell, size, literals, multipliers, exact):
        self.s, self.layer, self.heads, self.cell, self.size = s, layer, heads, cell, size
        self.row, self.sign, self.lam = literals >> 1, 1 - 2 * (literals & 1), multipliers
        self.start, self.other, self.floats = np.cumsum(size) - size, exact, None
        need((size > 0).all() and size.sum() == self.row.size == self.lam.size
             and cell.size == size.size and ((cell >= 0) & (cell < len(heads))).all()
             and ((self.row >= 0) & (self.row < s.row0[layer + 1])).all()
             and ((self.lam >= 0) & (self.lam < inf)).all() and min(exact.values(), default=0) >= 0,
             "a clause of a false size, of no cell, of rows or multipliers that there are not")

    def cited(self, P, cell, u, k, ref):
        """Return whether clauses follow from patterns up to unit u and its piece k."""
        size = self.size[ref]
        of = np.repeat(np.arange(ref.size), size)
        e = np.arange(of.size) + np.repeat(self.start[ref] - np.cumsum(size) + size, size)
        unit = self.s.unit_of[self.row[e]]
        piece = np.where(unit == u, k[of], P[of, unit])
        return (self.cell[ref] == cell).all() and (unit <= u).all() and (
            self.s.ask[self.row[e], piece] == self.sign[e]).all()

    def refuted(self):
        """Return which clauses floats with their errors prove: negative on the box."""
        s, good = self.s, np.zeros(self.size.size, dtype=bool)
        if good.size and self.floats is None:
            f = joined(list(s.walk(None, self.heads[:, :, None].astype(int), self.layer)))
            self.floats = f.m, s.slack(f, self.size.max())
        for c in range(0, good.size, n := max(1, (1 << 16) // (1 + s.d))):
            first, size = self.start[c], self.size[c : c + n]
            at, start = slice(first, first + size.sum()), self.start[c : c + n] - first
            which, lam = (np.repeat(self.cell[c : c + n], size), self.row[at]), self.lam[at]
            m = np.add.reduceat(self.floats[0][which] * (lam * self.sign[at])[:, None], start)
            slack = np.add.reduceat(lam * self.floats[1][which], start) * GROWN
            good[c : c + n] = (s.top(m, slack) < 0) & (np.maximum.reduceat(lam, start) < LARGE)
        good[np.searchsorted(self.start, [*self.other], "right") - 1] = False
        return good

    def refuted_exactly(self, c):
        """Return whether a clause holds, in rational numbers."""
        s, at = self.s, range(self.start[c], self.start[c] + self.size[c])
        forms = s.forms(self.heads[self.cell[c]], self.layer)
        rows = [(self.other.get(e, Fraction(self.lam[e])), int(self.sign[e]), self.row[e],
                 forms[self.row[e]]) for e in at]
        total = sum(m * sign * row for m, sign, _, row in rows)
        strict = any(m > 0 and r >= len(s.rows) and (sign > 0 or not (s.closed or (
            row == 0).all())) for m, sign, r, row in rows)
        top = s.highest(total)
        return top < 0 or (top == 0 and strict)

def sides(P, at, here, pieces, start, stop):
    """Yield the sides at units start to stop: unit, rows whose path they leave, and pieces.

    `here` are rows that begin in another way than all before, through these units; `at` is the
    first unit in which a row differs from the one before, -1 for the first one of all.
    """
    for u in range(start, stop):
        new = at[here] < u
        new[0] = True
        free = np.tile(np.arange(pieces.max()) < pieces[u], (new.sum(), 1))
        free[np.cumsum(new) - 1, P[here, u]] = False
        node, k = free.nonzero()
        yield u, here[new][node], k

class Proof:
    """A proof's file, and what it proves."""

    def __init__(self, network, file):
        self.file, self.header = file, json.loads(file["header"].item())
        need(self.header["format"] == 2 and self.header["quantity"] in TITLES,
             "a format or a quantity that is not read here")
        self.s = Subject(network, self.header)
        need(self.header["network"] == self.s.digest, "the proof is of another network")
        P = self.P = file["patterns"]
        need(P.dtype.kind == "u" and P.ndim == 2 and len(P) and P.shape[1] == self.s.unit0[-1]
             and (P < self.s.pieces).all(), "a pattern has pieces that no unit has")
        at, row = (P[1:] != P[:-1]).argmax(axis=1), np.arange(len(P) - 1)
        need((P[1:][row, at] > P[:-1][row, at]).all(), "patterns do not increase")
        self.at = np.append(-1, at)

    def array(self, key, dtype=np.int64):
        """Return an array of the file, of integers or floats."""
        need((array := self.file[key]).dtype.kind in ("ui" if dtype is np.int64 else "f"),
             f"array {key} has another type")
        return array.astype(dtype)

    def exact(self, key):
        """Return rational numbers of the file by their places."""
        return {int(i): v for i, v in json.loads(self.file[key].item()).items()}

    def witnessed(self):
        """Check the witnesses."""
        given, exact, s = self.array("points", float), self.exact("exact_points"), self.s
        need(len(given) == len(self.P), "there is not one witness for each pattern")
        for first in range(0, len(given), n := max(1, (1 << 20) // (1 + s.d))):
            P, t = self.P[first : first + n], s.points(given[first : first + n])
            given_exactly = np.isin(first + np.arange(len(P)), [*exact])
            for j in np.flatnonzero(~s.attained(P, t) | given_exactly):
                x = np.array(exact.get(first + j, t[j].tolist()), dtype=object)
                need(x.shape == (s.d,) and s.attained(P[j : j + 1], exactly(x)[None], True)[0],
                     f"the witness of pattern {first + j} does not prove it")

    def covered(self):
        """Check that nothing is left out; return a bound on what is left open."""
        s, left = self.s, 0
        for layer, (start, stop) in enumerate(zip(s.unit0, s.unit0[1:])):
            here = np.flatnonzero(self.at < stop)
            cells, done, number = np.cumsum(self.at[here] < start) - 1, 0, 0
            while done <= cells[-1]:
                key, more = f"{layer}/{number}/", int(self.array(f"{layer}/{number}/cells"))
                need(0 < more <= cells[-1] + 1 - done, f"{key}cells: not those that there are")
                rows = here[np.searchsorted(cells, done) : np.searchsorted(cells, done + more)]
                left += self.block(key, layer, rows)
                done, number = done + more, number + 1
        return left

    def block(self, key, layer, here):
        """Check the sides in some cells of a layer; return a bound on what is left open."""
        s, P, (start, stop) = self.s, self.P, self.s.unit0[layer : layer + 2]
        heads, used, left = here[self.at[here] < start], 0, 0
        cell, size, literals, refs = (
            self.array(key + x) for x in ("cell", "size", "literals", "refs"))
        lam = self.array(key + "multipliers", float)
        exact = {i: Fraction(v) for i, v in self.exact(key + "exact").items()}
        c = Clauses(s, layer, P[heads], cell, size, literals, lam, exact)
        rest = np.flatnonzero(~c.refuted())
        for number in rest[np.argsort(cell[rest], kind="stable")]:  # rows are kept of one cell
            need(c.refuted_exactly(number), f"{key}: clause {number} is not refuted")
        for u, i, k in sides(P, self.at, here, s.pieces, start, stop):
            ref, used = refs[used : used + i.size], used + i.size
            need(((ref >= -1) & (ref < c.size.size)).all() and ref.size == i.size,
                 f"{key}refs: a citation of nothing, or none")
            cited, cell = ref >= 0, np.searchsorted(heads, i, "right") - 1
            need(c.cited(P[i[cited]], cell[cited], u, k[cited], ref[cited]),
                 f"{key}refs: a side cites a clause that its pieces do not imply")
            left += s.left_open(P[i[~cited]].astype(int), np.full((~cited).sum(), u), k[~cited])
        need(used == refs.size, f"{key}refs: more citations than sides")
        return left

def check(network, file, say=print):
    """Check a proof; print what it proves; raise `Refuted` where a step is false."""
    proof = Proof(network, file)
    s, header, found = proof.s, proof.header, len(proof.P)
    proof.witnessed()
    left = proof.covered()
    upper = found + (left and min(left, s.bounds(np.full((1, len(s.pieces)), -1))[0] - found))
    need([header["lower"], header["upper"]] == [str(found), str(upper)], "a false claim")
    count = f"exactly {found}" if found == upper else f"at least {found}, at most {upper}"
    where = "domain " + hashlib.sha256(json.dumps(header["domain"]).encode()).hexdigest()[:16]
    ends = {(str(a), str(b)) for a, b in zip(s.lower, s.upper)}
    if s.own == [*range(s.n_in)] and len(ends) == 1 and not len(s.rows) and not s.origin.any():
        where = "[{}, {}]^{}".format(*ends.pop(), s.d)
    say(f"{count} {TITLES[header['quantity']]} of network {s.digest[:16]} on {where}")
    return found, upper

def main(arguments, say=print, what=check):
    """Check NETWORK.npz PROOF; return 0, or 1 where a step is false or a file cannot be read."""
    try:
        need(len(arguments) == 2, "give two files: NETWORK.npz PROOF")
        with np.errstate(all="ignore"), Path(arguments[1]).open("rb") as raw:
            what(arguments[0], np.load(raw), say)  # what is not finite is decided exactly
        return 0
    except Exception as error:
        why = error if isinstance(error, Refuted) else f"the files cannot be read ({error!r})"
        say(f"NOT proved: {why}")
    return 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
