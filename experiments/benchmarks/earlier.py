"""Seconds of counts by the package in another folder: an earlier commit's work tree.

``python earlier.py FOLDER NETWORKS [PART]`` prints a line of JSON for every network of few inputs:
its name, the least processor seconds, the regions.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

_LEAST_SECONDS = 1.0
_MOST_INPUTS = 6


def main(folder: str, networks: str, part: str = "") -> None:
    """Count every network for at least a second."""
    sys.path[0] = folder  # in the place of this file's own folder
    import milpcount as mc

    if Path(folder).resolve() not in Path(mc.__file__).resolve().parents:
        raise SystemExit(f"{mc.__file__} is not in {folder}")
    for file in sorted(Path(networks).glob("*.npz")):
        with np.load(file) as arrays:
            layers = sum(key.startswith("W") for key in arrays.files) - 1
            weights = [arrays[f"W{i}"] for i in range(layers)]
            biases = [arrays[f"b{i}"] for i in range(layers)]
            low, high = arrays["lo"], arrays["hi"]
        if low.size <= _MOST_INPUTS and part in file.stem:
            network = mc.Network.from_arrays(weights, biases, output=False)
            print(json.dumps([file.stem, *_least(mc, network, mc.Box(low, high))]), flush=True)


def _least(mc: Any, network: Any, box: Any) -> tuple[float, int]:
    mc.count(network, box, limits=mc.Limits(regions=1))  # what is compiled takes no part
    least, spent, regions = np.inf, 0.0, 0
    while spent < _LEAST_SECONDS:
        began = time.process_time()
        regions = int(mc.count(network, box).lower)
        took = time.process_time() - began
        least, spent = min(least, took), spent + took
    return float(least), regions


if __name__ == "__main__":
    main(*sys.argv[1:])
