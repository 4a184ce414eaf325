"""Check the networks of ``data/`` against their manifest: ``python -m experiments.check_data``.

With ``--accuracy`` the losses and errors are computed anew from the files and MNIST. Prints what
is wrong, one line each (exit code 1), or a table of the test errors.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.files import KEYS, problems, read_manifest
from experiments.mnist import Mnist, load_mnist
from experiments.recipe import evaluate
from milpcount.errors import MilpcountError

TOLERANCE = 2e-6  # the manifest has six decimals


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 well, 1 something differs, 2 cannot check."""
    options = _parser().parse_args(arguments)
    try:
        found = list(problems(options.data))
        entries = read_manifest(options.data)["networks"]
        if options.accuracy and not found:
            found = list(other_accuracy(options.data, entries, load_mnist(options.mnist)))
    except (MilpcountError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(found or table(entries)))
    return 1 if found else 0


def other_accuracy(folder: Path, entries: Sequence[dict[str, Any]], mnist: Mnist) -> Iterator[str]:
    """Yield in one line each the networks whose losses or errors are not the manifest's."""
    for entry in entries:
        with np.load(folder / entry["file"]) as archive:
            arrays = [archive[key] for key in KEYS]
        train = evaluate(arrays, mnist.train_images, mnist.train_labels)
        test = evaluate(arrays, mnist.test_images, mnist.test_labels)
        names = ("train_loss", "train_error", "test_loss", "test_error")
        for name, value in zip(names, (*train, *test), strict=True):
            if not abs(value - entry[name]) <= TOLERANCE:
                yield f"{entry['file']}: {name} is {value:.6f}, the manifest says {entry[name]}"


def table(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a Markdown table: the test error of each configuration, in percent."""
    lines = [
        "| network | count | mean | least | greatest | mean in training |",
        "|---|---|---|---|---|---|",
    ]
    for n1 in sorted({entry["n1"] for entry in entries}):
        group = [entry for entry in entries if entry["n1"] == n1]
        test = [100 * entry["test_error"] for entry in group]
        train = [100 * entry["train_error"] for entry in group]
        cells = (np.mean(test), min(test), max(test), np.mean(train))
        numbers = " | ".join(f"{cell:.1f}" for cell in cells)
        lines.append(f"| {group[0]['architecture']} | {len(group)} | {numbers} |")
    size = sum(entry["bytes"] for entry in entries)
    return [*lines, "", f"{len(entries)} networks, {size:,} bytes, as the manifest says"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m experiments.check_data", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder [%(default)s]")
    parser.add_argument("--accuracy", action="store_true", help="also compute losses and errors")
    parser.add_argument("--mnist", metavar="DIR", help="folder of the four idx files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
