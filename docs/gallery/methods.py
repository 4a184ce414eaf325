"""Which method when, as a chart.

``python docs/gallery/methods.py [FOLDER]`` writes it.
"""

import sys
from pathlib import Path

from matplotlib.patches import FancyBboxPatch

from milpcount.plots import style

QUESTIONS = (
    ("Only an architecture,\nno weights?", 'mc.bound("784-11-11-10")', "every theorem"),
    ("A line, a plane, a polyline\nthrough a network of any size?", "SectionWalk", "the default"),
    ("A solver's answer, as in\nthe papers, to compare with?", "SolutionPool, MBound", "by MILP"),
    ("Nothing but rational\narithmetic to be trusted?", "ExactTree", "small networks"),
    ("Fewer than some\n10⁸ regions?", "RegionTree", "the default: exact, certified"),
    ("Some certain bounds,\nboth ends?", "RegionTree + Limits", "stopped: lower and upper end"),
    ("Both ends, close, with\na confidence?", "Approximate", "strata or XORs"),
    ("A lower bound with\na confidence?", "Probing, MBound", "10³² regions and more"),
)


def box(axes, x, y, width, height, text, face):
    """Draw a box with text in it."""
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height,
            boxstyle="round,pad=0.02", facecolor=face, edgecolor=style.BLACK, linewidth=0.8,
        )
    )  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def main(folder: Path) -> None:
    """Write the chart."""
    figure, axes = style.figure(size=(6.4, 8.6))
    axes.set_axis_off()
    axes.set(xlim=(0, 6.4), ylim=(0.4, len(QUESTIONS) + 0.6))
    arrow = {"arrowstyle": "-|>", "color": style.BLACK, "shrinkA": 0, "shrinkB": 0}
    for row, (question, method, remark) in enumerate(QUESTIONS):
        y = len(QUESTIONS) - row
        box(axes, 1.6, y, 2.7, 0.56, question, "#DCEBF5")
        box(axes, 5.0, y, 2.5, 0.56, f"{method}\n{remark}", "#E3F2E6")
        axes.annotate("", (3.73, y), (2.97, y), arrowprops=arrow)
        axes.text(3.33, y + 0.06, "yes", ha="center", va="bottom", fontsize=9)
        if row + 1 < len(QUESTIONS):
            axes.annotate("", (1.6, y - 0.7), (1.6, y - 0.3), arrowprops=arrow)
            axes.text(1.68, y - 0.5, "no", va="center", fontsize=9)
    style.save(figure, folder / "methods-chart.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
