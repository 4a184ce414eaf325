"""Witnesses of kept regions: from points of the kernel's cube to points that prove their regions.

The kernel's point of a region satisfies its rows, but it may lie on the domain's boundary. On the
segment from it to a fixed interior point of the domain, every row of the region's own pattern is
affine: a ratio test tells where the segment leaves the region, and the middle of what lies inside
is taken. What is kept is then certified at the float64 point itself, against a bound on every
rounding error, so that exact verification cannot but agree; what cannot be certified so goes to
exact arithmetic.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Point
from milpcount.exact.program import decide
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import region_near
from milpcount.network import Network, Part, propagate
from milpcount.result import Region
from milpcount.tree.bounded_values import (
    LEAST,
    ROUNDOFF,
    LayerRows,
    MapValues,
    Values,
    added,
)
from milpcount.types import Array

_ROUNDED = 1e-12
"""A step towards the centre that rounding cannot undo."""
_AIMS = (2.0**-8, 2.0**-13, 2.0**-18, 2.0**-24)
"""Distances by which a point further inside is asked to clear its rows, in a cube of side 1."""
_BATCH = 256
"""Points at a time: with hundreds of inputs they stay in the processor's cache."""


class Witnesses:
    """Makes regions of the patterns and points that the kernel keeps.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    exact : callable
        Returns the network in exact arithmetic.
    """

    def __init__(
        self, network: Network, inputs: InputSet, exact: Callable[[], ExactNetwork]
    ) -> None:
        self.network, self.inputs, self._exact = network, inputs, exact
        with np.errstate(all="ignore"):  # errors that overflow certify nothing
            self._maps = [MapValues.of(network, k, inputs) for k in range(len(network.layers))]
        assert self._maps[0].inputs is not None  # a first layer reads nothing else
        self._first = self._maps[0].inputs
        self._centre = _homogeneous_centre(inputs, exact)
        self._shift = self._centre[0]
        if self._shift.size and (self._shift == self._shift[0, 0]).all():
            self._shift = self._shift[:, :1]  # one number for each point, not one for each entry
        self._tables = [LayerRows(layer.table) for layer in network.layers]
        self._starts = [0, *np.cumsum(network.widths).tolist()]
        self._flat: dict[tuple[int, int, bytes], bool] = {}
        self._is_unit = bool((inputs.lower == 0).all() and (inputs.upper == 1).all())
        # The nearest float64 numbers to exact bounds may lie outside of them, their neighbours not.
        exactly = inputs.exact is None
        self._lower = inputs.lower if exactly else np.nextafter(inputs.lower, np.inf)
        self._upper = inputs.upper if exactly else np.nextafter(inputs.upper, -np.inf)
        # Where nothing is fixed and nothing shifted, parameters are inputs: no need for exact ones.
        plain = inputs.exact is None and not inputs.origin.any()
        plain = plain and inputs.dimension == network.n_inputs and self._first.selected is not None
        self.takes_floats = plain or exact().inputs.takes_floats

    def regions(
        self,
        patterns: Array,
        points: Array,
        deeper: Callable[[Array, float], tuple[Array, Array]] | None = None,
    ) -> Iterator[Region]:
        """Yield regions with witnesses that exact verification accepts.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, n_units)
        points : ndarray, shape (k, n)
            A point of each in the cube.
        deeper : callable, optional
            Finds points that clear the rows of some patterns' cells by a given distance, and says
            of which it has. In deep networks rounding can outweigh what a point clears them by
            that is just inside, where one further inside needs no exact arithmetic.
        """
        for start in range(0, len(patterns), _BATCH):
            batch = patterns[start : start + _BATCH].astype(np.int64)
            with np.errstate(all="ignore"):
                t, values = self._inner(batch, points[start : start + _BATCH])
                proved = self._certified(batch, t, values, deeper is None)
                if deeper is not None and not proved.all():
                    self._go_deeper(batch, t, proved, deeper)
                    rest = np.flatnonzero(~proved)
                    if rest.size:
                        proved[rest] = self._certified(batch[rest], t[rest], values[rest], True)
            yield from self._regions(batch, t, proved)

    def _go_deeper(
        self,
        patterns: Array,
        t: Array,
        proved: Array,
        deeper: Callable[[Array, float], tuple[Array, Array]],
    ) -> None:
        """Put parameters further inside in the place of those that prove nothing, if they do."""
        for aim in _AIMS:
            rest = np.flatnonzero(~proved)
            if not rest.size:
                return
            points, found = deeper(patterns[rest], aim)
            rest = rest[found]
            if rest.size:
                inner, values = self._inner(patterns[rest], points[found])
                good = self._certified(patterns[rest], inner, values, False)
                t[rest[good]], proved[rest[good]] = inner[good], True

    def _regions(self, patterns: Array, t: Array, proved: Array) -> Iterator[Region]:
        x = self._first.inputs_of(t)
        found = zip(map(tuple, patterns.tolist()), x, proved.tolist(), strict=True)
        for i, (pattern, witness, good) in enumerate(found):
            if good:
                yield Region(pattern, witness, None if self.takes_floats else t[i])
            else:
                yield self._exactly(pattern, t[i])

    def _exactly(self, pattern: tuple[int, ...], t: Array) -> Region:
        exact = self._exact()
        known = Point.of(t) if np.isfinite(t).all() else exact.inputs.box.middle
        region = region_near(exact, pattern, known)
        assert region is not None, "the kernel kept a pattern without region"
        return region

    def _inner(self, patterns: Array, y: Array) -> tuple[Array, Array]:
        """Return parameters well inside the regions and inside the box, and their first values.

        On a box the values are mixed like the points: with hundreds of inputs that saves a product.
        """
        inputs, w = self.inputs, np.ones(len(y))
        if inputs.is_boxed:
            # Ends apart, since a width may overflow where they do not.
            tau = y if self._is_unit else (1.0 - y) * inputs.lower + y * inputs.upper
        else:
            tau, w = 2.0 * y[:, :-1] - 1.0, y[:, -1]
        first, centre = self._first.values(tau, w), self._first.values(*self._centre)
        here = self._signed(patterns, first, tau, w)
        there = self._signed(patterns, centre, *self._centre)
        step = _middle(here, there)[:, None]
        t = tau * (1.0 - step)
        t += step * self._shift
        if not inputs.is_boxed:
            t /= (1.0 - step) * w[:, None] + step * self._centre[1]
        if not (self._is_unit and step.min() > _ROUNDED):
            np.maximum(t, self._lower, out=t)
            np.minimum(t, self._upper, out=t)
        if inputs.is_boxed:
            return t, (1.0 - step) * first + step * centre
        return t, self._first.values(t, np.ones(len(t)))

    def _signed(self, patterns: Array, values: Array, tau: Array, w: Array) -> Array:
        """Return what must be positive at ``tau / w``, times w: the domain's and the signed rows.

        The first layer's `values` are known.
        """
        rule = _SignedRows(self._maps, self._tables, self._pieces(patterns), tau, w, values)
        propagate(self.network, None, rule, to_output=False)
        domain = w[:, None] * self.inputs.rhs - tau @ self.inputs.rows.T
        domain = np.broadcast_to(domain, (len(patterns), domain.shape[1]))
        return np.concatenate([domain, *rule.rows], axis=1)

    def _pieces(self, patterns: Array) -> list[Array]:
        return [patterns[:, a:b] for a, b in pairwise(self._starts)]

    def _certified(self, patterns: Array, t: Array, values: Array, flat: bool) -> Array:
        """Return which parameters prove their regions beyond all rounding.

        Rows that rounding may hide can be zero all over a region: whether they are is asked in
        exact arithmetic, if `flat`.
        """
        inputs = self.inputs
        fine = np.isfinite(values).all(axis=1)  # and so is t, which has been clipped to the box
        if (self._lower > self._upper).any():
            fine[:] = False
        bounding = (inputs.rows != 0).any(axis=1)
        if bounding.any():
            rows, rhs = inputs.rows[bounding], inputs.rhs[bounding]
            size = abs(t) @ abs(rows).T + abs(rhs)
            slack = 2.0 * (t.shape[1] + 4) * ROUNDOFF * size + LEAST
            fine &= (rhs - t @ rows.T > slack).all(axis=1)
        rule = _CertifiedRows(
            self._maps,
            self._tables,
            self._pieces(patterns),
            t,
            values,
            fine,
            self._is_flat if flat else _is_never_flat,
        )
        propagate(self.network, None, rule, to_output=False)
        return rule.fine

    def _is_flat(self, layer: int, row: int, above: Array) -> bool:
        """Return whether a row vanishes identically below a pattern of the layers above."""
        key = (layer, row, above.astype(np.uint32).tobytes())
        if key not in self._flat:
            table = self.network.layers[layer].table
            unit, place = int(table.row_unit[row]), int(table.row_place[row])
            rows = self._exact().unit_rows(layer, unit, above.tolist())
            self._flat[key] = bool(rows.is_zero()[place])
        return self._flat[key]


def _is_never_flat(layer: int, row: int, above: Array) -> bool:
    return False


class _SignedRows:
    """The rule of points on given pieces, times w: what the pieces ask of the rows is positive."""

    def __init__(
        self,
        maps: Sequence[MapValues],
        tables: Sequence[LayerRows],
        pieces: Sequence[Array],
        tau: Array,
        w: Array,
        first: Array,
    ) -> None:
        self._maps, self._tables, self._pieces = maps, tables, pieces
        self._tau, self._w, self._first = tau, w, first
        self.rows: list[Array] = []

    def take(self, values: Array | None, which: Array) -> Array | None:
        """Return some of the outputs; the input's parameters are known."""
        return None if values is None else values[:, which]

    def affine(self, number: int, parts: Sequence[Part[Array | None]]) -> Array:
        """Return a layer's values."""
        if number == 0:
            return self._first
        own, read = self._maps[number], [p.value for p in parts if p.value is not None]
        found = own.units.values(np.concatenate(read, axis=1), self._w) if own.units else 0.0
        if own.inputs is not None:
            found = found + own.inputs.values(self._tau, self._w)
        return np.asarray(found)

    def activate(self, number: int, values: Array | None) -> Array | None:
        """Return the outputs of the units; keep the rows."""
        assert values is not None
        table, pieces = self._tables[number], self._pieces[number]
        self.rows.append(table.asks(pieces) * table.rows(values, self._w))
        if number + 1 == len(self._pieces):
            return None
        return table.outputs(values, self._w, pieces)


class _CertifiedRows:
    """The rule of points on given pieces with their errors; `fine` tells which are proved."""

    def __init__(
        self,
        maps: Sequence[MapValues],
        tables: Sequence[LayerRows],
        pieces: Sequence[Array],
        t: Array,
        first: Array,
        fine: Array,
        is_flat: Callable[[int, int, Array], bool],
    ) -> None:
        self._maps, self._tables, self._pieces = maps, tables, pieces
        self._t, self._ones, self._first = t, np.ones(len(t)), first
        self.fine, self._is_flat = fine, is_flat

    def take(self, values: Values | None, which: Array) -> Values | None:
        """Return some of the outputs; the input's parameters are known."""
        return None if values is None else Values(*(part[:, which] for part in values))

    def affine(self, number: int, parts: Sequence[Part[Values | None]]) -> Values:
        """Return a layer's values."""
        own, found = self._maps[number], None
        if own.inputs is not None:
            values = self._first if number == 0 else own.inputs.values(self._t, self._ones)
            found = own.inputs.bounded(self._t, values)
        if own.units is None:
            assert found is not None
            return found
        read = [part.value for part in parts if part.value is not None]
        units = own.units.bounded(
            Values(*(np.concatenate(column, axis=1) for column in zip(*read, strict=True)))
        )
        return units if found is None else added(found, units)

    def activate(self, number: int, values: Values | None) -> Values | None:
        """Return the outputs of the units; strike off points that do not prove their pieces."""
        assert values is not None
        table, pieces = self._tables[number], self._pieces[number]
        asks = table.asks(pieces)
        rows, error, alive = table.bounded(values)
        sure = asks * rows > error
        wrong = (asks != 0) & ~sure & ~((asks < 0) & ~alive)
        hopeless = wrong & ((asks > 0) | ~(asks * rows >= -error))
        self.fine &= ~hopeless.any(axis=1)
        for i, row in np.argwhere(wrong & self.fine[:, None]).tolist():
            above = np.concatenate([known[i] for known in self._pieces[:number]] or [pieces[i, :0]])
            self.fine[i] &= self._is_flat(number, row, above)
        if number + 1 == len(self._pieces):
            return None
        return table.bounded_outputs(values, pieces)


def _middle(here: Array, there: Array) -> Array:
    """Return how far to go from points to another where every number stays positive, (k,)."""
    change = there - here
    ratio = here / -change
    high = np.where((here > 0) & (change < 0), ratio, 1.0).min(axis=1, initial=1.0)
    low = np.where((here <= 0) & (change > 0), ratio, 0.0).max(axis=1, initial=0.0)
    return np.asarray(np.where(low < high, 0.5 * (low + high), 0.5 * high))


def _homogeneous_centre(inputs: InputSet, exact: Callable[[], ExactNetwork]) -> tuple[Array, Array]:
    """Return an interior point of the domain as rows ``tau`` and ``w``: it is ``tau / w``."""
    if inputs.is_boxed and not inputs.rows.size:
        return (0.5 * inputs.lower + 0.5 * inputs.upper)[None], np.ones(1)
    domain = exact().inputs
    inside = decide(domain.rows, (1,) * len(domain.rows), domain.box).witness
    assert inside is not None, "the search has entered the domain"
    t = inside.floats()
    scale = 1.0 if inputs.is_boxed else 0.5 / max(1.0, float(abs(t).max()))
    return (t * scale)[None], np.full(1, scale)
