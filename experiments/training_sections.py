"""Lines and planes over a training: ``python -m experiments.training_sections --out DIR``.

A convolutional residual network (8 channels of 14 x 14, two blocks; 7,840 units) and a dense one
(784-64-64-10) learn MNIST. On the way they are counted, as they are, on the segments between three
test images and in a window of the plane through these. Written are ``training_sections.csv`` and,
below ``figures``, one of the counts beside loss and accuracy for each network, one of its plane at
four steps, and an animation of the dense one's plane. The notebook ``training_notebook.py`` does
the same step by step.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import milpcount as mc
from experiments.large_sections import Residual
from experiments.mnist import load_mnist
from milpcount.plots import section, style, training

STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 100, 150, 200, 300, 400)
DRAWN = (0, 32, 100, 400)
"""Steps whose planes are drawn."""
BATCH = 64


def networks() -> dict[str, nn.Module]:
    """Return the two networks, untrained; both take images of 1 x 28 x 28."""
    torch.manual_seed(0)
    dense = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    return {"dense": dense, "residual": Residual(8, 2, down=2)}


def domains(images: np.ndarray, window: float) -> dict[str, Any]:
    """Return the segments between three images, and a window of the plane through them."""
    a, b, c = images
    plane = mc.Plane.through(a.ravel(), b.ravel(), c.ravel())
    return {
        "line 1-2": mc.Segment(a, b),
        "line 2-3": mc.Segment(b, c),
        "line 3-1": mc.Segment(c, a),
        "plane": mc.Plane(
            a, np.reshape(plane.u, a.shape), np.reshape(plane.v, a.shape), mc.Box(0, window)
        ),
    }


def train(
    name: str,
    model: nn.Module,
    given: dict[str, Any],
    data: Any,
    steps: Sequence[int] = STEPS,
    drawn: Sequence[int] = DRAWN,
) -> tuple[Any, list[Any]]:
    """Train a network; return the table of its counts, and its plane's cells at the steps drawn."""
    images, labels, test_images, test_labels = data
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    order = torch.Generator().manual_seed(1)
    tracker, frames, began = mc.Tracker(given), [], time.monotonic()
    for step in range(max(steps) + 1):
        if step in steps:
            with torch.no_grad():
                logits = model.eval()(test_images)
                loss = nn.functional.cross_entropy(logits, test_labels).item()
                right = (logits.argmax(dim=1) == test_labels).double().mean().item()
            tracker(step, model, loss=loss, accuracy=right)
            if step in drawn:
                frames.append((f"step {step}", section.cells_of(model, given["plane"])))
            counts = [str(row["lower"]) for row in tracker.rows[-len(given) :]]
            print(
                f"{name}, step {step}: {', '.join(counts)}; accuracy {right:.3f}, "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
        if step == max(steps):
            break
        chosen = torch.randint(len(images), (BATCH,), generator=order)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model.train()(images[chosen]), labels[chosen]).backward()
        optimiser.step()
    return tracker.frame().assign(network=name), frames


def plane_figure(frames: Sequence[Any], drawn: Sequence[int] = DRAWN) -> Any:
    """Return the figure of a network's plane over its training, with the images in it marked."""
    chosen = [frame for frame in frames if int(frame[0].split()[1]) in drawn]
    images = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    return section.panels(chosen, images, ["1", "2", "3"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train both networks, and write the table and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    parser.add_argument("--mnist", metavar="DIR", help="folder of the four idx files")
    parser.add_argument("--window", type=float, default=0.1, help="side of the residual's plane")
    options = parser.parse_args(arguments)
    data = digits(options.mnist)
    tables, figures = [], options.out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for name, model in networks().items():
        is_dense = name == "dense"
        given = domains(three_of(data), 1.0 if is_dense else options.window)
        table, frames = train(name, model, given, data, drawn=STEPS if is_dense else DRAWN)
        tables.append(table)
        style.save(training.draw(table), figures / f"training_{name}.png")
        style.save(plane_figure(frames), figures / f"plane_{name}.png")
        if is_dense:
            section.animate(frames, figures / "plane_dense.gif", per_second=2)
    import pandas

    table = pandas.concat(tables)
    table.to_csv(options.out / "training_sections.csv", index=False, float_format="%.6g")
    return 0


def digits(folder: str | None = None) -> tuple[torch.Tensor, ...]:
    """Return MNIST's training images and labels, and 2,000 test images with theirs."""
    mnist = load_mnist(folder)
    return (
        _images(mnist.train_images),
        torch.as_tensor(np.array(mnist.train_labels)).long(),
        _images(mnist.test_images[:2000]),
        torch.as_tensor(np.array(mnist.test_labels[:2000])).long(),
    )


def three_of(data: tuple[torch.Tensor, ...]) -> np.ndarray:
    """Return the first three test images."""
    return np.asarray(data[2][:3].double().numpy())


def _images(pixels: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.array(pixels)).float().reshape(-1, 1, 28, 28) / 255


if __name__ == "__main__":
    sys.exit(main())
