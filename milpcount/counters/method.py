"""What a counting method is, and what it is given and gives back.

A method is a small frozen dataclass with its own options. `run` is a generator that yields what
has been shown so far; limits, progress, interruption and the final status belong to the driver.
"""

from collections.abc import Callable, Iterator, MutableSequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from milpcount.domain import InputSet
from milpcount.limits import Deadline, Limits
from milpcount.network import Network
from milpcount.quantities import FROM_REGIONS, Quantity
from milpcount.result import BY_CHANCE, Guarantee, Region

COUNTED = "this count"
"""What an upper bound rests on that a run has counted."""
CLOSING = f"{COUNTED}, and theorems in the cells that it left open"
"""What the upper bound of a stopped search rests on."""
SAMPLED = f"{COUNTED}, {BY_CHANCE}"
"""What an upper bound rests on that a run has found by chance."""


REGIONS_AND_PATTERNS = frozenset(
    {Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS, *FROM_REGIONS}
)
"""What a method counts that finds every pattern, and says of each whether it is a region's."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be counted.

    Attributes
    ----------
    network : Network
    inputs : InputSet
        The domain, bound to the network.
    quantity : Quantity
    limits : Limits
        For methods that can stop exactly at a limit; the driver enforces them anyway.
    deadline : Deadline
        To be handed to solvers as remaining time.
    seed : int
    keep_regions : bool
        Whether snapshots carry the regions themselves.
    notice : callable
        Takes one line for the user.
    waiting : callable
        Takes what the count waits for, and the seconds since then.
    executor : concurrent.futures.Executor, optional
        For independent parts, by way of `counters.scheduler.Tasks`; what a method returns does not
        depend on its number of workers.
    """

    network: Network
    inputs: InputSet
    quantity: Quantity
    limits: Limits = field(default_factory=Limits)
    deadline: Deadline = field(default_factory=Deadline)
    seed: int = 0
    keep_regions: bool = False
    notice: Callable[[str], None] = lambda text: None
    waiting: Callable[[str, float], None] = lambda text, seconds: None
    executor: Executor | None = None


@dataclass(frozen=True)
class Snapshot:
    """What a run has shown so far; every number is cumulative and valid at this moment.

    Attributes
    ----------
    lower : int
        Proved lower bound on the count.
    upper : int or None
        Upper bound the run itself has proved, None where it has none yet. The driver sets it to
        `lower` when a run that counts one by one ends with nothing uncertain, and has it never
        grow before.
    upper_source : str
        What `upper` rests on.
    lps : int
        Linear or quadratic programs solved.
    share : float or None
        Share of the search that is closed.
    uncertain : int
        Cells left undecided.
    confidence : float or None
        Of `lower`, where it rests on chance; of `upper`, too, where its source is `SAMPLED`.
    estimate : int or None
        Of the count, where the method has one; no bound.
    note : str
        For the line of progress.
    details : dict
        Anything else worth keeping in the result; JSON types only.
    regions : list of Region
        The regions found so far, if the problem asks to keep them; the same growing list, from
        which a reader may take what it has read.
    guarantee : Guarantee or None
        What `lower` rests on where that depends on the run; None is what the method says.
    """

    lower: int = 0
    upper: int | None = None
    upper_source: str = COUNTED
    lps: int = 0
    share: float | None = None
    uncertain: int = 0
    confidence: float | None = None
    estimate: int | None = None
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    regions: MutableSequence[Region] | None = None
    guarantee: Guarantee | None = None


@dataclass(frozen=True)
class Candidate:
    """A method, and up to how many regions it can be asked for.

    Attributes
    ----------
    title : str
    make : callable
        Returns the method.
    most : float
        Regions.
    most_patterns : float
        Of the network, attained or not.
    names : bool
        Whether it can name the patterns.
    if_open : bool
        Whether it is only asked where no other method has found the count.
    """

    title: str
    make: Callable[[], "Method"]
    most: float = float("inf")
    most_patterns: float = float("inf")
    names: bool = True
    if_open: bool = False


class Method(Protocol):
    """A way to count.

    Attributes
    ----------
    name : str
        As on the command line.
    quantities : frozenset of Quantity
        What it can count.
    packages : tuple of str
        Distributions whose versions belong into the result.
    theorem : str
        What the confidence of a probabilistic lower bound rests on; empty for the others.

    in_parts : bool
        Whether it makes use of an executor.
    kernels : tuple of str
        Keys of `tree.warm_up.KERNELS`: what it may have to compile.

    Notes
    -----
    Options are fields that `milpcount.counters.options` makes; with its base class `Options` a
    method has the rest of what is here but `warm_up` and `run`.
    """

    name: ClassVar[str]
    quantities: ClassVar[frozenset[Quantity]]
    packages: ClassVar[tuple[str, ...]]
    theorem: ClassVar[str]
    in_parts: ClassVar[bool]
    kernels: ClassVar[tuple[str, ...]]

    @property
    def guarantee(self) -> Guarantee:
        """What its lower bound rests on; it may depend on the options."""

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how it takes part in comparisons with other methods."""

    def options(self) -> dict[str, Any]:
        """Return the options as JSON types."""

    def warm_up(self, problem: Problem) -> None:
        """Compile or import what is needed; not part of the time that is measured."""

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots, at least every half second, the first as soon as preparation is over.

        The generator ends when the method has finished; it checks no limits. It may be closed, or
        receive a KeyboardInterrupt, at any time: the last snapshot is then what counts, with the
        regions in its list; after an interrupt it may yield a last one before it raises it again.
        The deadline is in force while it runs: what `OutOfTime` cuts short is to be followed by a
        last snapshot of what was found.
        """
