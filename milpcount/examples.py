"""Networks whose counts are known by proof: for the self-test, for tests, for a first try."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from milpcount.domain import Box, Domain, Unbounded
from milpcount.network import Network
from milpcount.result import Quantity

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Example:
    """A network, a domain, and what is known of their counts.

    Attributes
    ----------
    name : str
    network : Network
    domain : Domain
    known : mapping of Quantity to int
    why : str
        Where the numbers come from.
    """

    name: str
    network: Network
    domain: Domain
    known: Mapping[Quantity, int]
    why: str


def arrangement(normals: object, offsets: object) -> Network:
    """Return one hidden layer without output: the hyperplanes ``normals @ x + offsets = 0``.

    Parameters
    ----------
    normals : array_like, shape (units, n_inputs)
    offsets : array_like, shape (units,)
    """
    return Network.from_arrays([normals], [offsets], output=False)


def braid(n: int) -> Network:
    """Return the braid arrangement ``x_i = x_j`` in n dimensions; it has n! regions."""
    pairs = list(combinations(range(n), 2))
    normals = np.zeros((len(pairs), n))
    for row, (i, j) in enumerate(pairs):
        normals[row, i], normals[row, j] = 1.0, -1.0
    return arrangement(normals, np.zeros(len(pairs)))


def tent(depth: int) -> Network:
    """Return Telgarsky's tent map composed `depth` times: 2^depth regions on [0, 1]."""
    first, later, offset = [[1.0], [2.0]], [[2.0, -2.0], [4.0, -4.0]], [0.0, -1.0]
    weights = [first, *[later] * (depth - 1), [[2.0, -2.0]]]
    return Network.from_arrays(weights, [*[offset] * depth, [0.0]])


def folding(folds: int, n_inputs: int, depth: int) -> Network:
    """Return the network of Montúfar et al. that folds every coordinate.

    Each layer maps [0, 1]^n_inputs onto itself `folds` times along every coordinate, so that the
    unit cube falls into ``folds ** (n_inputs * depth)`` regions.

    Parameters
    ----------
    folds : int
        At least 2.
    n_inputs : int
    depth : int
        Hidden layers, each of ``folds * n_inputs`` units.
    """
    slopes = np.array([1.0] + [2.0] * (folds - 1)) * folds
    signs = np.array([[(-1.0) ** i for i in range(folds)]])
    each = np.eye(n_inputs)
    first = np.kron(each, slopes[:, None])
    read = np.kron(each, signs)
    offset = np.tile([-2.0 * i for i in range(folds)], n_inputs)
    weights = [first, *[first @ read] * (depth - 1), read]
    return Network.from_arrays(weights, [*[offset] * depth, np.zeros(n_inputs)])


def zigzag(depth: int) -> Network:
    """Return a network 1-3-..-3 that attains the upper bound: 4^depth regions on [0, 6]."""
    read = np.array([[-12.0, 9.0, -6.0]])
    first = np.array([[1.0], [1.0], [-1.0]])
    offset, shift = np.array([-1.0, -2.0, 4.0]), 24.0
    weights = [first, *[first @ read] * (depth - 1), read]
    biases = [offset, *[first[:, 0] * shift + offset] * (depth - 1), np.array([shift])]
    return Network.from_arrays(weights, biases)


def nested_minimum() -> Network:
    """Return ``max(-y, min(0, -x))``, on which all definitions of a region disagree."""
    hidden = [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    fold, output = [[1.0, -1.0, 1.0], [1.0, 0.0, 0.0]], [[1.0, -1.0]]
    return Network.from_arrays([hidden, fold, output], [np.zeros(3), np.zeros(2), np.zeros(1)])


def _known(regions: int, patterns: int, linear: int = 0, pieces: int = 0) -> dict[Quantity, int]:
    known = {Quantity.ACTIVATION_REGIONS: regions, Quantity.ACTIVATION_PATTERNS: patterns}
    if linear:
        known[Quantity.LINEAR_REGIONS] = linear
    if pieces:
        known[Quantity.AFFINE_PIECES] = pieces
    return known


def library() -> list[Example]:
    """Return small examples, those on which methods go wrong among them."""
    one, cube = Box(-1, 1), Box(0, 1)
    lines = arrangement([[1, 0], [0, 1], [1, 1], [1, -2], [3, 1]], [0, -1, -3, 3, 5])
    copies = arrangement([[1, 0], [2, 0], [-1, 0], [0, 1], [0, -3], [1, 1]], [-1, -2, 1, 0, 0, -3])
    constant = arrangement([[0, 0], [0, 0], [0, 0], [1, 0], [0, 1]], [1, 0, -1, 0, 0])
    return [
        Example("one rectifier", arrangement([[1]], [0]), one, _known(2, 2, 2, 2), "by inspection"),
        Example(
            "x and -x", arrangement([[1], [-1]], [0, 0]), one, _known(2, 3, 2, 2),
            "both units are inactive at 0 only",
        ),
        Example("copies of units", copies, Box(-4, 4), _known(7, 14), "three lines, six units"),
        Example("constant units", constant, one, _known(4, 4), "one of them is exactly zero"),
        Example("five lines", lines, Unbounded(), _known(16, 16), "Zaslavsky 1975"),
        Example("braid arrangement", braid(4), one, _known(24, 24), "4!, Stanley 2007"),
        Example("tent, folded 3 times", tent(3), cube, _known(8, 11, 8, 8), "Telgarsky 2015"),
        Example("folding of a square", folding(2, 2, 2), cube, _known(16, 36), "Montúfar 2014"),
        Example("zigzag 1-3-3", zigzag(2), Box(0, 6), _known(16, 16), "Serra et al. 2018"),
        Example("nested minimum", nested_minimum(), one, _known(5, 7, 3, 3), "Stargalla 2025"),
    ]  # fmt: skip
