"""What the best convolutional network of an architecture reaches: Xiong et al. (ICML 2020), beyond.

None of these is a lower bound for a given network. Symbols as in `milpcount.bounds.convolutional`.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from milpcount.bounds.convolutional import is_attained, xiong_theorem_2
from milpcount.bounds.layers import Convolution


def xiong_theorem_5_lower(layers: Sequence[Convolution]) -> int | None:
    """Return ``R_{N'} prod_{l<L} floor(d_l / d_0)^{n_l^(1) n_l^(2) d_0}``, for d_l >= d_0.

    Xiong et al. (2020), Theorem 5, first part: a lower bound on the best rectifier network. N' is
    the last layer alone, with an input of d_0 channels.

    Parameters
    ----------
    layers : sequence of Convolution

    Returns
    -------
    int or None
        None where a layer has fewer than d_0 channels, or `xiong_theorem_2` gives none or is
        not attained.
    """
    single = _last(layers, 1)
    if single is None:
        return None
    d0 = layers[0].channels_in
    folds = prod((c.channels_out // d0) ** (prod(c.space_out) * d0) for c in layers[:-1])
    return single * int(folds)


def piecewise_lower(
    layers: Sequence[Convolution], breakpoints: Sequence[int], rectifiers: Sequence[bool]
) -> int | None:
    r"""Return ``R_{N'}(p_L) prod_{l<L} (p_l floor(d_l / d_0) + 1)^{n_l^(1) n_l^(2) d_0}``.

    A lower bound on the best network whose units in layer l are one function with p_l breakpoints,
    chosen for the layer; for d_l >= d_0. It is derived here: the text of the multi-layer theorem
    of Xiong et al. (2024) on piecewise linear units was not at hand. N' is the last layer alone,
    with an input of d_0 channels, and R_{N'}(p) is `xiong_theorem_2` with p breakpoints. For a
    layer of rectifiers, which are not chosen, the factor is `pieces_of_folds`.

    *Proof.* Let t = floor(d_l / d_0) and p = p_l. (1) *One coordinate.* There is a function f with
    p breakpoints at 1, .., p and t units of it whose weighted sum on a line is a zigzag of p t + 1
    pieces: it maps each of [0, 1], [1, 2], .., [p t, p t + 1] onto [0, 1], with slopes 1, -1, ..
    Let the slopes of f alternate between a and a - 2. A unit ``f(z - k p)`` has its breakpoints at
    k p + 1, .., k p + p and changes the slope by -2, 2, -2, .. Their sum, with the sign (-1)^(k p)
    for unit k, changes it by -2, 2, .. all along, from s, the sum of the slopes on the far left.
    For p even every unit has slope a there, s = t a, and a = 1/t makes s = 1. For p odd the signs
    alternate; the units of odd k are taken reversed, ``f(-(z - k p) + p + 1)``, with slope
    2 - a on the far left and the same changes: s = a - (2 - a) + a - .., which is 1 for
    a = 1 + 1/t if t is even, and for a = 1 if t is odd.
    (2) *One layer.* A filter of layer l that reads one pixel in one of its d_0 folded channels, at
    the first place of its field, makes a unit of (1); t filters for each channel fold that channel
    at every position, by the same weights everywhere: filters are shared. The positions read
    different pixels, so that the n_l d_0 folded values are functions of different coordinates. The
    map of layer l, folded values to folded values, therefore cuts the cube [0, 1]^{..} into
    (p t + 1)^{n_l d_0} boxes and maps each onto the cube of the layer. The sums are written into
    the filters of the layer above, as combinations of channels, and its biases.
    (3) *Composition.* Each box of layers 1, .., l is mapped onto the whole cube, and is cut by
    layer l + 1 into as many boxes as the cube: the numbers multiply. (4) *The last layer* is an
    arrangement with R_{N'}(p_L) regions, by `xiong_theorem_2` where it is attained. Shrunk towards
    the centre of the cube, by the biases, all its regions meet the cube's inside, and so every
    box. Different boxes have different patterns, since f has another piece.

    It counts activation regions; the network is `milpcount.examples.piecewise_convolutions`.
    Of rectifiers alone it is at least `xiong_theorem_5_lower`.

    Parameters
    ----------
    layers : sequence of Convolution
    breakpoints : sequence of int
        p_l of each layer.
    rectifiers : sequence of bool
        Whether the units of a layer are rectifiers.

    Returns
    -------
    int or None
        None where a layer has fewer than d_0 channels, or `xiong_theorem_2` gives none or is
        not attained.
    """
    single = _last(layers, breakpoints[-1])
    if single is None:
        return None
    d0 = layers[0].channels_in
    folding = zip(layers[:-1], breakpoints, rectifiers, strict=False)
    folds = prod(
        pieces_of_folds(c.channels_out // d0, p, is_rectifier=r) ** (prod(c.space_out) * d0)
        for c, p, r in folding
    )
    return single * int(folds)


def pieces_of_folds(units: int, breakpoints: int, *, is_rectifier: bool) -> int:
    """Return how many times some units fold an interval onto itself.

    Units of one function that is chosen for them: ``p t + 1`` times, see `piecewise_lower`.
    Rectifiers: t + 1 times for t >= 3, by the zigzag of Serra et al. (2018), Theorem 7; two
    rectifiers do so twice, as in Montúfar et al. (2014), and one does not.

    Parameters
    ----------
    units : int
        t.
    breakpoints : int
        p.
    is_rectifier : bool
    """
    if is_rectifier:
        return units + 1 if units >= 3 else units
    return breakpoints * units + 1


def _last(layers: Sequence[Convolution], breakpoints: int) -> int | None:
    """Return R_{N'}: the number of the last layer alone, where it reads the input's channels."""
    *folding, last = layers
    d0 = layers[0].channels_in
    if any(c.channels_out < d0 for c in folding):
        return None
    alone = replace(last, channels_in=d0)
    return xiong_theorem_2(alone, breakpoints) if is_attained(alone) else None
