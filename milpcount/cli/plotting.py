"""Figures from the command line."""

import math
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from milpcount.cli.outputs import check_target, deliver
from milpcount.cli.sweeping import store_path
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.network.paths import write_atomically
from milpcount.plots import style
from milpcount.plots.data import rows_of
from milpcount.store import Store
from milpcount.sweep.experiment import read_experiment


def draw_store(kind: str, store: Path, output: Path, given: Sequence[str] = ()) -> None:
    """Draw a figure of a sweep's results.

    Parameters
    ----------
    kind : {"bounds", "runtime", "accuracy", "experiment"}
    store : Path
        Of an experiment its file, whose results are where a sweep puts them.
    output : Path
    given : sequence of str
        Options that only a partition has.

    Raises
    ------
    InputError
        If the store or the name of the output does not do.
    OutputError
        If the figure cannot be written after all.
    """
    if given:
        raise OptionError(f"{' and '.join(given)}: only a partition has these, leave them out")
    style.check_target(output)
    check_target(output, "-o")
    if kind == "experiment":
        from milpcount.plots import experiment

        drawn = experiment.draw(read_experiment(store), Store(store_path(store)))
        deliver("-o", output, lambda: style.save(drawn, output))
        return
    if not store.is_file():
        raise FileNotFoundError(2, "there is no such store of results", str(store))
    figure = import_module(f"milpcount.plots.{kind}").draw(rows_of(Store(store)))
    deliver("-o", output, lambda: style.save(figure, output))


def draw_partition(
    network: Path,
    domain: Domain,
    marks: Sequence[str],
    output: Path,
    name: str | None = None,
    colour: str = "region",
) -> None:
    """Draw the partition of a plane by a network.

    Parameters
    ----------
    network : Path
    domain : Domain
    marks : sequence of str
        Points, ``0.5,1`` or ``0.5,1=text``.
    output : Path
    name : str, optional
        Of the network's output, where it has several.
    colour : {"region", "linear_region", "map", "layer"}
        A page, ``.html``, shows the numbers of the region that the mouse is on.

    Raises
    ------
    InputError
        If the domain is no plane, or a point or the name of the output does not do.
    OutputError
        If the figure cannot be written after all.
    """
    from milpcount.plots import partition

    if output.suffix.lower() == ".html":
        _write_page(Network.load(network, name), domain, marks, output, colour)
        return
    style.check_target(output)
    check_target(output, "-o")
    points = [_mark(text) for text in marks]
    figure = partition.draw(
        Network.load(network, name),
        domain,
        [p for p, _ in points],
        [t for _, t in points],
        colour=colour,
    )
    deliver("-o", output, lambda: style.save(figure, output))


def _write_page(
    network: Network, domain: Domain, marks: Sequence[str], output: Path, colour: str
) -> None:
    from milpcount.plots.partition_page import page

    if marks or colour == "layer":
        given = "--mark" if marks else "--colour layer"
        raise OptionError(f"{given}: a page has none, leave it out or draw a figure")
    check_target(output, "-o")
    text = page(network, domain, colour)

    def write(stream: BinaryIO) -> None:
        stream.write(text.encode())

    deliver("-o", output, lambda: write_atomically(output, write))


def draw_over(
    kind: str,
    network: Path,
    domain: Domain,
    output: Path,
    name: str | None,
    options: Mapping[str, Any],
) -> None:
    """Draw the function of a network over a line or a plane, or its decision boundary in a plane.

    Parameters
    ----------
    kind : {"function", "boundary"}
    network : Path
    domain : Domain
    output : Path
    name : str or None
        Of the network's output, where it has several.
    options : mapping
        Of the kind: ``component``, which of the output's numbers; ``threshold``.

    Raises
    ------
    InputError
        If the domain is no line or plane, or an option does not do.
    OutputError
        If the figure cannot be written after all.
    """
    style.check_target(output)
    check_target(output, "-o")
    drawing = import_module(f"milpcount.plots.{kind}")
    figure = drawing.draw(Network.load(network, name), domain, **options)
    deliver("-o", output, lambda: style.save(figure, output))


def _mark(text: str) -> tuple[tuple[float, float], str]:
    place, _, label = text.partition("=")
    try:
        x, y = map(float, place.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise OptionError(f"--mark {text}: give two numbers and a text, e.g. 0,1=seven")
    return (x, y), label
