"""Affine maps in a row, without rounding.

A normalisation and a layer, or a layer and a batch normalisation, make one affine map, but in
general no float64 matrix. A `Composite` keeps them as factors: its float64 entries are the exact
ones rounded once (see `milpcount.network.nearest_product`). `Composite.exact` multiplies the
factors out in integers; exact arithmetic may as well take them one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.affine import Dense, Elementwise
from milpcount.network.nearest_product import nearest_product, terms_of
from milpcount.network.products import Product
from milpcount.network.sparse import LARGEST_DENSE, Factor, Sparse
from milpcount.network.stacked import held
from milpcount.types import Array

_QUICK = 100_000
"""Products of integers that take less time than to compile, or load, what avoids them."""


@dataclass(frozen=True, eq=False)
class Composite:
    """Maps that are applied one after the other, whose product is no float64 matrix.

    Made by `compose`, which returns a `Dense` map where the product is one.

    Attributes
    ----------
    factors : tuple of Dense, Sparse or Elementwise
        In the order of their application.
    nearest : Dense or Sparse
        The map of the nearest float64 numbers.
    """

    factors: tuple[Factor, ...]
    nearest: Dense | Sparse = field(repr=False)

    @cached_property
    def product(self) -> Product:
        """The product of all factors, multiplied out in integers."""
        return Product.of(self.factors)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.factors[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.factors[-1].n_out

    @property
    def weight(self) -> Array:
        """The nearest float64 matrix, shape (n_out, n_in)."""
        return self.nearest.weight

    @property
    def matrix(self) -> Any:
        """The nearest float64 matrix, as an array or, if most of it is zero, a sparse one."""
        return self.nearest.matrix

    @property
    def bias(self) -> Array:
        """The nearest float64 offset, shape (n_out,)."""
        return self.nearest.bias

    @property
    def is_rounded(self) -> bool:
        """Whether the numbers are rounded: they are."""
        return True

    def exact(self) -> tuple[Array, int]:
        """Return bias and weights, shape (n_out, 1 + n_in), in integers, and their denominator.

        Raises
        ------
        NetworkError
            If that takes too long or more than a gigabyte; the factors themselves never do.
        """
        if self.n_out * self.n_in > LARGEST_DENSE:
            raise NetworkError(
                f"a weight of shape ({self.n_out}, {self.n_in}) takes "
                f"{8 * self.n_out * self.n_in / 2**30:.1f} GiB with its zeros; at most 1 is allowed"
            )
        return self.product.exact()

    def __reduce__(self) -> tuple[Any, ...]:
        return compose, (self.factors,)  # the factors are small, the product is not


def compose(factors: Sequence[Factor]) -> Dense | Sparse | Composite:
    """Return the affine map that applies the factors, first to last, without rounding.

    Parameters
    ----------
    factors : sequence of Dense, Sparse or Elementwise
        At least one.

    Returns
    -------
    Dense, Sparse or Composite
        Dense or Sparse if every number of the product is a float64; a single factor is itself.

    Raises
    ------
    NetworkError
        If the sizes do not chain, a number of the product is beyond the range of float64 (also if
        it is not zero and below its smallest normal number), or the product is too large.
    """
    for first, second in pairwise(factors):
        if first.n_out != second.n_in:
            raise NetworkError(
                f"an affine map with {first.n_out} outputs is followed by one with {second.n_in} "
                "inputs"
            )
    if len(factors) == 1 and not isinstance(factors[0], Elementwise):
        return factors[0]
    if terms_of(factors) > _QUICK:
        found = nearest_product(factors)
        if found is not None:
            nearest, is_rounded = found
            return Composite(tuple(factors), nearest) if is_rounded else _as_given(factors, nearest)
    product = Product.of(factors)
    nearest = held(product.matrix, product.bias)
    if product.is_float:
        return _as_given(factors, nearest)
    product.check_range()
    composite = Composite(tuple(factors), nearest)
    vars(composite)["product"] = product  # made already
    return composite


def _as_given(factors: Sequence[Factor], product: Dense | Sparse) -> Dense | Sparse:
    """Return a product that is made of float64 numbers, dense if all of its factors are."""
    if isinstance(product, Dense) or any(isinstance(factor, Sparse) for factor in factors):
        return product
    return Dense(product.weight, product.bias)
