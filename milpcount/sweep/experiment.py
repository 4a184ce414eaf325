"""An experiment as data: a TOML file read into dataclasses, every key and value checked."""

import itertools
import json
import math
import re
import reprlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from milpcount import caps
from milpcount.domain import Box, Domain, Unbounded
from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.network.paths import existing_file, read_text
from milpcount.quantities import Quantity
from milpcount.sweep.figure_spec import FigureSpec, read_figure
from milpcount.sweep.toml_table import Table

BOUNDS = "bounds"
"""The method that evaluates theorems instead of counting."""


@dataclass(frozen=True)
class NetworkSpec:
    """A network file, a random network, or an architecture, to count or bound.

    Attributes
    ----------
    title : str
    path : Path or None
        Of the network's file.
    architecture : str
        E.g. ``784-11-11-10``.
    tags : dict
        What else the results should carry: n1, n2, seed of training, errors.
    seed : int or None
        Of a random network.
    output : str or None
        Name of the output of a file with several.
    pruned : float
        Share of the weights of each hidden layer that are set to zero, the smallest.
    """

    title: str
    path: Path | None
    architecture: str
    tags: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    output: str | None = None
    pruned: float = 0.0

    @property
    def has_weights(self) -> bool:
        """Whether it is a network, not an architecture alone."""
        return self.path is not None or self.seed is not None


@dataclass(frozen=True)
class MethodSpec:
    """A method with its options, as the file names them.

    Attributes
    ----------
    name : str
        As on the command line, or ``bounds``.
    options : dict
        JSON types.
    seed : int
        Of its randomness.
    seconds : float or None
        Limit on each of its jobs, of one process.
    quantity : Quantity or None
        What it counts, where that is not the experiment's.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    seconds: float | None = None
    quantity: Quantity | None = None

    @property
    def title(self) -> str:
        """The name, the quantity where it is its own, and the options, but for lists."""
        short = (f"{k}={v}" for k, v in self.options.items() if not isinstance(v, list))
        own = [] if self.quantity is None else [self.quantity.value]
        return " ".join([self.name, *own, *short])


@dataclass(frozen=True)
class Experiment:
    """What is to be computed: every method on every subject.

    Attributes
    ----------
    title : str
    subjects : tuple of NetworkSpec
    domain : Domain
    quantity : Quantity
    methods : tuple of MethodSpec
        An option given as a list of numbers stands for one method each.
    figure : FigureSpec or None
    """

    title: str
    subjects: tuple[NetworkSpec, ...]
    domain: Domain
    quantity: Quantity
    methods: tuple[MethodSpec, ...]
    figure: FigureSpec | None = None


def read_experiment(path: Path, output: str | None = None) -> Experiment:
    """Return the experiment of a TOML file; paths in it are relative to it.

    Parameters
    ----------
    path : Path
    output : str, optional
        Name of the output to take of the networks' files, in place of the one that the file names.

    Raises
    ------
    FileFormatError
        If it is no TOML, or has a key or a value that is not known.
    """
    text = read_text(existing_file(path, "an experiment as .toml file"))
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: an integer of too many digits, too
        raise FileFormatError(f"{path} is not TOML: {error}") from None
    top = Table(path, "", data)
    title = top.take("title", str, path.stem)
    networks = top.table("networks")
    domain, quantity = _domain(top.table("domain")), top.take("quantity", str, "activation_regions")
    if quantity not in {q.value for q in Quantity}:
        raise top.wrong("quantity", quantity, ", ".join(q.value for q in Quantity))
    methods = tuple(spec for table in top.tables("methods") for spec in _methods(table))
    figure = read_figure(top.table("figure"))
    top.finish()
    if not methods:
        raise FileFormatError(f"{path}: no [[methods]]: name at least one, e.g. name = 'tree'")
    subjects = tuple(_subjects(networks, path.parent, output))
    caps.JOBS.check(len(subjects) * len(methods), f"{path}")
    return Experiment(title, subjects, domain, Quantity(quantity), methods, figure)


def _domain(table: Table) -> Domain:
    unbounded = table.take("unbounded", bool, False)
    box = table.take("box", list, None)
    table.finish()
    if unbounded and box is None:
        return Unbounded()
    if box is None or unbounded or len(box) != 2 or not all(map(_is_number, box)):
        raise table.wrong("box", box, "box = [lower, upper], or unbounded = true")
    try:
        found = Box(*map(float, box))
        found.bind(1)
    except (InputError, OverflowError) as error:
        raise table.wrong("box", box, f"a box ({error})") from None
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _methods(table: Table) -> Iterator[MethodSpec]:
    name = table.take("name", str)
    seed = table.take("seed", int, 0)
    seconds = table.take("seconds", float, None)
    quantity = table.take("quantity", str, None)
    if quantity is not None and quantity not in {q.value for q in Quantity}:
        raise table.wrong("quantity", quantity, ", ".join(q.value for q in Quantity))
    try:
        caps.check_seed(seed)
        if seconds is not None:
            caps.check_seconds("seconds", seconds)
    except OptionError as error:
        raise FileFormatError(f"{table.path}: {table.name}.{error}") from None
    given = table.rest()
    spread = {
        key: value
        for key, value in given.items()
        if isinstance(value, list) and value and all(map(_is_number, value))
    }
    caps.SPREAD.check(math.prod(map(len, spread.values())), f"{table.path}: method {name!r}")
    for values in itertools.product(*spread.values()):
        options = given | dict(zip(spread, values, strict=True))
        yield MethodSpec(name, options, seed, seconds, quantity and Quantity(quantity))


def _subjects(table: Table, home: Path, output: str | None) -> Iterator[NetworkSpec]:
    named = table.take("output_name", str, None)
    output = output or named
    manifest = table.take("manifest", str, None)
    files = table.take("files", list, [])
    architectures = table.take("architectures", list, [])
    random = table.take("random", list, [])
    n1, seeds = table.take("n1", str, None), table.take("seeds", str, None)
    prune = table.take("prune", list, [])
    table.finish()
    if not all(_is_number(share) and 0 <= share <= 1 for share in prune):
        raise table.wrong("prune", prune, "shares of the weights, from 0 to 1")
    for key, entries in (("files", files), ("architectures", architectures), ("random", random)):
        if not all(isinstance(entry, str) for entry in entries):
            raise table.wrong(key, entries, "a list of strings")
    wanted = {
        entry: numbers(text, f"{table.name}.{key}")
        for entry, key, text in (("n1", "n1", n1), ("seed", "seeds", seeds))
        if text is not None
    }
    caps.SPREAD.check(len(random) * len(wanted.get("seed", [0])), f"{table.path}: networks.random")
    found = [
        *([] if manifest is None else _of_manifest(home / manifest, wanted, output)),
        *(_of_file(home / name, output) for name in files),
        *(NetworkSpec(text, None, text, {"architecture": text}) for text in architectures),
        *(_random(text, seed) for text in random for seed in wanted.get("seed", [0])),
    ]
    if not found:
        raise FileFormatError(
            f"{table.path}: [networks] names no network: give manifest (with n1 and seeds that "
            "are in it), files, architectures or random"
        )
    for subject in found:
        if subject.path is None or not prune:
            yield subject
            continue
        for share in map(float, prune):
            title = f"{subject.title}, {100 * share:g} % pruned"
            yield replace(subject, title=title, pruned=share, tags=subject.tags | {"pruned": share})


def _random(text: str, seed: int) -> NetworkSpec:
    tags = {"architecture": text, "network_seed": seed}
    return NetworkSpec(f"random {text} #{seed}", None, text, tags, seed)


def _of_file(path: Path, output: str | None) -> NetworkSpec:
    existing_file(path, "a network file")
    tags = {"file": path.name} if output is None else {"file": path.name, "output_name": output}
    return NetworkSpec(path.stem, path, "", tags, output=output)


def _of_manifest(
    path: Path, wanted: dict[str, list[int]], output: str | None
) -> Iterator[NetworkSpec]:
    text = read_text(existing_file(path, "a manifest of networks, as .json"))
    try:
        entries = json.loads(text)["networks"]
        chosen = [e for e in entries if all(e[key] in values for key, values in wanted.items())]
        for entry in chosen:
            tags = {
                "file": entry["file"],
                "n1": entry["n1"],
                "n2": entry["n2"],
                "network_seed": entry["seed"],
                "train_error": entry["train_error"],
                "test_error": entry["test_error"],
            }
            title = f"{entry['architecture'].rsplit('-', 1)[0]} #{entry['seed']}"
            file = path.parent / entry["file"]
            yield NetworkSpec(title, file, entry["architecture"], tags, output=output)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileFormatError(f"{path} is not a manifest of networks ({error!r})") from None


def numbers(text: str, what: str) -> list[int]:
    """Return the integers of ``"1-4,7"``: 1, 2, 3, 4, 7.

    Raises
    ------
    OptionError
        If the text is something else.
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise OptionError(
                f"{what} = {reprlib.repr(text)}: give numbers and ranges, e.g. '0-3,7'"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        caps.SPREAD.check(len(found) + last - first + 1, f"{what} = {text[:60]!r}", OptionError)
        found += range(first, last + 1)
    return found
