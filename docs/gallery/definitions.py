"""What a region is: one function, counted by six definitions.

The function of the plane is ``|x| + |y| - |x + y|``, a ridge across one quadrant, and a unit that
the output does not read. ``python docs/gallery/definitions.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.collections import PolyCollection

import milpcount as mc
from milpcount.exact.polygons import polygons
from milpcount.plots import style

ROWS = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, 1], [1, 1], [1, 1], [1, -1]]
OUTPUT = [1, 1, 1, 1, -1, -1, 4, -8, 4, 0]  # the last unit changes nothing
BIASES = [0, 0, 0, 0, 0, 0, -1.25, -1.5, -1.75, -0.5]
NETWORK = mc.Network.from_arrays([ROWS, [OUTPUT]], [BIASES, [0]])
THREE = mc.Network.from_arrays(
    [[[1, 0], [0, 1], [1, 1]], [[1, 1, 1]]], [[-0.25, -0.25, 0], [0]]
)  # a corner of the square in which no unit is active
SQUARE = mc.Box(-1, 1)


def draw(part, labels: np.ndarray, title: str, faded: np.ndarray | None = None):
    """Return the partition with a colour for each label and its number in each polygon."""
    figure, axes = style.figure(size=(4.2, 4.4))
    patterns = [part.pattern(i) for i in range(len(part))]
    shapes = [np.array(p, dtype=float) for p in polygons(part.network, part.inputs, patterns)]
    hues = np.array([0.15 + 0.7 * ((0.618 * k) % 1) for k in labels])
    from matplotlib import colormaps

    colours = colormaps["turbo"](hues) * 0.55 + 0.45
    if faded is not None:
        colours[faded] = 0.9
    axes.add_collection(
        PolyCollection(shapes, facecolors=colours, edgecolors="#555555", linewidths=0.4)
    )
    for i, label in enumerate(labels):
        if faded is None or not faded[i]:
            axes.text(*part.ball(i)[0], str(label + 1), ha="center", va="center", fontsize=7)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="x", ylabel="y")
    axes.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    axes.set_title(title, fontsize=10)
    return figure, axes


def main(folder: Path) -> None:
    """Write a figure for each definition."""
    part = mc.partition(NETWORK, SQUARE)
    for name in "activation_regions", "linear_regions", "closed_linear_regions", "affine_pieces":
        labels = part.labels(name)
        title = f"{labels.max() + 1} {name.replace('_', ' ')}"
        figure, _ = draw(part, labels, title)
        style.save(figure, folder / f"definitions-{name.replace('_', '-')}.svg")

    patterns = mc.count(NETWORK, SQUARE, quantity="activation_patterns").lower
    title = f"{patterns} activation patterns, {len(part)} of them regions"
    figure, axes = draw(part, np.arange(len(part)), title)
    for (a, b), c in zip(ROWS[:1] + ROWS[2:3] + ROWS[4:5], (0, 0, 0), strict=True):
        ends = np.array([[-b, a], [b, -a]]) * 2.0 + c
        axes.plot(*ends.T, color=style.VERMILION, linewidth=2.5)
    axes.plot(0, 0, "o", color="black", markersize=6)
    style.save(figure, folder / "definitions-activation-patterns.svg")

    small = mc.partition(THREE, SQUARE)
    dead = ~small.patterns.any(axis=1)
    live = np.cumsum(~dead) - 1
    figure, _ = draw(small, live, f"{int((~dead).sum())} live regions of {len(small)}", dead)
    style.save(figure, folder / "definitions-live-regions.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
