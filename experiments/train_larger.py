"""Train the larger networks of ``data/larger``: ``python -m experiments.train_larger``.

784-100-100-10 and 784-256-256-256-256-10 on MNIST, for the lower bounds of networks that no exact
method can finish. The recipe is that of `experiments.train`, with fewer epochs: what matters here
is the size.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from experiments.files import pack, sha256, write_atomically
from experiments.mnist import Mnist, load_mnist
from experiments.recipe import Recipe
from milpcount.errors import MilpcountError, NotInstalledError

LARGER = ((784, 100, 100, 10), (784, 256, 256, 256, 256, 10))
RECIPE = Recipe(epochs=5)
MANIFEST = "manifest.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.train_larger", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data/larger"), help="folder")
    parser.add_argument("--mnist", type=Path, default=None, help="folder of the MNIST files")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        mnist = load_mnist(options.mnist)
        entries = [_make(options.out, sizes, options.seed, mnist) for sizes in LARGER]
    except (MilpcountError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_atomically(options.out / MANIFEST, (json.dumps(entries, indent=2) + "\n").encode())
    return 0


def _make(out: Path, sizes: Sequence[int], seed: int, mnist: Mnist) -> dict[str, Any]:
    """Train one network, write it, and return its line of the manifest."""
    arrays = train(sizes, seed, mnist.train_images, mnist.train_labels, RECIPE)
    content = pack(arrays)
    name = "-".join(map(str, sizes))
    write_atomically(out / f"{name}.npz", content)
    error = _error(arrays, mnist.test_images, mnist.test_labels)
    print(f"{name}: test error {100 * error:.2f} %", file=sys.stderr, flush=True)
    return {
        "file": f"{name}.npz",
        "architecture": name,
        "seed": seed,
        "optimiser": "Adam",
        **dataclasses.asdict(RECIPE),
        "test_error": round(error, 6),
        "bytes": len(content),
        "sha256": sha256(content),
    }


def train(
    sizes: Sequence[int], seed: int, images: np.ndarray, labels: np.ndarray, recipe: Recipe
) -> dict[str, np.ndarray]:
    """Train a rectifier network and return its arrays, ``W0, b0, W1, b1, ...``, float32.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden widths, outputs.
    seed : int
        Of the initial weights and of the order of the images.
    images : ndarray of uint8, shape (images, 784)
    labels : ndarray, shape (images,)
    recipe : Recipe

    Raises
    ------
    NotInstalledError
        If torch is missing.
    """
    try:
        import torch
    except ImportError as error:
        raise NotInstalledError("training", "torch", "torch") from error

    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(model.parameters(), recipe.learning_rate)
    x = torch.tensor(images, dtype=torch.float32) / 255
    y = torch.tensor(labels.astype(np.int64))
    for _ in range(recipe.epochs):
        for part in torch.randperm(len(x)).split(recipe.batch_size):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimiser.step()
    arrays = {}
    for i, layer in enumerate(m for m in model if isinstance(m, torch.nn.Linear)):
        arrays[f"W{i}"] = layer.weight.detach().numpy()
        arrays[f"b{i}"] = layer.bias.detach().numpy()
    return arrays


def _error(arrays: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> float:
    h = images / 255
    last = len(arrays) // 2 - 1
    for i in range(last + 1):
        h = h @ arrays[f"W{i}"].T.astype(np.float64) + arrays[f"b{i}"]
        h = h if i == last else np.maximum(h, 0)
    return float((h.argmax(axis=1) != labels).mean())


if __name__ == "__main__":
    sys.exit(main())
