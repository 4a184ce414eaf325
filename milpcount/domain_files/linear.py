"""Linear terms of VNN-LIB in exact numbers."""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

from milpcount import caps
from milpcount.domain_files.expressions import Expression, fold, shown
from milpcount.errors import FileFormatError

_DECIMAL = re.compile(r"([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?", re.ASCII)
_VARIABLE = re.compile(r"[XY]_(0|[1-9]\d{0,8})", re.ASCII)
_LONGEST = 8_192
"""Bits of a coefficient: products of decimals stay far below."""


class Element(str):
    """A word for one element of a tensor of the network, as ``X[0,3]``.

    Attributes
    ----------
    place : int
        The number of the input; -1 for an output.
    """

    place: int

    def __new__(cls, text: str, place: int) -> "Element":
        """Return the word."""
        word = super().__new__(cls, text)
        word.place = place
        return word


def is_input(word: str) -> bool:
    """Return whether a word names an input, ``X_3``."""
    return word.startswith("X_") and _VARIABLE.fullmatch(word) is not None


def is_output(word: str) -> bool:
    """Return whether a word names an output, ``Y_3``."""
    return word.startswith("Y_") and _VARIABLE.fullmatch(word) is not None


def index(word: str) -> int:
    """Return the number of an input or output."""
    return int(word[2:])


@dataclass
class Linear:
    """The function ``constant + sum of coefficients[i] X_i + something of the outputs``.

    Attributes
    ----------
    constant : Fraction
    coefficients : dict of int to Fraction
        By input.
    outputs : bool
        Whether an output occurs.
    inputs : bool
        Whether an input occurs, though its coefficient may have become 0.
    """

    constant: Fraction = Fraction(0)
    coefficients: dict[int, Fraction] = field(default_factory=dict)
    outputs: bool = False
    inputs: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether it is a number."""
        return not (self.inputs or self.outputs)

    def add(self, other: "Linear", factor: Fraction = Fraction(1)) -> None:
        """Add a multiple of another function."""
        self.constant += factor * other.constant
        for i, value in other.coefficients.items():
            self.coefficients[i] = self.coefficients.get(i, Fraction(0)) + factor * value
        self.outputs |= other.outputs
        self.inputs |= other.inputs

    def times(self, factor: Fraction) -> "Linear":
        """Return a multiple."""
        scaled = Linear()
        scaled.add(self, factor)
        return scaled


def linear(expression: Expression) -> Linear:
    """Return a term as a linear function; decimal numbers are taken at their exact values.

    Raises
    ------
    FileFormatError
        If it is not linear, or uses an operation or a name that is not supported.
    """
    return fold(expression, _word, lambda name, values: _operation(expression, name, values))


def number(text: str) -> Fraction:
    """Return the exact value of a decimal number.

    Raises
    ------
    FileFormatError
        If it is none, or has more digits than its cap.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise FileFormatError(f"{text[:60]!r} is not a number: give one like 0.5 or 1e-3")
    sign, whole, places, power = found[1], found[2], found[3] or "", found[4] or "0"
    caps.DIGITS.check(len(whole + places), f"the number {text[:20]}..")
    caps.DIGITS.check(abs(int(power[:9])), f"the number {text[:20]}")
    value = Fraction(int(f"0{whole}{places}")) * Fraction(10) ** (int(power) - len(places))
    return -value if sign == "-" else value


def _word(word: str) -> Linear:
    if isinstance(word, Element):
        if word.place < 0:
            return Linear(outputs=True)
        return Linear(coefficients={word.place: Fraction(1)}, inputs=True)
    if is_input(word):
        return Linear(coefficients={index(word): Fraction(1)}, inputs=True)
    if is_output(word):
        return Linear(outputs=True)
    return Linear(number(word))


def _operation(whole: Expression, name: str, values: list[Linear]) -> Linear:
    match name, values:
        case "+", [first, *rest]:
            for other in rest:
                first.add(other)
            result = first
        case "-", [only]:
            result = only.times(Fraction(-1))
        case "-", [first, *rest]:
            for other in rest:
                first.add(other, Fraction(-1))
            result = first
        case "*", [_, _, *_]:
            result = _product(whole, values)
        case "/", [above, below] if below.is_constant and below.constant:
            result = above.times(1 / below.constant)
        case _:
            raise FileFormatError(
                f"{shown(whole)}: {name!r} of {len(values)} terms is not supported here; sums, "
                "differences, products with numbers and quotients by numbers other than 0 are"
            )
    numbers = (result.constant, *result.coefficients.values())
    if any(max(x.numerator.bit_length(), x.denominator.bit_length()) > _LONGEST for x in numbers):
        raise FileFormatError(f"{shown(whole)}: its numbers grow too long; write shorter ones")
    return result


def _product(whole: Expression, values: list[Linear]) -> Linear:
    varying = [value for value in values if not value.is_constant]
    if len(varying) > 1:
        raise FileFormatError(
            f"{shown(whole)}: a product of two variables is not linear; only products with "
            "numbers are supported"
        )
    factor = math.prod((v.constant for v in values if v.is_constant), start=Fraction(1))
    return varying[0].times(factor) if varying else Linear(factor)


def as_floats(numbers: list[Fraction]) -> list[float]:
    """Return a row of numbers, times a positive factor, as float64.

    Where the numbers are not float64 themselves, the factor makes them coprime integers, so that
    the row is the same inequality, exactly, if these are (up to 2^53 they are). Else each is the
    float64 nearest to the number as it was.

    Raises
    ------
    FileFormatError
        If a number is above the largest float64.
    """
    denominator = math.lcm(*(x.denominator for x in numbers))
    scaled = [x * denominator for x in numbers]
    divisor = math.gcd(*(int(x) for x in scaled)) or 1
    nearest = _nearest(numbers)
    for exact in (numbers, [x / divisor for x in scaled]):
        floats = _nearest(exact)
        if floats is not None and all(f == x for f, x in zip(floats, exact, strict=True)):
            return floats
    if nearest is None:
        raise FileFormatError(
            "a coefficient is above the largest float64, 1.8e308: write smaller numbers"
        )
    return nearest


def _nearest(numbers: list[Fraction]) -> list[float] | None:
    try:
        return [float(x) for x in numbers]
    except OverflowError:
        return None
