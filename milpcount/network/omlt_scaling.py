"""What a scaling of OMLT does to its variables, found by letting it work on some that remember.

OMLT scales inputs and outputs by an object of its users': of the class that it brings,
``(x - offset) / factor``, or of one of theirs. Its methods take a dictionary of Pyomo's variables
and return one of expressions. Here they are given variables that keep each operation with its
number, which are then carried out without rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np

from milpcount.errors import DomainError, NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.alignment import joined

Key = Any
"""The index of an input or output as Pyomo has it: a number, or several for a tensor."""


@dataclass(frozen=True)
class Scaled:
    """A variable that keeps what a scaling does to it; see `scaling_of`.

    Attributes
    ----------
    key : int or tuple of int
    steps : tuple of (str, float)
        ``plus``, ``times`` or ``over``, and the number, in order.
    """

    key: Key
    steps: tuple[tuple[str, float], ...] = ()
    __array_ufunc__ = None  # a number of NumPy's on the left leaves the operation to the right

    def _then(self, kind: str, number: Any) -> Any:
        number = number.item() if isinstance(number, np.generic) else number
        if not isinstance(number, Real):
            return NotImplemented
        if not np.isfinite(float(number)) or float(number) != number:
            raise NetworkError(f"the scaling holds {number!r}, which is no finite float64 number")
        return Scaled(self.key, (*self.steps, (kind, float(number))))

    def __add__(self, number: Any) -> Any:
        return self._then("plus", number)

    def __mul__(self, number: Any) -> Any:
        return self._then("times", number)

    def __truediv__(self, number: Any) -> Any:
        return self._then("over", number)

    def __neg__(self) -> Any:
        return self._then("times", -1.0)

    def __sub__(self, number: Any) -> Any:
        return self._then("plus", -number) if isinstance(number, Real) else NotImplemented

    def __rsub__(self, number: Any) -> Any:
        return (-self)._then("plus", number)

    __radd__, __rmul__ = __add__, __mul__

    def undone(self, value: Fraction) -> Fraction:
        """Return the value of the variable at which the result is `value`."""
        for kind, number in reversed(self.steps):
            if kind == "plus":
                value -= Fraction(number)
            elif kind == "over":
                value *= Fraction(number)
            elif number:
                value /= Fraction(number)
            else:
                raise DomainError(f"the scaling of input {self.key} is by 0, which has no inverse")
        return value


def scaling_of(scaled: Callable[[Any], Any], keys: list[Key], what: str) -> list[Scaled]:
    """Return, for each key, which variable a scaling takes and what it does to it."""
    try:
        answer = scaled({key: Scaled(key) for key in keys})
        found = [answer[key] for key in keys]
    except NetworkError:
        raise
    except Exception as error:  # whatever a scaling of the user's own may raise
        said = " ".join(str(error).split())[:200]
        raise NetworkError(
            f"the scaling of the {what} cannot be read ({type(error).__name__}: {said}): it has to "
            "take each by itself, by sums and products with numbers, as omlt.OffsetScaling does"
        ) from None
    if not all(isinstance(one, Scaled) for one in found) or {one.key for one in found} != {*keys}:
        raise NetworkError(f"the scaling of the {what} leaves some of them out")
    return found


def followed(tensor: AffineTensor, keys: list[Key], steps: list[Scaled]) -> AffineTensor:
    """Return a tensor after a scaling, those entries together to which the same is done."""
    kinds = [tuple(kind for kind, _ in step.steps) for step in steps]
    at = {key: place for place, key in enumerate(keys)}
    places = np.array([at[step.key] for step in steps])
    parts, order = [], np.empty(len(steps), dtype=np.int64)
    begin = 0
    for kind in dict.fromkeys(kinds):
        own = np.array([k for k, one in enumerate(kinds) if one == kind])
        part = tensor.taken(places[own])
        for number, name in enumerate(kind):
            values = np.array([steps[k].steps[number][1] for k in own])
            part = getattr(part, name)(values)
        parts.append(part)
        order[own] = begin + np.arange(own.size)
        begin += own.size
    return joined(parts).taken(order).reshaped(tensor.shape)
