"""Many small networks of two hidden layers, trained side by side.

A network of 22 units is far too small to keep a processor busy. So the first layers are one
matrix product, and the later layers, padded to the widest, are batched products. The networks
share nothing but the order of the images: the loss is the sum of their losses and the optimiser
works element by element, so each takes the steps that it would take alone, up to rounding.

The padding starts at zero and stays there: a padded unit has pre-activation 0, where the
rectifier's derivative is 0, and a weight that reads a padded unit multiplies a 0.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from experiments.recipe import Recipe, initial_seed

Progress = Callable[[int, float], None]


def initial_weights(sizes: Sequence[int], seed: int) -> list[torch.Tensor]:
    """Return weights and biases as ``torch.nn.Linear`` draws them, layer by layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [torch.nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)]
    return [p.detach() for layer in layers for p in (layer.weight, layer.bias)]


class SideBySide(torch.nn.Module):
    """Networks of the same inputs and outputs and two hidden layers each.

    Parameters
    ----------
    networks : sequence of list of Tensor
        W0, b0, W1, b1, W2, b2 of each.
    """

    def __init__(self, networks: Sequence[list[torch.Tensor]]) -> None:
        super().__init__()
        self.widths = [(len(net[0]), len(net[2])) for net in networks]
        most1, most2 = (max(column) for column in zip(*self.widths, strict=True))
        parts = list(zip(*networks, strict=True))
        self.w0 = torch.nn.Parameter(torch.cat(parts[0]))
        self.b0 = torch.nn.Parameter(torch.cat(parts[1]))
        n_out = len(parts[4][0])
        self.w1 = _padded(parts[2], (most2, most1))
        self.b1 = _padded([b[None] for b in parts[3]], (1, most2))
        self.w2 = _padded(parts[4], (n_out, most2))
        self.b2 = _padded([b[None] for b in parts[5]], (1, n_out))
        self.register_buffer("places", self._places(most1))

    def _places(self, most1: int) -> torch.Tensor:
        """Return which unit of the joint first layer each padded unit is; the last is a zero."""
        total = sum(n1 for n1, _ in self.widths)
        places = torch.full((len(self.widths), most1), total)
        start = 0
        for row, (n1, _) in zip(places, self.widths, strict=True):
            row[:n1] = torch.arange(start, start + n1)
            start += n1
        return places.flatten()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs, shape (networks, batch, n_out), at x of shape (batch, n_in)."""
        h = functional.linear(x, self.w0, self.b0).relu()
        h = functional.pad(h, (0, 1)).index_select(1, self.places)
        h = h.view(len(x), len(self.widths), -1).transpose(0, 1)
        h = torch.baddbmm(self.b1, h, self.w1.transpose(1, 2)).relu()
        return torch.baddbmm(self.b2, h, self.w2.transpose(1, 2))

    def arrays(self) -> list[list[np.ndarray]]:
        """Return W0, b0, W1, b1, W2, b2 of each network, without the padding."""
        found, start = [], 0
        for i, (n1, n2) in enumerate(self.widths):
            rows = slice(start, start + n1)
            parts = (
                self.w0[rows],
                self.b0[rows],
                self.w1[i, :n2, :n1],
                self.b1[i, 0, :n2],
                self.w2[i, :, :n2],
                self.b2[i, 0],
            )
            found.append([np.ascontiguousarray(p.detach().numpy()) for p in parts])
            start += n1
        return found


def _padded(matrices: Sequence[torch.Tensor], shape: tuple[int, int]) -> torch.nn.Parameter:
    stacked = torch.zeros(len(matrices), *shape)
    for slot, matrix in zip(stacked, matrices, strict=True):
        slot[: matrix.shape[0], : matrix.shape[1]] = matrix
    return torch.nn.Parameter(stacked)


def train(
    widths: Sequence[tuple[int, int]],
    seed: int,
    images: np.ndarray,
    labels: np.ndarray,
    recipe: Recipe,
    progress: Progress | None = None,
) -> list[list[np.ndarray]]:
    """Train one network of each pair of widths and return their arrays.

    The seed fixes the initial weights (with the width, see `initial_seed`) and the order of the
    images. A network comes out the same whatever it is trained beside, up to rounding.

    Parameters
    ----------
    widths : sequence of (int, int)
        The hidden layers of each network.
    seed : int
        From 0 to 999.
    images : ndarray of uint8, shape (n, n_inputs)
    labels : ndarray of int64, shape (n,)
        From 0 to 9.
    recipe : Recipe
    progress : callable, optional
        Called after each epoch with its number, from 1, and the mean loss during it.

    Returns
    -------
    list of list of ndarray
        W0, b0, W1, b1, W2, b2 of each network, float32.
    """
    sizes = [(images.shape[1], n1, n2, 10) for n1, n2 in widths]
    model = SideBySide([initial_weights(s, initial_seed(s[1], seed)) for s in sizes])
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    order = torch.Generator().manual_seed(seed)
    pixels, target = torch.from_numpy(images.copy()), torch.from_numpy(labels)
    for epoch in range(1, recipe.epochs + 1):
        loss = torch.zeros(())
        for batch in torch.randperm(len(pixels), generator=order).split(recipe.batch_size):
            loss += len(batch) * _step(model, optimiser, pixels[batch], target[batch])
        if progress is not None:
            progress(epoch, loss.item() / len(pixels) / len(widths))
    return model.arrays()


def _step(
    model: SideBySide, optimiser: Any, pixels: torch.Tensor, target: torch.Tensor
) -> torch.Tensor:
    """Take one step of every network; return the sum of their mean losses."""
    outputs = model(pixels.float().div_(255))
    many = target.expand(len(outputs), -1).flatten()
    # The sum over all, divided by the batch, is the sum of each network's mean loss.
    loss = functional.cross_entropy(outputs.flatten(0, 1), many, reduction="sum") / len(pixels)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()
