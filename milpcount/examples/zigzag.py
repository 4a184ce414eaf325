"""Layers that attain the upper bound on a line: n units cut it into n + 1 pieces, all of use.

A unit that is active on the right of its breakpoint and one that is active on the left change the
slope alike, but the units fix one slope between them: a map of n + 1 pieces that run alternately
up and down between 0 and 1 exists if and only if n >= 3. Here every unit but the third is active
on the right, and the third and fourth of the pieces, of lengths 1, 1, 2, 2, 1, 1, .., are twice as
long as the others.
"""

from collections.abc import Sequence
from math import comb, prod

import numpy as np

from milpcount.domain import Box, Unbounded
from milpcount.errors import OptionError
from milpcount.examples.arrangements import central, zaslavsky
from milpcount.examples.example import (
    Example,
    Fold,
    at_least,
    chain,
    each_at_least,
    known,
    moment_curve,
    vandermonde,
)
from milpcount.network import Network

_LEFT = 2
"""The unit that is active on the left of its breakpoint."""


def zigzag(depth: int) -> Network:
    """Return a network 1-3-..-3 that attains the upper bound: 4^depth regions on [0, 6]."""
    at_least(1, depth=depth)
    read = np.array([[-12.0, 9.0, -6.0]])
    first = np.array([[1.0], [1.0], [-1.0]])
    offset, shift = np.array([-1.0, -2.0, 4.0]), 24.0
    weights = [first, *[first @ read] * (depth - 1), read]
    biases = [offset, *[first[:, 0] * shift + offset] * (depth - 1), np.array([shift])]
    return Network.from_arrays(weights, biases)


def serra_2018_line(widths: Sequence[int]) -> Example:
    """Return a network of one input that attains the upper bound, ``prod_l (n_l + 1)``.

    Serra, Tjandraatmadja and Ramalingam (ICML 2018), Theorem 7: this is the maximum if all layers
    have at least 3 units. It is attained on [0, 1] and on all of the line alike, by activation
    regions, activation patterns, linear regions and affine pieces.

    Parameters
    ----------
    widths : sequence of int
        n_l, at least 3: with two units the bound is not attained (1-2-2 has at most 7 regions,
        not 9).
    """
    each_at_least(3, widths=widths)
    count = prod(n + 1 for n in widths)
    name = f"the most that 1-{'-'.join(map(str, widths))} can have"
    counts = known(count, count, count, count)
    network = chain([_zigzag([n]) for n in widths])
    return Example(name, network, Box(0, 1), counts, "Serra et al. 2018, Theorem 7")


def serra_2018(n_inputs: int, widths: Sequence[int]) -> Example:
    """Return a network that attains the lower bound of Serra et al. (ICML 2018), Theorem 8.

    Every layer but the last shares its units out among the coordinates, coordinate j gets
    ``n_lj >= 3`` and is cut into ``n_lj + 1`` pieces; the last is an arrangement in general
    position that meets every one of them. On the unit cube it has
    ``prod_{l < L} prod_j (n_lj + 1) sum_{j <= n_0} C(n_L, j)`` activation regions, the theorem's
    number if n_0 divides the widths and more than it if not.

    Parameters
    ----------
    n_inputs : int
        n_0.
    widths : sequence of int
        n_l, at least ``3 n_0`` but for the last.
    """
    at_least(1, n_inputs=n_inputs)
    each_at_least(1, widths=widths)
    if min(widths[:-1], default=3 * n_inputs) < 3 * n_inputs:
        raise OptionError(
            f"widths={list(widths)}: for {n_inputs} inputs, give at least {3 * n_inputs} units in "
            "every layer but the last, three for each input"
        )
    shares = [_shares(n, n_inputs) for n in widths[:-1]]
    normals, offsets = moment_curve(widths[-1], n_inputs)
    last = (normals, offsets - normals.sum(axis=1) / 2)
    network = (
        chain([_zigzag(share) for share in shares], last)
        if shares
        else Network.from_arrays(last[:1], last[1:], output=False)
    )
    count = prod(n + 1 for share in shares for n in share) * zaslavsky(widths[-1], n_inputs)
    name = f"zigzags {network.architecture}"
    return Example(name, network, Box(0, 1), known(count), "Serra et al. 2018, Theorem 8")


def arora_2018(n_inputs: int, generators: int, widths: Sequence[int] = ()) -> Example:
    """Return the support function of a zonotope, folded along a line (Arora et al. 2018).

    The first layer's 2m units make ``z = sum_i |a_i x|``, linear on the ``2 sum_{j < n_0}
    C(m-1, j)`` cones of a central arrangement; the layers above cut the half-line z > 0 into
    ``prod_l (n_l + 1)`` pieces. On all of space the number of activation regions, linear regions
    and affine pieces is the product: the lower bound of Serra et al. (ICML 2018), Theorem 9,
    ``2 sum_{j < n_0} C(m-1, j) (w + 1)^(L-1)``, where Arora et al. have ``w^(L-1)``.

    Activation patterns are more: where an ``a_i x`` is 0, both its units are off. Every face of
    the central arrangement, not only the cones, has patterns of its own.

    Parameters
    ----------
    n_inputs : int
        n_0.
    generators : int
        m.
    widths : sequence of int
        Of the layers above the first; at least 3, since two units cannot cut an interval into
        three pieces that all reach from end to end.
    """
    at_least(1, n_inputs=n_inputs, generators=generators)
    if widths:
        each_at_least(3, widths=widths)
    normals = vandermonde(generators, n_inputs)
    cone = Fold(
        np.vstack([normals, -normals]), np.zeros(2 * generators),
        np.ones((1, 2 * generators)), np.zeros(1),
    )  # fmt: skip
    network = chain([cone, *(_zigzag([n]) for n in widths)])
    pieces = prod(n + 1 for n in widths)
    count = central(generators, n_inputs) * pieces
    patterns = 1 + pieces * _faces(generators, n_inputs)
    counts = known(count, patterns, count, count)
    name = f"zonotope {network.architecture}"
    return Example(name, network, Unbounded(), counts, "Arora et al. 2018")


def _faces(hyperplanes: int, dimension: int) -> int:
    """Return the faces of all dimensions of a general central arrangement, the least left out.

    A face that lies in j of the hyperplanes is a cone of the others' arrangement in there.
    """
    return sum(
        comb(hyperplanes, j) * central(hyperplanes - j, dimension - j)
        for j in range(min(hyperplanes, dimension))
    )


def _shares(units: int, parts: int) -> list[int]:
    return [units // parts + (j < units % parts) for j in range(parts)]


def _zigzag(units: Sequence[int]) -> Fold:
    """Return the layer that maps ``[0, 1]^d`` onto itself, coordinate j in ``units[j] + 1`` pieces.

    Half-integers throughout, so that nothing is rounded.
    """
    d, n = len(units), sum(units)
    fold = Fold(np.zeros((n, d)), np.zeros(n), np.zeros((d, n)), np.full(d, 4.0))
    first = 0
    for j, count in enumerate(units):
        mine = slice(first, first + count)
        lengths = np.array([1.0, 1.0, 2.0, 2.0] + [1.0] * (count - 3))
        slopes = (-1.0) ** np.arange(count + 1) / lengths
        facing = np.where(np.arange(count) == _LEFT, -1.0, 1.0)
        fold.inner[mine, j] = facing * lengths.sum()
        fold.offset[mine] = -facing * np.cumsum(lengths)[:-1]
        fold.read[j, mine] = np.diff(slopes)
        first += count
    return fold
