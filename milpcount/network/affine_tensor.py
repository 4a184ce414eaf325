"""Affine expressions carried through a graph of operators.

Between two layers of units every value is an affine function of the units before it. A reader
holds such a tensor as a stack: slice 0 is the constant part, slice 1 + j what *source* j
contributes. A linear operator then acts on every slice alike and an added constant on slice 0
alone, so convolutions, poolings and reshapes need no matrix of their own.

Nothing is rounded on the way. The sources are the units of a layer or, where an operator would
round the coefficients it makes (two affine operators in a row, a division), the entries of the
tensor before that operator: what leads there is then kept as a factor, and the layer's map is the
product of the factors (see `milpcount.network.composite`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import compose
from milpcount.network.error_free import product_is_exact, quotient_is_exact, sum_is_exact
from milpcount.network.sparse import Factor
from milpcount.rationals import root

ROOTS = (
    "the roots of batch normalisation are the float64 numbers nearest to sqrt(variance + epsilon)"
)
"""What a network whose roots were rounded says."""

LARGEST_STACK = 2**27
"""Numbers in a stack before it is refused: a gigabyte."""

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class AffineTensor:
    """A tensor whose entries are affine in the outputs of one layer.

    Attributes
    ----------
    stack : ndarray, shape (1 + sources, *shape)
        The constant part, then the coefficients of each source; exact.
    layer : int
        Number of the layer; 0 is the network's input.
    factors : tuple of Dense or Elementwise
        Maps from the layer's units to the sources; none if the units are the sources.
    """

    stack: Array
    layer: int
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        check_size(self.stack.shape[0], self.stack.shape[1:])

    @classmethod
    def identity(
        cls, shape: tuple[int, ...], layer: int, factors: tuple[Factor, ...] = ()
    ) -> "AffineTensor":
        """Return the sources themselves, row-major in the given shape."""
        size = prod(shape)
        check_size(1 + size, shape)
        return cls(np.eye(1 + size, size, k=-1).reshape(1 + size, *shape), layer, factors)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.stack.shape[1:]

    def to_affine(self) -> Affine:
        """Return the map from the layer's units to the entries, row-major.

        Raises
        ------
        NetworkError
            If a coefficient is not finite.
        """
        last = [] if self.factors and self.is_identity else [dense_of(self.stack)]
        return compose([*self.factors, *last])

    @property
    def is_identity(self) -> bool:
        """Whether the entries are the sources, unchanged and in order."""
        flat = self.stack.reshape(self.stack.shape[0], -1)
        square = flat.shape[0] == 1 + flat.shape[1]
        return square and np.array_equal(flat, np.eye(*flat.shape, k=-1))

    @property
    def is_selection(self) -> bool:
        """Whether every entry is a source or zero, and no source comes twice.

        Products with a constant matrix or kernel are then exact: no two terms are added up.
        """
        flat = self.stack.reshape(self.stack.shape[0], -1)
        one = (flat == 1.0) | (flat == 0.0)
        alone = (np.count_nonzero(flat, axis=0) <= 1).all() and (
            np.count_nonzero(flat[1:], axis=1) <= 1
        ).all()
        return bool(one.all() and alone and not flat[0].any())

    def restarted(self) -> "AffineTensor":
        """Return the same tensor with its entries as sources, which makes a factor."""
        if self.is_identity:
            return self
        return AffineTensor.identity(self.shape, self.layer, (*self.factors, dense_of(self.stack)))

    def plus(self, constant: Array, sign: float = 1.0) -> "AffineTensor":
        """Return ``self + sign * constant``, shapes broadcast."""
        moved = self._broadcast(np.shape(constant))
        total = moved.stack[0] + sign * constant
        if not sum_is_exact(moved.stack[0], sign * constant, total):
            moved = moved.restarted()
            ones = np.ones(prod(moved.shape))
            shift = np.broadcast_to(sign * constant, moved.shape).ravel()
            return moved._after(Elementwise(ones, shift, ones))
        return AffineTensor(
            np.concatenate([total[None], moved.stack[1:]]), moved.layer, moved.factors
        )

    def times(self, constant: Array) -> "AffineTensor":
        """Return ``self * constant``, entry by entry, shapes broadcast."""
        moved = self._broadcast(np.shape(constant))
        found = moved.stack * constant
        if not product_is_exact(moved.stack, constant, found):
            moved = moved.restarted()
            factor = np.broadcast_to(constant, moved.shape).ravel()
            return moved._after(Elementwise(factor, np.zeros(factor.size), np.ones(factor.size)))
        return AffineTensor(found, moved.layer, moved.factors)

    def over(self, constant: Array) -> "AffineTensor":
        """Return ``self / constant``, entry by entry, shapes broadcast.

        Raises
        ------
        NetworkError
            If a divisor is zero.
        """
        if not np.all(constant):
            raise NetworkError("it divides by zero")
        moved = self._broadcast(np.shape(constant))
        found = moved.stack / constant
        if not quotient_is_exact(moved.stack, constant, found):
            moved = moved.restarted()
            divisor = np.broadcast_to(constant, moved.shape).ravel()
            return moved._after(Elementwise(np.ones(divisor.size), np.zeros(divisor.size), divisor))
        return AffineTensor(found, moved.layer, moved.factors)

    def normalised(
        self, mean: Array, variance: Array, epsilon: float, scale: Array, shift: Array, axis: int
    ) -> tuple["AffineTensor", bool]:
        """Return ``scale (self - mean) / sqrt(variance + epsilon) + shift``, a batch normalisation.

        Parameters
        ----------
        mean, variance, scale, shift : ndarray, shape (channels,)
        epsilon : float
        axis : int
            Of the channels.

        Returns
        -------
        AffineTensor
            Exact but for the roots.
        bool
            Whether a root was rounded: each is the nearest float64 to its exact value.

        Raises
        ------
        NetworkError
            If a variance plus epsilon is not positive.
        """
        squares = [Fraction(v) + Fraction(epsilon) for v in variance.tolist()]
        if min(squares) <= 0:
            raise NetworkError(
                f"a variance plus epsilon is {float(min(squares)):.3g}, not positive"
            )
        roots = [root(square) for square in squares]
        rounded = any(Fraction(r) ** 2 != v for r, v in zip(roots, squares, strict=True))

        def channels(values: Array) -> Array:
            lined = [1] * len(self.shape)
            lined[axis] = -1
            return np.asarray(values, dtype=np.float64).reshape(lined)

        centred = self.plus(channels(mean), -1.0).over(channels(np.array(roots)))
        return centred.times(channels(scale)).plus(channels(shift)), rounded

    def averaged(self, function: Callable[[Array], Array]) -> "AffineTensor":
        """Return means of entries.

        Parameters
        ----------
        function : callable
            Takes a stack and returns one; every entry of its result is the mean of some entries of
            a slice, or of those and of zeros around them.
        """
        start = self if self.is_selection else self.restarted()
        shares = function(start.stack)
        # A coefficient is 1/n, rounded: n is the integer nearest to its reciprocal.
        largest = np.abs(shares).max(axis=0, initial=0.0)
        number = np.rint(1.0 / np.where(largest > 0, largest, 1.0))
        rounded = np.where(shares != 0, 1.0 / number, 0.0)
        if not np.allclose(shares, rounded, rtol=1e-12, atol=0.0):
            raise NetworkError("it does not take means of entries")
        sums = AffineTensor((shares != 0).astype(np.float64), start.layer, start.factors)
        return sums.over(number)

    def _broadcast(self, shape: tuple[int, ...]) -> "AffineTensor":
        wanted = np.broadcast_shapes(self.shape, shape)
        if wanted == self.shape:
            return self
        # Leading axes of the tensor stand behind that of the slices.
        slices = self.stack.shape[0]
        check_size(slices, wanted)
        lead = (1,) * (len(wanted) - len(self.shape))
        stack = np.broadcast_to(self.stack.reshape(slices, *lead, *self.shape), (slices, *wanted))
        return AffineTensor(stack, self.layer, self.factors)

    def _after(self, factor: Elementwise) -> "AffineTensor":
        """Return a tensor that is the identity followed by a factor."""
        return AffineTensor.identity(self.shape, self.layer, (*self.factors, factor))


def dense_of(stack: Array) -> Dense:
    """Return the map from the sources of a stack to its entries."""
    flat = stack.reshape(stack.shape[0], -1)
    return Dense(flat[1:].T, flat[0])


def check_size(slices: int, shape: tuple[int, ...]) -> None:
    """Raise NetworkError if a stack would not fit in memory."""
    if slices * prod(shape) > LARGEST_STACK:
        raise NetworkError(
            f"a tensor of shape {tuple(shape)} over {slices - 1} units needs "
            f"{8 * slices * prod(shape) / 2**30:.1f} GiB as a dense map; at most "
            f"{8 * LARGEST_STACK / 2**30:.0f} GiB is allowed: use a smaller network"
        )
