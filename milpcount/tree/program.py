"""A network over an input set, laid out as the flat arrays that the kernel reads.

Notation: the input set's parameters are scaled to ``y`` in the unit cube ``[0, 1]^n``. Affine
functions of the input are held as ``M @ g + beta`` with ``g = V @ y`` in the *image space* of
dimension m: with few parameters V is the identity; with many, V holds the first layer's rows (and
the domain's), since no deeper row depends on more than these. An unbounded set is made homogeneous:
``(t, 1)`` becomes a ray ``(t, s)``, the ray meets the cube ``[-1, 1]^d x [0, 1]``, constants become
multiples of s, and a region of the network is exactly a full-dimensional cone of the new cells.

What overflows here has an infinite majorant, and stands as 0: see `rows`.
"""

from typing import NamedTuple

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import NetworkError
from milpcount.limits import tick
from milpcount.network import Affine, Network
from milpcount.tree.rows import LARGE, LOST

_SMALLEST = 2.0**-1022
"""The smallest normal number: what a product may lose to underflow, over the unit roundoff."""
_EXTREME = 40
"""Exponents beyond which a row of the domain is scaled."""
_NEVER = 10_000

SMALL = 16
"""Parameters up to which box sides are constraints like any other (see `projection`)."""

Array = np.ndarray


class Program(NamedTuple):
    """Static arrays; indices are global over layers unless said otherwise.

    ``V`` (m, n), ``H = V V^T``, ``S`` (m,) majorants of ``|g|``, ``mid = V @ (1/2, .., 1/2)``.
    ``units`` per unit: layer, first value, first row, rows, first piece, pieces.
    ``layers`` per layer: first unit, units, first value, values, first row, rows.
    ``values``: weights on the outputs of the layer above (the first layer's on g), bias, majorants.
    ``rows``: value a, value b (or -1), threshold. ``pieces``: value, slope, intercept, first
    literal; ``literals``: row, sign. ``domain_*``: rows of the domain, ``M @ g + beta >= 0``.
    ``ops`` per layer: rounding errors a composed form has seen. ``tiny``: what underflow may take
    from a form, over u and over its products. ``quantum`` per layer: exponent e
    such that forms are multiples of ``2^-e`` (-1: too fine to be useful). ``one``: the image
    coordinate that stands for the constant 1 where the set is unbounded, else -1.
    """

    V: Array
    VT: Array
    H: Array
    S: Array
    mid: Array
    layers: Array
    units: Array
    weights: Array
    bias: Array
    first_majorant: Array
    row_values: Array
    row_threshold: Array
    piece_value: Array
    piece_slope: Array
    piece_intercept: Array
    piece_literals: Array
    literals: Array
    domain_M: Array
    domain_beta: Array
    domain_majorant: Array
    ops: Array
    tiny: float
    quantum: Array
    one: int
    small: int


def compile_program(network: Network, inputs: InputSet) -> Program:
    """Lay a network over an input set out as flat arrays.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Returns
    -------
    Program

    Raises
    ------
    NetworkError
        If the network has no units, and so no tree.
    OutOfTime
        If the deadline in force comes first.
    """
    if not network.layers:
        raise NetworkError("the network has no units: it has one region, and no tree to search")
    tick()
    image = _Image(network, inputs)
    tick()
    units: list[tuple[int, ...]] = []
    layers: list[tuple[int, ...]] = []
    row_values: list[tuple[int, int]] = []
    literals: list[tuple[int, int]] = []
    piece_value: list[int] = []
    thresholds: list[float] = []
    slopes: list[float] = []
    intercepts: list[float] = []
    starts = [0]
    n_values = n_rows = n_units = 0
    for number, layer in enumerate(network.layers):
        kind = layer.activation
        layers.append(
            (n_units, layer.width, n_values, layer.affine.n_out, n_rows,
             layer.width * len(kind.rows))
        )  # fmt: skip
        for unit in range(layer.width):
            first_value = n_values + unit * kind.rank
            first_row = len(row_values)
            units.append(
                (number, first_value, first_row, len(kind.rows), len(piece_value), kind.n_pieces)
            )
            for row in kind.rows:
                second = first_value + row.b if row.b >= 0 else -1
                row_values.append((first_value + row.a, second))
                thresholds.append(row.threshold)
            for piece in kind.pieces:
                piece_value.append(first_value + piece.value)
                slopes.append(piece.slope)
                intercepts.append(piece.intercept)
                literals += [(first_row + r, s) for r, s in piece.literals]
                starts.append(len(literals))
        n_units += layer.width
        n_values += layer.affine.n_out
        n_rows = len(row_values)
    widest = max([image.m, *network.widths])
    weights, bias = np.zeros((n_values, widest)), np.zeros(n_values)
    majorant = np.zeros(n_values)
    n0 = network.layers[0].affine.n_out
    weights[:n0, : image.m], bias[:n0] = image.first, image.offset
    majorant[:n0] = image.majorant
    at = n0
    for layer in network.layers[1:]:
        tick()
        w = layer.affine.weight
        weights[at : at + w.shape[0], : w.shape[1]] = w
        bias[at : at + w.shape[0]] = layer.affine.bias
        at += w.shape[0]
    ops, quantum = _rounding(network, image)
    as_int = lambda a, width: np.array(a, dtype=np.int64).reshape(-1, width)  # noqa: E731
    V = np.ascontiguousarray(image.V)
    return Program(
        V, np.ascontiguousarray(V.T), V @ V.T, image.S, V.sum(axis=1) * 0.5,
        as_int(layers, 6), as_int(units, 6), weights, bias, majorant,
        as_int(row_values, 2), np.array(thresholds), np.array(piece_value, dtype=np.int64),
        np.array(slopes), np.array(intercepts), np.array(starts, dtype=np.int64),
        as_int(literals, 2), image.domain_M, image.domain_beta, image.domain_majorant,
        ops, float(_SMALLEST * (1.0 + image.S.sum())), quantum, image.one, int(image.small),
    )  # fmt: skip


class _Image:
    """The scaled parameters, the image space, and the first layer's and domain's rows in it."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        affine, d = network.layers[0].affine, inputs.dimension
        with np.errstate(over="ignore", invalid="ignore"):
            A, A_abs, c, c_abs, width = _rows_on_the_cube(affine, inputs)
            total = A_abs.sum(axis=1)
            majorant = total + c_abs
        lost = ~(majorant < LARGE)
        A[lost], c[lost], total[lost], majorant[lost] = 0.0, 0.0, 0.0, LOST
        n, units = width, affine.n_out
        # Numbers of the domain that are rounded enter a term twice at most.
        self.terms = n + d + affine.n_in + (0 if inputs.exact is None else 4)
        self.small = n <= SMALL
        self.one = -1 if inputs.is_boxed else n - 1
        if self.small or n <= A.shape[0]:
            self.V, M, self.S = np.eye(n), A, np.ones(n)
        else:
            self.V, M, self.S = A, np.eye(A.shape[0]), total
            if not inputs.is_boxed:
                self.one = A.shape[0]
                self.V = np.vstack([A, np.eye(n)[-1:]])
                M, self.S = (
                    np.eye(*self.V.shape)[: A.shape[0], : A.shape[0] + 1],
                    np.append(total, 1),
                )
        self.m = self.V.shape[0]
        self.first, self.offset = M[:units], c[:units]
        self.majorant = majorant[:units]
        self.domain_M, self.domain_beta = np.ascontiguousarray(M[units:]), c[units:]
        self.domain_majorant = majorant[units:]
        self.exponent = _first_exponent(affine, inputs)


def _rows_on_the_cube(affine: Affine, inputs: InputSet) -> tuple[Array, Array, Array, Array, int]:
    """Return the rows of the first layer and of the domain, and the number n of parameters.

    Coefficients (rows, n) and their magnitudes, constants and their magnitudes; magnitudes bound
    the rounding of what they belong to, are not finite where that may not be, and are zero only
    where there is no term at all.
    """
    W, T = affine.weight, inputs.directions
    rows, rhs = _scaled_rows(inputs)
    A = np.vstack([_product(W, T), -rows])
    A_abs = np.vstack([_magnitudes(W, T), abs(rows)])
    c = np.concatenate([W @ inputs.origin + affine.bias, rhs])
    c_abs = np.concatenate([_magnitudes(W, inputs.origin) + abs(affine.bias), abs(rhs)])
    lower, upper = inputs.lower, inputs.upper
    if not inputs.is_boxed:
        A, A_abs, c, c_abs, lower, upper = _homogeneous(inputs, A, A_abs, c, c_abs)
    width = inputs.width if inputs.is_boxed else upper - lower
    c = c + A @ lower
    c_abs = c_abs + _magnitudes(A_abs, lower)
    present = A_abs > 0.0  # where there is no coefficient, an infinite width makes none
    A, A_abs = A * width, A_abs * width + _SMALLEST
    return np.where(present, A, 0.0), np.where(present, A_abs, 0.0), c, c_abs, width.size


def _magnitudes(left: Array, right: Array) -> Array:
    """Return ``|left| @ |right|``, and more where products may underflow; 0 if all are zero."""
    sizes = _product(np.abs(left), np.abs(right))
    if _least(left) * _least(right) < _SMALLEST:
        terms = (left != 0.0).astype(np.float64) @ (right != 0.0)
        sizes = np.where(terms > 0.0, sizes + _SMALLEST, 0.0)
    return np.asarray(sizes)


def _least(array: Array) -> float:
    """Return the smallest magnitude of an entry that is not zero; 1 if there is none."""
    sizes = np.abs(array[array != 0.0])
    return float(sizes.min()) if sizes.size else 1.0


def _scaled_rows(inputs: InputSet) -> tuple[Array, Array]:
    """Return the domain's rows, those of extreme values times a power of two.

    Only where that is exact: a row with both extremes at once is left as it is.
    """
    both = np.column_stack([inputs.rows, inputs.rhs])
    reach = np.maximum(np.frexp(inputs.lower)[1], np.frexp(inputs.upper)[1])  # 0 where infinite
    terms = np.frexp(both)[1] + np.append(reach, 0)
    top = np.where(both == 0.0, -_NEVER, terms).max(axis=1, initial=-_NEVER)
    shift = np.where((top > -_NEVER) & (abs(top) > _EXTREME), -top, 0)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(both, shift)
        exact = (np.ldexp(scaled, -shift) == both).all(axis=1, keepdims=True)
    both = np.where(exact, scaled, both)
    return both[:, :-1], both[:, -1]


def _product(weight: Array, directions: Array) -> Array:
    """Return ``weight @ directions``, of which a box of many inputs has unit vectors only."""
    if directions.ndim == 2:
        column, row = np.argwhere(directions.T).T
        if np.array_equal(column, np.arange(directions.shape[1])):
            return np.asarray(weight[:, row] * directions[row, column])
    return np.asarray(weight @ directions)


def _homogeneous(
    inputs: InputSet, A: Array, A_abs: Array, c: Array, c_abs: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return the rows over ``(t, s)`` in ``[-1, 1]^d x [0, 1]``; finite bounds become rows."""
    eye = np.eye(inputs.dimension)
    low, high = np.isfinite(inputs.lower), np.isfinite(inputs.upper)
    A = np.vstack([A, eye[low], -eye[high]])
    c = np.concatenate([c, -inputs.lower[low], inputs.upper[high]])
    A_abs = np.vstack([A_abs, eye[low], eye[high]])
    c_abs = np.concatenate([c_abs, abs(inputs.lower[low]), abs(inputs.upper[high])])
    lower = np.append(-np.ones(inputs.dimension), 0.0)
    upper = np.ones(inputs.dimension + 1)
    zero = np.zeros(c.size)
    return np.column_stack([A, c]), np.column_stack([A_abs, c_abs]), zero, zero, lower, upper


def _first_exponent(affine: Affine, inputs: InputSet) -> int:
    """Return e such that scaled rows of the first layer and domain are multiples of 2^-e."""
    if inputs.exact is not None:
        return _NEVER
    finite = np.concatenate([inputs.lower, inputs.upper])
    bounds = _exponent(finite[np.isfinite(finite)])
    weight = _exponent_of(affine)
    rows, rhs = _scaled_rows(inputs)
    slope = max(weight + _exponent(inputs.directions), _exponent(rows))
    constants = (_exponent(affine.bias), _exponent(rhs), weight + _exponent(inputs.origin))
    return max(slope + bounds, *constants)


def _rounding(network: Network, image: _Image) -> tuple[Array, Array]:
    """Return per layer the number of roundings a form has seen and its quantum exponent."""
    ops, quantum = [], []
    count, exponent = float(image.terms + 16), image.exponent
    for number, layer in enumerate(network.layers):
        count += layer.affine.is_rounded
        if number:
            count += layer.affine.n_in + 8
            exponent = max(exponent + _exponent_of(layer.affine), _exponent(layer.affine.bias))
        kind = layer.activation
        offsets = [p.intercept for p in kind.pieces] + [r.threshold for r in kind.rows]
        exponent = max(exponent, _exponent(np.array(offsets)))
        ops.append(count + image.m)
        quantum.append(exponent if exponent <= _COARSEST else -1)
        exponent += _exponent(np.array([p.slope for p in kind.pieces]))
    return np.array(ops), np.array(quantum, dtype=np.int64)


_COARSEST = 200


def _exponent_of(affine: Affine) -> int:
    """Return the exponent of a map's weights; those of a rounded one are multiples of nothing."""
    return _NEVER if affine.is_rounded else _exponent(affine.weight)


def _exponent(array: Array) -> int:
    """Return the least e >= 0 such that entries are multiples of ``2^-e``; 10^4 if above 52."""
    tick()
    mantissa, power = np.frexp(np.asarray(array, dtype=np.float64))
    whole = np.ldexp(mantissa, 53).astype(np.int64)  # entries are whole * 2^(power - 53)
    trailing = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    needed = int(np.where(whole == 0, 0, 53 - power - trailing).max(initial=0))
    return needed if needed < 53 else _NEVER
