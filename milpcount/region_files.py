"""Files of kept regions: what a third party needs to check a count without the tool that made it.

The file is an ``.npz`` archive of plain arrays; nothing in it is pickled. Its keys:

``patterns``
    Unsigned integers, shape (regions, units): the piece of every unit, layer by layer.
``witnesses``
    float64, shape (regions, inputs): a point of input space in every region, exactly.
``parameters``
    Instead of `witnesses` where a float64 point of input space need not lie in the domain, as in a
    section: float64, shape (regions, d). On a section these are the numbers t whose bounds differ.
``rational_index``, ``rational_points``
    Regions with a point that no float64 numbers name, and their points as text ``p/q``, shape (k,
    inputs or d); `witnesses` or `parameters` then hold its rounding. Integers are decimal, or
    hexadecimal with ``0x`` beyond 4,000 digits.
``domain_lower``, ``domain_upper``, ``domain_A``, ``domain_b``, ``domain_p0``, ``domain_directions``
    The numbers of the domain, as its kind has them: float64, or text ``p/q`` where float64 would
    round one of them.
``metadata``
    JSON text: ``format``, ``version`` of the format, ``network`` (one line), ``fingerprint``,
    ``domain`` (``box``, ``polytope``, ``section`` or ``unbounded``), and ``result``, the record of
    the count with its quantity, bounds, method and versions.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np

from milpcount import integers
from milpcount.domain import Box, Domain, Polytope, Section, Unbounded
from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.exact.verify import Verifier, check_network
from milpcount.network import Network
from milpcount.network.paths import existing_file, write_atomically
from milpcount.result import CountResult, Region

Array = np.ndarray

FORMAT, VERSION = "milpcount kept regions", 1
_NUMBERS = ("lower", "upper", "A", "b", "p0", "directions")


def save_regions(result: CountResult, path: str | Path) -> None:
    """Write a result with its kept regions, all or nothing.

    Parameters
    ----------
    result : CountResult
        As `milpcount.count` returned it, with ``keep_regions=True``.
    path : str or Path
        An ``.npz`` file.

    Raises
    ------
    OptionError
        If the result has no regions, or is about a domain of a kind that the file does not have.
    FileFormatError
        If the file cannot be written.
    """
    verifier = result.verifier
    if result.regions is None or not isinstance(verifier, Verifier) or verifier.network is None:
        raise OptionError(
            "only a result of milpcount.count with keep_regions=True can be written with regions"
        )
    network = verifier.network
    numbers = domain_arrays(verifier.domain, network.n_inputs)
    arrays = _region_arrays(
        result.regions, network, verifier.domain.bind(network.n_inputs).dimension
    )
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "network": network.title,
        "fingerprint": network.fingerprint,
        "domain": type(verifier.domain).__name__.lower(),
        "result": result.to_record(),
    }
    arrays |= numbers | {"metadata": np.array(json.dumps(metadata))}

    def write(stream: BinaryIO) -> None:
        np.savez_compressed(stream, **cast(dict[str, Any], arrays))

    write_atomically(path, write)


def load_regions(path: str | Path, network: Network | None = None) -> CountResult:
    """Return the result in a file that `save_regions` wrote.

    Parameters
    ----------
    path : str or Path
    network : Network, optional
        The network that was counted; without it, give it to ``result.verify(network)``.

    Returns
    -------
    CountResult

    Raises
    ------
    FileFormatError
        If the file is none of this kind, damaged, or of the first release.
    DomainError
        If the domain in it is none.
    NetworkError
        If another network was counted.
    """
    arrays = read_arrays(path)
    if is_first_release(arrays):
        raise FileFormatError(
            f"{path} was written by the first release, which did not note the network and the "
            "domain: verify it with 'milpcount verify FILE NET' and the options of the domain, or "
            "count again"
        )
    try:
        metadata = json.loads(str(arrays["metadata"]))
        if metadata["format"] != FORMAT:
            raise ValueError(f"format {metadata['format']!r}")
        if metadata["version"] != VERSION:
            raise FileFormatError(
                f"{path}: version {metadata['version']!r} of the format of kept regions, and "
                f"{VERSION} is what this release reads: use a newer one"
            )
        domain = _domain(str(metadata["domain"]), arrays)
        result = CountResult.from_record(metadata["result"])
        regions = _regions(arrays, domain)
    except InputError:
        raise
    except (ArithmeticError, KeyError, IndexError, TypeError, ValueError) as error:
        _refuse(path, error)
    result = replace(result, regions=regions, verifier=Verifier(domain, network))
    if network is not None:
        check_network(result, network)
    return result


def first_release_regions(arrays: Mapping[str, Array], network: Network) -> list[Region]:
    """Return the regions in a file of the first release: patterns and rounded witnesses.

    Raises
    ------
    FileFormatError
        If they do not fit the network.
    """
    patterns, witnesses = arrays["patterns"], arrays["witnesses"]
    count = len(patterns)
    if patterns.shape != (count, network.n_units) or witnesses.shape != (count, network.n_inputs):
        raise FileFormatError(
            f"patterns of shape {patterns.shape} and witnesses of shape {witnesses.shape} do not "
            f"fit {network.title}: give the network that was counted"
        )
    return [Region(tuple(p), x) for p, x in zip(patterns.tolist(), witnesses, strict=True)]


def is_first_release(arrays: Mapping[str, Array]) -> bool:
    """Return whether a file is one of the first release."""
    return set(arrays) == {"patterns", "witnesses"}


def read_arrays(path: str | Path) -> dict[str, Array]:
    """Return the arrays of an archive; nothing in it is unpickled.

    Raises
    ------
    FileFormatError
        If it is no archive of arrays.
    """
    found = existing_file(path, "an .npz file of kept regions")
    try:
        with found.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (
        AttributeError,  # a bare .npy array is no archive
        EOFError,
        NotImplementedError,
        OSError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        _refuse(path, error)


def domain_arrays(domain: Domain, n_inputs: int) -> dict[str, Array]:
    """Return the numbers of a domain by the keys of a file.

    Raises
    ------
    OptionError
        If the domain is of a kind that the file does not have.
    """
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
            f"regions of a {type(domain).__name__} cannot be written to a file: a box, a polytope, "
            "a section or all of space can"
        )
    return {f"domain_{name}": _written(value) for name, value in given.items()}


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
    texts = [_text(v) for v in array.ravel().tolist()]
    return np.array(texts, dtype=np.str_).reshape(array.shape)


def _text(value: Any) -> str:
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    p, q = value.as_integer_ratio()
    return integers.to_text(p) if q == 1 else f"{integers.to_text(p)}/{integers.to_text(q)}"


def _number(text: str) -> Any:
    if text in ("inf", "-inf"):
        return float(text)
    p, _, q = text.partition("/")
    return Fraction(integers.from_text(p), integers.from_text(q) if q else 1)


def _exact(texts: Array) -> Array:
    """Return the numbers of an array of texts, as objects; float64 numbers stay what they are."""
    if texts.dtype.kind == "f":
        return texts.astype(np.float64)
    if texts.dtype.kind != "U":
        raise ValueError(f"numbers of type {texts.dtype}")
    out = np.empty(texts.shape, dtype=object)
    out.ravel()[:] = [_number(t) for t in texts.ravel().tolist()]
    return out


def _region_arrays(regions: Sequence[Region], network: Network, d: int) -> dict[str, Array]:
    on_section = any(r.parameters is not None for r in regions)
    points = [r.parameters if on_section else r.witness for r in regions]
    rational = [i for i, x in enumerate(points) if x is not None and x.dtype == object]
    width = d if on_section else network.n_inputs
    floats = np.array(points, dtype=np.float64).reshape(len(regions), width)
    pieces = max((layer.activation.n_pieces for layer in network.layers), default=1)
    patterns = np.array([r.pattern for r in regions], dtype=np.min_scalar_type(pieces))
    arrays = {
        "patterns": patterns.reshape(len(regions), network.n_units),
        "parameters" if on_section else "witnesses": floats,
    }
    if rational:
        texts = [[_text(v) for v in points[i]] for i in rational]  # type: ignore[union-attr]
        arrays["rational_index"] = np.array(rational, dtype=np.int64)
        arrays["rational_points"] = np.array(texts, dtype=np.str_)
    return arrays


def _domain(kind: str, arrays: Mapping[str, Array]) -> Domain:
    given = {n: _exact(arrays[f"domain_{n}"]) for n in _NUMBERS if f"domain_{n}" in arrays}
    if kind == "box":
        return Box(given["lower"], given["upper"])
    if kind == "polytope":
        return Polytope(given["A"], given["b"], given["lower"], given["upper"])
    if kind == "section":
        return Section(given["p0"], given["directions"], Box(given["lower"], given["upper"]))
    if kind == "unbounded":
        return Unbounded()
    raise ValueError(f"a domain of kind {kind!r}")


def _regions(arrays: Mapping[str, Array], domain: Domain) -> list[Region]:
    on_section = "parameters" in arrays
    patterns, floats = arrays["patterns"], arrays["parameters" if on_section else "witnesses"]
    if patterns.dtype.kind not in "iu" or patterns.ndim != 2:
        raise ValueError(f"patterns of type {patterns.dtype} and shape {patterns.shape}")
    if floats.dtype != np.float64 or floats.ndim != 2 or len(floats) != len(patterns):
        raise ValueError(f"points of type {floats.dtype} and shape {floats.shape}")
    points: list[Array] = list(floats)
    if "rational_index" in arrays:
        exact = _exact(arrays["rational_points"])
        index = arrays["rational_index"]
        if index.dtype.kind not in "iu" or ((index < 0) | (index >= len(points))).any():
            raise ValueError("rational points of regions that are not there")
        for i, x in zip(index.tolist(), exact, strict=True):
            points[i] = x
    if not on_section:
        return [Region(tuple(p), x) for p, x in zip(patterns.tolist(), points, strict=True)]
    inputs = domain.bind(arrays["domain_p0"].size)
    if floats.shape[1] != inputs.dimension:
        raise ValueError(f"parameters of shape {floats.shape} in {inputs.dimension} dimensions")
    rounded = inputs.to_inputs(floats)
    found = zip(patterns.tolist(), rounded, points, strict=True)
    return [Region(tuple(p), x, t) for p, x, t in found]


def _refuse(path: str | Path, error: Exception) -> NoReturn:
    raise FileFormatError(
        f"{path} is no file of kept regions, or is damaged ({error!r}): write one with "
        "'milpcount count NET .. --keep FILE'"
    ) from None
