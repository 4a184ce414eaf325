"""What a theorem is: its direction, its subject, what it bounds, and where it was printed.

A theorem speaks of a subject, and its direction means nothing without it: a lower bound on the
best network of an architecture says nothing about the network at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from milpcount.bounds.case import Case
from milpcount.bounds.costs import closed_form
from milpcount.quantities import SOME_REGIONS, Quantity

Value = int | Fraction | float


class Direction(Enum):
    """On which side of the quantity a theorem's value lies."""

    UPPER = "upper bound"
    LOWER = "lower bound"
    EXACT = "exact number"
    """Attained by the subject: by the best network, and then an upper bound for every network, or
    by this one."""
    EXPECTED = "expected value"
    """The expectation over random networks, or a bound on it, as the theorem's note says."""
    ORDER = "order of growth"
    """Up to a factor that the theorem does not name: no bound on any one network."""


class Scope(Enum):
    """Which networks a theorem speaks of."""

    EVERY = "every network of the architecture"
    BEST = "the best network of the architecture"
    THIS = "this network on this domain"
    RANDOM = "random networks of the architecture"


class Standing(Enum):
    """What is known of a theorem; the value is the sentence for people."""

    PROVED = "proved as printed, misprints apart, or derived here"
    CORRECTED = "false as printed; what is stated here is proved"
    CONJECTURED = "conjectured and tested, not proved"
    """It bounds nothing: it is never taken for an upper bound."""


class Other(Enum):
    """What theorems bound besides the quantities that can be counted."""

    BEFORE_LAST = "activation regions of all layers but the last"
    PER_PARAMETER = "activation regions per parameter"
    UNBOUNDED_REGIONS = "unbounded regions"
    BOUNDED_REGIONS = "bounded regions"
    BOUNDARY_VOLUME = "volume of the region boundaries"
    DECISION_PIECES = "linear pieces of the decision boundary"

    @property
    def title(self) -> str:
        """The name for people."""
        return self.value


@dataclass(frozen=True, eq=False)
class Condition:
    """What a theorem asks of a case, and the same in words.

    Attributes
    ----------
    text : str
        For people, e.g. ``one layer``.
    holds : callable
        Takes a `Case`.
    """

    text: str
    holds: Callable[[Case], bool]


@dataclass(frozen=True, eq=False, kw_only=True)
class Theorem:
    """One row of the registry.

    Attributes
    ----------
    key : str
        Short name, e.g. ``serra2018``; unique.
    title : str
        Authors, year and number, for people.
    family : str
        Theorems that belong together.
    direction : Direction
    subject : Scope
    quantity : Quantity or Other
        What it bounds.
    speaks_of_chains : bool
        Whether its proof is about layers that each read the one before, their units of one kind.
        Of other networks the value is then None: an upper bound could be wrong, not only weak.
    citation : str
        Key of the paper in `milpcount.citations`.
    formula : callable
        Takes a `Case` that meets all conditions.
    conditions : tuple of Condition
        Tried in order: those that need work come last.
    cost : callable
        Takes a `Case`; the order of magnitude of the work, conditions included, in milliseconds of
        one core; see `milpcount.bounds.costs`.
    note : str
        Misprints, corrections, and what of it is derived rather than printed.
    standing : Standing
    counterexample : str
        To what is printed, where that is false.
    """

    key: str
    title: str
    family: str
    direction: Direction
    subject: Scope
    quantity: Quantity | Other
    speaks_of_chains: bool
    citation: str
    formula: Callable[[Case], Value]
    conditions: tuple[Condition, ...] = ()
    cost: Callable[[Case], float] = closed_form
    note: str = ""
    standing: Standing = Standing.PROVED
    counterexample: str = ""

    @property
    def applies(self) -> str:
        """When it applies, in words: what its conditions say."""
        return ", ".join(condition.text for condition in self._asked) or "always"

    def applies_to(self, case: Case) -> bool:
        """Whether the case meets all conditions."""
        return all(condition.holds(case) for condition in self._asked)

    def value(self, case: Case) -> Value | None:
        """Return the theorem's value, None where it does not apply."""
        return self.formula(case) if self.applies_to(case) else None

    def bounds_from_above(self, quantity: Quantity) -> bool:
        """Whether the quantity of the subject at hand cannot exceed the value."""
        above = self.direction in (Direction.UPPER, Direction.EXACT)
        is_proved = self.standing is not Standing.CONJECTURED
        return above and is_proved and at_most(quantity, self.quantity)

    @property
    def _asked(self) -> tuple[Condition, ...]:
        return (_CHAIN, *self.conditions) if self.speaks_of_chains else self.conditions


_CHAIN = Condition("a chain of hidden layers", lambda case: case.is_chain and bool(case.widths))


_FEWEST_FIRST = (
    Quantity.AFFINE_PIECES,
    Quantity.CLOSED_LINEAR_REGIONS,
    Quantity.LINEAR_REGIONS,
    Quantity.ACTIVATION_REGIONS,
    Quantity.ACTIVATION_PATTERNS,
)
BOUNDED = (*_FEWEST_FIRST[::-1], *SOME_REGIONS, Quantity.GRID_PATTERNS)
"""The quantities that theorems of the registry bound from above."""


def at_most(one: Quantity | Other, other: Quantity | Other) -> bool:
    """Return whether the first quantity never exceeds the second, on any network."""
    if one is other:
        return True
    if one is Quantity.GRID_PATTERNS:  # of inputs that are integers: fewer inputs, fewer patterns
        return other is Quantity.ACTIVATION_PATTERNS
    if one in SOME_REGIONS:  # some of the activation regions
        return other in (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS)
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
        return self.theorem.bounds_from_above(quantity)

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


def known(value: Value | None) -> Value:
    """Return the value of a formula whose conditions are met, so that it has one."""
    assert value is not None
    return value
