"""Lines and planes through large networks: ``python -m experiments.large_sections NAME``.

Random networks (He weights, small biases) as PyTorch modules, counted as they are: the residual
network of convolutions has 112,896 units, the VGG-like one of 11 layers about 300,000.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

import milpcount as mc


class Residual(nn.Module):
    """A residual network on images of 28 x 28: a stem, blocks of two convolutions, a head."""

    def __init__(self, channels: int = 16, blocks: int = 4, down: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1, stride=down)
        self.first = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks)
        )
        self.second = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks)
        )
        self.head = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ten logits."""
        h = torch.relu(self.stem(x))
        for first, second in zip(self.first, self.second, strict=True):
            h = torch.relu(h + second(torch.relu(first(h))))
        return self.head(h.mean(dim=(2, 3)))


def vgg() -> nn.Module:
    """Return eight convolutions and three dense layers on colour images of 32 x 32."""
    layers: list[nn.Module] = []
    before = 3
    for channels in (192, "M", 192, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
        if channels == "M":
            layers.append(nn.AvgPool2d(2))
            continue
        assert isinstance(channels, int)
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
        before = channels
    head = [nn.Linear(before, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def initialised(module: nn.Module, seed: int) -> nn.Module:
    """Set He weights and small biases."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            fan_in = part.weight[0].numel()
            with torch.no_grad():
                part.weight.copy_(
                    torch.randn(part.weight.shape, generator=generator) * (2 / fan_in) ** 0.5
                )
                part.bias.copy_(torch.randn(part.bias.shape, generator=generator) * 0.05)
    return module.eval()


def images(shape: Sequence[int], count: int, seed: int) -> np.ndarray:
    """Return smooth random images in [0, 1]: neighbouring pixels are alike, as in photographs."""
    random = np.random.default_rng(seed)
    small = torch.from_numpy(random.random((count, shape[0], 7, 7)))
    large = nn.functional.interpolate(small, size=tuple(shape[1:]), mode="bicubic")
    return large.clamp(0, 1).numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one count and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["residual-segment", "residual-plane", "vgg-segment"])
    parser.add_argument("--reach", type=float, default=1.0, help="length of segment or window")
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--memory", type=float, default=2.0, help="GiB for the walk")
    options = parser.parse_args(arguments)
    if options.name.startswith("residual"):
        module, shape = initialised(Residual(), 0), (1, 28, 28)
    else:
        module, shape = initialised(vgg(), 0), (3, 32, 32)
    a, b, c = images(shape, 3, 1)
    domain: Any
    if options.name.endswith("segment"):
        domain = mc.Segment(a, a + options.reach * (b - a))
    else:
        domain = mc.Plane(a, b - a, c - a, mc.Box(0, options.reach))
    began = time.perf_counter()
    result = mc.count(
        module,
        domain,
        mc.SectionWalk(memory=int(options.memory * 2**30)),
        limits=mc.Limits(seconds=options.seconds),
    )
    line = {
        "name": options.name,
        "reach": options.reach,
        "units": result.details["units"],
        "lower": str(result.lower),
        "upper": str(result.upper) if result.upper < 10**30 else "naive",
        "uncertain": result.uncertain,
        "status": result.status.name,
        "guarantee": result.guarantee.name,
        "corners": result.details["corners"],
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
