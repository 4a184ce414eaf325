"""A training: regions on a square and on its diagonal beside the loss, and the square's partition.

``python docs/gallery/training.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import torch
from torch import nn

import milpcount as mc


def main(folder: Path) -> None:
    """Write the figures."""
    torch.manual_seed(0)
    x = torch.rand(256, 2) * 2 - 1
    y = (x.norm(dim=1, keepdim=True) < 0.6).float()
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    domains = {"square": mc.Box(-1, 1), "diagonal": mc.Segment([-1, -1], [1, 1])}
    tracker = mc.Tracker(domains, input_shape=(2,))
    for step in range(201):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        if step % 25 == 0:
            tracker(step, model, loss=loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    mc.plot(tracker.frame(), beside=["loss"], output=folder / "training-counts.svg")
    part = mc.partition(mc.Network.from_torch(model, (2,)), mc.Box(-1, 1))
    mc.plot(part, kind="boundary", output=folder / "training-boundary.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
