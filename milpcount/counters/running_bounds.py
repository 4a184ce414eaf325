"""What is known of a quantity from the activation regions that have been found so far."""

from collections.abc import Iterator, MutableSequence

from milpcount.counters.method import Problem, Snapshot
from milpcount.errors import OptionError
from milpcount.result import Region, patterns_of


class Tally:
    """What is known so far; the regions that were taken are read once."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._seen = problem, 0
        self._regions: MutableSequence[Region] | None = None

    def take(self, regions: MutableSequence[Region] | None) -> None:
        """Take the regions that have come since the last time."""
        if regions is None:
            raise OptionError(
                f"for {self._problem.quantity.title} every activation region must be named, which "
                "this method does not do: take 'tree', 'exact', 'brute' or 'pool'"
            )
        self._regions = regions
        if len(regions) > self._seen:
            before, self._seen = self._seen, len(regions)
            self._read(patterns_of(regions[before:] if before else regions), before)

    def _read(self, patterns: Iterator[tuple[int, ...]], first: int) -> None:
        raise NotImplementedError

    def snapshot(self, now: Snapshot) -> Snapshot:
        """Return what has been shown, given what the method has shown about activation regions."""
        raise NotImplementedError

    def end(self) -> Iterator[None]:
        """Do what takes all regions; yield now and then."""
        yield from ()
