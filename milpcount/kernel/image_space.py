"""The image space: the input set's parameters on a cube, and in it what reads the inputs.

Notation: the input set's parameters are scaled to ``y`` in the unit cube ``[0, 1]^n``. Affine
functions of the input are held as ``M @ g + beta`` with ``g = V @ y`` in the *image space* of
dimension m: with few parameters V is the identity; with many, V holds the rows that read the
network's inputs (and the domain's), since no other row depends on more than these. An unbounded set
is made homogeneous: ``(t, 1)`` becomes a ray ``(t, s)``, the ray meets the cube
``[-1, 1]^d x [0, 1]``, constants become multiples of s, and a region of the network is exactly a
full-dimensional cone of the new cells.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.kernel.exact_sums import NEVER, exponent
from milpcount.kernel.rows import LARGE, LOST, UNIT_ROUNDOFF
from milpcount.limits import tick
from milpcount.network import Affine, Network, Source
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.kernel.stable_units import Reduction

SMALLEST = 2.0**-1022
"""The smallest normal number: what a product may lose to underflow, over the unit roundoff."""
_EXTREME = 40
"""Exponents beyond which a row of the domain is scaled."""

SMALL = 16
"""Parameters up to which box sides are constraints like any other (see `projection`)."""


class _InputRows(NamedTuple):
    """The values that read the network's inputs.

    ``values`` their numbers, ``weight`` (values, inputs), ``bias``.
    """

    values: Array
    weight: Array
    bias: Array

    @classmethod
    def of(cls, network: Network) -> "_InputRows":
        parts, first = [], 0
        for number, (layer, sources) in enumerate(
            zip(network.layers, network.sources, strict=False)
        ):
            affine = layer.affine
            if sources[0].number == 0:
                tick()
                weight = input_weight(affine, sources[0], network.n_inputs)
                # Of later layers only what depends on the inputs: the others need no room in V.
                rows = np.flatnonzero((weight != 0).any(axis=1) | (number == 0))
                parts.append((first + rows, weight[rows], affine.bias[rows]))
            first += affine.n_out
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class Image:
    """The scaled parameters, the image space, and in it what reads the inputs, and the domain.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    reduction : Reduction, optional
        Of the network on the inputs; all of its values read them.
    """

    def __init__(
        self, network: Network, inputs: InputSet, reduction: "Reduction | None" = None
    ) -> None:
        if reduction is None:
            rows, size = _InputRows.of(network), sum(layer.affine.n_out for layer in network.layers)
        else:
            size = reduction.constant.size
            none = np.zeros((0, network.n_inputs))
            rows = _InputRows(np.arange(size), none, np.zeros(0))
        own = rows.values.size
        with np.errstate(over="ignore", invalid="ignore"):
            A, A_abs, c, c_abs, n = _rows_on_the_cube(rows.weight, rows.bias, inputs)
            total = A_abs.sum(axis=1)
            majorant = total + c_abs
        if reduction is not None:
            A, c = np.vstack([reduction.slopes, A]), np.concatenate([reduction.constant, c])
            # Sums of the magnitudes of numbers that are what they are; no more than these, as V.
            own_total = np.abs(reduction.slopes).sum(axis=1) * (1.0 + 2.0 * n * UNIT_ROUNDOFF)
            total = np.concatenate([own_total, total])
            majorant = np.concatenate([reduction.majorant, majorant])
        lost = ~(majorant < LARGE)
        A[lost], c[lost], total[lost], majorant[lost] = 0.0, 0.0, 0.0, LOST
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
        self.fixed, self.offset = np.ascontiguousarray(M[:own]), c[:own]
        self.majorant = majorant[:own]
        self.domain_M, self.domain_beta = np.ascontiguousarray(M[own:]), c[own:]
        self.domain_majorant = majorant[own:]
        self.fixed_at = np.full(size, -1)
        self.fixed_at[rows.values] = np.arange(own)


def input_weight(affine: Affine, source: Source, n_inputs: int) -> Array:
    """Return the weights that a map has on the network's inputs, shape (n_out, n_inputs)."""
    if source.local is None and source.columns == slice(None):
        return affine.weight
    part = affine.matrix[:, source.columns]
    weight = part.toarray() if sparse.issparse(part) else part
    if source.local is None:
        return np.asarray(weight)
    full = np.zeros((affine.n_out, n_inputs))
    full[:, source.local] = weight
    return full


def _rows_on_the_cube(
    W: Array, bias: Array, inputs: InputSet
) -> tuple[Array, Array, Array, Array, int]:
    """Return the rows of weights on the inputs and of the domain, and the number n of parameters.

    Coefficients (rows, n) and their magnitudes, constants and their magnitudes; magnitudes bound
    the rounding of what they belong to, are not finite where that may not be, and are zero only
    where there is no term at all.
    """
    T = inputs.directions
    rows, rhs = _scaled_rows(inputs)
    A = np.vstack([_product(W, T), -rows])
    A_abs = np.vstack([_magnitudes(W, T), abs(rows)])
    c = np.concatenate([W @ inputs.origin + bias, rhs])
    c_abs = np.concatenate([_magnitudes(W, inputs.origin) + abs(bias), abs(rhs)])
    lower, upper = inputs.lower, inputs.upper
    if not inputs.is_boxed:
        A, A_abs, c, c_abs, lower, upper = _homogeneous(inputs, A, A_abs, c, c_abs)
    width = inputs.width if inputs.is_boxed else upper - lower
    c = c + A @ lower
    c_abs = c_abs + _magnitudes(A_abs, lower)
    present = A_abs > 0.0  # where there is no coefficient, an infinite width makes none
    A, A_abs = A * width, A_abs * width + SMALLEST
    return np.where(present, A, 0.0), np.where(present, A_abs, 0.0), c, c_abs, width.size


def _magnitudes(left: Array, right: Array) -> Array:
    """Return ``|left| @ |right|``, and more where products may underflow; 0 if all are zero."""
    if not left.shape[0]:
        return np.asarray(left @ right)
    sizes = _product(np.abs(left), np.abs(right))
    if _least(left) * _least(right) < SMALLEST:
        terms = (left != 0.0).astype(np.float64) @ (right != 0.0)
        sizes = np.where(terms > 0.0, sizes + SMALLEST, 0.0)
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
    top = np.where(both == 0.0, -NEVER, terms).max(axis=1, initial=-NEVER)
    shift = np.where((top > -NEVER) & (abs(top) > _EXTREME), -top, 0)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(both, shift)
        exact = (np.ldexp(scaled, -shift) == both).all(axis=1, keepdims=True)
    both = np.where(exact, scaled, both)
    return both[:, :-1], both[:, -1]


def _product(weight: Array, directions: Array) -> Array:
    """Return ``weight @ directions``, of which a box of many inputs has unit vectors only."""
    if not weight.shape[0]:
        return np.asarray(weight @ directions)
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


def input_exponents(network: Network, inputs: InputSet) -> dict[int, int]:
    """Return, by layer, e such that what it reads of the inputs, and the domain, are of 2^-e."""
    found = {}
    for number, (layer, sources) in enumerate(zip(network.layers, network.sources, strict=False)):
        if sources[0].number == 0:
            found[number] = NEVER
            if not layer.affine.is_rounded:
                part = layer.affine.matrix[:, sources[0].columns]
                weights = part.data if sparse.issparse(part) else part
                found[number] = _input_exponent(weights, layer.affine.bias, inputs)
    return found


def _input_exponent(weights: Array, bias: Array, inputs: InputSet) -> int:
    """Return e such that rows of weights on the cube, and the domain, are multiples of 2^-e."""
    if inputs.exact is not None:
        return NEVER
    finite = np.concatenate([inputs.lower, inputs.upper])
    bounds, weight = exponent(finite[np.isfinite(finite)]), exponent(weights)
    rows, rhs = _scaled_rows(inputs)
    slope = max(weight + exponent(inputs.directions), exponent(rows))
    constants = (exponent(bias), exponent(rhs), weight + exponent(inputs.origin))
    return max(slope + bounds, *constants)
