"""Exact numbers and domains as arrays of a file."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from milpcount import integers
from milpcount.domain import Box, Domain, Polytope, Section, Unbounded, Union
from milpcount.errors import OptionError
from milpcount.types import Array

Kind = str | list[str]
"""Of a domain, as the metadata has it."""

_NUMBERS = ("lower", "upper", "A", "b", "p0", "directions")


def domain_arrays(domain: Domain, n_inputs: int) -> dict[str, Array]:
    """Return the numbers of a domain by the keys of a file.

    Raises
    ------
    OptionError
        If the domain is of a kind that the file does not have.
    """
    if isinstance(domain, Union) and not any(isinstance(p, Section) for p in domain.parts):
        found: dict[str, Array] = {}
        for number, part in enumerate(domain.parts):
            found |= _part_arrays(part, n_inputs, f"domain{number}")
        return found
    return _part_arrays(domain, n_inputs, "domain")


def kind_of(domain: Domain) -> Kind:
    """Return the kind of a domain that `domain_arrays` takes."""
    if isinstance(domain, Union):
        return [type(part).__name__.lower() for part in domain.parts]
    return type(domain).__name__.lower()


def domain_of(kind: Kind, arrays: Mapping[str, Array]) -> Domain:
    """Return the domain of a kind and its numbers.

    Raises
    ------
    KeyError, TypeError, ValueError
        If there is none.
    """
    if isinstance(kind, list):
        return Union([_part(k, arrays, f"domain{i}") for i, k in enumerate(kind)])
    return _part(kind, arrays, "domain")


def _part_arrays(domain: Domain, n_inputs: int, name: str) -> dict[str, Array]:
    if isinstance(domain, Box):
        given = {"lower": _full(domain.lower, n_inputs), "upper": _full(domain.upper, n_inputs)}
    elif isinstance(domain, Polytope):
        given = {"lower": _full(domain.lower, n_inputs), "upper": _full(domain.upper, n_inputs)}
        given |= {"A": domain.A, "b": domain.b}
    elif isinstance(domain, Section):
        directions = np.atleast_2d(np.asarray(domain.directions))
        box, d = domain.box, len(directions)
        given = {"p0": _full(domain.p0, n_inputs), "directions": directions}
        given |= {"lower": _full(box.lower, d), "upper": _full(box.upper, d)}
    elif isinstance(domain, Unbounded):
        given = {}
    else:
        raise OptionError(
            f"regions in a {domain.title} cannot be written to a file: those in a box, a polytope, "
            "a section, all of space or a union without sections can"
        )
    return {f"{name}_{key}": _written(value) for key, value in given.items()}


def _full(value: Any, n: int) -> Array:
    array = np.asarray(value)
    return np.full(n, array.item(), array.dtype) if array.ndim == 0 else array


def _written(value: Any) -> Array:
    """Return numbers as float64, or as text where float64 would round one of them."""
    array = np.asarray(value)
    if array.dtype in (np.float64, np.float32, np.float16):
        return array.astype(np.float64)
    floats = array.astype(np.float64)
    if all(a == b for a, b in zip(floats.ravel().tolist(), array.ravel().tolist(), strict=True)):
        return floats
    texts = [text(v) for v in array.ravel().tolist()]
    return np.array(texts, dtype=np.str_).reshape(array.shape)


def text(value: Any) -> str:
    """Return a number as `exact` reads it."""
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    p, q = value.as_integer_ratio()
    return integers.to_text(p) if q == 1 else f"{integers.to_text(p)}/{integers.to_text(q)}"


def _number(text: str) -> Any:
    if text in ("inf", "-inf"):
        return float(text)
    p, _, q = text.partition("/")
    return Fraction(integers.from_text(p), integers.from_text(q) if q else 1)


def exact(texts: Array) -> Array:
    """Return the numbers of an array of texts, as objects; float64 numbers stay what they are."""
    if texts.dtype.kind == "f":
        return texts.astype(np.float64)
    if texts.dtype.kind != "U":
        raise ValueError(f"numbers of type {texts.dtype}")
    out = np.empty(texts.shape, dtype=object)
    out.ravel()[:] = [_number(t) for t in texts.ravel().tolist()]
    return out


def _part(kind: str, arrays: Mapping[str, Array], name: str) -> Domain:
    given = {n: exact(arrays[f"{name}_{n}"]) for n in _NUMBERS if f"{name}_{n}" in arrays}
    if kind == "box":
        return Box(given["lower"], given["upper"])
    if kind == "polytope":
        return Polytope(given["A"], given["b"], given["lower"], given["upper"])
    if kind == "section":
        return Section(given["p0"], given["directions"], Box(given["lower"], given["upper"]))
    if kind == "unbounded":
        return Unbounded()
    raise ValueError(f"a domain of kind {kind!r}")
