"""The units that the MILP can express: scalar activations of any pieces, and maxima.

A scalar unit with breakpoints ``t_0 < t_1 < ..`` is a sum of hinges. With ``g_r = v - t_r =
h_r - hbar_r`` and ``h_r, hbar_r >= 0``, not both positive, and ``above_r`` in {0, 1} where
``v > t_r``, its output is ::

    offset - left * hbar_0 + sum_r (right_r * h_r + jump_r * above_r)

where left is the slope of piece 0 and offset the value at t_0 from the left; right_0 is the slope
of piece 1, and right_r for r > 0 the slope of piece r + 1 less that of piece r; jump_r is by how
much the output rises at t_r, 0 where it is continuous. (On piece r + 1 the slopes telescope, and
the hinge at t_r vanishes where v = t_r, which leaves the jumps.) Serra et al. 2018 have one
breakpoint, right 1, and the rest 0.
"""

from dataclasses import dataclass
from functools import lru_cache

from milpcount.errors import OptionError
from milpcount.network import Activation, Network


@dataclass(frozen=True)
class Hinges:
    """A scalar activation as a sum of hinges; see the module's text.

    Attributes
    ----------
    breakpoints : tuple of float
        Piece k is above the first k of them. There may be none: an affine unit of one piece.
    left : float
    rights, jumps : tuple of float
        One for each breakpoint.
    offset : float
    size : float
        At least the absolute values of all numbers that offset and jumps were computed from.
    constants : tuple of (float or None)
        The value of each piece whose slope is 0, None for the others.
    """

    breakpoints: tuple[float, ...]
    left: float
    rights: tuple[float, ...]
    jumps: tuple[float, ...]
    offset: float
    size: float
    constants: tuple[float | None, ...]

    @property
    def n_pieces(self) -> int:
        """Number of pieces."""
        return len(self.constants)


@lru_cache(maxsize=256)
def hinges(unit: Activation) -> Hinges:
    """Return a scalar activation as a sum of hinges.

    Raises
    ------
    OptionError
        If it has one piece only: it is affine, and no unit of the formulation.
    """
    if unit.n_pieces < 2:
        raise OptionError(
            f"activation {unit.name!r} has one piece: the MILP formulation takes units of two "
            "pieces and more; count this network with the region tree"
        )
    pieces, rights, jumps = unit.pieces, [], []
    offset = size = 0.0
    for r, row in enumerate(unit.rows):
        at, low, high = row.threshold, pieces[r], pieces[r + 1]
        from_left = low.slope * at + low.intercept
        if r == 0:
            offset = from_left
        rights.append(high.slope - low.slope if r else high.slope)
        jumps.append(high.slope * at + high.intercept - from_left)
        size += sum(abs(p.slope * at) + abs(p.intercept) for p in (low, high))
    if len(unit.rows) == 1:
        size = abs(offset)  # bounds have always counted that
    constants = tuple(None if p.slope else p.intercept for p in pieces)
    breakpoints = tuple(row.threshold for row in unit.rows)
    return Hinges(
        breakpoints, pieces[0].slope, tuple(rights), tuple(jumps), offset, size, constants
    )


def can_express(network: Network) -> bool:
    """Return whether the formulation can express all activations of a network."""
    try:
        require_units(network)
    except OptionError:
        return False
    return True


def require_units(network: Network) -> None:
    """Refuse activations that the formulation cannot express.

    Raises
    ------
    OptionError
        If a unit takes several values and is no maximum, or has one piece only.
    """
    for layer in network.layers:
        for group in layer.groups:
            unit = group.activation
            if unit.rank == 1:
                hinges(unit)
            elif not unit.is_maxout:
                raise OptionError(
                    f"activation {unit.name!r} takes {unit.rank} values and is no maximum: the "
                    "MILP formulation takes scalar units and maxima; count this network with the "
                    "region tree"
                )
