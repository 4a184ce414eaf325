"""One hidden layer: hyperplane arrangements whose numbers of regions are known.

Those through the origin have all their regions in any box around it; the boxes of the others are
chosen so that every region meets their interior.
"""

from fractions import Fraction
from itertools import combinations, product
from math import comb, factorial

import numpy as np

from milpcount.domain import Box
from milpcount.errors import OptionError
from milpcount.examples.example import Example, at_least, known, moment_curve, vandermonde
from milpcount.network import Network
from milpcount.types import Array

_THRESHOLD = (4, 14, 104, 1882, 94572, 15028134)
_RESONANCE = (2, 6, 32, 370, 11292, 1066044)


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
    at_least(2, n=n)
    return _differences(n, [0.0])


def braid_arrangement(n: int) -> Example:
    """Return the hyperplanes ``x_i = x_j`` for i < j: n! regions (Stanley 2007).

    A region is an order of the coordinates. A tie is broken towards the later coordinate by every
    unit alike, so there are no more activation patterns than regions.
    """
    network, count = braid(n), factorial(n)
    return Example(
        f"braid arrangement in dimension {n}", network, Box(-1, 1), known(count, count),
        "n!, Stanley 2007",
    )  # fmt: skip


def type_b_arrangement(n: int) -> Example:
    """Return ``x_i = 0`` and ``x_i = +-x_j`` for i < j: 2^n n! regions (Stanley 2007)."""
    at_least(1, n=n)
    eye = np.eye(n)
    pairs = [eye[i] + sign * eye[j] for i, j in combinations(range(n), 2) for sign in (-1, 1)]
    return _central(f"type B arrangement in dimension {n}", [*eye, *pairs], 2**n * factorial(n),
                    "2^n n!, the order of the Weyl group B_n")  # fmt: skip


def threshold_arrangement(n: int) -> Example:
    """Return ``x_0 + sum_{i in S} x_i = 0`` for all subsets S of n indices, in n + 1 dimensions.

    Regions are the Boolean functions of n variables that are linear thresholds: 4, 14, 104, 1882,
    94572, 15028134 for n up to 6 (OEIS A000609).
    """
    rows = [(1, *chosen) for chosen in product((0, 1), repeat=_within(n, _THRESHOLD))]
    return _central(f"threshold functions of {n} variables", rows, _THRESHOLD[n - 1],
                    "OEIS A000609")  # fmt: skip


def resonance_arrangement(n: int) -> Example:
    """Return ``sum_{i in S} x_i = 0`` for all non-empty subsets S of n indices.

    It has 2, 6, 32, 370, 11292, 1066044 regions for n up to 6 (OEIS A034997).
    """
    rows = list(product((0, 1), repeat=_within(n, _RESONANCE)))[1:]
    return _central(f"resonance arrangement in dimension {n}", rows, _RESONANCE[n - 1],
                    "OEIS A034997")  # fmt: skip


def shi_arrangement(n: int) -> Example:
    """Return ``x_i - x_j = 0`` and ``= 1`` for i < j: (n + 1)^(n-1) regions (Shi 1986)."""
    at_least(2, n=n)
    return _deformation("Shi", n, [0.0, 1.0], (n + 1) ** (n - 1), "(n+1)^(n-1), Shi 1986")


def catalan_arrangement(n: int) -> Example:
    """Return ``x_i - x_j = -1, 0, 1`` for i < j: ``n! C_n`` regions, C_n the Catalan number.

    Stanley (2007), Proposition 5.14.
    """
    at_least(2, n=n)
    count = factorial(n) * comb(2 * n, n) // (n + 1)
    return _deformation("Catalan", n, [-1.0, 0.0, 1.0], count, "n! Catalan(n), Stanley 2007")


def general_position(hyperplanes: int, dimension: int) -> Example:
    """Return hyperplanes in general position: ``sum_{j <= d} C(m, j)`` regions (Zaslavsky 1975).

    No m hyperplanes have more. Every vertex lies inside the box, hence every region meets it.

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d.
    """
    at_least(1, hyperplanes=hyperplanes, dimension=dimension)
    network = arrangement(*moment_curve(hyperplanes, dimension))
    count = zaslavsky(hyperplanes, dimension)
    return Example(
        f"{hyperplanes} hyperplanes in general position in dimension {dimension}", network,
        Box(-1, 1), known(count, count), "Zaslavsky 1975",
    )  # fmt: skip


def central_general_position(hyperplanes: int, dimension: int) -> Example:
    """Return hyperplanes through 0, otherwise general: ``2 sum_{j < d} C(m-1, j)`` regions.

    Schläfli (1850); Cover (1965). No layer of m units without biases has more.
    """
    at_least(1, hyperplanes=hyperplanes, dimension=dimension)
    name = f"{hyperplanes} general hyperplanes through 0 in dimension {dimension}"
    return _central(
        name, vandermonde(hyperplanes, dimension), central(hyperplanes, dimension), "Cover 1965"
    )


def whitney(planes: Array) -> int:
    """Return the number of regions of an arrangement, in exact arithmetic.

    Whitney's theorem (Stanley 2007, Theorem 2.4): the sum of ``(-1)^(#B - rank B)`` over the sets
    B of hyperplanes that have a point in common. The time grows with the number of such sets.

    Parameters
    ----------
    planes : array_like, shape (m, d + 1)
        Normals, then the offset.
    """
    rows = [[Fraction(float(v)) for v in row] for row in planes]

    def sets(first: int, basis: list[list[Fraction]], sign: int) -> int:
        total = sign
        for i in range(first, len(rows)):
            rest = _reduced(rows[i], basis)
            if any(rest[:-1]):
                total += sets(i + 1, [*basis, rest], sign)
            elif not rest[-1]:
                total += sets(i + 1, basis, -sign)
        return total

    return sets(0, [], 1)


def _reduced(row: list[Fraction], basis: list[list[Fraction]]) -> list[Fraction]:
    for other in basis:
        pivot = next(k for k, v in enumerate(other) if v)
        if row[pivot]:
            factor = row[pivot] / other[pivot]
            row = [a - factor * b for a, b in zip(row, other, strict=True)]
    return row


def zaslavsky(hyperplanes: int, dimension: int) -> int:
    """Return ``sum_{j <= d} C(m, j)``."""
    return sum(comb(hyperplanes, j) for j in range(dimension + 1))


def central(hyperplanes: int, dimension: int) -> int:
    """Return ``2 sum_{j < d} C(m-1, j)``."""
    return 2 * sum(comb(hyperplanes - 1, j) for j in range(dimension))


def _within(n: int, counts: tuple[int, ...]) -> int:
    at_least(1, n=n)
    if n > len(counts):
        raise OptionError(f"n={n}: the count is given for n up to {len(counts)}")
    return n


def _central(name: str, normals: object, count: int, why: str) -> Example:
    rows: Array = np.array(normals, dtype=float)
    return Example(name, arrangement(rows, np.zeros(len(rows))), Box(-1, 1), known(count), why)


def _differences(n: int, constants: list[float]) -> Network:
    pairs, eye = list(combinations(range(n), 2)), np.eye(n)
    normals = [eye[i] - eye[j] for i, j in pairs for _ in constants]
    return arrangement(normals, [-c for _ in pairs for c in constants])


def _deformation(name: str, n: int, constants: list[float], count: int, why: str) -> Example:
    # Gaps between neighbouring coordinates matter only up to 1, so n - 1 of them fit into the box.
    return Example(
        f"{name} arrangement in dimension {n}", _differences(n, constants), Box(0, n),
        known(count), why,
    )  # fmt: skip
