"""Readers of files that describe an input domain: JSON, VNN-LIB, and the header of ``.nnet``."""

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.domain import Box, Domain, Section
from milpcount.errors import DomainError, FileFormatError
from milpcount.network.nnet_reader import read_bounds
from milpcount.network.paths import existing_file, read_text

_TOKEN = re.compile(r';[^\n]*|[()]|"[^"]*"|\|[^|]*\||[^\s();]+')
_LOWER, _UPPER = 0, 1
_SIDES = {"<=": (_UPPER,), "<": (_UPPER,), ">=": (_LOWER,), ">": (_LOWER,), "=": (_LOWER, _UPPER)}
_WITHOUT_EFFECT = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}

Bounds = dict[tuple[int, int], float]
"""The bound on (input, side)."""


def read_box(path: str | Path) -> Box:
    """Return the box in a JSON file or in the header of a ``.nnet`` file.

    Parameters
    ----------
    path : str or Path
        JSON holds ``{"lower": .., "upper": ..}``, each a number or a list of one per input;
        numbers may be strings ``"a/b"``. Other keys are ignored.

    Raises
    ------
    FileFormatError
        If the file is missing or corrupt, or holds something else.
    DomainError
        If the box is reversed, a point, or not finite.
    """
    source = existing_file(path, "a box as .json file or as header of an .nnet file")
    if source.suffix.lower() == ".nnet":
        lower, upper = read_bounds(source)
    else:
        lower, upper = (_numbers(v, source) for v in _read_keys(source, "lower", "upper"))
    box = Box(lower, upper)
    _check(box, max(_length(lower), _length(upper)), source)
    return box


def read_section(path: str | Path) -> Section:
    """Return the section in a JSON file.

    Parameters
    ----------
    path : str or Path
        ``{"p0": [..], "directions": [[..], ..], "box": [[lo, hi], ..]}`` with one direction and
        one pair for each parameter; numbers may be strings ``"a/b"``. Other keys are ignored.

    Returns
    -------
    Section
        Each number is the float64 nearest to the file's.

    Raises
    ------
    FileFormatError
        If the file is missing or corrupt, or holds something else.
    DomainError
        If the shapes do not fit, or directions are dependent, or the box is reversed or a point.
    """
    source = existing_file(path, "a section as .json file")
    p0, directions, box = _read_keys(source, "p0", "directions", "box")
    pairs = _numbers(box, source)
    if not (isinstance(pairs, list) and all(isinstance(p, list) and len(p) == 2 for p in pairs)):
        raise FileFormatError(f"{source}: box {box!r}: give a list of pairs [lower, upper]")
    inner = Box([lower for lower, _ in pairs], [upper for _, upper in pairs])
    section = Section(_numbers(p0, source), _numbers(directions, source), inner)
    _check(section, _length(section.p0), source)
    return section


def read_vnnlib(path: str | Path, n_inputs: int | None = None) -> Box:
    """Return the input box of a VNN-LIB file; ``.gz`` is unpacked.

    Parameters
    ----------
    path : str or Path
        Inputs are ``X_0, X_1, ..``. Constraints on outputs alone are ignored; strict inequalities
        count as closed ones, which changes no region.
    n_inputs : int, optional
        Number of inputs that the file must have.

    Raises
    ------
    FileFormatError
        If the file is missing or truncated, or uses a command or a constraint that is not
        supported.
    DomainError
        If inputs lack a bound, the constraints describe more than one box, the box is reversed or
        a point, or there is another number of inputs.
    """
    source = existing_file(path, "a .vnnlib or .vnnlib.gz file")
    try:
        declared, bounds = _read_commands(_parse(read_text(source)))
    except (DomainError, FileFormatError) as error:
        raise type(error)(f"{source}: {error}") from None
    except RecursionError:
        raise FileFormatError(f"{source}: its constraints are nested too deeply") from None
    n = len(declared)
    if n == 0 or declared != set(range(n)):
        raise FileFormatError(
            f"{source} declares inputs {sorted(declared)[:5]}: X_0, X_1, .. without gaps are needed"
        )
    if n_inputs is not None and n != n_inputs:
        raise DomainError(f"{source} declares {n} inputs, but the network has {n_inputs}")
    for key in ((i, side) for i in range(n) for side in (_LOWER, _UPPER)):
        if key not in bounds:
            raise DomainError(
                f"{source}: input X_{key[0]} has no {('lower', 'upper')[key[1]]} bound; every "
                "input needs both"
            )
    lower, upper = ([bounds[i, side] for i in range(n)] for side in (_LOWER, _UPPER))
    box = Box(np.array(lower), np.array(upper))
    _check(box, n, source)
    return box


def _check(domain: Domain, n_inputs: int, source: Path) -> None:
    try:
        domain.bind(n_inputs)
    except DomainError as error:
        raise DomainError(f"{source}: {error}") from None


def _read_keys(source: Path, *keys: str) -> list[Any]:
    try:
        content = json.loads(read_text(source))
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{source} is not JSON, it may be truncated: {error}") from None
    if not isinstance(content, dict) or not content.keys() >= set(keys):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise FileFormatError(f"{source} holds {found}: an object with keys {keys} is needed")
    return [content[key] for key in keys]


def _numbers(value: Any, source: Path) -> Any:
    """Return numbers, or nested lists of them, as floats."""
    if isinstance(value, list):
        return [_numbers(item, source) for item in value]
    try:
        return _number(value)
    except FileFormatError as error:
        raise FileFormatError(f"{source}: {error}") from None


def _length(value: Any) -> int:
    return 1 if isinstance(value, float) else len(value)


def _not_nan(value: float) -> float:
    if value != value:
        raise ValueError
    return value


def _number(value: Any) -> float:
    """Return the float64 nearest to a number or to the text of a decimal number or fraction."""
    try:
        if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*/\s*\d+\s*", value):
            return float(Fraction(value.replace(" ", "")))
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return _not_nan(float(value))
    except (ValueError, OverflowError, ZeroDivisionError):
        pass
    raise FileFormatError(f'{value!r} is not a number: give one like 0.5, 1e-3 or "1/2"')


def _parse(text: str) -> list[Any]:
    """Return the commands of a VNN-LIB text as nested lists of words."""
    stack: list[list[Any]] = [[]]
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) == 1:
                line = text.count("\n", 0, match.start()) + 1
                raise FileFormatError(f"line {line}: a parenthesis is closed that was not opened")
            closed = stack.pop()
            stack[-1].append(closed)
        elif not token.startswith(";"):
            stack[-1].append(token)
    if len(stack) > 1:
        raise FileFormatError(
            f"{len(stack) - 1} parentheses are not closed: the file may be truncated"
        )
    return stack[0]


def _read_commands(commands: list[Any]) -> tuple[set[int], Bounds]:
    """Return which inputs are declared, and their bounds."""
    declared: set[int] = set()
    bounds: Bounds = {}
    for command in commands:
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                declared |= {i for i in [_input(name)] if i is not None}
            case ["assert", expression]:
                _tighten(bounds, _bounds(expression))
            case [str(word), *_] if word in _WITHOUT_EFFECT:
                pass
            case _:
                raise FileFormatError(f"command {_shown(command)} is not supported")
    unknown = sorted({i for i, _ in bounds} - declared)
    if unknown:
        raise FileFormatError(f"input X_{unknown[0]} is bounded but not declared")
    return declared, bounds


def _bounds(expression: Any) -> Bounds:
    """Return the bounds on inputs that an expression states, all of which must hold."""
    found: Bounds = {}
    pending = [expression]
    while pending:
        term = pending.pop()
        match term:
            case ["and", *parts]:
                pending += parts
            case _ if all(_input(word) is None for word in _words(term)):
                pass  # speaks of the outputs only
            case ["or", *parts]:
                _tighten(found, _common(parts))
            case [str(sign), left, right] if sign in _SIDES:
                _tighten(found, _bound(sign, left, right))
            case _:
                raise FileFormatError(f"constraint {_shown(term)} is not supported")
    return found


def _common(parts: list[Any]) -> Bounds:
    alternatives = [_bounds(part) for part in parts]
    if any(other != alternatives[0] for other in alternatives):
        raise DomainError(
            f"a disjunction of {len(parts)} parts describes more than one input box: split it "
            "into one file for each box"
        )
    return alternatives[0]


def _bound(sign: str, left: Any, right: Any) -> Bounds:
    if isinstance(right, str) and _input(right) is not None:
        left, right, sign = right, left, sign.translate(str.maketrans("<>", "><"))
    number = _input(left) if isinstance(left, str) else None
    if number is None or any(_input(word) is not None for word in _words(right)):
        raise FileFormatError(
            f"constraint {_shown([sign, left, right])}: inputs may only be compared with numbers"
        )
    value = _constant(right)
    return {(number, side): value for side in _SIDES[sign]}


def _tighten(bounds: Bounds, more: Bounds) -> None:
    for (number, side), value in more.items():
        known = bounds.get((number, side), value)
        bounds[number, side] = max(known, value) if side == _LOWER else min(known, value)


def _constant(term: Any) -> float:
    match term:
        case ["-", part]:
            return -_constant(part)
        case ["/", above, below] if _constant(below) != 0:
            return _constant(above) / _constant(below)
        case str():
            return _number(term)
    raise FileFormatError(f"{_shown(term)} is not a number")


def _input(word: str) -> int | None:
    found = re.fullmatch(r"X_(0|[1-9]\d{0,8})", word)
    return int(found[1]) if found else None


def _words(term: Any) -> Iterator[str]:
    pending = [term]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        else:
            pending += part


def _shown(term: Any) -> str:
    text = term if isinstance(term, str) else f"({' '.join(map(_shown, term))})"
    return text if len(text) <= 60 else f"{text[:57]}..."
