"""Regions of hyperplane arrangements: one hidden layer of rectifiers."""

from math import comb

from milpcount.bounds.binomials import power_sum
from milpcount.partitions.partition import Partition


def zaslavsky_regions(hyperplanes: int, dimension: int) -> int:
    r"""Return the largest number of regions of an arrangement.

    Zaslavsky (1975): m hyperplanes in general position cut d-dimensional space into
    ``sum_{j=0}^{d} C(m, j)`` regions, and no m hyperplanes cut it into more.

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d.
    """
    return power_sum(hyperplanes, dimension)


def zaslavsky_bounded(hyperplanes: int, dimension: int) -> int:
    """Return the largest number of bounded regions, ``C(m-1, d)`` (Zaslavsky 1975).

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d, at least 1.
    """
    return comb(hyperplanes - 1, dimension) if hyperplanes else 0


def zaslavsky_unbounded(hyperplanes: int, dimension: int) -> int:
    """Return the number of unbounded regions of hyperplanes in general position.

    The regions that are not bounded: ``sum_{j=0}^{d} C(m, j) - C(m-1, d)``.

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d, at least 1.
    """
    return zaslavsky_regions(hyperplanes, dimension) - zaslavsky_bounded(hyperplanes, dimension)


def hu_zhang_lemma_2(hyperplanes: int, dimension: int) -> int:
    """Return the number of unbounded regions, ``2 sum_{j=0}^{d-1} C(m-1, j)``.

    Hu and Zhang (2018), Lemma 2. Two of its proof's lines are misprinted: the last line of (39)
    has C(m+1, n) for C(m, n), and the inner binomial of (40) must be C(m, n) too. The formula
    itself is right for m >= 1.

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d, at least 1.
    """
    if hyperplanes == 0:
        return 1
    return 2 * sum(comb(hyperplanes - 1, j) for j in range(min(dimension, hyperplanes)))


def central_regions(hyperplanes: int, dimension: int) -> int:
    """Return the largest number of regions of hyperplanes through one point.

    Schläfli's ``2 sum_{j=0}^{d-1} C(m-1, j)``: the regions of a layer without biases.

    Parameters
    ----------
    hyperplanes : int
        m.
    dimension : int
        d, at least 1.
    """
    return hu_zhang_lemma_2(hyperplanes, dimension)


def pooling_regions(windows: int, size: int) -> int:
    """Return ``k^n``: the regions of maxima over n windows of k inputs that do not overlap.

    The windows read different inputs, so that every choice of maximisers is met, in a region of
    its own: a network of one such layer has exactly so many, on every domain that is a product of
    intervals of one length around one point, as a cube or all of space.

    Parameters
    ----------
    windows : int
        n.
    size : int
        k.
    """
    return int(size**windows)


def unbounded_by_active(partition: Partition) -> list[int]:
    """Return the unbounded regions of a partition by their number of active units.

    Hu and Zhang (2018), Lemma 3: for hyperplanes in general position the unbounded regions come in
    antipodal pairs, whose patterns are complementary, so that as many have j active units as have
    m - j. Far out, an unbounded region is a cone of the arrangement of the normals, and x and -x
    lie on opposite sides of each. That needs cones with an interior: of m parallel
    hyperplanes the strips between are unbounded and their own antipodes, and two of opposite
    orientation have 0, 2 and 1 regions with 0, 1 and 2 active units.

    Parameters
    ----------
    partition : Partition
        Of all of space.

    Returns
    -------
    list of int
        For 0, .., m active units.
    """
    units = partition.active_units[~partition.bounded]
    found = [0] * (partition.network.n_units + 1)
    for active in units.tolist():
        found[active] += 1
    return found
