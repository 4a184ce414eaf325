"""Boxes and sections in JSON, and boxes in the header of ``.nnet`` files."""

import json
import re
import reprlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.domain import Box, Domain, Section
from milpcount.errors import DomainError, FileFormatError
from milpcount.network.nnet_reader import read_bounds
from milpcount.network.paths import existing_file, read_text


def read_box(path: str | Path) -> Box:
    """Return the box in a JSON file or in the header of a ``.nnet`` file.

    Parameters
    ----------
    path : str or Path
        JSON holds ``{"lower": .., "upper": ..}``, each a number or a list of one per input;
        numbers may be strings ``"a/b"``. Other keys are ignored.

    Returns
    -------
    Box
        Fractions and integers are kept exactly; a decimal number is the float64 nearest to it.

    Raises
    ------
    FileFormatError
        If the file is missing or corrupt, or holds something else.
    DomainError
        If the box is reversed, a point, or not finite.
    """
    source = existing_file(path, "a box as .json file or as header of an .nnet file")
    if source.suffix.lower() == ".nnet":
        try:
            lower, upper = read_bounds(source)
        except FileFormatError as error:
            raise FileFormatError(f"{source}: {error}") from None
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
        Fractions and integers are kept exactly; a decimal number is the float64 nearest to it.

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
        raise FileFormatError(
            f"{source}: box {reprlib.repr(box)}: give a list of pairs [lower, upper]"
        )
    inner = Box([lower for lower, _ in pairs], [upper for _, upper in pairs])
    section = Section(_numbers(p0, source), _numbers(directions, source), inner)
    _check(section, _length(section.p0), source)
    return section


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


def _numbers(value: Any, source: Path, depth: int = 3) -> Any:
    """Return numbers, or lists of them nested at most `depth` deep, as floats."""
    if isinstance(value, list) and depth > 0:
        return [_numbers(item, source, depth - 1) for item in value]
    try:
        return _number(value)
    except FileFormatError as error:
        raise FileFormatError(f"{source}: {error}") from None


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | np.ndarray) else 1


def _not_nan(value: float) -> float:
    if value != value:
        raise ValueError
    return value


def _number(value: Any) -> float | int | Fraction:
    """Return a number; of a decimal one, or the text of one, the nearest float64."""
    try:
        if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*/\s*\d+\s*", value):
            return Fraction("".join(value.split()))
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return _not_nan(float(value))
    except (ValueError, OverflowError, ZeroDivisionError):
        pass
    raise FileFormatError(
        f'{reprlib.repr(value)} is not a number: give one like 0.5, 1e-3 or "1/2"'
    )
