"""How the networks of ``data/`` are trained, and how good they are; needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """How networks are trained; everything but the seed and the images.

    The loss is cross-entropy on pixels / 255; Adam has its default moments (0.9, 0.999) and
    epsilon (1e-8); no weight decay, no schedule, no dropout, no early stopping.
    """

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3


def initial_seed(n1: int, seed: int) -> int:
    """Return the seed of the initial weights, different for each width and each seed.

    With one seed for all widths, narrower networks would start as a part of wider ones.
    """
    return 1000 * n1 + seed


def evaluate(
    arrays: Sequence[np.ndarray], images: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    """Return the mean cross-entropy and the error rate of a network, in float64.

    It reads the arrays as saved and shares no code with the training, so that it would catch a
    mistake in the padding.
    """
    w0, b0, w1, b1, w2, b2 = (np.asarray(a, dtype=np.float64) for a in arrays)
    losses, wrong = 0.0, 0
    for start in range(0, len(images), 5000):  # bounds the memory of the float64 pixels
        x, y = images[start : start + 5000] / 255, labels[start : start + 5000]
        h = np.maximum(x @ w0.T + b0, 0)
        z = np.maximum(h @ w1.T + b1, 0) @ w2.T + b2
        z -= z.max(axis=1, keepdims=True)
        losses += float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).sum())
        wrong += int((z.argmax(axis=1) != y).sum())
    return losses / len(images), wrong / len(images)
