"""A process that counts networks by name, with the package in a folder: see `against`.

It reads a line of JSON, a name and the most regions, and answers with regions and the processor
seconds of the search, until its input ends. It runs with the package of earlier commits, too.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

MNIST = Path(__file__).resolve().parents[2] / "data" / "mnist22"


def named(name: str) -> tuple[Any, Any]:
    """Return a network and its box: ``trained 784-8-14``, or widths of a random one."""
    import milpcount as mc

    if name.startswith("trained "):
        return mc.Network.load(MNIST / name.split()[1] / "seed0.npz"), mc.Box(0, 1)
    n_inputs, *widths = map(int, name.split("-"))
    random, weights, biases, before = np.random.default_rng(0), [], [], n_inputs
    for width in widths:
        weights.append(random.normal(0.0, np.sqrt(2.0 / before), (width, before)))
        biases.append(random.normal(0.0, 0.1, width))
        before = width
    box = mc.Box(0, 1) if n_inputs == 784 else mc.Box(-1, 1)
    return mc.Network.from_arrays(weights, biases, output=False), box


def main(folder: str) -> None:
    """Answer until the input ends."""
    sys.path.insert(0, folder)
    import milpcount as mc

    if Path(folder).resolve() not in Path(mc.__file__).resolve().parents:
        raise SystemExit(f"{mc.__file__} is not in {folder}")
    known: dict[str, tuple[Any, Any]] = {}
    for line in sys.stdin:
        name, most = json.loads(line)
        if name not in known:
            known[name] = named(name)
        began = time.process_time()
        result = mc.count(*known[name], limits=mc.Limits(regions=most))
        print(json.dumps([int(result.lower), time.process_time() - began]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
