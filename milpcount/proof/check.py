"""Checks a proof of a count of regions: ``python check.py NETWORK.npz PROOF``; needs numpy alone.

The claim. X is the set of parameters t with lower <= t <= upper and rows @ t <= rhs; the network
reads origin + directions @ t. A unit has pieces, each the set where some of the unit's rows have a
given sign: "positive", or "not positive". A pattern names a piece of every unit. On the set where
the layers above have given pieces, the rows of a layer are affine functions of t. What is counted:
patterns with interior points (R2, X having interior points itself), or attained anywhere (R1).

The proof lists patterns in lexicographic order, each larger than the one before: none is listed
twice. (1) Every pattern has a witness t in X where its rows have their signs. Of R2 every row is
moreover strictly positive or negative there, or identically zero and "not positive": then all of
it holds in a neighbourhood of t, which meets the interior of X as X is convex. So there are at
least as many as are listed. (2) Let x be a point of a pattern that is not listed, of R2 an interior
one where no row of the pattern vanishes unless it does identically (affine functions that are not
zero vanish on no open set). Between two neighbours of the list, before the first, or after the
last, the pattern leaves the listed ones at some unit: it has the pieces of a listed pattern up to
there, and another piece k there. All such *sides* are enumerated, and each cites a *clause*: signs
of rows that follow from the pieces up to there and from k, and multipliers m >= 0 such that
sum(m * sign * row) + sum(m * domain row) is negative on the box, or nowhere positive while a row
with a multiplier is positive at x: in R1 one with the sign "positive", in R2 any that is not
identically zero. At x the sum is at least 0, in the second case positive: there is no such x.
A side that cites nothing is open: it holds at most as many patterns as the units that are left
have pieces together, and layer by layer at most sum(C(units, i), i <= d) for units of one row.

Arithmetic. Floats carry bounds on their errors (any order of summation, fused or not; a sum of k
products is off by less than (k + 8) 2^-52 times its terms' magnitudes); what they leave open, and
whatever is not finite, is decided in rational numbers: all numbers in the files are rational.
"""

# fmt: off
# Dense on purpose: to be read from beginning to end.

import ast
import gzip
import hashlib
import json
import re
import sys
from fractions import Fraction
from itertools import combinations
from math import comb, inf, prod
from types import SimpleNamespace

import numpy as np

U, GROWN, TINY, LARGE = 2.0**-52, 1 + 2.0**-20, 1e-200, 1e100
MAGIC = b"milpcount proof 1\n"
TITLES = {"activation_regions": "activation regions", "activation_patterns": "activation patterns"}
exactly = np.vectorize(Fraction, otypes=[object])

class Refuted(Exception):
    """A step that does not hold, or a file that cannot be read."""

def need(condition, what):
    """Raise `Refuted` unless a condition holds."""
    if not condition:
        raise Refuted(what)

# Numbers are pairs of arrays (value, error), error None for none; exact ones are Fractions.

def floats(values):
    """Return numbers as a pair of floats and errors."""
    m = values.astype(float)
    if values.dtype != object:
        return m, None
    same = [v - v == 0 and Fraction(v) == x for v, x in zip(m.ravel().tolist(), values.ravel())]
    return m, np.where(np.reshape(same, m.shape), 0.0, abs(m) * U + TINY)

def numbers(given, shape):
    """Return numbers of the header, text "p/q" among them, as Fractions."""
    array = np.array(given, dtype=object).reshape(shape)
    return exactly(array) if array.size else array

def product(a, b):
    """Return a @ b of two pairs."""
    (a, ea), (b, eb) = a, b
    m = a @ b
    if m.dtype == object:
        return m, None
    if a.size and not abs(a).max() < LARGE:  # else what b times U loses below 1e-308 is no matter
        return m, np.full(m.shape, inf)
    e = abs(a) @ (abs(b) * ((a.shape[-1] + 8) * U) + (0.0 if eb is None else eb * GROWN))
    e = e if ea is None else e + ea @ (abs(b) + (0.0 if eb is None else eb))
    return m, e * GROWN + TINY

def added(a, b, sign=1):
    """Return a + b of two pairs, or a - b."""
    m = a[0] + sign * b[0]
    if m.dtype == object:
        return m, None
    e = (0.0 if a[1] is None else a[1]) + (0.0 if b[1] is None else b[1])
    return m, (e + 4 * U * (abs(a[0]) + abs(b[0]))) * GROWN + TINY

def each(function, *pairs):
    """Return a function of the values, and of the errors where there are any."""
    return tuple(None if x[0] is None else function(*x) for x in zip(*pairs))

# The network. A unit is (rank, rows, pieces): of `rank` values v, rows (a, b, t) for v_a - v_b - t
# (v_b left out if b is -1), pieces (value, slope, shift, ((row, sign), ..)).

def scalar(at, slopes, shifts):
    """Return a unit of one value: pieces from left to right, parted by increasing breakpoints."""
    n = len(at)
    need(len(slopes) == len(shifts) == n + 1, "an activation's lists do not fit")
    need(all(a < b for a, b in zip(at, at[1:])), "breakpoints do not increase")
    asks = [((k - 1, 1),) * (k > 0) + ((k, -1),) * (k < n) for k in range(n + 1)]
    pieces = tuple((0, float(a), float(b), c) for a, b, c in zip(slopes, shifts, asks))
    return 1, tuple((0, -1, float(t)) for t in at), pieces

def maxout(rank):
    """Return a maximum: a row v_b - v_a for a < b, so that the lowest index wins a tie."""
    pairs = list(combinations(range(rank), 2))
    asks = [tuple((r, 1 if k == pair[1] else -1) for r, pair in enumerate(pairs) if k in pair)
            for k in range(rank)]
    return rank, tuple((b, a, 0.0) for a, b in pairs), tuple(
        (k, 1.0, 0.0, asks[k]) for k in range(rank))

MAKERS = {"relu": lambda: scalar([0], [0, 1], [0, 0]), "piecewise_linear": scalar,
          "leaky_relu": lambda a: scalar([0], [a, 1], [0, 0]), "maxout": maxout}

def activation(name):
    """Return a unit by its name."""
    kind, given = re.fullmatch(r"(\w+)(?:\((.+)\))?", name).groups()
    return MAKERS[kind](*(ast.literal_eval(f"({given},)") if given else ()))

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
        at = np.repeat(np.arange(bias.size), lengths), arrays[f"indices{name}"]
        weight[at] = arrays[f"data{name}"]
        return weight, bias
    weight, bias = map(exactly, affine(arrays, f"{name}.0"))
    for k in range(1, 1 << 20):
        if f"b{name}.{k}" not in arrays and f"shift{name}.{k}" not in arrays:
            return weight, bias
        w, b = map(exactly, affine(arrays, f"{name}.{k}"))
        weight, bias = w @ weight, w @ bias + b

def read_network(path):
    """Return the number of inputs, the layers, and a digest of the file."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in sorted(file.files)}
    digest = hashlib.sha256()
    for key, array in arrays.items():
        digest.update(f"{key} {array.dtype} {array.shape} ".encode() + array.tobytes())
    meta, layers = json.loads(arrays["metadata"].item()), []
    for number, record in enumerate(meta["activations"]):
        weight, bias = affine(arrays, str(number))
        if not layers:
            n_in = first = meta.get("inputs", weight.shape[1])
            before = np.arange(n_in)
        reads = arrays.get(f"reads{number}", before).astype(int)
        need(weight.shape == (bias.size, reads.size) and (np.diff(reads) > 0).all()
             and reads[0] >= 0 and reads[-1] < first, "a map does not fit what it reads")
        runs = record if isinstance(record, list) else [[None, record]]
        units = [unit for n, kind in runs for unit in [activation(kind)]
                 for _ in range(bias.size // unit[0] if n is None else n)]
        starts = np.cumsum([0] + [unit[0] for unit in units])
        need(starts[-1] == bias.size, "a layer's units do not fit its map")
        rows = [(s + a, s + b if b >= 0 else -1, t) for s, unit in zip(starts, units)
                for a, b, t in unit[1]]
        choice = np.zeros((len(rows), bias.size + 1))  # the last one is for b = -1
        choice[np.arange(len(rows)), [row[1] for row in rows]] = -1
        choice[np.arange(len(rows)), [row[0] for row in rows]] = 1
        most = max(len(unit[2]) for unit in units)
        padded = [[unit[2][min(k, len(unit[2]) - 1)] for k in range(most)] for unit in units]
        value, slope, shift = (np.array([[piece[j] for piece in pieces] for pieces in padded])
                               for j in range(3))
        layers.append(SimpleNamespace(
            weight=weight, bias=bias, reads=reads, units=units, rows=len(rows), slope=slope,
            shift=shift, value=value.astype(int) + starts[:-1, None],
            plain=rows == [(s, -1, 0.0) for s in range(bias.size)],
            choice=choice[:, :-1], threshold=np.array([row[2] for row in rows])))
        before, first = np.arange(first, first + len(units)), first + len(units)
    return n_in, layers, digest.hexdigest()

class Subject:
    """A network on a domain: rows of its units at points, or as functions of the parameters."""

    def __init__(self, path, header):
        self.n_in, self.layers, self.digest = read_network(path)
        domain, layers, n_in = header["domain"], self.layers, self.n_in
        self.closed = header["quantity"] == "activation_patterns"
        ends = [[v if v in (inf, -inf) else Fraction(v) for v in domain[key]]
                for key in ("lower", "upper")]
        self.lower, self.upper, self.d = *ends, len(ends[0])
        self.low, self.high = self.inner = [np.array([float(v) for v in end]) for end in ends]
        if any(float(v) != v for end in ends for v in end):  # outwards to refute, inwards to attain
            self.inner = np.nextafter(self.low, inf), np.nextafter(self.high, -inf)
            self.low, self.high = np.nextafter(self.low, -inf), np.nextafter(self.high, inf)
        self.origin, self.own = numbers(domain["origin"], (n_in, 1)), domain.get("inputs")
        if self.own is None:  # else which input each parameter is
            self.directions = numbers(domain["directions"], (n_in, self.d))
        need(self.own is None or len({v for v in self.own if 0 <= v < n_in}) == self.d
             == len(self.own), "the domain does not fit the network")
        self.rows = np.concatenate([numbers(domain["rhs"], (-1, 1)),
                                    -numbers(domain["rows"], (-1, self.d))], axis=1)
        self.float_rows, self.parts = floats(self.rows), {False: [], True: []}
        units = [unit for x in layers for unit in x.units]
        self.unit0 = np.cumsum([0] + [len(x.units) for x in layers])
        self.row0 = np.cumsum([0] + [x.rows for x in layers])
        self.n_units, self.n_rows = len(units), int(self.row0[-1])
        counts, self.pieces = (np.array([len(unit[j]) for unit in units]) for j in (1, 2))
        self.layer_of = np.repeat(np.arange(len(layers)), np.diff(self.unit0))
        self.unit_of = np.repeat(np.arange(self.n_units), counts)
        self.place_of = np.arange(self.n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
        self.asks = np.zeros((len(units), self.pieces.max(), counts.max()), dtype=np.int8)
        for at, unit in enumerate(units):
            for k, piece in enumerate(unit[2]):
                for r, sign in piece[3]:
                    self.asks[at, k, r] = sign
        self.seeds = None
        if header["seeded"] is True:
            read = [self.part(n, False)[0][0] for n, x in enumerate(layers) if x.reads[0] < n_in]
            self.seeds = np.concatenate([*read, self.float_rows[0]])[:, 1:]
        self.idle = (self.rows[:, 1:] == 0).all(axis=1) & (self.rows[:, 0] >= 0)
        if not self.closed:
            t = [Fraction(v) for v in header["interior"]]
            value = self.rows @ np.array([Fraction(1), *t])
            need(len(t) == self.d and all(a < v < b for a, v, b in zip(self.lower, t, self.upper))
                 and ((value > 0) | self.idle).all(), "the header's point is not inside the domain")

    def asked(self, row, piece):
        """Return the sign that a piece of its unit asks of a row, 0 if none."""
        return self.asks[self.unit_of[row], piece, self.place_of[row]]

    def most(self, u):
        """Return an upper bound on the patterns that agree up to unit u; see the argument."""
        total = 1
        for x, start in zip(self.layers, self.unit0):
            units = x.units[max(u + 1 - start, 0):]
            cells = sum(comb(len(units), j) for j in range(min(len(units), self.d) + 1))
            plain = all(len(unit[1]) == 1 for unit in units)
            total *= min(prod(len(unit[2]) for unit in units), cells if plain else inf)
        return total

    def part(self, number, exact):
        """Return what a map makes of the inputs, its weights on units, and the units it reads."""
        made, pair = self.parts[exact], (lambda a: (exactly(a), None)) if exact else floats
        while len(made) <= number:
            x = self.layers[len(made)]
            mine, weight = x.reads < self.n_in, np.zeros((x.bias.size, self.n_in), x.weight.dtype)
            weight[:, x.reads[mine]] = x.weight[:, mine]
            weight = pair(weight)
            constant = added(product(weight, pair(self.origin)), pair(x.bias[:, None]))
            slopes = product(weight, pair(self.directions)) if self.own is None else each(
                lambda a: a[:, self.own], weight)
            if not exact and slopes[1] is None:
                slopes = slopes[0], 0 * slopes[0]
            joined = each(lambda a, b: np.concatenate([a, b], axis=1), constant, slopes)
            made.append((joined, pair(x.weight[:, ~mine]), x.reads[~mine] - self.n_in))
        return made[number]

    def walk(self, points, pieces, last, exact=False):
        """Yield the rows of layers 0 to last.

        At points, shape (1 + d, k), the first entry of each being 1, with pieces (1, units, k); or,
        of points None, as functions (constant, slopes) for pieces of shape (cells, units, 1).
        """
        one, outs = np.ones(1 + self.d if points is None else points.shape[1], dtype=int), []
        one[1:] = points is not None
        pair = (lambda a: (exactly(a), None)) if exact else (lambda a: (a, None))
        for number in range(last + 1):
            x, (inputs, units, read) = self.layers[number], self.part(number, exact)
            v = inputs if points is None else product(inputs, (points, None))
            v = each(lambda a: a[None], v)
            if read.size:
                above = each(lambda *a: np.concatenate([np.broadcast_to(
                    o, (len(pieces), *o.shape[1:])) for o in a], axis=1), *outs)
                above = tuple(None if a is None else a[:, read] for a in above)
                v = added(v, product(units, above))
            yield v if x.plain else added(
                product(pair(x.choice), v), pair(x.threshold[:, None] * one), -1)
            if number < last:
                p = pieces[:, self.unit0[number] : self.unit0[number + 1]]
                at = np.arange(p.shape[1])[None, :, None], p
                slope, shift = pair(x.slope[at])[0], pair(x.shift[at] * one)[0]
                m = np.take_along_axis(v[0], x.value[at], 1) * slope
                e = None if exact else np.take_along_axis(
                    v[1], x.value[at], 1) * abs(slope) + U * abs(m)
                outs.append(added((m, e), (shift, None)))

# The proof.

def read_block(file):
    """Return the next block: a line of JSON that lists arrays, and their bytes; None at the end."""
    line = file.readline(1 << 26)
    if not line:
        return None
    block = SimpleNamespace(**json.loads(line))
    for name, kind, shape in block.arrays:
        need(kind in ("|u1", "<u2", "<u4", "<i4", "<f8"), "an array of another type")
        size = prod(shape) * int(kind[2])
        raw = file.read(size) if 0 <= size < 1 << 32 else b""
        need(len(raw) == size, "the file is cut off")
        setattr(block, name, np.frombuffer(raw, dtype=kind).reshape(shape))
    return block

def sides(P, pieces, first, last):
    """Return the sides at a list of patterns as arrays: its row whose path it leaves, unit, piece.

    Row by row those with lower pieces than the row, then those with higher ones. What lies before
    row 0 or after the last row belongs to other blocks, unless these are `first`, `last` of all.
    """
    differ, units, steps = P[1:] != P[:-1], P.shape[1], np.arange(len(P) - 1)
    at = differ.argmax(axis=1)
    need((P[1:][steps, at] > P[:-1][steps, at]).all(), "patterns do not increase")
    after = np.append(at, -1 if last else units)[:, None]
    before = np.insert(at, 0, -1 if first else units)[:, None]
    ends = np.where(np.arange(units) > after, pieces, P + 1)
    ends[steps, at] = P[1:][steps, at]
    counts = np.stack([np.where(np.arange(units) > before, P, 0), ends - P - 1], axis=1).ravel()
    node = np.repeat(np.arange(counts.size), counts)
    k = np.arange(node.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return node // (2 * units), node % units, k + np.stack([0 * P, P + 1], axis=1).ravel()[node]

class Block:
    """A run of the list with its clauses."""

    def __init__(self, s, block):
        self.s, self.b, self.P = s, block, block.patterns.astype(np.int64)
        size, row0, P = block.size.astype(np.int64), block.literals >> 1, self.P
        need(P.ndim == 2 and len(P) and P.shape[1] == s.n_units and (P >= 0).all()
             and (P < s.pieces).all(), "a pattern has pieces that no unit has")
        at = (P[1:] != P[:-1]).argmax(axis=1)
        # Which cell of each layer a row lies in: neighbours of the list share it or part for good.
        self.run = np.array([np.cumsum(np.insert(at < u, 0, False)) for u in s.unit0[:-1]])
        self.row, self.sign, self.lam = row0, 1 - 2 * (block.literals & 1), block.multipliers
        self.layer, self.cell = block.layer.astype(np.int64), block.run.astype(np.int64)
        need((size > 0).all() and (size <= row0.size).all() and size.sum() == row0.size
             == self.lam.size and self.layer.size == self.cell.size == size.size, "a false size")
        self.size, self.start = size, np.cumsum(size) - size
        self.of = np.repeat(np.arange(size.size), size)
        need(((self.layer >= 0) & (self.layer < len(self.run))).all() and ((self.cell >= 0) & (
            self.cell <= self.run[self.layer, -1])).all(), "a clause is of no cell")
        pairs = zip(self.run[self.layer], self.cell)
        self.rep = np.array([np.searchsorted(*pair) for pair in pairs], dtype=int)
        self.own = row0 >= s.n_rows  # of the domain
        need(((row0 >= 0) & (row0 < s.n_rows + len(s.rows)) & (~self.own | (self.sign > 0))).all(),
             "a clause has rows that are not there")
        self.of_row = np.append(s.layer_of[s.unit_of], np.zeros(len(s.rows), dtype=int))[row0]
        need((self.own | (self.of_row <= self.layer[self.of])).all(), "a clause reads too deep")
        self.other = {int(i): Fraction(v) for i, v in block.exact_multipliers.items()}
        need(((self.lam >= 0) & (self.lam < inf)).all()
             and min(self.other.values(), default=0) >= 0, "a multiplier is negative or no number")
        self.known = {}

    def cites(self, i, u, k, ref):
        """Return which sides cite a clause whose rows all follow from their pieces."""
        s, size, layer = self.s, self.size[ref], self.layer[ref]
        fits = (layer <= s.layer_of[u]) & (self.run[layer, i] == self.cell[ref])
        of = np.repeat(np.arange(ref.size), size)
        e = np.arange(of.size) + np.repeat(self.start[ref] - np.cumsum(size) + size, size)
        of, e = of[~self.own[e]], e[~self.own[e]]
        unit = s.unit_of[self.row[e]]
        piece = np.where(unit == u[of], k[of], self.P[i[of], unit])
        fits[of[(unit > u[of]) | (s.asked(self.row[e], piece) != self.sign[e])]] = False
        return fits

    def refuted(self):
        """Return which clauses floats with their errors prove: negative on the box."""
        s, far = self.s, np.maximum(abs(self.s.low), abs(self.s.high))
        value, error = np.zeros((self.row.size, 1 + s.d)), np.zeros(self.row.size)
        for layer in [-1, *np.unique(self.of_row[~self.own])]:
            at = np.flatnonzero(self.own if layer < 0 else ~self.own & (self.of_row == layer))
            if layer < 0:
                m, e = (np.zeros(s.rows.shape) if x is None else x for x in s.float_rows)
                index = self.row[at] - s.n_rows
            else:
                cells = np.searchsorted(self.run[layer], np.arange(self.run[layer][-1] + 1))
                *_, (m, e) = s.walk(None, self.P[cells][:, :, None], layer)
                cell = self.run[layer][self.rep[self.of[at]]] * (len(m) > 1)
                index = cell, self.row[at] - s.row0[layer]
            sizes = [x[..., 0] + x[..., 1:] @ far for x in (abs(m), e)]
            rounding = (self.size.max(initial=0) + s.d + 16) * U
            value[at], error[at] = m[index], (sizes[1] + rounding * sizes[0])[index]
        if not self.size.size:
            return np.zeros(0, dtype=bool)
        z = np.add.reduceat(value * (self.lam * self.sign)[:, None], self.start)
        top = z[:, 0] + np.maximum(z[:, 1:] * s.low, z[:, 1:] * s.high).sum(axis=1)
        top += np.add.reduceat(self.lam * error, self.start) * GROWN + TINY
        ok = (top < 0) & (np.maximum.reduceat(self.lam, self.start) < LARGE) & (far.max() < LARGE)
        ok[self.of[list(self.other)]] = False
        return ok

    def rows_of(self, layer, i):
        """Return the exact rows of layers 0 to `layer` in the cell of row i, as functions."""
        if (key := (layer, int(self.run[layer, i]))) not in self.known:
            rows = self.s.walk(None, self.P[i][None, :, None], layer, exact=True)
            self.known = {key: np.concatenate([m[0] for m, _ in rows])}
        return self.known[key]

    def refuted_exactly(self, c):
        """Return whether a clause holds, in rational numbers."""
        s, strict, total = self.s, False, np.full(1 + self.s.d, Fraction(0))
        forms = self.rows_of(int(self.layer[c]), int(self.rep[c]))
        for e in range(self.start[c], self.start[c] + self.size[c]):
            m, own = self.other.get(e, Fraction(self.lam[e])), self.own[e]
            row = s.rows[self.row[e] - s.n_rows] if own else forms[self.row[e]]
            total = total + m * int(self.sign[e]) * row
            may = self.sign[e] > 0 or (not s.closed and (row != 0).any())
            strict |= bool(m > 0 and not own and may)
        ends = [(v, b if v > 0 else a) for v, a, b in zip(total[1:], s.lower, s.upper) if v != 0]
        if any(isinstance(end, float) for _, end in ends):
            return False  # infinite
        top = total[0] + sum(v * end for v, end in ends)
        return top < 0 or (top == 0 and strict)

    def points(self, rows):
        """Return parameters of witnesses: as given, or what seeds of the rows of inputs make."""
        s, given = self.s, self.b.points[rows]
        if s.seeds is None:
            return given
        width = s.high - s.low
        t = s.low + width * np.clip(0.5 + given @ (s.seeds * width), 0.0, 1.0)
        return np.clip(t, *s.inner)

    def attained(self, first, t, exact=False):
        """Return which points t, shape (k, d), prove the patterns from row `first` on."""
        s, P = self.s, self.P[first : first + len(t)].T
        low, high = (self.s.lower, self.s.upper) if exact else s.inner
        good = ((t >= np.array(low)) & (t <= np.array(high))).all(axis=1)
        points = np.concatenate([np.ones((1, len(t)), dtype=int), t.T])
        m, e = product((s.rows, None) if exact else s.float_rows, (points, None))
        good &= ((m >= 0 if exact else m > e) | s.idle[:, None]).all(axis=0)
        for layer, (m, e) in enumerate(s.walk(points, P[None], len(s.layers) - 1, exact)):
            r = np.arange(s.row0[layer], s.row0[layer + 1])[:, None]
            asked = s.asked(r, P[s.unit_of[r[:, 0]]])
            v = asked * m[0]
            fits = (v > (0 if exact else e[0])) | (asked == 0)
            thin = (v == 0) & (asked < 0)
            if exact and thin.any():
                fits |= thin & (s.closed or (self.rows_of(layer, first)[r[:, 0]] == 0).all(
                    axis=1)[:, None])
            good &= fits.all(axis=0)
        return good

    def witnessed(self, j, first):
        """Return whether the witness of row j proves it, in rational numbers."""
        given = self.b.exact_points.get(str(j - first))
        given = self.points(slice(j - first, j - first + 1)) if given is None else given
        t = numbers(given, (1, -1))
        return t.shape[1] == self.s.d and self.attained(j, t, exact=True)[0]

    def check(self, before, last):
        """Check all steps; return the number of new patterns, and a bound on what is left open."""
        s, first = self.s, 0 if before is None else 1
        need(not first or (self.P[0] == before).all(), "it does not go on where the last one ended")
        i, u, k = sides(self.P, s.pieces, not first, last)
        ref = self.b.refs.astype(np.int64)
        need(ref.shape == i.shape and ((ref >= -1) & (ref < self.size.size)).all(),
             "there is not one citation for each side")
        cited = ref >= 0
        need(self.cites(i[cited], u[cited], k[cited], ref[cited]).all(),
             "a side cites a clause that its pieces do not imply")
        for c in np.flatnonzero(~self.refuted()):
            need(self.refuted_exactly(c), f"clause {c} is not refuted by its multipliers")
        t = self.points(slice(None))
        need(len(t) == len(self.P) - first, "there is not one witness for each pattern")
        good = self.attained(first, t)
        good[[int(j) for j in self.b.exact_points]] = False
        for j in np.flatnonzero(~good) + first:
            need(self.witnessed(j, first), f"the witness of its pattern {j} does not prove it")
        return len(t), sum(s.most(v) for v in u[~cited].tolist())

def check(network, proof, say=print):
    """Check a proof; print what it proves; raise `Refuted` where a step is false."""
    with gzip.open(proof) as file:
        need(file.readline(64) == MAGIC, "this is no proof of the format that is read here")
        header = json.loads(file.readline(1 << 28))
        need(header["quantity"] in TITLES, "a quantity that is not covered")
        s, found, left, before, last, number = Subject(network, header), 0, 0, None, False, 0
        need(header["network"] == s.digest, "the proof is of another network")
        while (block := read_block(file)) is not None:
            try:
                need(not last, "there is more after the last block")
                b, last = Block(s, block), block.last is True
                n, more = b.check(before, last)
            except Refuted as error:
                raise Refuted(f"block {number}: {error}") from None
            found, left, before, number = found + n, left + more, b.P[-1], number + 1
    need(last, "the file is cut off")
    need([header["lower"], header["upper"]] == [str(found), str(found + left)], "a false claim")
    count = f"exactly {found}" if not left else f"at least {found}, at most {found + left}"
    where = "domain " + hashlib.sha256(json.dumps(header["domain"]).encode()).hexdigest()[:16]
    ends = {(str(a), str(b)) for a, b in zip(s.lower, s.upper)}
    if s.own and s.d == s.n_in and len(ends) == 1 and not len(s.rows) and (s.origin == 0).all():
        where = "[{}, {}]^{}".format(*ends.pop(), s.d)
    say(f"{count} {TITLES[header['quantity']]} of network {s.digest[:16]} on {where}")
    return found, found + left

def main(arguments, say=print):
    """Check NETWORK.npz PROOF; return 0, or 1 where a step is false or a file cannot be read."""
    try:
        need(len(arguments) == 2, "give two files: NETWORK.npz PROOF")
        with np.errstate(all="ignore"):  # what is not finite is decided exactly
            check(arguments[0], arguments[1], say)
        return 0
    except Refuted as error:
        say(f"NOT proved: {error}")
    except Exception as error:
        say(f"NOT proved: the files cannot be read ({error!r})")
    return 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
