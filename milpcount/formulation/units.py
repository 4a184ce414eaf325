"""The units that the MILP can express: scalar activations of two pieces.

With ``g = v - breakpoint = h - hbar`` and ``h, hbar >= 0``, not both positive, the output is
``offset + right * h - left * hbar + jump * z`` (Serra et al. 2018 have right 1 and the rest 0).
"""

from dataclasses import dataclass

from milpcount.errors import OptionError
from milpcount.network import Layer, Network
from milpcount.network.chains import require_chain


@dataclass(frozen=True)
class TwoPiece:
    """A scalar activation of two pieces.

    Attributes
    ----------
    breakpoint : float
        The unit is active where its pre-activation is above it.
    left, right : float
        Slopes of piece 0 (inactive) and piece 1 (active).
    offset : float
        Output at the breakpoint, from the left.
    jump : float
        By how much the output rises at the breakpoint; 0 where it is continuous.
    """

    breakpoint: float
    left: float
    right: float
    offset: float
    jump: float


def two_piece(layer: Layer) -> TwoPiece:
    """Return a layer's activation in the form the MILP uses.

    Raises
    ------
    OptionError
        If the activation has more than two pieces or takes more than one value.
    """
    unit = layer.activation
    if unit.rank != 1 or unit.n_pieces != 2:
        raise OptionError(
            f"activation {unit.name!r} has {unit.n_pieces} pieces of {unit.rank} value(s): the "
            "MILP formulation takes activations of two pieces, such as relu and leaky_relu; "
            "count this network with the region tree"
        )
    at = unit.rows[0].threshold
    low, high = unit.pieces
    offset = low.slope * at + low.intercept
    jump = high.slope * at + high.intercept - offset
    return TwoPiece(at, low.slope, high.slope, offset, jump)


def two_pieces(network: Network) -> tuple[TwoPiece, ...]:
    """Return `two_piece` of every hidden layer.

    Raises
    ------
    NetworkError
        If the network is no chain.
    OptionError
        If an activation has more than two pieces or takes more than one value.
    """
    require_chain(network, "the MILP formulation")
    return tuple(two_piece(layer) for layer in network.layers)
