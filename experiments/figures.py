"""All figures of the sweep and the table of its page: ``python -m experiments.figures``.

From a store of results (``experiments/results/mnist22.jsonl``) come bounds, runtime and accuracy;
the two partitions are counted anew. Each figure is written as PDF and as PNG. ``--page`` puts the
table into ``docs/mnist-sweep.md``, between its two marks.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.mnist import load_mnist
from milpcount import Box, Network, Section
from milpcount.cli.group import COMPLETE, FAILURE, USAGE, complain
from milpcount.domain_files import read_section
from milpcount.errors import InputError, MilpcountError
from milpcount.plots import accuracy, bounds, partition, runtime, style
from milpcount.plots.data import NetworkRow, rows_of
from milpcount.plots.table import markdown
from milpcount.store import Store
from milpcount.sweep.random_networks import random_network

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "experiments" / "results" / "mnist22.jsonl"
PLANE = ROOT / "experiments" / "sections" / "mnist_plane.json"
IMAGES = (0, 1, 2)
"""Of the test images: a seven, a two, a one."""
PAGE = ROOT / "docs" / "mnist-sweep.md"
BEGIN, END = "<!-- table of the sweep -->", "<!-- end of the table -->"


def plane(images: np.ndarray) -> Section:
    """Return the plane through three images: the first is at (0, 0), the others at 1 on an axis.

    Parameters
    ----------
    images : ndarray of uint8, shape (3, n_inputs)
    """
    a, b, c = images / 255.0
    return Section(a, [b - a, c - a], Box(-0.5, 1.5))


def write_plane(path: Path, labels: Sequence[int], section: Section) -> None:
    """Write the section as the command line reads it; pixels to seven digits are their bytes'."""
    record = {
        "what": f"plane through the MNIST test images {', '.join(map(str, IMAGES))}, digits "
        f"{', '.join(map(str, labels))}",
        "p0": np.round(section.p0, 7).tolist(),
        "directions": np.round(np.asarray(section.directions), 7).tolist(),
        "box": [[-0.5, 1.5], [-0.5, 1.5]],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")


def draw_store(rows: Sequence[NetworkRow], folder: Path) -> None:
    """Write the figures of the sweep; of those whose methods have not run, say so."""
    for name, draw in (("bounds", bounds.draw), ("runtime", runtime.draw),
                       ("accuracy", accuracy.draw)):  # fmt: skip
        try:
            _write(draw(rows), folder, name)
        except InputError as error:
            print(f"{name}: not drawn, {error}")


def draw_partitions(folder: Path) -> None:
    """Write the partition of a square by a small network, and of a plane of images by one."""
    small = random_network("2-8-8:relu", 0)
    _write(partition.draw(small, Box(-2, 2)), folder, "partition-small")
    labels = json.loads(PLANE.read_text(encoding="utf-8"))["what"].rsplit("digits ", 1)[1]
    network = Network.load(ROOT / "data" / "mnist22" / "784-11-11" / "seed0.npz")
    figure = partition.draw(
        network, read_section(PLANE), [(0, 0), (1, 0), (0, 1)], labels.split(", ")
    )
    _write(figure, folder, "partition-mnist")


def _write(figure: object, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in (".pdf", ".png"):
        style.save(figure, folder / f"{name}{suffix}")  # type: ignore[arg-type]
    print(folder / name)


def with_table(page: str, rows: Sequence[NetworkRow]) -> str:
    """Return the page's text with the table between its marks.

    Raises
    ------
    InputError
        If the marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"the page has no place for the table: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{markdown(rows)}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--out", type=Path, default=STORE.parent / "figures")
    parser.add_argument("--plane", action="store_true", help="make the section of images again")
    parser.add_argument("--page", action="store_true", help="put the table into its page")
    parser.add_argument("--no-partitions", action="store_true")
    options = parser.parse_args(arguments)
    try:
        if options.plane:
            mnist, chosen = load_mnist(), list(IMAGES)
            write_plane(PLANE, mnist.test_labels[chosen].tolist(), plane(mnist.test_images[chosen]))
        rows = rows_of(Store(options.store))
        draw_store(rows, options.out)
        if not options.no_partitions:
            draw_partitions(options.out)
        if options.page:
            path = PAGE
            path.write_text(with_table(path.read_text("utf-8"), rows), encoding="utf-8")
    except MilpcountError as error:
        complain(str(error))
        return USAGE if isinstance(error, InputError) else FAILURE
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
