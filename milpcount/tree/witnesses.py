"""Witnesses of kept regions: from points of the kernel's cube to points that prove their regions.

The kernel's point of a region satisfies its rows, but it may lie on the domain's boundary. On the
segment from it to a fixed interior point of the domain, every row of the region's own pattern is
affine: a ratio test tells where the segment leaves the region, and the middle of what lies inside
is taken. What is kept is then certified at the float64 point itself, against a bound on every
rounding error, so that exact verification cannot but agree; what cannot be certified so goes to
exact arithmetic.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Point
from milpcount.exact.program import decide
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import region_near
from milpcount.network import Activation, Network
from milpcount.result import Region

Array = np.ndarray

_ROUNDOFF = 2.0**-53
_LEAST = 1e-300
"""Granted for underflow wherever a number is not zero by structure."""
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
        self._first = _First(network, inputs)
        self._centre, self._weight = _homogeneous_centre(inputs, exact)
        self._tables = [_Table.of(layer.activation) for layer in network.layers]
        self._flat: dict[tuple[int, int, bytes], bool] = {}
        self.takes_floats = exact().inputs.takes_floats

    def regions(self, patterns: Array, points: Array) -> Iterator[Region]:
        """Yield regions with witnesses that exact verification accepts.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, n_units)
        points : ndarray, shape (k, n)
            A point of each in the cube.
        """
        for start in range(0, len(patterns), _BATCH):
            batch = patterns[start : start + _BATCH].astype(np.int64)
            with np.errstate(all="ignore"):
                t = self._inner(batch, points[start : start + _BATCH])
                proved = self._certified(batch, t)
            yield from self._regions(batch, t, proved)

    def _regions(self, patterns: Array, t: Array, proved: Array) -> Iterator[Region]:
        x = self._first.inputs_of(t)
        for i, pattern in enumerate(map(tuple, patterns.tolist())):
            if proved[i]:
                yield Region(pattern, x[i], None if self.takes_floats else t[i])
            else:
                yield self._exactly(pattern, t[i])

    def _exactly(self, pattern: tuple[int, ...], t: Array) -> Region:
        exact = self._exact()
        known = Point.of(t) if np.isfinite(t).all() else exact.inputs.box.middle
        region = region_near(exact, pattern, known)
        assert region is not None, "the kernel kept a pattern without region"
        return region

    def _inner(self, patterns: Array, y: Array) -> Array:
        """Return parameters well inside the regions, shape (k, d)."""
        inputs = self.inputs
        if inputs.is_boxed:
            tau, w = inputs.lower + y * (inputs.upper - inputs.lower), np.ones(len(y))
        else:
            tau, w = 2.0 * y[:, :-1] - 1.0, y[:, -1].copy()
        here = self._signed(patterns, tau, w)
        there = self._signed(patterns, self._centre[None], np.full(1, self._weight))
        step = _middle(here, there)
        tau += step[:, None] * (self._centre - tau)
        w += step * (self._weight - w)
        return np.clip(tau if inputs.is_boxed else tau / w[:, None], inputs.lower, inputs.upper)

    def _signed(self, patterns: Array, tau: Array, w: Array) -> Array:
        """Return what must be positive at ``tau / w``, times w: rows with their signs, domain's."""
        values = self._first.values(tau, w)
        found = [w[:, None] * self.inputs.rhs - tau @ self.inputs.rows.T]
        start = 0
        for number, (layer, table) in enumerate(zip(self.network.layers, self._tables, strict=True)):
            pieces = patterns[:, start : start + layer.width]
            start += layer.width
            v = values.reshape(len(values), layer.width, -1)
            rows = v[..., table.a] - table.second(v) - w[:, None, None] * table.threshold
            found.append((table.asks[pieces] * rows).reshape(len(patterns), -1))
            if number + 1 < len(self.network.layers):
                v = np.broadcast_to(v, (len(patterns), *v.shape[1:]))
                chosen = np.take_along_axis(v, table.value[pieces][..., None], -1)[..., 0]
                out = table.slope[pieces] * chosen + w[:, None] * table.intercept[pieces]
                above = self.network.layers[number + 1].affine
                values = out @ above.weight.T + w[:, None] * above.bias
        found[0] = np.broadcast_to(found[0], (len(patterns), found[0].shape[1]))
        return np.concatenate(found, axis=1)

    def _certified(self, patterns: Array, t: Array) -> Array:
        """Return which parameters prove their regions beyond all rounding."""
        inputs = self.inputs
        fine = ((t >= inputs.lower) & (t <= inputs.upper)).all(axis=1)
        bounding = (inputs.rows != 0).any(axis=1)
        if bounding.any():
            rows, rhs = inputs.rows[bounding], inputs.rhs[bounding]
            size = abs(t) @ abs(rows).T + abs(rhs)
            slack = 2.0 * (t.shape[1] + 4) * _ROUNDOFF * size + _LEAST
            fine &= (rhs - t @ rows.T > slack).all(axis=1)
        state, start = self._first.bounded(t), 0
        for number, (layer, table) in enumerate(zip(self.network.layers, self._tables, strict=True)):
            pieces = patterns[:, start : start + layer.width]
            asks = table.asks[pieces]
            rows, error, alive = table.rows(state, layer.width)
            sure = asks * rows > error
            flat = (asks < 0) & ~alive
            wrong = (asks != 0) & ~sure & ~flat
            hopeless = wrong & ((asks > 0) | ~(asks * rows >= -error))
            fine &= ~hopeless.any(axis=(1, 2))
            for i, unit, row in np.argwhere(wrong & fine[:, None, None]).tolist():
                fine[i] = fine[i] and self._is_flat(number, unit, row, patterns[i, :start])
            start += layer.width
            if number + 1 < len(self.network.layers):
                state = _through(table.outputs(state, pieces), self.network.layers[number + 1].affine)
        return fine

    def _is_flat(self, layer: int, unit: int, row: int, above: Array) -> bool:
        """Return whether a row vanishes identically below a pattern of the layers above."""
        per_unit = len(self.network.layers[layer].activation.rows)
        key = (layer, unit * per_unit + row, above.astype(np.uint32).tobytes())
        if key not in self._flat:
            rows = self._exact().unit_rows(layer, unit, above.tolist())
            self._flat[key] = bool(rows.is_zero()[row])
        return self._flat[key]


class _State(NamedTuple):
    """Values of a layer: floats, bounds on their errors, and whether they can be other than 0."""

    value: Array
    error: Array
    alive: Array


class _First:
    """The first layer's values as affine functions of the parameters, with their rounding."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        affine, directions = network.layers[0].affine, inputs.directions
        weight, origin = affine.weight, inputs.origin
        self.inputs, self.selected = inputs, selected_inputs(directions)
        if self.selected is None:
            slopes, sizes = weight @ directions, abs(weight) @ abs(directions)
        else:
            slopes = weight[:, self.selected]
            sizes = abs(slopes)
        self._slopes = np.ascontiguousarray(slopes.T)
        self._constant = weight @ origin + affine.bias
        self._sizes = np.ascontiguousarray(sizes.T)
        self._size = abs(weight) @ abs(origin) + abs(affine.bias)
        self._unit = 2.0 * (weight.shape[1] + inputs.dimension + 16) * _ROUNDOFF
        varies = (directions != 0).any(axis=1) | (origin != 0)
        self._alive = ((weight != 0) & varies).any(axis=1) | (affine.bias != 0)
        self._box_error = None
        if inputs.is_boxed:
            reach = np.maximum(abs(inputs.lower), abs(inputs.upper))
            self._box_error = self._error(reach[None])

    def values(self, tau: Array, w: Array) -> Array:
        """Return the values at ``tau / w``, times w."""
        return np.asarray(tau @ self._slopes + w[:, None] * self._constant)

    def bounded(self, t: Array) -> _State:
        """Return the values at parameters."""
        values = self.values(t, np.ones(len(t)))
        error = self._error(abs(t)) if self._box_error is None else self._box_error
        return _State(
            values, np.broadcast_to(error, values.shape), np.broadcast_to(self._alive, values.shape)
        )

    def inputs_of(self, t: Array) -> Array:
        """Return the inputs of parameters, rounded where they are not parameters themselves."""
        if self.selected is None:
            return self.inputs.to_inputs(t)
        if np.array_equal(self.selected, np.arange(len(self.inputs.origin))):
            return t + self.inputs.origin
        x = np.tile(self.inputs.origin, (len(t), 1))
        x[:, self.selected] += t
        return x

    def _error(self, reach: Array) -> Array:
        return np.asarray(self._unit * (reach @ self._sizes + self._size) + _LEAST * self._alive)


class _Table(NamedTuple):
    """An activation as arrays over its rows and pieces."""

    a: Array
    b: Array
    threshold: Array
    asks: Array
    value: Array
    slope: Array
    intercept: Array

    @classmethod
    def of(cls, activation: Activation) -> "_Table":
        rows, pieces = activation.rows, activation.pieces
        asks = np.zeros((len(pieces), len(rows)), dtype=np.int8)
        for k, piece in enumerate(pieces):
            for row, sign in piece.literals:
                asks[k, row] = sign
        return cls(
            np.array([r.a for r in rows], dtype=np.int64),
            np.array([r.b for r in rows], dtype=np.int64),
            np.array([r.threshold for r in rows], dtype=float),
            asks,
            np.array([p.value for p in pieces]),
            np.array([p.slope for p in pieces], dtype=float),
            np.array([p.intercept for p in pieces], dtype=float),
        )

    def second(self, v: Array) -> Array:
        """Return the values that the rows subtract, 0 where there is none; see `Row`."""
        return np.where(self.b >= 0, v[..., self.b], np.zeros((), v.dtype))

    def rows(self, state: _State, width: int) -> tuple[Array, Array, Array]:
        """Return rows, bounds on their errors, and which are not zero by structure."""
        value, error, alive = (part.reshape(len(part), width, -1) for part in state)
        first, second = value[..., self.a], self.second(value)
        size = abs(first) + abs(second) + abs(self.threshold)
        off = error[..., self.a] + self.second(error) + 4 * _ROUNDOFF * size
        moves = alive[..., self.a] | self.second(alive) | (self.threshold != 0)
        return first - second - self.threshold, off, moves

    def outputs(self, state: _State, pieces: Array) -> _State:
        """Return the outputs of units on given pieces."""
        which = self.value[pieces][..., None]
        value, error, alive = (
            np.take_along_axis(part.reshape(*pieces.shape, -1), which, -1)[..., 0] for part in state
        )
        slope, intercept = self.slope[pieces], self.intercept[pieces]
        scaled = slope * value
        size = abs(scaled) + abs(intercept)
        lives = (alive & (slope != 0)) | (intercept != 0)
        error = abs(slope) * error + 4 * _ROUNDOFF * size + _LEAST * lives
        return _State(scaled + intercept, error, lives)


def _through(state: _State, affine: object) -> _State:
    """Return the values of the next layer."""
    weight, bias = affine.weight, affine.bias  # type: ignore[attr-defined]
    unit, size = 2.0 * (weight.shape[1] + 4) * _ROUNDOFF, abs(weight).T
    value, error, alive = state
    lives = (alive.astype(float) @ (weight != 0).T.astype(float) > 0) | (bias != 0)
    off = (error + unit * (abs(value) + error)) @ size * (1.0 + unit) + unit * abs(bias)
    return _State(value @ weight.T + bias, off + _LEAST * lives, lives)


def _middle(here: Array, there: Array) -> Array:
    """Return how far to go from points to another where every number stays positive, (k,)."""
    change = there - here
    ratio = here / -change
    high = np.where((here > 0) & (change < 0), ratio, 1.0).min(axis=1, initial=1.0)
    low = np.where((here <= 0) & (change > 0), ratio, 0.0).max(axis=1, initial=0.0)
    return np.where(low < high, 0.5 * (low + high), 0.5 * high)


def _homogeneous_centre(
    inputs: InputSet, exact: Callable[[], ExactNetwork]
) -> tuple[Array, float]:
    """Return an interior point of the domain as ``(tau, w)``, the parameters ``tau / w``."""
    if inputs.is_boxed and not inputs.rows.size:
        return 0.5 * inputs.lower + 0.5 * inputs.upper, 1.0
    domain = exact().inputs
    inside = decide(domain.rows, (1,) * len(domain.rows), domain.box).witness
    assert inside is not None, "the search has entered the domain"
    t = inside.floats()
    if inputs.is_boxed:
        return t, 1.0
    scale = 0.5 / max(1.0, float(abs(t).max()))
    return t * scale, scale


def selected_inputs(directions: Array) -> Array | None:
    """Return which input each parameter is, shape (d,); None unless every parameter is one."""
    ones = directions == 1.0
    single = ((directions != 0).sum(axis=0) == 1) & (ones.sum(axis=0) == 1)
    return np.asarray(ones.argmax(axis=0)) if single.all() else None
