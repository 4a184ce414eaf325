"""The function itself, piece by piece: over a line, over a plane, and its decision boundary.

``python docs/gallery/function.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import milpcount as mc

# 1/4 above |x| + |y| - 1, or below
CLASSIFIER = mc.Network.from_arrays(
    [[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1], [0, 0, 0, 0]]],
    [[0, 0, 0, 0], [-1, -0.25]],
)


def main(folder: Path) -> None:
    """Write the figures."""
    zigzag = mc.Network.load("example:zigzag.nnet")
    mc.plot(zigzag, mc.Box(0, 6), "function", output=folder / "function-line.svg")
    fold = mc.Network.load("example:folding.onnx")
    mc.plot(fold, mc.Box(0, 1), "function", output=folder / "function-plane.svg")
    mc.plot(CLASSIFIER, mc.Box(-1, 1), "boundary", output=folder / "function-boundary.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
