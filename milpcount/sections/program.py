"""What the walk needs of a network: its steps in order, whatever it was read from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from milpcount.network.layer import Group
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.sections.arrays import Arrays


QUICK = 1e-12
"""The least tolerance, as a part of a layer's largest value, with which `quick` is used."""


class Affine(Protocol):
    """An affine step."""

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the step's values for those that it reads."""

    def quick(self, values: Sequence[Any]) -> Any:
        """Return the values where no errors are bounded; they may be off by a little more."""

    def error(self, values: Sequence[Any], errors: Sequence[Any]) -> Any:
        """Return what bounds their errors, for bounds on those of what is read."""


@dataclass(frozen=True, eq=False)
class Step:
    """One step: an affine map, or a layer of units.

    Attributes
    ----------
    name : object
        Of what it makes.
    reads : tuple
        Names of what it reads; a layer of units reads one, its values (points, numbers).
    affine : Affine or None
    groups : tuple of Group
        The units, by kind.
    width : int
        Number of units.
    shape : callable or None
        Brings what the units make into the shape that later steps read.
    """

    name: Any
    reads: tuple[Any, ...]
    affine: Affine | None = None
    groups: tuple[Group, ...] = ()
    width: int = 0
    shape: Callable[[Any], Any] | None = None

    @property
    def is_continuous(self) -> bool:
        """Whether all units are continuous."""
        return all(group.activation.is_continuous for group in self.groups)


@dataclass(frozen=True, eq=False)
class Program:
    """The steps of a network up to its last unit.

    Attributes
    ----------
    arrays : Arrays
    steps : tuple of Step
    start : callable
        Returns the network's input at parameters (points, d), and bounds on its errors or None.
    input : object
        Its name.
    weights : int
        Numbers of the affine steps as matrices without their zeros.
    """

    arrays: "Arrays"
    steps: tuple[Step, ...]
    start: Callable[[Array], tuple[Any, Any]]
    input: Any = 0
    weights: int = 0

    @property
    def n_units(self) -> int:
        """Number of units."""
        return sum(step.width for step in self.steps)

    def needed(self, number: int) -> set[Any]:
        """Return the names that the steps from a number on read."""
        return {name for step in self.steps[number:] for name in step.reads}
