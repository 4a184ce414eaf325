"""Choices by the input: what a comparison of two values decides, as piecewise linear units.

``where(d > 0, a, b)`` is one unit of d where a and b are multiples of d plus numbers, as in
``where(x > 0, x, 0.1 x)``. Where their difference alone is such a multiple, as in
``where(x > y, x, y)``, it is b plus a unit. Any other choice makes a function that jumps along a
hyperplane by an amount that varies: no unit of one value does that, and it is refused.

Whether one value is a multiple of another is decided in integers, on their coefficients over the
columns of the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation, leaky_relu, piecewise_linear, relu
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.alignment import added, joined
from milpcount.network.builder import NetworkBuilder
from milpcount.network.products import Product
from milpcount.network.stacked import held
from milpcount.rationals import is_float
from milpcount.types import Array

_MINUS = np.array(-1.0)
REFUSED = (
    "it takes a comparison of values that depend on the input, which is implemented as a "
    "condition, as a factor, and in sums once it is cast to numbers"
)
COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")


@dataclass(frozen=True, eq=False)
class Choice:
    """Truths that depend on the input: where a tensor is above zero.

    Attributes
    ----------
    difference : AffineTensor
    strict : bool
        Whether zero itself is not above.
    is_number : bool
        Whether it was cast to numbers, 1 and 0.
    """

    difference: AffineTensor
    strict: bool
    is_number: bool = False

    def negated(self) -> "Choice":
        """Return the opposite."""
        return Choice(self.difference.times(_MINUS), not self.strict)


def compared(kind: str, first: Any, second: Any) -> Choice:
    """Return what a comparison of two values says.

    Parameters
    ----------
    kind : str
        One of `COMPARISONS`.
    first, second : AffineTensor or ndarray
        At least one is a tensor; shapes are broadcast.
    """
    if kind.startswith("Less"):
        first, second = second, first
    return Choice(_difference(first, second), not kind.endswith("OrEqual"))


def chosen(builder: NetworkBuilder, choice: Choice, first: Any, second: Any) -> AffineTensor:
    """Return the first of two values where a choice is true, else the second one.

    Parameters
    ----------
    builder : NetworkBuilder
        Takes the units.
    choice : Choice
    first, second : AffineTensor or ndarray
        Shapes are broadcast.

    Raises
    ------
    NetworkError
        If no unit does that.
    """
    difference = choice.difference
    if not choice.strict:  # of d >= 0 the opposite is -d > 0
        difference, first, second = difference.times(_MINUS), second, first
    shape = np.broadcast_shapes(*(np.shape(_numbers(v)) for v in (difference, first, second)))
    d, a, b = (_spread(value, shape, difference) for value in (difference, first, second))
    direct = list(_direct(d, a, b))
    bent = np.flatnonzero([isinstance(kind, Activation) for kind in direct])
    passed = np.flatnonzero([isinstance(kind, int) for kind in direct])
    left = np.flatnonzero([kind is None for kind in direct])
    parts = []
    if passed.size:
        parts.append(joined([a, b]).taken(passed + d.size * np.array([direct[k] for k in passed])))
    if bent.size:
        parts.append(builder.activate(d.taken(bent), [direct[k] for k in bent]))
    if left.size:
        parts.append(_continued(builder, *(tensor.taken(left) for tensor in (d, a, b))))
    order = np.argsort(np.concatenate([passed, bent, left]))
    return joined(parts).taken(order.reshape(shape))


def _direct(d: AffineTensor, a: AffineTensor, b: AffineTensor) -> Iterator[Any]:
    """Yield of each entry the unit of d that chooses; 0 or 1 for a or b alone; else None."""
    n, rows = d.size, _Rows(joined([d, a, b]))
    for k in range(n):
        if rows.is_constant(k):
            yield int(rows.offset(k) <= 0)
        elif rows.line(n + k, 2 * n + k) == _SAME:
            yield 0
        else:
            yield _unit(rows.line(k, 2 * n + k), rows.line(k, n + k))


def as_number(builder: NetworkBuilder, choice: Choice) -> AffineTensor:
    """Return 1 where a choice is true, else 0."""
    return chosen(builder, choice, np.ones(()), np.zeros(()))


def _continued(
    builder: NetworkBuilder, d: AffineTensor, a: AffineTensor, b: AffineTensor
) -> AffineTensor:
    """Return b plus a unit of ``a - b`` or of d.

    With ``a - b = s d + t``, what is added to b where d > 0 is s d + t. Where t is 0 it is a
    rectifier of a - b itself, whatever s: no number is rounded. If s is negative, it is minus the
    one of b - a.
    """
    n, step = d.size, _difference(a, b)
    rows, kinds, places = _Rows(joined([d, step])), list[Activation](), list[int]()
    signs = np.ones(n)
    for k in range(n):
        line = rows.line(k, n + k)
        if line is not None and not line.shift:
            signs[k] = 1.0 if line.slope > 0 else -1.0
            kinds.append(relu())
            places.append(n + k if line.slope > 0 else 2 * n + k)
            continue
        unit = _unit(_Line(Fraction(0), Fraction(0)), line)
        if unit is None:
            raise NetworkError(
                f"it chooses by the input between values whose difference (entry {k}) is no "
                "multiple of what is compared, plus a number: such a function jumps by an amount "
                "that varies, which is not implemented"
            )
        kinds.append(unit)
        places.append(k)
    everything = joined([d, step, step.times(_MINUS)])
    found = builder.activate(everything.taken(np.array(places)), kinds)
    return added(b, found if (signs > 0).all() else found.times(signs))


class _Line(NamedTuple):
    """A multiple of a value, plus a number."""

    slope: Fraction
    shift: Fraction


_SAME = _Line(Fraction(1), Fraction(0))


def _unit(below: _Line | None, above: _Line | None) -> Activation | None:
    """Return the unit with two pieces that meet at zero; None if a number is no float64."""
    if below is None or above is None:
        return None
    numbers = (*below, *above)
    if not all(is_float(x.numerator, x.denominator) for x in numbers):
        return None
    s, u, t, v = (float(x) for x in numbers)
    if not u and not v and t == 1.0:
        return leaky_relu(s)
    return piecewise_linear([0.0], [s, t], [u, v])


class _Rows:
    """The entries of a tensor, exactly: coefficients over the columns of the network."""

    def __init__(self, tensor: AffineTensor) -> None:
        _, factors = tensor.chain()
        if not factors:  # columns, as they are
            factors = (held(tensor.matrix, tensor.constant),)
        self._product = Product.of(factors)

    def offset(self, k: int) -> Fraction:
        """Return the number that an entry adds."""
        return self._product.offsets[k]

    def is_constant(self, k: int) -> bool:
        """Whether an entry has no coefficients."""
        return not self._own(k)[0].size

    def line(self, k: int, other: int) -> _Line | None:
        """Return what another entry is in terms of entry k, if it is a multiple plus a number."""
        (columns, values), (theirs, wanted) = self._own(k), self._own(other)
        if not theirs.size:
            same = not columns.size and self.offset(k) == self.offset(other)
            return _SAME if same else _Line(Fraction(0), self.offset(other))
        if not np.array_equal(columns, theirs) or (values * wanted[0] != wanted * values[0]).any():
            return None
        rows = self._product.rows
        slope = Fraction(int(wanted[0]) * rows[k], int(values[0]) * rows[other])
        return _Line(slope, self.offset(other) - slope * self.offset(k))

    def _own(self, k: int) -> tuple[Array, Array]:
        held = self._product.coefficients
        mine = slice(held.indptr[k], held.indptr[k + 1])
        return held.indices[mine], held.values[mine]


def _difference(first: Any, second: Any) -> AffineTensor:
    if not isinstance(second, AffineTensor):
        found: AffineTensor = first.plus(np.asarray(second, dtype=np.float64), -1.0)
        return found
    negated = second.times(_MINUS)
    if isinstance(first, AffineTensor):
        return added(first, negated)
    return negated.plus(np.asarray(first, dtype=np.float64))


def _spread(value: Any, shape: tuple[int, ...], like: AffineTensor) -> AffineTensor:
    """Return a value in a shape, a constant as a tensor over the sources of another one."""
    if isinstance(value, AffineTensor):
        return value.broadcast(shape)
    constants = np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), shape))
    if not np.isfinite(constants).all():
        wrong = constants[~np.isfinite(constants)][0]
        raise NetworkError(f"it chooses {wrong}: every number must be finite")
    return like.taken(np.full(shape, -1), constants)


def _numbers(value: Any) -> Any:
    return value.numbers if isinstance(value, AffineTensor) else value
