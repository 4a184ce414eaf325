"""VNN-LIB 1.0: the input set of a property, as a box, a polytope or a union of these.

A property is read as a disjunction of *cases*, each a conjunction of bounds on single inputs and
of rows with several of them. What a domain cannot express is refused: outputs, strictness,
definitions, products of variables.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np

from milpcount import caps
from milpcount.domain import Box, Polytope, Union
from milpcount.domain_files.expressions import (
    NO_DEFINITIONS,
    Expression,
    commands,
    fold,
    shown,
)
from milpcount.domain_files.linear import Linear, as_floats, index, is_input, is_output, linear
from milpcount.errors import DomainError, FileFormatError, OptionError
from milpcount.network.paths import existing_file, read_text

Outputs = Literal["refuse", "ignore"]

_LOWER, _UPPER = 0, 1
_COMPARISONS = ("<=", "<", ">=", ">", "=")
_WITHOUT_EFFECT = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}
_DEFINITIONS = {"define-fun", "define-const", "define-fun-rec", "define-sort"}


def read_vnnlib(
    path: str | Path, n_inputs: int | None = None, *, outputs: Outputs = "refuse"
) -> Box | Polytope | Union:
    """Return the input set of a VNN-LIB 1.0 file; ``.gz`` is unpacked.

    Parameters
    ----------
    path : str or Path
        Inputs are ``X_0, X_1, ..``, each with a lower and an upper bound. Comparisons of sums and
        differences of inputs and of their products with numbers make a polytope, disjunctions
        (``or``) a union.
    n_inputs : int, optional
        Number of inputs that the file must have.
    outputs : {"refuse", "ignore"}
        What to do with constraints on outputs ``Y_0, Y_1, ..``, which a count over the inputs does
        not heed: to refuse them, or to take the input set alone. Comparisons of inputs with
        outputs are always refused.

    Returns
    -------
    Box, Polytope or Union
        The set of the file's decimal numbers, exactly, but for these: a bound on a single input is
        the float64 nearest to it, and so are the coefficients of a row that no factor turns into
        integers below 2^53.

    Raises
    ------
    FileFormatError
        If the file is missing or truncated, uses a command or a constraint that is not supported,
        or constrains outputs.
    DomainError
        If inputs lack a bound, a box is reversed or a point, the parts of a union are of several
        dimensions, or there is another number of inputs.
    """
    if outputs not in ("refuse", "ignore"):
        raise OptionError(f"outputs={outputs!r}: give 'refuse' or 'ignore'")
    source = existing_file(path, "a .vnnlib or .vnnlib.gz file")
    try:
        return _read(read_text(source), n_inputs, outputs)
    except (DomainError, FileFormatError) as error:
        text = str(error)
        raise type(error)(text if text.startswith(f"{source}") else f"{source}: {text}") from None


def _read(text: str, n_inputs: int | None, outputs: Outputs) -> Box | Polytope | Union:
    declared: set[int] = set()
    assertions: list[list[_Case]] = []
    for command in commands(text):
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                if is_input(name):
                    declared.add(index(name))
                elif not is_output(name):
                    raise FileFormatError(
                        f"{shown(command)}: only inputs X_0, X_1, .. and outputs Y_0, Y_1, .. "
                        "can be declared"
                    )
            case ["assert", expression]:
                assertions.append(_cases(expression, outputs))
            case [str(word), *_] if word in _WITHOUT_EFFECT:
                pass
            case [str(word), *_] if word in _DEFINITIONS:
                raise FileFormatError(f"{shown(command)}: {NO_DEFINITIONS}")
            case _:
                raise FileFormatError(
                    f"command {shown(command)} is not supported: this reads VNN-LIB 1.0, that is "
                    "declare-const and assert"
                )
    n = len(declared)
    if n == 0 or declared != set(range(n)):
        raise FileFormatError(
            f"declares inputs {sorted(declared)[:5]}: X_0, X_1, .. without gaps are needed"
        )
    if n_inputs is not None and n != n_inputs:
        raise DomainError(f"declares {n} inputs, but the network has {n_inputs}")
    found = _all_of(assertions)
    if not found:
        raise DomainError("no input satisfies all constraints: check the signs")
    parts = [case.domain(n) for case in found]
    domain = parts[0] if len(parts) == 1 else Union(parts)
    if isinstance(domain, Union):
        domain.hull(n)
    else:
        domain.bind(n)
    return domain


@dataclass
class _Case:
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

    def add(self, other: "_Case") -> None:
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
            self.add(_Case(rows={row: -difference.constant / scale}))
        elif terms:
            ((i, c),) = terms
            side = _UPPER if c > 0 else _LOWER
            self.add(_Case({(i, side): -difference.constant / c}))
        elif difference.constant > 0:
            raise DomainError("a constraint holds for no input, as its variables cancel")

    @property
    def is_reversed(self) -> bool:
        """Whether an input's lower bound is above its upper one."""
        return any(
            side == _LOWER and (i, _UPPER) in self.bounds and value > self.bounds[i, _UPPER]
            for (i, side), value in self.bounds.items()
        )

    def domain(self, n: int) -> Box | Polytope:
        """Return the set in n inputs.

        Raises
        ------
        FileFormatError
            If there are more inputs, or a number is too large.
        DomainError
            If a bound is missing.
        """
        used = {i for i, _ in self.bounds} | {i for row in self.rows for i, _ in row}
        if unknown := sorted(used - set(range(n))):
            raise FileFormatError(f"input X_{unknown[0]} is bounded but not declared")
        ends = np.empty((2, n))
        for i, side in product(range(n), (_LOWER, _UPPER)):
            if (i, side) not in self.bounds:
                raise DomainError(
                    f"input X_{i} has no {('lower', 'upper')[side]} bound; every input needs both"
                )
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


def _cases(expression: Expression, outputs: Outputs) -> list[_Case]:
    """Return the cases of an assertion; outputs, where they are ignored, are left out."""

    def combine(name: str, parts: list[list[_Case]]) -> list[_Case]:
        if name == "and":
            return _all_of(parts)
        if name == "or":
            return _any_of(parts)
        raise FileFormatError(
            f"constraint ({name} ..) is not supported: and, or, <=, >= and = are, of sums of "
            "inputs and products with numbers"
        )

    def word(text: str) -> list[_Case]:
        raise FileFormatError(f"constraint {shown(text)} is not supported: give a comparison")

    def is_comparison(term: Expression) -> bool:
        return bool(term) and isinstance(term[0], str) and term[0] in _COMPARISONS

    return fold(expression, word, combine, is_comparison, lambda term: [_compared(term, outputs)])


def _compared(term: Expression, outputs: Outputs) -> _Case:
    """Return what a comparison of two terms, or a chain of them, requires."""
    sign, *operands = term
    if len(operands) < 2:
        raise FileFormatError(f"constraint {shown(term)}: at least two terms are needed")
    case = _Case()
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
        case.inputs = True
        if sign == "=" and sum(map(bool, difference.coefficients.values())) > 1:
            raise FileFormatError(
                f"constraint {shown(term)}: an equation of several inputs makes the set flat; "
                "describe it as a section"
            )
        if sign in ("<=", "="):
            case.require(difference)
        if sign in (">=", "="):
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


def _all_of(parts: list[list[_Case]]) -> list[_Case]:
    """Return the cases of a conjunction."""
    base = _Case()
    for part in parts:
        if len(part) == 1:
            base.add(part[0])
    several = [part for part in parts if len(part) != 1]
    if not several:
        return [base]
    caps.PARTS.check(math.prod(map(len, several)), "its disjunctions")
    found = []
    for chosen in product(*several):
        case = _Case()
        for one in (base, *chosen):
            case.add(one)
        if not case.is_reversed:  # nothing in common: no part of the union
            found.append(case)
    return _distinct(found)


def _any_of(parts: list[list[_Case]]) -> list[_Case]:
    """Return the cases of a disjunction."""
    found = [case for part in parts for case in part]
    if not found:
        raise DomainError("a disjunction of no parts holds for no input")
    if not any(case.inputs for case in found):
        return [_Case(outputs=True)]
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


def _distinct(cases: Iterable[_Case]) -> list[_Case]:
    kept: dict[tuple[frozenset[object], frozenset[object]], _Case] = {}
    for case in cases:
        kept.setdefault((frozenset(case.bounds.items()), frozenset(case.rows.items())), case)
    return list(kept.values())
