"""Partitions of a plane: by regions, by affine maps, by layers.

``python docs/gallery/partition.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import numpy as np

import milpcount as mc


def network(seed: int, *widths: int) -> mc.Network:
    """Return a random network with the given widths, inputs and outputs included."""
    rng = np.random.default_rng(seed)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    return mc.Network.from_arrays(
        [rng.normal(size=shape) for shape in shapes],
        [0.5 * rng.normal(size=out) for out, _ in shapes],
    )


def main(folder: Path) -> None:
    """Write the figures."""
    fold = mc.partition(mc.Network.load("example:folding.onnx"), mc.Box(0, 1))
    mc.plot(fold, colour="map", output=folder / "partition-folding.svg")
    part = mc.partition(network(3, 2, 8, 8, 1), mc.Box(-3, 3))
    mc.plot(part, colour="region", output=folder / "partition-regions.svg")
    mc.plot(part, colour="layer", output=folder / "partition-layers.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
