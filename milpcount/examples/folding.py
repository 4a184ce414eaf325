"""Layers that fold the unit cube onto itself: every layer multiplies the number of regions."""

from math import comb

import numpy as np

from milpcount.domain import Box
from milpcount.examples.arrangements import zaslavsky
from milpcount.examples.example import Example, Fold, at_least, chain, known, moment_curve
from milpcount.network import Network


def tent(depth: int) -> Network:
    """Return Telgarsky's tent map composed `depth` times: 2^depth regions on [0, 1]."""
    at_least(1, depth=depth)
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
        At least 1; with 1 nothing is folded.
    n_inputs : int
    depth : int
        Hidden layers, each of ``folds * n_inputs`` units.
    """
    at_least(1, folds=folds, n_inputs=n_inputs, depth=depth)
    return chain([_fold(folds, n_inputs)] * depth)


def telgarsky_2015(depth: int) -> Example:
    """Return the tent map composed with itself: 2^depth regions on [0, 1] (Telgarsky 2015).

    With two units in each layer. Activation regions, linear regions and affine pieces are the
    same; there are more activation patterns, see `patterns_of_folding`.
    """
    network, count = tent(depth), 2**depth
    counts = known(count, patterns_of_folding(2, depth), count, count)
    return Example(f"tent, folded {depth} times", network, Box(0, 1), counts, "Telgarsky 2015")


def montufar_2014(n_inputs: int, folds: int, depth: int, last: int = 0) -> Example:
    """Return a network that attains the lower bound of Montúfar et al. (2014), Theorem 5.

    `depth` layers of ``p n_0`` units, p the number of folds, fold [0, 1]^n_0 onto itself
    ``p^(n_0 depth)`` times. So many are its activation regions, linear regions and affine pieces
    on the unit cube, with the folded point as output. A last layer of m hyperplanes in general
    position, whose vertices lie in the cube, is met in every fold:
    ``p^(n_0 depth) sum_{j <= n_0} C(m, j)`` activation regions.

    Parameters
    ----------
    n_inputs : int
        n_0.
    folds : int
        p.
    depth : int
        Layers that fold.
    last : int
        m; without it the network ends with an affine output.

    Notes
    -----
    Beyond the cube there is more: for n_0 = 1 all of the line has ``p^depth + 1`` regions if p is
    odd or depth is 1, else ``p^depth + 2``. Patterns are more than regions too, see
    `patterns_of_folding`.
    """
    at_least(0, last=last)
    network = folding(folds, n_inputs, depth)
    count = folds ** (n_inputs * depth)
    name, why = f"{folds} folds of {n_inputs} coordinates by {depth} layers", "Montúfar 2014"
    if not last:
        patterns = patterns_of_folding(folds, depth) ** n_inputs
        return Example(name, network, Box(0, 1), known(count, patterns, count, count), why)
    normals, offsets = moment_curve(last, n_inputs)
    centred = (normals, offsets - normals.sum(axis=1) / 2)
    network = chain([_fold(folds, n_inputs)] * depth, centred)
    counts = known(count * zaslavsky(last, n_inputs))
    return Example(f"{name}, then {last} hyperplanes", network, Box(0, 1), counts, why)


def nakahara_ternary(n_inputs: int, width: int, layers: int) -> Example:
    """Return the network of Nakahara, Kobayashi and Matsushima, weights and biases in {-1, 0, 1}.

    Slopes and offsets are sums of copies: layers alternate between one that copies (the folded
    point, and the constant 1) and one that folds ``q = floor(n / (2 (n_0 + 1)))`` times, n the
    width. The last of the L layers is the affine output, the sum of the folded coordinates. On
    [0, 1]^n_0 it has, with ``N = q^((L' - 1) / 2)`` and L' the largest odd number up to L,

    * ``N^n_0`` activation regions, which is the paper's bound, and as many linear regions;
    * fewer affine pieces if n_0 > 1 and N > 2, since regions that do not touch share maps;
    * more activation patterns, see `patterns_of_folding`.

    Parameters
    ----------
    n_inputs : int
        n_0.
    width : int
        n, at least ``2 (n_0 + 1)``; units that are left over are identically zero.
    layers : int
        L, at least 3, the output layer included; an even one is used like the one below.
    """
    at_least(1, n_inputs=n_inputs)
    at_least(3, layers=layers)
    at_least(2 * (n_inputs + 1), width=width)
    folds, depth = width // (2 * (n_inputs + 1)), (layers - 1) // 2
    pair = _copies(folds, n_inputs, width), _ternary_fold(folds, n_inputs, width)
    # A fold reads copies and a copying layer reads folds, so no affine map lies between them.
    weights, biases = [pair[0][0][:, :n_inputs]], [pair[0][1]]
    spread = np.kron(np.eye(n_inputs), (-1.0) ** np.arange(folds))
    read = np.zeros((n_inputs, width))
    read[:, : folds * n_inputs] = spread
    for layer in range(1, 2 * depth):
        weight, bias = pair[layer % 2]
        weights.append(weight if layer % 2 else weight[:, :n_inputs] @ read)
        biases.append(bias)
    network = Network.from_arrays([*weights, read.sum(axis=0)[None]], [*biases, np.zeros(1)])
    cells, patterns = folds**depth, patterns_of_folding(folds, depth) ** n_inputs
    counts = known(cells**n_inputs, patterns, cells**n_inputs, _sums_of_folds(cells, n_inputs))
    name = f"ternary network of {n_inputs} inputs, {layers} layers of width {width}"
    return Example(name, network, Box(0, 1), counts, "Nakahara et al.")


def patterns_of_folding(folds: int, depth: int) -> int:
    """Return the number of activation patterns of a folding network on [0, 1].

    The first unit of a layer has no bias. Where a folded coordinate is exactly 0 it switches off,
    and all later layers with it, at single points: these patterns have no region. With p folds and
    ``e_0 = 1``, layer l reaches 1 in ``e_l`` patterns and comes back to 0 in ``z_l``:

    * p even: ``e_l = p^l / 2``, ``z_l = (p/2 - 1) p^(l-1) + e_(l-1)``;
    * p odd: ``e_l = (p-1)/2 p^(l-1) + e_(l-1)``, ``z_l = (p-1)/2 p^(l-1)``.

    The number is ``p^L + 1 + z_1 + .. + z_(L-1)``; of n_0 coordinates, its n_0-th power.

    Parameters
    ----------
    folds : int
        p.
    depth : int
        L.
    """
    total: int = folds**depth + 1
    one = 1
    for layer in range(1, depth):
        inner = folds ** (layer - 1)
        if folds % 2:
            total += (folds - 1) // 2 * inner
            one += (folds - 1) // 2 * inner
        else:
            total += (folds // 2 - 1) * inner + one
            one = folds // 2 * inner
    return total


def _fold(folds: int, n_inputs: int) -> Fold:
    slopes = np.array([1.0] + [2.0] * (folds - 1)) * folds
    signs = np.array([[(-1.0) ** i for i in range(folds)]])
    each = np.eye(n_inputs)
    offset = np.tile([-2.0 * i for i in range(folds)], n_inputs)
    return Fold(np.kron(each, slopes[:, None]), offset, np.kron(each, signs), np.zeros(n_inputs))


def _copies(folds: int, n_inputs: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer of 2q copies of every coordinate, then 2q ones, then zeros."""
    weight, bias = np.zeros((width, n_inputs)), np.zeros(width)
    copied = 2 * folds * n_inputs
    weight[:copied] = np.kron(np.eye(n_inputs), np.ones((2 * folds, 1)))
    bias[copied : copied + 2 * folds] = 1.0
    return weight, bias


def _ternary_fold(folds: int, n_inputs: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer of ``2 q x_j - 2 i`` (``q x_j`` for i = 0) as sums of copies and ones."""
    weight, ones = np.zeros((width, width)), 2 * folds * n_inputs
    for j in range(n_inputs):
        for i in range(folds):
            row, first = weight[j * folds + i], 2 * folds * j
            row[first : first + (2 * folds if i else folds)] = 1.0
            row[ones : ones + 2 * i] = -1.0
    return weight, np.zeros(width)


def _sums_of_folds(cells: int, n_inputs: int) -> int:
    """Return the number of affine maps of ``sum_j T(x_j)``, T a zigzag of N pieces.

    The signs of the slopes, and the sum of the even intercepts, tell the maps apart.
    """
    rising, falling = (cells + 1) // 2, cells // 2
    return sum(
        comb(n_inputs, o) * (1 + (n_inputs - o) * (rising - 1) + o * (falling - 1))
        for o in range(n_inputs + 1 if falling else 1)
    )
