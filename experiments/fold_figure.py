"""The graph of h_j, figure 6 of Nakahara et al.: ``python -m experiments.fold_figure``.

A layer of p rectifiers folds [0, 1] onto itself p times; d such layers do so p^d times. Any network
of one input is drawn so: ``milpcount plot function NET --box 0 1 -o graph.png``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from milpcount import Box
from milpcount.cli.group import COMPLETE, USAGE, complain
from milpcount.errors import InputError
from milpcount.examples import folding
from milpcount.plots import function, style

OUT = Path(__file__).resolve().parent / "results" / "figures" / "fold.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folds", type=int, default=3, help="p")
    parser.add_argument("--depth", type=int, default=1, help="d")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    try:
        figure = function.draw(folding(options.folds, 1, options.depth), Box(0, 1))
        style.save(figure, options.out)
    except InputError as error:
        complain(str(error))
        return USAGE
    print(options.out)
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
