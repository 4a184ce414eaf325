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

U, GROWN, TINY, LARGE, CHUNK = 2.0**-52, 1 + 2.0**-20, 1e-200, 1e100, 1 << 21
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


def taken(pair, at):
    """Return an index of a pair."""
    return tuple(None if x is None else x[at] for x in pair)


# The network. A unit is (rank, rows, pieces): of `rank` values v, rows (a, b, t) for v_a - v_b - t
# (v_b left out if b is -1), pieces (value, slope, shift, ((row, sign), ..)).


def scalar(at, slopes, shifts):
    """Return a unit of one value: pieces from left to right, parted by increasing breakpoints."""
    n = len(at)
    need(len(slopes) == len(shifts) == n + 1, "an activation's lists do not fit")
    need(all(a < b for a, b in zip(at, at[1:])), "breakpoints do not increase")
    asks = [((k - 1, 1),) * (k > 0) + ((k, -1),) * (k < n) for k in range(n + 1)]
    return 1, tuple((0, -1, float(t)) for t in at), tuple(
        (0, float(a), float(b), c) for a, b, c in zip(slopes, shifts, asks))


def maxout(rank):
    """Return a maximum: a row v_b - v_a for a < b, so that the lowest index wins a tie."""
    pairs = list(combinations(range(rank), 2))
    asks = [tuple((r, 1 if k == b else -1) for r, (a, b) in enumerate(pairs) if k in (a, b))
            for k in range(rank)]
    return rank, tuple((b, a, 0.0) for a, b in pairs), tuple(
        (k, 1.0, 0.0, asks[k]) for k in range(rank))


MAKERS = {"relu": lambda: scalar([0], [0, 1], [0, 0]), "piecewise_linear": scalar,
          "leaky_relu": lambda a: scalar([0], [a, 1], [0, 0]), "maxout": maxout}


def activation(record):
    """Return a unit by its name, or by a table that is one of these."""
    if isinstance(record, str):
        name, given = re.fullmatch(r"(\w+)(?:\((.+)\))?", record).groups()
        return MAKERS[name](*(ast.literal_eval(f"({given},)") if given else ()))
    rows, pieces = record["rows"], record["pieces"]
    made = maxout(record["rank"]) if record["rank"] > 1 else scalar(
        [t for _, _, t in rows], [p[1] for p in pieces], [p[2] for p in pieces])
    given = (record["rank"], tuple(map(tuple, rows)), tuple(
        (v, a, b, tuple(sorted(map(tuple, asks)))) for v, a, b, asks in pieces))
    need(made == given, f"activation {record['name']!r} is not covered")
    return made


def affine(arrays, name):
    """Return weights and bias of a map; of a product of factors exactly."""
    if f"W{name}" in arrays:
        return arrays[f"W{name}"], arrays[f"b{name}"]
    if f"data{name}" in arrays:
        weight, lengths = np.zeros(arrays[f"shape{name}"]), np.diff(arrays[f"indptr{name}"])
        weight[np.repeat(np.arange(len(weight)), lengths), arrays[f"indices{name}"]] = arrays[
            f"data{name}"]
        return weight, arrays[f"b{name}"]
    if f"factor{name}" in arrays:
        f, s, d = (exactly(arrays[f"{key}{name}"]) for key in ("factor", "shift", "divisor"))
        return np.diag(f / d) + Fraction(0), s / d
    weight, bias = (exactly(part) for part in affine(arrays, f"{name}.0"))
    k = 1
    while f"b{name}.{k}" in arrays or f"shift{name}.{k}" in arrays:
        w, b = (exactly(part) for part in affine(arrays, f"{name}.{k}"))
        weight, bias, k = w @ weight, w @ bias + b, k + 1
    return weight, bias


def table(layer, units, kinds):
    """Put what the units of a layer do into arrays; `kinds` are all units that differ."""
    most = max(len(unit[2]) for unit in units)
    starts = np.cumsum([0] + [unit[0] for unit in units])
    need(starts[-1] == layer.bias.size, "a layer's units do not fit its map")
    rows = [(s + a, s + b if b >= 0 else -1, t) for s, unit in zip(starts, units)
            for a, b, t in unit[1]]
    layer.first, layer.second = np.array([row[:2] for row in rows], dtype=int).reshape(-1, 2).T
    layer.threshold = np.array([row[2] for row in rows])
    layer.n_rows, layer.counts = len(rows), [len(unit[1]) for unit in units]
    layer.pieces = [len(unit[2]) for unit in units]
    number = {unit: k for k, unit in enumerate(kinds)}
    layer.kind = [number[unit] for unit in units]
    padded = [[unit[2][min(k, len(unit[2]) - 1)] for k in range(most)] for unit in kinds]
    value, layer.slope, layer.shift = (
        np.array([[p[j] for p in pieces] for pieces in padded])[layer.kind] for j in range(3))
    layer.value = value.astype(int) + starts[:-1, None]
    plain = [(s, -1, 0.0) for s in range(layer.bias.size)]
    layer.plain = rows == plain


def read_network(path):
    """Return the number of inputs, the layers, their units, and a digest of all that is read."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    meta = json.loads(arrays["metadata"].item()) if "metadata" in arrays else {}
    n_maps = len({re.match(r"(b|shift)(\d+)", k)[2] for k in arrays if re.match(r"(b|shift)\d", k)})
    hidden = n_maps - bool(meta.get("output", True))
    records = meta.get("activations", ["relu"] * hidden)
    if "leaky_alpha" in arrays:
        records = [f"leaky_relu({a!r})" for a in arrays["leaky_alpha"].ravel().tolist()]
    need(len(records) == hidden > 0, "there is not one activation for each layer")
    layers, kinds, digest, first, before = [], {}, hashlib.sha256(), None, None
    for number, record in enumerate(records):
        weight, bias = affine(arrays, str(number))
        if number == 0:
            first = n_in = int(meta.get("inputs", weight.shape[1]))
            before = np.arange(n_in)
        reads = arrays.get(f"reads{number}", before).astype(int)
        need(weight.shape == (bias.size, reads.size), "a map does not fit what it reads")
        need((np.diff(reads) > 0).all() and reads[0] >= 0 and reads[-1] < first, "a false wire")
        runs = [(count, activation(kind)) for count, kind in (
            record if isinstance(record, list) else [[None, record]])]
        units = [unit for count, unit in runs
                 for _ in range(bias.size // unit[0] if count is None else count)]
        kinds.update(dict.fromkeys(units))
        layer = SimpleNamespace(weight=weight, bias=bias, reads=reads)
        table(layer, units, kinds)
        layers.append(layer)
        before, first = np.arange(first, first + len(units)), first + len(units)
        for part in (weight, bias, reads):
            digest.update(f"{part.shape}".encode() + (
                repr(part.tolist()).encode() if part.dtype == object
                else np.ascontiguousarray(part, dtype="<f8").tobytes()))
        digest.update(repr(units).encode())
    return n_in, layers, list(kinds), digest.hexdigest()


class Subject:
    """A network on a domain: rows of its units at points, or as functions of the parameters."""

    def __init__(self, path, header):
        self.n_in, self.layers, kinds, self.digest = read_network(path)
        domain, layers, n_in = header["domain"], self.layers, self.n_in
        self.closed = header["quantity"] == "activation_patterns"
        ends = [[v if v in (inf, -inf) else Fraction(v) for v in domain[key]]
                for key in ("lower", "upper")]
        self.lower, self.upper, self.d = *ends, len(ends[0])
        self.low, self.high = self.inner = [np.array([float(v) for v in end]) for end in ends]
        if any(float(v) != v for end in ends for v in end):  # outwards to refute, inwards for points
            self.inner = np.nextafter(self.low, inf), np.nextafter(self.high, -inf)
            self.low, self.high = np.nextafter(self.low, -inf), np.nextafter(self.high, inf)
        self.origin = numbers(domain["origin"], (n_in, 1))
        self.own = domain.get("inputs")  # which input each parameter is, or
        if self.own is None:
            self.directions = numbers(domain["directions"], (n_in, self.d))
        self.rows = np.concatenate([numbers(domain["rhs"], (-1, 1)),
                                    -numbers(domain["rows"], (-1, self.d))], axis=1)
        self.float_rows = floats(self.rows)
        self.parts = {False: [], True: []}
        self.unit0 = np.cumsum([0] + [len(layer.pieces) for layer in layers])
        self.row_base = np.cumsum([0] + [layer.n_rows for layer in layers])
        self.n_units, self.n_rows = int(self.unit0[-1]), int(self.row_base[-1])
        self.pieces = np.concatenate([layer.pieces for layer in layers]).astype(int)
        self.layer_of = np.repeat(np.arange(len(layers)), np.diff(self.unit0))
        counts = np.concatenate([layer.counts for layer in layers]).astype(int)
        self.unit_of_row = np.repeat(np.arange(self.n_units), counts)
        self.place_of_row = np.arange(self.n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
        self.kind = np.concatenate([layer.kind for layer in layers])
        self.asks = np.zeros((len(kinds), self.pieces.max(), counts.max()), dtype=np.int8)
        for at, unit in enumerate(kinds):
            for k, piece in enumerate(unit[2]):
                for r, sign in piece[3]:
                    self.asks[at, k, r] = sign
        self.seeded = header["seeded"] is True
        if self.seeded:
            read = [self.part(n, False)[0][0][:, 1:] for n, layer in enumerate(layers)
                    if layer.reads[0] < n_in]
            self.seeds = np.concatenate([*read, self.float_rows[0][:, 1:]])
        if not self.closed:
            t = [Fraction(v) for v in header["interior"]]
            value = self.rows @ np.array([Fraction(1), *t])
            flat = (self.rows[:, 1:] == 0).all(axis=1)
            need(len(t) == self.d and all(a < v < b for a, v, b in zip(self.lower, t, self.upper))
                 and ((value > 0) | (flat & (value == 0))).all(),
                 "the point in the header is not an interior point of the domain")

    def asked(self, unit, piece, place):
        """Return the sign that pieces ask of a row of their unit, 0 if none."""
        return self.asks[self.kind[unit], piece, place]

    def most(self, u):
        """Return an upper bound on the patterns that agree up to unit u; see the argument."""
        total = 1
        for number in range(self.layer_of[u], len(self.layers)):
            first = max(u + 1 - self.unit0[number], 0)
            pieces, counts = self.layers[number].pieces[first:], self.layers[number].counts[first:]
            n, flat = len(pieces), all(count == 1 for count in counts)
            cells = sum(comb(n, j) for j in range(min(n, self.d) + 1)) if flat else inf
            total *= min(prod(pieces), cells)
        return total

    def title(self, domain):
        """Return the domain in words."""
        ends = {(str(a), str(b)) for a, b in zip(self.lower, self.upper)}
        plain = self.own is not None and self.d == self.n_in and not len(self.rows)
        if plain and len(ends) == 1 and not (self.origin != 0).any():
            return "[{}, {}]^{}".format(*next(iter(ends)), self.d)
        digest = hashlib.sha256(json.dumps(domain, sort_keys=True).encode()).hexdigest()
        return f"the domain {digest[:16]} of {self.d} parameters and {len(self.rows)} rows"

    def part(self, number, exact):
        """Return what a map makes of the inputs, its weights on units, and the units it reads."""
        made = self.parts[exact]
        while len(made) <= number:
            layer = self.layers[len(made)]
            mine = layer.reads < self.n_in
            pair = (lambda x: (exactly(x), None)) if exact else floats
            weight, read = pair(layer.weight), layer.reads[mine]
            own = taken(weight, np.s_[:, mine])
            constant = added(product(own, taken(pair(self.origin), read)),
                             pair(layer.bias[:, None]))
            if self.own is None:
                slopes = product(own, taken(pair(self.directions), read))
            else:
                where = np.full(self.n_in, -1)
                where[self.own] = np.arange(self.d)
                has = where[read] >= 0
                zero = Fraction(0) if exact else 0.0
                slopes = [np.full((len(layer.bias), self.d), zero) for _ in range(1 if exact else 2)]
                for full, x in zip(slopes, own):
                    if x is not None:
                        full[:, where[read][has]] = x[:, has]
                slopes = (slopes[0], None) if exact else slopes
            joined = tuple(None if a is None else np.concatenate([a, b], axis=1)
                           for a, b in zip(constant, slopes))
            made.append((joined, taken(weight, np.s_[:, ~mine]), layer.reads[~mine] - self.n_in))
        return made[number]

    def walk(self, points, pieces, last, exact=False):
        """Yield the rows of layers 0 to last.

        At points, shape (1 + d, k), the first entry of each being 1, with pieces (1, units, k); or,
        of points None, as functions (constant, slopes) for pieces of shape (cells, units, 1).
        """
        one, outs = np.ones(1 + self.d if points is None else points.shape[1], dtype=int), []
        one[1:] = points is not None
        pair = (lambda x: (exactly(x), None)) if exact else (lambda x: (x, None))
        for number in range(last + 1):
            layer, (inputs, units, read) = self.layers[number], self.part(number, exact)
            v = taken(inputs if points is None else product(inputs, (points, None)), None)
            if read.size:
                above = [None if exact and i else np.concatenate([np.broadcast_to(
                    o[i], (len(pieces), *o[i].shape[1:])) for o in outs], axis=1)[:, read]
                    for i in (0, 1)]
                v = added(v, product(units, above))
            rows = v
            if not layer.plain:
                other = np.where((layer.second >= 0)[:, None], 1, 0)
                b = tuple(None if x is None else np.where(other, x[:, layer.second], 0 * one[0])
                          for x in v)
                rows = added(taken(v, np.s_[:, layer.first]), b, -1)
                rows = added(rows, pair(layer.threshold[:, None] * one), -1)
            yield rows
            if number < last:
                p = pieces[:, self.unit0[number] : self.unit0[number + 1]]
                at = np.arange(p.shape[1])[None, :, None], p
                slope, shift = pair(layer.slope[at])[0], pair(layer.shift[at] * one)[0]
                m = np.take_along_axis(v[0], layer.value[at], 1) * slope
                e = None if exact else np.take_along_axis(v[1], layer.value[at], 1) * abs(
                    slope) + U * abs(m)
                outs.append(added((m, e), (shift, None)))


# The proof.

def read_block(file):
    """Return the next block: a line of JSON that lists arrays, and their bytes; None at the end."""
    line = file.readline(1 << 24)
    if not line:
        return None
    head = json.loads(line)
    block = SimpleNamespace(**head)
    for name, kind, shape in head["arrays"]:
        need(kind in ("|u1", "<u2", "<u4", "<i4", "<f8"), f"an array of type {kind}")
        size = prod(shape) * int(kind[2])
        raw = file.read(size)
        need(len(raw) == size, "the file is cut off")
        setattr(block, name, np.frombuffer(raw, dtype=kind).reshape(shape))
    return block


def sides(P, pieces, first, last):
    """Return the sides at a list of patterns as arrays: its row whose path it leaves, unit, piece.

    Row by row those with lower pieces than the row, then those with higher ones, unit by unit. What
    lies before row 0 or after the last row belongs to other blocks, unless these are `first`, `last`.
    """
    n, units = P.shape
    differ = P[1:] != P[:-1]
    at = differ.argmax(axis=1)
    steps = np.arange(n - 1)
    need(differ.any(axis=1).all() and (P[1:][steps, at] > P[:-1][steps, at]).all(),
         "patterns do not increase")
    after = np.append(at, -1 if last else units)[:, None]
    before = np.insert(at, 0, -1 if first else units)[:, None]
    u = np.arange(units)[None]
    below = np.where(u > before, P, 0)
    ends = np.where(u > after, pieces, P + 1)
    ends[steps, at] = P[1:][steps, at]
    counts = np.stack([below, ends - P - 1], axis=1).ravel()
    low = np.stack([np.zeros_like(P), P + 1], axis=1).ravel()
    node = np.repeat(np.arange(counts.size), counts)
    k = np.arange(node.size) - np.repeat(np.cumsum(counts) - counts, counts) + low[node]
    return node // (2 * units), node % units, k


class Block:
    """A run of the list with its clauses."""

    def __init__(self, subject, block):
        self.s, self.b, self.P = subject, block, block.patterns.astype(np.int64)
        P, s = self.P, subject
        need(P.ndim == 2 and len(P) and P.shape[1] == s.n_units and (P < s.pieces).all(),
             "a pattern has pieces that no unit has")
        at = (P[1:] != P[:-1]).argmax(axis=1)
        self.run = [np.cumsum(np.insert(at < first, 0, False)) for first in s.unit0[:-1]]
        self.start = np.cumsum(block.size.astype(np.int64)) - block.size
        self.row, self.sign = block.literals >> 1, 1 - 2 * (block.literals & 1).astype(np.int64)
        K, m = block.size.size, block.multipliers
        self.of = np.repeat(np.arange(K), block.size)
        self.layer = block.layer.astype(np.int64)
        need((block.size > 0).all() and self.of.size == self.row.size == m.size
             and block.layer.size == block.run.size == K, "clauses do not fit")
        ends = np.array([run[-1] + 1 for run in self.run])
        need((self.layer >= 0).all() and (self.layer < len(ends)).all() and (block.run >= 0).all()
             and (block.run < ends[self.layer]).all(), "a clause is of no cell")
        self.domain = self.row >= s.n_rows
        need((self.row >= 0).all() and (self.row < s.n_rows + len(s.rows)).all()
             and (self.sign[self.domain] > 0).all(), "a clause has rows that are not there")
        self.row_layer = np.append(s.layer_of[s.unit_of_row], np.zeros(len(s.rows), dtype=int))[self.row]
        need((self.domain | (self.row_layer <= self.layer[self.of])).all(), "a clause reads below its cell")
        self.other = {int(i): Fraction(v) for i, v in block.exact_multipliers.items()}
        need(((m >= 0) & np.isfinite(m)).all() and all(v >= 0 for v in self.other.values()),
             "a multiplier is negative")
        self.rep = np.array([np.searchsorted(self.run[l], r) for l, r in zip(self.layer, block.run)], dtype=int)
        self.known = {}

    def cites(self, i, u, k, ref):
        """Return which sides cite a clause of their own path: all its rows follow from the pieces."""
        s, size = self.s, self.b.size[ref]
        fits = self.layer[ref] <= s.layer_of[u]
        for layer in np.unique(self.layer[ref]):
            mine = self.layer[ref] == layer
            fits[mine] &= self.run[layer][i[mine]] == self.b.run[ref[mine]]
        of = np.repeat(np.arange(ref.size), size)
        e = np.arange(of.size) + np.repeat(self.start[ref] - np.cumsum(size) + size, size)
        of, e = of[~self.domain[e]], e[~self.domain[e]]
        row = self.row[e]
        unit = s.unit_of_row[row]
        piece = np.where(unit == u[of], k[of], self.P[i[of], unit])
        holds = (unit <= u[of]) & (s.asked(unit, piece, s.place_of_row[row]) == self.sign[e])
        fits[of[~holds]] = False
        return fits

    def refuted(self):
        """Return which clauses floats with their errors prove: negative on the box."""
        s, K = self.s, self.b.size.size
        forms, ok, far = {}, np.zeros(K, dtype=bool), np.maximum(abs(s.low), abs(s.high))

        def on_box(pair):
            sizes = [x[..., 0] + x[..., 1:] @ far for x in (abs(pair[0]), pair[1])]
            return pair[0], sizes[1] + ((self.b.size.max(initial=0) + s.d + 16) * U) * sizes[0]

        for layer in np.unique(self.row_layer[~self.domain]):
            cells = np.searchsorted(self.run[layer], np.arange(self.run[layer][-1] + 1))
            *_, rows = s.walk(None, self.P[cells][:, :, None], layer)
            forms[layer] = on_box(rows)
        domain = on_box((s.float_rows[0], np.zeros(s.rows.shape) + (
            0.0 if s.float_rows[1] is None else s.float_rows[1])))
        ends, step = np.append(self.start, self.row.size), max(1, CHUNK // (1 + s.d))
        a = 0
        while a < K:
            z = max(a + 1, int(np.searchsorted(ends, ends[a] + step, side="right")) - 1)
            e = np.s_[ends[a] : ends[z]]
            value, error = np.zeros((ends[z] - ends[a], 1 + s.d)), np.zeros(ends[z] - ends[a])
            row, own = self.row[e], self.domain[e]
            value[own], error[own] = taken(domain, row[own] - s.n_rows)
            for layer, pair in forms.items():
                at = np.flatnonzero(~own & (self.row_layer[e] == layer))
                cell = self.run[layer][self.rep[self.of[e][at]]] * (len(pair[0]) > 1)
                value[at], error[at] = taken(pair, (cell, row[at] - s.row_base[layer]))
            lam, starts = self.b.multipliers[e], ends[a:z] - ends[a]
            value *= (lam * self.sign[e])[:, None]
            total = np.add.reduceat(value, starts)
            top = total[:, 0] + np.maximum(total[:, 1:] * s.low, total[:, 1:] * s.high).sum(axis=1)
            top += np.add.reduceat(lam * error, starts) * GROWN + TINY
            ok[a:z] = (top < 0) & (np.maximum.reduceat(lam, starts) < LARGE) & (far.max() < LARGE)
            a = z
        ok[self.of[list(self.other)]] = False
        return ok

    def rows_of(self, layer, i):
        """Return the exact rows of layers 0 to `layer` in the cell of row i, as functions."""
        key = layer, int(self.run[layer][i])
        if key not in self.known:
            self.known.clear()
            rows = self.s.walk(None, self.P[i][None, :, None], layer, exact=True)
            self.known[key] = np.concatenate([m[0] for m, _ in rows])
        return self.known[key]

    def refuted_exactly(self, c):
        """Return whether a clause holds, in rational numbers."""
        s, strict, total = self.s, False, np.full(1 + self.s.d, Fraction(0))
        forms = self.rows_of(int(self.layer[c]), int(self.rep[c]))
        for e in range(self.start[c], self.start[c] + self.b.size[c]):
            m = self.other.get(e, Fraction(self.b.multipliers[e]))
            own = self.domain[e]
            row = s.rows[self.row[e] - s.n_rows] if own else forms[self.row[e]]
            total = total + m * int(self.sign[e]) * row
            may = self.sign[e] > 0 or (not s.closed and (row != 0).any())
            strict |= bool(m > 0 and not own and may)
        top = total[0]
        for slope, low, high in zip(total[1:], s.lower, s.upper):
            end = high if slope > 0 else low
            if slope != 0 and isinstance(end, float):
                return False
            top += slope * end if slope != 0 else 0
        return top < 0 or (top == 0 and strict)

    def points(self, rows):
        """Return parameters of witnesses: as given, or what seeds of the rows of inputs make."""
        s, given = self.s, self.b.points[rows]
        if not s.seeded:
            return given
        width = s.high - s.low
        t = s.low + width * np.clip(0.5 + given @ (s.seeds * width), 0.0, 1.0)
        return np.clip(t, *s.inner)

    def witnessed(self, first):
        """Return which rows from `first` on floats with their errors prove to be attained."""
        s, n = self.s, len(self.P) - first
        need(len(self.b.points) == n, "there is not one witness for each pattern")
        ok, step = np.zeros(n, dtype=bool), max(1, CHUNK // (1 + s.d))
        for a in range(0, n, step):
            t = self.points(slice(a, a + step))
            good = ((t >= s.inner[0]) & (t <= s.inner[1])).all(axis=1)
            points = np.concatenate([np.ones((1, len(t))), t.T])
            m, e = product(s.float_rows, (points, None))
            good &= ((m > e) | (s.rows[:, 1:] == 0).all(axis=1)[:, None]).all(axis=0)
            P = self.P[first + a : first + a + step].T
            for layer, (m, e) in enumerate(s.walk(points, P[None], len(s.layers) - 1)):
                r = np.arange(s.row_base[layer], s.row_base[layer + 1])
                u = s.unit_of_row[r]
                asked = s.asked(u[:, None], P[u], s.place_of_row[r][:, None])
                good &= ((asked * m[0] > e[0]) | (asked == 0)).all(axis=0)
            ok[a : a + step] = good
        ok[[int(i) for i in self.b.exact_points]] = False
        return ok

    def witnessed_exactly(self, i, first):
        """Return whether the witness of row i proves it, in rational numbers."""
        s, given = self.s, self.b.exact_points.get(str(i - first))
        t = [Fraction(v) for v in (self.points(slice(i - first, i - first + 1))[0] if given is None else given)]
        if len(t) != s.d or not all(a <= v <= b for a, v, b in zip(s.lower, t, s.upper)):
            return False
        point, P = np.array([Fraction(1), *t])[:, None], self.P[i]
        if not (s.rows @ point >= 0).all():
            return False
        rows = s.walk(point, P[None, :, None], len(s.layers) - 1, exact=True)
        value = np.concatenate([m[0, :, 0] for m, _ in rows])
        asked = s.asked(s.unit_of_row, P[s.unit_of_row], s.place_of_row)
        wrong = ((asked > 0) & (value <= 0)) | ((asked < 0) & (value > 0))
        zero = (asked < 0) & (value == 0)
        if wrong.any() or s.closed or not zero.any():
            return not wrong.any()
        return bool((self.rows_of(len(s.layers) - 1, i)[zero] == 0).all())


def check(network, proof, say=print):
    """Check a proof; print what it proves; raise `Refuted` where a step is false."""
    with gzip.open(proof) as file:
        need(file.readline(64) == MAGIC, "this is no proof of the format that is read here")
        header = json.loads(file.readline(1 << 28))
        need(header["quantity"] in TITLES, "a quantity that is not covered")
        s = Subject(network, header)
        need(header["network"] == s.digest, "the proof is of another network")
        found, open_, before, last, number = 0, 0, None, False, 0
        while (block := read_block(file)) is not None:
            try:
                need(not last, "there is more after the last block")
                b, first = Block(s, block), before is None
                need(first or (b.P[0] == before).all(), "the block does not go on where the last ended")
                last, before = block.last is True, b.P[-1]
                i, u, k = sides(b.P, s.pieces, first, last)
                ref = block.refs.astype(np.int64)
                need(ref.shape == i.shape and (ref >= -1).all() and (ref < block.size.size).all(),
                     "there is not one citation for each side")
                is_open = ref < 0
                fits = b.cites(i[~is_open], u[~is_open], k[~is_open], ref[~is_open])
                need(fits.all(), "a side cites a clause that its pieces do not imply")
                for c in np.flatnonzero(~b.refuted()):
                    need(b.refuted_exactly(c), f"clause {c} is not refuted by its multipliers")
                skip = 0 if first else 1
                for j in np.flatnonzero(~b.witnessed(skip)):
                    need(b.witnessed_exactly(j + skip, skip), f"the witness of pattern {found + j} fails")
                found += len(b.P) - skip
                open_ += sum(s.most(int(v)) for v in u[is_open])
            except Refuted as error:
                raise Refuted(f"block {number}: {error}") from None
            number += 1
    need(last, "the file is cut off")
    need(header["lower"] == str(found) and header["upper"] == str(found + open_),
         "the header claims other numbers")
    ends = f"exactly {found}" if not open_ else f"at least {found}, at most {found + open_}"
    say(f"{ends} {TITLES[header['quantity']]} of network {s.digest[:16]} on {s.title(header['domain'])}")
    return found, found + open_


def main(arguments):
    """Check NETWORK.npz PROOF; return 0, or 1 where a step is false."""
    if len(arguments) != 2:
        print("usage: check.py NETWORK.npz PROOF")
        return 2
    with np.errstate(all="ignore"):  # what is not finite is decided exactly
        try:
            check(*arguments)
        except Refuted as error:
            print(f"NOT proved: {error}")
        except (ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError,
                RecursionError, TypeError, ValueError, gzip.zlib.error) as error:
            print(f"NOT proved: the files cannot be read ({error!r})")
        else:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
