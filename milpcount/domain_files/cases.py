"""What the assertions of a property require of the inputs: a disjunction of cases.

A case is a conjunction of bounds on single inputs and of rows with several of them. What a domain
cannot express is refused: outputs, strictness, definitions, products of variables.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from typing import Literal

import numpy as np

from milpcount import caps
from milpcount.domain import Box, Polytope
from milpcount.domain_files.expressions import Expression, fold, shown
from milpcount.domain_files.linear import Linear, as_floats, linear
from milpcount.errors import DomainError, FileFormatError

Outputs = Literal["refuse", "ignore"]

_LOWER, _UPPER = 0, 1
_COMPARISONS = ("<=", "<", ">=", ">", "=", "==", "!=")


@dataclass
class Case:
    """Constraints that hold together.

    Attributes
    ----------
    bounds : dict of (int, int) to Fraction
        By input and side.
    rows : dict of tuple to Fraction
        Right-hand sides by the left-hand sides, ((input, coefficient), ..).
    inputs, outputs : bool
        What they speak of.
    """

    bounds: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    rows: dict[tuple[tuple[int, Fraction], ...], Fraction] = field(default_factory=dict)
    inputs: bool = False
    outputs: bool = False

    def add(self, other: "Case") -> None:
        """Let the constraints of another case hold, too."""
        for key, value in other.bounds.items():
            known = self.bounds.get(key, value)
            self.bounds[key] = max(known, value) if key[1] == _LOWER else min(known, value)
        for row, value in other.rows.items():
            self.rows[row] = min(self.rows.get(row, value), value)
        self.inputs |= other.inputs
        self.outputs |= other.outputs

    def require(self, difference: Linear) -> None:
        """Require that a function of the inputs is at most 0."""
        terms = [(i, c) for i, c in sorted(difference.coefficients.items()) if c]
        if len(terms) > 1:
            # The same row whatever its scale, so that repetitions are found.
            scale = abs(terms[0][1])
            row = tuple((i, c / scale) for i, c in terms)
            self.add(Case(rows={row: -difference.constant / scale}))
        elif terms:
            ((i, c),) = terms
            side = _UPPER if c > 0 else _LOWER
            self.add(Case({(i, side): -difference.constant / c}))
        elif difference.constant > 0:
            raise DomainError("a constraint holds for no input, as its variables cancel")

    @property
    def is_reversed(self) -> bool:
        """Whether an input's lower bound is above its upper one."""
        return any(
            side == _LOWER and (i, _UPPER) in self.bounds and value > self.bounds[i, _UPPER]
            for (i, side), value in self.bounds.items()
        )

    def domain(self, names: Sequence[str]) -> Box | Polytope:
        """Return the set.

        Parameters
        ----------
        names : sequence of str
            What the file calls the inputs.

        Raises
        ------
        FileFormatError
            If there are more inputs, or a number is too large.
        DomainError
            If a bound is missing.
        """
        n = len(names)
        used = {i for i, _ in self.bounds} | {i for row in self.rows for i, _ in row}
        if unknown := sorted(used - set(range(n))):
            raise FileFormatError(f"input X_{unknown[0]} is bounded but not declared")
        ends = np.empty((2, n))
        for i, side in product(range(n), (_LOWER, _UPPER)):
            if (i, side) not in self.bounds:
                end = ("lower", "upper")[side]
                raise DomainError(f"input {names[i]} has no {end} bound; every input needs both")
            ends[side, i] = _nearest(self.bounds[i, side])
        if not self.rows:
            return Box(ends[_LOWER], ends[_UPPER])
        caps.NUMBERS.check(len(self.rows) * n, "its comparisons of several inputs")
        a, b = np.zeros((len(self.rows), n)), np.zeros(len(self.rows))
        for k, (row, value) in enumerate(self.rows.items()):
            *coefficients, b[k] = as_floats([*(c for _, c in row), value])
            a[k, [i for i, _ in row]] = coefficients
        return Polytope(a, b, ends[_LOWER], ends[_UPPER])


def _nearest(value: Fraction) -> float:
    """Return the nearest float64, infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def cases_of(expression: Expression, outputs: Outputs) -> list[Case]:
    """Return the cases of an assertion; outputs, where they are ignored, are left out."""

    def combine(name: str, parts: list[list[Case]]) -> list[Case]:
        if name == "and":
            return all_of(parts)
        if name == "or":
            return _any_of(parts)
        raise FileFormatError(
            f"constraint ({name} ..) is not supported: and, or, <=, >= and = are, of sums of "
            "inputs and products with numbers"
        )

    def word(text: str) -> list[Case]:
        raise FileFormatError(f"constraint {shown(text)} is not supported: give a comparison")

    def is_comparison(term: Expression) -> bool:
        return bool(term) and isinstance(term[0], str) and term[0] in _COMPARISONS

    return fold(expression, word, combine, is_comparison, lambda term: [_compared(term, outputs)])


def _compared(term: Expression, outputs: Outputs) -> Case:
    """Return what a comparison of two terms, or a chain of them, requires."""
    sign, *operands = term
    if len(operands) < 2:
        raise FileFormatError(f"constraint {shown(term)}: at least two terms are needed")
    case = Case()
    for left, right in pairwise(map(linear, operands)):
        difference = left.times(Fraction(1))
        difference.add(right, Fraction(-1))
        if difference.is_constant:
            raise FileFormatError(f"constraint {shown(term)} compares numbers only: leave it out")
        if difference.outputs:
            _check_outputs(term, difference, outputs)
            case.outputs = True
            continue
        if sign in ("<", ">"):
            raise FileFormatError(
                f"constraint {shown(term)} is strict, and domains are closed: write {sign}=, which "
                "changes no region"
            )
        if sign == "!=":
            raise FileFormatError(
                f"constraint {shown(term)} leaves out a flat set only, and domains are closed: "
                "leave the constraint out"
            )
        case.inputs = True
        if sign in ("=", "==") and sum(map(bool, difference.coefficients.values())) > 1:
            raise FileFormatError(
                f"constraint {shown(term)}: an equation of several inputs makes the set flat; "
                "describe it as a section"
            )
        if sign in ("<=", "=", "=="):
            case.require(difference)
        if sign in (">=", "=", "=="):
            case.require(difference.times(Fraction(-1)))
    return case


def _check_outputs(term: Expression, difference: Linear, outputs: Outputs) -> None:
    if difference.inputs:
        raise FileFormatError(
            f"constraint {shown(term)} mixes inputs and outputs, which no input domain can express"
        )
    if outputs == "refuse":
        raise FileFormatError(
            f"constraint {shown(term)} is on outputs, and a count over the inputs would ignore "
            "it: to count over all of the input set, say so with outputs='ignore', in the shell "
            "--vnnlib-inputs-only"
        )


def all_of(parts: list[list[Case]]) -> list[Case]:
    """Return the cases of a conjunction."""
    base = Case()
    for part in parts:
        if len(part) == 1:
            base.add(part[0])
    several = [part for part in parts if len(part) != 1]
    if not several:
        return [base]
    caps.PARTS.check(math.prod(map(len, several)), "its disjunctions")
    found = []
    for chosen in product(*several):
        case = Case()
        for one in (base, *chosen):
            case.add(one)
        if not case.is_reversed:  # nothing in common: no part of the union
            found.append(case)
    return _distinct(found)


def _any_of(parts: list[list[Case]]) -> list[Case]:
    """Return the cases of a disjunction."""
    found = [case for part in parts for case in part]
    if not found:
        raise DomainError("a disjunction of no parts holds for no input")
    if not any(case.inputs for case in found):
        return [Case(outputs=True)]
    if not all(case.inputs for case in found):
        raise FileFormatError(
            "a disjunction mixes inputs and outputs: one alternative constrains inputs and another "
            "does not, which no input domain can express"
        )
    for number, case in enumerate(found, start=1):
        if case.is_reversed:
            raise DomainError(
                f"alternative {number} of a disjunction is reversed: it bounds an input from below "
                "above its upper bound"
            )
    found = _distinct(found)
    caps.PARTS.check(len(found), "its disjunctions")
    return found


def _distinct(cases: Iterable[Case]) -> list[Case]:
    kept: dict[tuple[frozenset[object], frozenset[object]], Case] = {}
    for case in cases:
        kept.setdefault((frozenset(case.bounds.items()), frozenset(case.rows.items())), case)
    return list(kept.values())
