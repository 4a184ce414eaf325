"""What a theorem is: its direction, its subject, what it bounds, and where it was printed.

A theorem speaks of a subject, and its direction means nothing without it: a lower bound on the
best network of an architecture says nothing about the network at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from milpcount.bounds.layers import Architecture
from milpcount.network import Network
from milpcount.network.chains import require_chain
from milpcount.preactivation import PreActivationBounds
from milpcount.result import Quantity

Value = int | Fraction | float


class Direction(Enum):
    """On which side of the quantity a theorem's value lies."""

    UPPER = "upper bound"
    LOWER = "lower bound"
    EXACT = "exact maximum"
    """Attained by the best network, and so an upper bound for every network."""
    EXPECTED = "expected value"
    """The expectation over random networks, or a bound on it, as the theorem's note says."""
    ORDER = "order of growth"
    """Up to a factor that the theorem does not name: no bound on any one network."""


class Subject(Enum):
    """Which networks a theorem speaks of."""

    EVERY = "every network of the architecture"
    BEST = "the best network of the architecture"
    THIS = "this network on this domain"
    RANDOM = "random networks of the architecture"


class Other(Enum):
    """What theorems bound besides the quantities that can be counted."""

    LIVE_REGIONS = "regions with an active unit in every layer"
    UNBOUNDED_REGIONS = "unbounded regions"
    BOUNDED_REGIONS = "bounded regions"
    BOUNDARY_VOLUME = "volume of the region boundaries"
    DECISION_PIECES = "linear pieces of the decision boundary"

    @property
    def title(self) -> str:
        """The name for people."""
        return self.value


@dataclass(frozen=True, eq=False)
class Case:
    """What a theorem is applied to.

    Attributes
    ----------
    architecture : Architecture
    dimension : int
        Of the domain; the number of inputs unless the domain is a section.
    network : Network or None
        A chain: theorems say nothing of graphs.
    ranges : PreActivationBounds or None
        On the whole domain.
    volume : Fraction or None
        Of the domain where it is a box of full dimension.
    has_unit_cube : bool
        Whether the domain includes [0, 1]^n.

    Raises
    ------
    NetworkError
        If the network is no chain.
    """

    architecture: Architecture
    dimension: int
    network: Network | None = None
    ranges: PreActivationBounds | None = None
    volume: Fraction | None = None
    has_unit_cube: bool = True

    def __post_init__(self) -> None:
        if self.network is not None:
            require_chain(self.network, "each theorem")

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.architecture.widths

    @property
    def cuts(self) -> tuple[int, ...]:
        """Of each layer, one less than the pieces of a unit."""
        return tuple(layer.cuts for layer in self.architecture.layers)


@dataclass(frozen=True, eq=False)
class Theorem:
    """One row of the registry.

    Attributes
    ----------
    key : str
        Short name, e.g. ``serra2018``; unique.
    title : str
        Authors, year and number, for people.
    family : str
        The file it is in.
    direction : Direction
    subject : Subject
    quantity : Quantity or Other
        What it bounds.
    applies : str
        When it applies, in words.
    citation : str
        Key of the paper in `milpcount.citations`.
    value : callable
        Takes a `Case`; None where the theorem does not apply to it.
    note : str
        Misprints, corrections, and what of it is derived rather than printed.
    """

    key: str
    title: str
    family: str
    direction: Direction
    subject: Subject
    quantity: Quantity | Other
    applies: str
    citation: str
    value: Callable[[Case], Value | None]
    note: str = ""


_FEWEST_FIRST = (
    Quantity.AFFINE_PIECES,
    Quantity.LINEAR_REGIONS,
    Quantity.ACTIVATION_REGIONS,
    Quantity.ACTIVATION_PATTERNS,
)
BOUNDED = (*_FEWEST_FIRST[::-1], Quantity.GRID_PATTERNS)
"""The quantities that theorems of the registry bound from above."""


def at_most(one: Quantity | Other, other: Quantity | Other) -> bool:
    """Return whether the first quantity never exceeds the second, on any network."""
    if one is other:
        return True
    if one is Quantity.GRID_PATTERNS:  # of inputs that are integers: fewer inputs, fewer patterns
        return other is Quantity.ACTIVATION_PATTERNS
    if one not in _FEWEST_FIRST or other not in _FEWEST_FIRST:
        return False
    return _FEWEST_FIRST.index(one) <= _FEWEST_FIRST.index(other)


@dataclass(frozen=True)
class Bound:
    """A theorem's value in one case."""

    theorem: Theorem
    value: Value

    def is_upper(self, quantity: Quantity) -> bool:
        """Whether the quantity of the subject at hand cannot exceed the value."""
        row = self.theorem
        return row.direction in (Direction.UPPER, Direction.EXACT) and at_most(
            quantity, row.quantity
        )

    def is_best_lower(self, quantity: Quantity) -> bool:
        """Whether the quantity of the best network of the architecture reaches the value."""
        row = self.theorem
        return row.direction in (Direction.LOWER, Direction.EXACT) and at_most(
            row.quantity, quantity
        )

    def is_expected(self, quantity: Quantity) -> bool:
        """Whether it is an expectation of the quantity, or of one that is no smaller."""
        return self.theorem.direction is Direction.EXPECTED and at_most(
            quantity, self.theorem.quantity
        )
