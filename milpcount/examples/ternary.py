"""From integer weights to ternary ones: the same function, with copies in place of factors.

Nakahara, Kobayashi and Matsushima (2025), figures 3 and 4: a unit that is copied |w| times and read
with weights sign(w) is the unit times w, and a bias b is |b| copies of the constant 1, which is
``max(0, 0 x + 1)``. So every affine map is preceded by a layer that copies what it reads, unless it
is ternary already.
"""

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network import Affine, Network
from milpcount.network.chains import require_chain
from milpcount.types import Array

_LARGEST = 2**24
"""Numbers in a matrix: more copies than that are not made."""


def to_ternary(network: Network, *, signed: bool = False) -> Network:
    """Return a network with weights and biases in {-1, 0, 1} that computes the same function.

    Parameters
    ----------
    network : Network
        A chain of rectifiers whose weights and biases are integers.
    signed : bool
        By default the function is the same where no input is negative, as on [0, 1]^n. With
        `signed` it is the same everywhere: an input that has to be copied is then written as
        ``max(0, x) - max(0, -x)``.

    Returns
    -------
    Network
        At most twice as deep: 2 L + 1 hidden layers for L and an output.

    Raises
    ------
    NetworkError
        If the network is no chain of rectifiers, a number is no integer, or there are too many
        copies.

    Notes
    -----
    A copy of a unit's output h is ``max(0, h) = h``, since h >= 0. It is active where the unit is,
    so that activation regions and activation patterns are those of the network; so are linear
    regions and affine pieces, as those of the same function. This holds for copies of inputs but
    where they are 0: there the copies are inactive, which makes patterns on faces of the domain
    and, with `signed`, boundaries ``x_j = 0`` between regions.
    """
    require_chain(network, "the conversion to ternary weights")
    for number, layer in enumerate(network.layers, start=1):
        if not layer.activation.is_relu:
            raise NetworkError(
                f"layer {number} has units {layer.activation.name}: only rectifiers are converted"
            )
    maps = [_integers(affine, k) for k, affine in enumerate(network.maps, start=1)]
    weights, biases = list[Array](), list[Array]()
    for number, (weight, bias) in enumerate(maps):
        if max(abs(weight).max(initial=0), abs(bias).max(initial=0)) > 1:
            copies, (weight, bias) = _copied(weight, bias, halves=signed and number == 0)
            weights.append(copies[0])
            biases.append(copies[1])
        weights.append(weight)
        biases.append(bias)
    return Network.from_arrays(weights, biases, output=network.output is not None)


def _integers(affine: Affine, number: int) -> tuple[Array, Array]:
    """Return the weights and biases of a map.

    Raises
    ------
    NetworkError
        If they are no integers.
    """
    weight, bias = affine.weight, affine.bias
    for what, values in (("weight", weight), ("bias", bias)):
        wrong = values[values != np.rint(values)]
        if wrong.size:
            raise NetworkError(
                f"a {what} of affine map {number} is {wrong.flat[0]!r}: only integers are sums of "
                "ternary numbers; multiply the network by a common denominator first"
            )
    return np.asarray(weight), np.asarray(bias)


def _copied(
    weight: Array, bias: Array, *, halves: bool
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return a layer of copies, and the ternary map that reads them.

    Parameters
    ----------
    weight, bias : ndarray
        Of integers.
    halves : bool
        Whether what is copied may be negative: its negative part is then copied, too.
    """
    n_out, n_in = weight.shape
    most = [int(n) for n in abs(weight).max(axis=0, initial=0)]
    ones = int(abs(bias).max(initial=0))
    signs = (1.0, -1.0) if halves else (1.0,)
    width = sum(most) * len(signs) + ones
    if width * max(n_in, n_out) > _LARGEST:
        raise NetworkError(
            f"{width:,} copies are needed, too many: give a network with smaller integers"
        )
    copies, reads, at = np.zeros((width, n_in)), np.zeros((n_out, width)), 0
    for sign in signs:
        for j, number in enumerate(most):
            copies[at : at + number, j] = sign
            used = np.arange(number) < abs(weight[:, j, None])
            reads[:, at : at + number] = sign * np.sign(weight[:, j, None]) * used
            at += number
    constant = np.zeros(width)
    constant[at:] = 1.0
    reads[:, at:] = np.sign(bias[:, None]) * (np.arange(ones) < abs(bias[:, None]))
    return (copies, constant), (reads, np.zeros(n_out))
