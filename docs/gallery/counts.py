"""Counts and bounds: intervals of several methods, theorems beside the count, active units.

``python docs/gallery/counts.py [FOLDER]`` writes the figures.
"""

import sys
from pathlib import Path

import milpcount as mc


def main(folder: Path) -> None:
    """Write the figures."""
    net, box = mc.Network.load("example:mnist-784-4-18.npz"), mc.Box(0, 1)
    result = mc.count(net, box, keep_regions=True)
    results = {
        "region tree": result,
        "tree, stopped at 500": mc.count(net, box, limits=mc.Limits(regions=500)),
        "MBound, dense": mc.count(net, box, mc.MBound("dense", hybrid=200), seed=1),
        "probing, 200 walks": mc.count(net, box, mc.Probing(probes=200), seed=1),
    }
    mc.plot(results, output=folder / "counts-methods.svg")
    mc.plot(mc.bound(net, box), result=result, output=folder / "counts-theorems.svg")
    mc.plot(result, kind="histogram", output=folder / "counts-histogram.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
