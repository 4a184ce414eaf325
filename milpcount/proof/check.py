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

import ast
import gzip
import hashlib
import json
import re
import sys
from fractions import Fraction
from itertools import combinations
from math import comb, prod
from types import SimpleNamespace

import numpy as np

U, GROWN, TINY, LARGE, CHUNK = 2.0**-52, 1 + 2.0**-20, 1e-200, 1e100, 1 << 22
MAGIC = b"milpcount proof 1\n"
TITLES = {"activation_regions": "activation regions", "activation_patterns": "activation patterns"}
exactly = np.vectorize(Fraction, otypes=[object])


class Refuted(Exception):
    """A step that does not hold, or a file that cannot be read."""


def need(condition, what):
    """Raise `Refuted` unless a condition holds."""
    if not condition:
        raise Refuted(what)


# Numbers are pairs (value, error), arrays; exact ones are arrays of Fraction with error None.


def product(a, b):
    """Return a @ b of two pairs; an error None stands for none."""
    (a, ea), (b, eb) = a, b
    m = a @ b
    if m.dtype == object:
        return m, None
    if a.size and not abs(a).max() < LARGE:
        return m, np.full(m.shape, np.inf)
    e = abs(a) @ (abs(b) * ((a.shape[-1] + 8) * U) + (0.0 if eb is None else eb * GROWN))
    if ea is not None:
        e = e + ea @ (abs(b) + (0.0 if eb is None else eb))
    return m, e * GROWN + TINY


def added(a, b, sign=1):
    """Return a + b of two pairs, or a - b."""
    m = a[0] + sign * b[0]
    if m.dtype == object:
        return m, None
    e = (0.0 if a[1] is None else a[1]) + (0.0 if b[1] is None else b[1])
    return m, (e + 4 * U * (abs(a[0]) + abs(b[0]))) * GROWN + TINY


def floats(values):
    """Return exact numbers as a pair of floats and errors."""
    m = values.astype(float)
    off = exactly(m) != values if np.isfinite(m).all() else np.ones(m.shape, dtype=bool)
    return m, np.where(off, abs(m) * U + TINY, 0.0)


def numbers(given):
    """Return numbers of a header, strings "p/q" among them, as an array of Fraction."""
    array = np.array(given, dtype=object)
    return exactly(array) if array.size else array.astype(object)


# The network.


def interval(k, rows):
    """Return what the k-th piece of a scalar unit asks of its rows."""
    return ([(k - 1, 1)] if k else []) + ([(k, -1)] if k < rows else [])


def scalar(at, slopes, shifts):
    """Return a unit of one value: pieces from left to right, parted by increasing breakpoints."""
    need(len(slopes) == len(shifts) == len(at) + 1, "an activation's lists do not fit")
    need(all(a < b for a, b in zip(at, at[1:])), "breakpoints do not increase")
    pieces = [(0, a, b, interval(k, len(at))) for k, (a, b) in enumerate(zip(slopes, shifts))]
    return 1, [(0, -1, t) for t in at], pieces


def maxout(rank):
    """Return a maximum: a row v_b - v_a for a < b, so that the lowest index wins a tie."""
    pairs = list(combinations(range(rank), 2))
    asks = [[(r, 1 if k == b else -1) for r, (a, b) in enumerate(pairs) if k in (a, b)]
            for k in range(rank)]
    return rank, [(b, a, 0.0) for a, b in pairs], [(k, 1.0, 0.0, asks[k]) for k in range(rank)]


MAKERS = {"relu": lambda: scalar([0.0], [0.0, 1.0], [0.0, 0.0]), "piecewise_linear": scalar,
          "leaky_relu": lambda a: scalar([0.0], [a, 1.0], [0.0, 0.0]), "maxout": maxout}


def activation(record):
    """Return rank, rows and pieces of a unit: by its name, or by a table that is one of these."""
    if isinstance(record, str):
        name, given = re.fullmatch(r"(\w+)(?:\((.+)\))?", record).groups()
        return MAKERS[name](*(ast.literal_eval(f"({given},)") if given else ()))
    rows, pieces = record["rows"], record["pieces"]
    made = maxout(record["rank"]) if record["rank"] > 1 else scalar(
        [t for _, _, t in rows], [p[1] for p in pieces], [p[2] for p in pieces])
    same = [list(r) for r in made[1]] == rows and len(made[2]) == len(pieces) and all(
        list(a[:3]) == b[:3] and sorted(map(list, a[3])) == sorted(b[3])
        for a, b in zip(made[2], pieces))
    need(same, f"activation {record['name']!r}: a table that is not covered")
    return made


def dense(arrays, name):
    """Return an affine map as exact weights and bias; of a product, factor by factor."""
    if f"W{name}" in arrays:
        return arrays[f"W{name}"], arrays[f"b{name}"]
    if f"data{name}" in arrays:
        starts, (n, m) = arrays[f"indptr{name}"].astype(int), arrays[f"shape{name}"]
        weight = np.zeros((n, m))
        weight[np.repeat(np.arange(n), np.diff(starts)), arrays[f"indices{name}"]] = arrays[
            f"data{name}"]
        return weight, arrays[f"b{name}"]
    if f"factor{name}" in arrays:
        f, s, d = (exactly(arrays[f"{key}{name}"]) for key in ("factor", "shift", "divisor"))
        return np.diag(f / d), s / d
    weight, bias = (exactly(part) for part in dense(arrays, f"{name}.0"))
    k = 1
    while f"b{name}.{k}" in arrays or f"shift{name}.{k}" in arrays:
        w, b = (exactly(part) for part in dense(arrays, f"{name}.{k}"))
        weight, bias, k = w @ weight, w @ bias + b, k + 1
    return weight, bias


def table(layer, units):
    """Put what the units of a layer do into arrays: see `walk`."""
    n_pieces = max(len(kind[2]) for kind in units)
    n_rows = max(len(kind[1]) for kind in units)
    starts = np.cumsum([0] + [kind[0] for kind in units])
    need(starts[-1] == layer.bias.size, "a layer's units do not fit its map")
    layer.value, layer.slope, layer.shift = (
        np.zeros((len(units), n_pieces), dtype=t) for t in (int, float, float))
    layer.pieces, first, second, layer.threshold = [], [], [], []
    kinds, layer.asks, layer.kind, layer.row0 = {}, [], [], []
    for u, (rank, rows, pieces) in enumerate(units):
        layer.row0.append(len(first))
        layer.pieces.append(len(pieces))
        for a, b, t in rows:
            first.append(starts[u] + a)
            second.append(starts[u] + b if b >= 0 else -1)
            layer.threshold.append(float(t))
        for k, (v, slope, shift, _) in enumerate(pieces):
            layer.value[u, k], layer.slope[u, k], layer.shift[u, k] = starts[u] + v, slope, shift
        if id(pieces) not in kinds:
            kinds[id(pieces)] = len(layer.asks)
            asks = np.zeros((n_pieces, n_rows), dtype=np.int8)
            for k, piece in enumerate(pieces):
                for r, sign in piece[3]:
                    asks[k, r] = sign
            layer.asks.append(asks)
        layer.kind.append(kinds[id(pieces)])
    layer.first, layer.second = np.array(first, dtype=int), np.array(second, dtype=int)
    layer.threshold, layer.n_rows = np.array(layer.threshold), len(first)
    layer.plain = layer.n_rows == layer.bias.size and not (
        layer.threshold.any() or (layer.second >= 0).any())


def read_network(path):
    """Return layers and a digest of all that is read: numbers, activations and wiring."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    meta = json.loads(arrays["metadata"].item()) if "metadata" in arrays else {}
    n_maps = len({re.match(r"(?:b|shift)(\d+)", k)[1] for k in arrays if re.match(r"b\d|shift\d", k)})
    hidden = n_maps - bool(meta.get("output", True))
    records = meta.get("activations", ["relu"] * hidden)
    if "leaky_alpha" in arrays:
        records = [f"leaky_relu({a!r})" for a in arrays["leaky_alpha"].ravel().tolist()]
    need(len(records) == hidden, "there is not one activation for each layer")
    layers, columns, before = [], None, None
    digest = hashlib.sha256()
    for number, record in enumerate(records):
        weight, bias = dense(arrays, str(number))
        n_in = int(meta.get("inputs", weight.shape[1])) if number == 0 else n_in
        reads = arrays.get(f"reads{number}", before if number else np.arange(n_in))
        need(reads is not None and weight.shape == (bias.size, len(reads)), "a map does not fit")
        layer = SimpleNamespace(weight=weight, bias=bias, reads=reads.astype(int))
        runs = record if isinstance(record, list) else [[None, record]]
        units = []
        for count, kind in runs:
            kind = activation(kind)
            units += [kind] * (bias.size // kind[0] if count is None else count)
        table(layer, units)
        first = n_in if number == 0 else before[-1] + 1
        before = np.arange(first, first + len(units))
        need((layer.reads < first).all() and (layer.reads >= 0).all(), "a layer reads what is below")
        layers.append(layer)
        for part in (weight, bias, layer.reads, layer.slope, layer.shift, layer.value,
                     layer.threshold, layer.first, layer.second, np.array(layer.asks)[layer.kind]):
            text = part.dtype == object
            raw = "".join(map(str, part.ravel())).encode() if text else part.astype("<f8").tobytes()
            digest.update(f"{part.shape}".encode() + raw)
    return n_in, layers, digest.hexdigest()


class Subject:
    """A network on a domain: rows of its units at points, or as functions of the parameters."""

    def __init__(self, path, header):
        n_in, self.layers, self.digest = read_network(path)
        domain, layers = header["domain"], self.layers
        self.closed = header["quantity"] == "activation_patterns"
        self.lower, self.upper = ([float(v) if v in (np.inf, -np.inf) else Fraction(v)
                                   for v in domain[key]] for key in ("lower", "upper"))
        self.d = d = len(self.lower)
        self.low, self.high = (np.array([float(v) for v in x]) for x in (self.lower, self.upper))
        same = all(Fraction(f) == v for f, v in zip((*self.low, *self.high),
                   (*self.lower, *self.upper)) if np.isfinite(f))
        self.inner = self.low, self.high
        if not same:  # outwards for refutations, inwards for witnesses
            self.inner = np.nextafter(self.low, np.inf), np.nextafter(self.high, -np.inf)
            self.low, self.high = np.nextafter(self.low, -np.inf), np.nextafter(self.high, np.inf)
        inputs = np.full((n_in, 1 + d), Fraction(0))
        inputs[:, 0] = numbers(domain["origin"])
        if "inputs" in domain:
            inputs[domain["inputs"], 1 + np.arange(d)] = Fraction(1)
        else:
            inputs[:, 1:] = numbers(domain["directions"])
        rows = numbers(domain["rows"]).reshape(-1, d)
        self.rows = np.concatenate([numbers(domain["rhs"])[:, None].reshape(-1, 1), -rows], axis=1)
        self.float_rows = floats(self.rows)
        self.parts = {False: [], True: []}
        self.inputs, self.float_inputs = inputs, floats(inputs)
        self.unit0 = np.cumsum([0] + [len(layer.pieces) for layer in layers])
        self.row_base = np.cumsum([0] + [layer.n_rows for layer in layers])
        self.n_in, self.n_units, self.n_rows = n_in, self.unit0[-1], self.row_base[-1]
        self.pieces = np.concatenate([layer.pieces for layer in layers]).astype(int)
        self.layer_of = np.repeat(np.arange(len(layers)), np.diff(self.unit0))
        n = [np.diff([*layer.row0, layer.n_rows]) for layer in layers]
        self.unit_of_row = np.repeat(np.arange(self.n_units), np.concatenate(n).astype(int))
        starts = np.concatenate([b + np.array(x.row0) for b, x in zip(self.row_base, layers)])
        self.place_of_row = np.arange(self.n_rows) - starts[self.unit_of_row].astype(int)
        shapes = np.array([a.shape for layer in layers for a in layer.asks])
        self.asks = np.zeros((len(shapes), *shapes.max(axis=0)), dtype=np.int8)
        for at, a in enumerate(a for layer in layers for a in layer.asks):
            self.asks[at, : a.shape[0], : a.shape[1]] = a
        first = np.cumsum([0] + [len(layer.asks) for layer in layers])
        self.kind = np.concatenate([f + np.array(x.kind) for f, x in zip(first, layers)])
        self.seeded = header["seeded"] is True
        if self.seeded:
            read = [self.part(n, False)[0][0][:, 1:] for n, layer in enumerate(layers)
                    if (layer.reads < n_in).any()]
            self.seeds = np.concatenate([*read, self.float_rows[0][:, 1:]])
        if not self.closed:
            inside = [Fraction(v) for v in header["interior"]]
            values = self.rows[:, 0] + self.rows[:, 1:] @ np.array([*inside, Fraction(0)])[:-1]
            good = len(inside) == d and all(
                a < t < b for a, t, b in zip(self.lower, inside, self.upper))
            flat = (self.rows[:, 1:] == 0).all(axis=1)
            need(good and all(v > 0 or (f and v == 0) for v, f in zip(values, flat)),
                 "the point in the header is not an interior point of the domain")

    def asked(self, unit, piece, place):
        """Return the sign that pieces ask of a row of their unit, 0 if none."""
        return self.asks[self.kind[unit], piece, place]

    def most(self, u):
        """Return an upper bound on the patterns that agree up to unit u; see the argument."""
        total = 1
        for number in range(self.layer_of[u], len(self.layers)):
            first = max(u + 1, self.unit0[number])
            pieces = self.pieces[first : self.unit0[number + 1]].tolist()
            flat = self.layers[number].n_rows == len(self.layers[number].pieces)
            n = len(pieces)
            total *= min(prod(pieces), sum(comb(n, j) for j in range(min(n, self.d) + 1)) if flat
                         else prod(pieces))
        return total

    def title(self, domain):
        """Return the domain in words."""
        ends = {(str(a), str(b)) for a, b in zip(self.lower, self.upper)}
        plain = "inputs" in domain and self.d == self.n_in and not len(self.rows)
        if plain and len(ends) == 1 and not any(v != 0 for v in self.inputs[:, 0]):
            return "[{}, {}]^{}".format(*next(iter(ends)), self.d)
        digest = hashlib.sha256(json.dumps(domain, sort_keys=True).encode()).hexdigest()
        return f"the domain {digest[:16]} of {self.d} parameters and {len(self.rows)} rows"

    def part(self, number, exact):
        """Return the part of a map that reads the inputs, composed, and the one that reads units."""
        made = self.parts[exact]
        while len(made) <= number:
            layer = self.layers[len(made)]
            mine = layer.reads < self.n_in
            if exact:
                weight, bias = exactly(layer.weight), exactly(layer.bias)
            else:
                weight, bias = layer.weight, layer.bias
                weight = (weight.astype(float), None) if weight.dtype != object else floats(weight)
                bias = bias.astype(float) if bias.dtype != object else floats(bias)[0]
            split = lambda w, at: w[:, at] if exact else (w[0][:, at], w[1] if w[1] is None else w[1][:, at])  # noqa: E731
            inputs = self.inputs if exact else self.float_inputs
            read = layer.reads[mine]
            own = (inputs[read], None) if exact else tuple(x[read] for x in inputs)
            w = split(weight, mine)
            m, e = product((w, None) if exact else w, own)
            shift = np.zeros(m.shape, dtype=m.dtype)
            shift[:, 0] = bias
            off = None if exact else abs(shift) * U
            units = split(weight, ~mine)
            made.append((added((m, e), (shift, off)), (units, None) if exact else units,
                         layer.reads[~mine] - self.n_in))
        return made[number]

    def walk(self, points, pieces, last, exact=False):
        """Yield the rows of layers 0 to last.

        At points, shape (1 + d, k), the first entry of each being 1, with pieces (1, units, k); or,
        of points None, as functions (constant, slopes) for pieces of shape (cells, units, 1).
        """
        one = np.array([1] + [0] * self.d) if points is None else np.ones(points.shape[1], dtype=int)
        outs = []
        for number in range(last + 1):
            layer, (inputs, units, read) = self.layers[number], self.part(number, exact)
            v = inputs if points is None else product(inputs, (points, None))
            v = tuple(None if x is None else x[None] for x in v)
            if read.size:
                above = tuple(None if outs[0][i] is None else
                              np.concatenate([o[i] for o in outs], axis=1)[:, read] for i in (0, 1))
                v = added(v, product(units, above))
            yield v if layer.plain else self._rows(layer, v, one, exact)
            if number == last:
                return
            p = pieces[:, self.unit0[number] : self.unit0[number + 1]]
            at = np.arange(p.shape[1])[None, :, None], p
            slope, shift, index = layer.slope[at], layer.shift[at], layer.value[at]
            if exact:
                slope, shift = exactly(slope), exactly(shift)
            m = np.take_along_axis(v[0], index, 1) * slope
            shift = shift * one
            e = None if exact else (np.take_along_axis(v[1], index, 1) * abs(slope) + 2 * U * (
                abs(m) + abs(shift))) * GROWN + TINY
            m = m + shift
            outs = [(np.broadcast_to(o[0], (len(m), *o[0].shape[1:])),
                     None if exact else np.broadcast_to(o[1], (len(m), *o[1].shape[1:])))
                    for o in outs] + [(m, e)]

    def _rows(self, layer, v, one, exact):
        has, zero = (layer.second >= 0)[:, None], Fraction(0) if exact else 0.0
        take = lambda at: tuple(None if x is None else x[:, at] for x in v)  # noqa: E731
        b = tuple(None if x is None else np.where(has, x, zero) for x in take(layer.second))
        t = (exactly(layer.threshold) if exact else layer.threshold)[:, None] * one
        m = added(take(layer.first), b, -1)
        return added(m, (t[None], None), -1) if layer.threshold.any() else m


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
        s, ok = self.s, np.zeros(self.b.size.size, dtype=bool)
        forms = {}
        for layer in np.unique(self.row_layer[~self.domain]):
            cells = np.searchsorted(self.run[layer], np.arange(self.run[layer][-1] + 1))
            *_, forms[layer] = s.walk(None, self.P[cells][:, :, None], layer)
        step = max(1, CHUNK // (1 + s.d))
        a = 0
        while a < ok.size:
            z = max(a + 1, int(np.searchsorted(self.start, self.start[a] + step)))
            e = slice(int(self.start[a]), int(self.start[z]) if z < ok.size else self.row.size)
            value = np.zeros((e.stop - e.start, 1 + s.d))
            error, rows, of = value.copy(), self.row[e], self.of[e]
            own = self.domain[e]
            value[own], error[own] = (x[rows[own] - s.n_rows] for x in s.float_rows)
            for layer, pair in forms.items():
                at = ~own & (self.row_layer[e] == layer)
                cell = self.run[layer][self.rep[of[at]]]
                cell = cell if len(pair[0]) > 1 else cell * 0
                value[at], error[at] = (x[cell, rows[at] - s.row_base[layer]] for x in pair)
            lam = self.b.multipliers[e][:, None]
            starts, size = self.start[a:z] - e.start, self.b.size[a:z, None]
            z0 = np.add.reduceat(lam * self.sign[e][:, None] * value, starts)
            error = np.add.reduceat(lam * (error + abs(value) * ((size + 8) * U)[of - a]), starts)
            far = np.maximum(abs(s.low), abs(s.high))
            most = np.maximum(z0[:, 1:] * s.low, z0[:, 1:] * s.high)
            top = z0[:, 0] + most.sum(axis=1)
            bound = error[:, 0] + error[:, 1:] @ far + (s.d + 8) * U * (
                abs(z0[:, 0]) + abs(most).sum(axis=1))
            ok[a:z] = (top + bound * GROWN + TINY < 0) & (lam.max() < LARGE)
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
