"""Train the networks of ``data/``: ``python -m experiments.train --out data --epochs 20``.

Two hidden layers share 22 units, n1 + n2 = 22, over inputs of 784 pixels and 10 outputs: the
configurations of Serra, Tjandraatmadja and Ramalingam (ICML 2018), ten networks of each. The
paper gives the 20 epochs and not the optimiser, so ours is stated in the manifest.

The widths of one seed are trained side by side. Each seed is written as it is finished and the
manifest after its files, so a run that is killed loses one seed at most; the same command goes
on from there, since it leaves alone what the manifest lists with the same recipe.
"""

import argparse
import dataclasses
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.files import (
    KEYS,
    network_file,
    pack,
    read_manifest,
    sha256,
    write_atomically,
    write_manifest,
)
from experiments.mnist import Mnist, load_mnist
from experiments.recipe import Recipe, evaluate, initial_seed
from milpcount.errors import MilpcountError, NotInstalledError, OptionError

UNITS = 22
SEEDS = 10

Entry = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        recipe = _recipe(options)
        first_widths = _first_widths(options.only)
        seeds = numbers(options.seeds, 0, 999, "--seeds")
        _prepare(options.threads)
        train_all(
            options.out, first_widths, seeds, recipe, load_mnist(options.mnist), options.again
        )
    except (MilpcountError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last seed written", file=sys.stderr)
        return 130
    return 0


def train_all(
    out: Path,
    first_widths: Sequence[int],
    seeds: Sequence[int],
    recipe: Recipe,
    mnist: Mnist,
    again: bool = False,
) -> None:
    """Train what is missing and write it, seed by seed.

    Parameters
    ----------
    out : Path
        The data folder.
    first_widths : sequence of int
        The n1 to train; n2 is the rest of the 22.
    seeds : sequence of int
    recipe : Recipe
    mnist : Mnist
    again : bool
        Whether to train also what is there already.
    """
    from experiments.side_by_side import train

    for seed in seeds:
        known = {} if again else _finished(out, recipe)
        wanted = [n1 for n1 in first_widths if network_file(n1, UNITS - n1, seed) not in known]
        if not wanted:
            _say(f"seed {seed}: all there")
            continue
        widths = [(n1, UNITS - n1) for n1 in wanted]
        progress = _Progress(seed, recipe.epochs, len(widths))
        nets = train(widths, seed, mnist.train_images, mnist.train_labels, recipe, progress)
        entries = [
            _write(out, n1, seed, arrays, recipe, mnist)
            for n1, arrays in zip(wanted, nets, strict=True)
        ]
        _record(out, entries, recipe)
        _say(f"seed {seed}: {len(entries)} networks written to {out}")


def numbers(text: str, low: int, high: int, what: str) -> list[int]:
    """Return the whole numbers of a list such as ``0-3,7``, sorted, without repetition.

    Raises
    ------
    OptionError
        If the text is no such list or leaves low..high.
    """
    found: set[int] = set()
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    except ValueError:
        found = set()
    if not found or min(found) < low or max(found) > high:
        raise OptionError(
            f"{what} {text!r}: give numbers from {low} to {high}, for instance {low}-{low + 2} "
            f"or {low},{low + 3}"
        )
    return sorted(found)


def _write(
    out: Path, n1: int, seed: int, arrays: Sequence[Any], recipe: Recipe, mnist: Mnist
) -> Entry:
    """Write one network and return its line of the manifest."""
    content = pack(dict(zip(KEYS, arrays, strict=True)))
    file = network_file(n1, UNITS - n1, seed)
    write_atomically(out / file, content)
    train_loss, train_error = evaluate(arrays, mnist.train_images, mnist.train_labels)
    test_loss, test_error = evaluate(arrays, mnist.test_images, mnist.test_labels)
    return {
        "file": file,
        "architecture": f"784-{n1}-{UNITS - n1}-10",
        "n1": n1,
        "n2": UNITS - n1,
        "seed": seed,
        "initial_seed": initial_seed(n1, seed),
        "optimiser": "Adam",
        **dataclasses.asdict(recipe),
        "train_loss": round(train_loss, 6),
        "train_error": round(train_error, 6),
        "test_loss": round(test_loss, 6),
        "test_error": round(test_error, 6),
        "bytes": len(content),
        "sha256": sha256(content),
    }


def _record(out: Path, entries: Sequence[Entry], recipe: Recipe) -> None:
    """Add entries to the manifest, in place of older ones of the same files."""
    import torch

    about = {
        "what": "Networks 784-n1-n2-10 with n1 + n2 = 22 rectifiers, trained on MNIST",
        "format": "npz, float32: W0, b0, W1, b1 (hidden layers), W2, b2 (affine output layer); "
        "each W has shape (outputs, inputs); inputs are pixels / 255",
        "loss": "cross-entropy",
        "optimiser": "Adam, beta (0.9, 0.999), epsilon 1e-8, no weight decay, constant rate",
        "initialisation": "torch.nn.Linear's default, seeded by initial_seed = 1000 n1 + seed",
        "data_order": "a new permutation each epoch, the last batch smaller, seeded by seed",
        "command": f"python -m experiments.train --out data --epochs {recipe.epochs} "
        f"--batch-size {recipe.batch_size} --learning-rate {recipe.learning_rate:g}",
        "torch": torch.__version__,
    }
    renewed = {entry["file"] for entry in entries}
    kept = [entry for entry in read_manifest(out)["networks"] if entry["file"] not in renewed]
    write_manifest(out, about, [*kept, *entries])


def _finished(out: Path, recipe: Recipe) -> set[str]:
    """Return the files that are whole and were trained by this recipe."""
    settings = dataclasses.asdict(recipe).items()
    return {
        entry["file"]
        for entry in read_manifest(out)["networks"]
        if settings <= entry.items() and _intact(out / entry["file"], entry)
    }


def _intact(path: Path, entry: Entry) -> bool:
    return path.is_file() and sha256(path.read_bytes()) == entry["sha256"]


class _Progress:
    """Says after each epoch how far the networks of a seed are."""

    def __init__(self, seed: int, epochs: int, count: int) -> None:
        self.seed, self.epochs, self.count = seed, epochs, count
        self.start = time.monotonic()

    def __call__(self, epoch: int, loss: float) -> None:
        _say(
            f"seed {self.seed}: epoch {epoch} of {self.epochs}, mean loss of {self.count} "
            f"networks {loss:.4f}, {time.monotonic() - self.start:.0f} s"
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _prepare(threads: int) -> None:
    """Set what holds for the whole process, hence not inside `train`."""
    try:
        import torch
    except ImportError as error:
        raise NotInstalledError("training", "torch", "torch") from error

    torch.set_num_threads(threads)
    # The moments of units that died decay into denormals, which are many times slower.
    torch.set_flush_denormal(True)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = Recipe(options.epochs, options.batch_size, options.learning_rate)
    for name, value in dataclasses.asdict(recipe).items():
        if not 0 < value < math.inf:  # refuses nan too
            raise OptionError(f"--{name.replace('_', '-')} {value}: it must be positive")
    if options.threads <= 0:
        raise OptionError(f"--threads {options.threads}: it must be positive")
    return recipe


def _first_widths(only: str | None) -> list[int]:
    if only is None:
        return list(range(1, UNITS))
    name, _, text = only.partition("=")
    if name != "n1":
        raise OptionError(f"--only {only!r}: give n1=LIST, for instance n1=5 or n1=6,8-11")
    return numbers(text, 1, UNITS - 1, "--only n1=")


def _parser() -> argparse.ArgumentParser:
    standard = Recipe()
    parser = argparse.ArgumentParser(prog="python -m experiments.train", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--out", type=Path, default=Path("data"), help="data folder [%(default)s]")
    add("--epochs", type=int, default=standard.epochs, help="[%(default)s]")
    add("--batch-size", type=int, default=standard.batch_size, help="[%(default)s]")
    add("--learning-rate", type=float, default=standard.learning_rate, help="[%(default)s]")
    add("--seeds", default=f"0-{SEEDS - 1}", help="a list such as 0-3,7 [%(default)s]")
    add("--only", metavar="n1=LIST", help="these first widths, such as n1=5 or n1=6,8-11 [all]")
    add("--mnist", metavar="DIR", help="folder of the four idx files [see experiments/README.md]")
    add("--threads", type=int, default=1, help="threads of torch [%(default)s]")
    add("--again", action="store_true", help="train also what is there already")
    return parser


if __name__ == "__main__":
    sys.exit(main())
