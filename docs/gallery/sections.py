"""Sections: a line and a plane through three inputs of a network with 784.

``python docs/gallery/sections.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import numpy as np

import milpcount as mc


def main(folder: Path) -> None:
    """Write the figures."""
    net = mc.Network.load("example:mnist-784-4-18.npz")
    a, b, c = np.random.default_rng(0).random((3, 784))
    mc.plot(net, mc.Segment(a, b), "section", output=folder / "sections-line.svg")
    plane = mc.Plane.through(a, b, c, mc.Box(-2, 3))
    mc.plot(
        net, plane, "section", points=[(0, 0), (1, 0), (0, 1)], labels=["a", "b", "c"],
        output=folder / "sections-plane.svg",
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
