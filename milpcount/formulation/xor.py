"""Random parities (XORs) over the patterns of a network, the same for every way to enforce them.

A variable is the indicator of one piece of a unit, for every piece but the first: for a unit of
two pieces whether it is active. Units that are stable over the domain have no variables: where they
take part, an XOR is shorter than it looks and cuts less.

For a fixed pattern, an XOR with a uniform right-hand side holds with probability exactly 1/2,
whatever its support, and independently of the other XORs. That is all that a lower bound needs;
long XORs only make it tighter.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from milpcount import caps
from milpcount.domain import InputSet
from milpcount.errors import OptionError
from milpcount.formulation.tighten import pre_activation_bounds
from milpcount.formulation.units import can_express
from milpcount.limits import Deadline
from milpcount.network import Network
from milpcount.preactivation import PreActivationBounds

Term = tuple[int, int]
"""A unit and one of its pieces, from 1."""
Size = int | Literal["dense"]
_STREAM = 0x584F52
"""Keeps these random numbers apart from those of other methods with the same seed."""


@dataclass(frozen=True)
class Xor:
    """The constraint that an odd (or even) number of variables is 1.

    Attributes
    ----------
    terms : tuple of (int, int)
        The variables: distinct pairs of a unit and a piece. With none, the constraint holds
        everywhere (even) or nowhere (odd).
    odd : bool
    """

    terms: tuple[Term, ...]
    odd: bool

    def holds(self, pattern: Sequence[int]) -> bool:
        """Return whether a pattern satisfies it."""
        return sum(pattern[unit] == piece for unit, piece in self.terms) % 2 == self.odd


@dataclass(frozen=True)
class XorFamily:
    """All XORs of an experiment: a function of the seed, the run and the number of the XOR.

    Attributes
    ----------
    variables : tuple of (int, int)
        What the supports are drawn from.
    size : int or "dense"
        Variables per XOR: `size` distinct ones, or all of them where there are fewer; "dense"
        takes each variable with probability 1/2, none at all included.
    seed : int

    Raises
    ------
    OptionError
        If the size is not an integer of at least 1 or "dense".
    """

    variables: tuple[Term, ...]
    size: Size
    seed: int = 0

    def __post_init__(self) -> None:
        check_size(self.size)

    def draw(self, run: int, number: int) -> Xor:
        """Return an XOR; every pair of arguments has its own, independent of the others."""
        key = (_STREAM, run, number)
        random = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
        n = len(self.variables)
        if self.size == "dense":
            chosen = np.flatnonzero(random.integers(0, 2, n))
        else:
            chosen = np.sort(random.choice(n, min(int(self.size), n), replace=False))
        terms = tuple(self.variables[k] for k in chosen)
        return Xor(terms, bool(random.integers(0, 2)))


def check_size(size: object) -> None:
    """Check a size of XORs.

    Raises
    ------
    OptionError
        If it is not an integer of at least 1 or "dense".
    """
    whole = isinstance(size, int) and not isinstance(size, bool)
    if not (size == "dense" or (whole and cast("int", size) >= 1)):
        raise OptionError(
            f"xor_size={reprlib.repr(size)}: give the number of units in an XOR, an integer of at "
            "least 1 (2 to 5 are usual), or 'dense' for each unit with probability 1/2"
        )
    if isinstance(size, int):
        caps.XOR_SIZE.check(size, "xor_size", OptionError)


def all_variables(network: Network) -> tuple[Term, ...]:
    """Return the variables of all units."""
    pieces = [n for layer in network.layers for n in layer.n_pieces.tolist()]
    return tuple((unit, piece) for unit, n in enumerate(pieces) for piece in range(1, n))


def unstable_variables(
    network: Network, inputs: InputSet, level: str, deadline: Deadline
) -> tuple[Term, ...]:
    """Return the variables of the units that are not stable over the domain.

    Stable means on all of the closed domain, faces included, so that this holds for activation
    patterns as for regions: a unit that is zero on a face and positive elsewhere is not stable.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    level : {"interval", "lp", "milp"}
        How pre-activations are bounded.
    deadline : Deadline

    Returns
    -------
    tuple of (int, int)
        Of all units where no bounds can be had: where the MILP cannot express a unit, and on
        unbounded domains.
    """
    if not (inputs.is_boxed and can_express(network)):
        return all_variables(network)
    return from_bounds(network, pre_activation_bounds(network, inputs, level, deadline))


def from_bounds(network: Network, bounds: PreActivationBounds) -> tuple[Term, ...]:
    """Return the variables of the units that bounds leave open."""
    settled = np.concatenate([np.zeros(0, dtype=np.int64), *bounds.settled(network)])
    return tuple((unit, piece) for unit, piece in all_variables(network) if settled[unit] < 0)
