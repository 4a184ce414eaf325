"""Whether the lines of a store can all be true."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import comb
from typing import Any

from milpcount.result import is_two_sided
from milpcount.store import Record, Store, decoded

INCREDIBLE = 1e-4
"""Bounds of a method that hold with a confidence may fail; not as often as is less likely."""


@dataclass(frozen=True)
class Comparison:
    """Two lines on one network, of which the first is not to be above the second.

    Attributes
    ----------
    subject : str
    low, high : str
        What is compared.
    low_value, high_value : int
    confidence : float or None
        Of the first, where it rests on chance; of both together, where the second does, too.
    rests_on : str
        What is to be doubted where it fails more often than that.
    """

    subject: str
    low: str
    high: str
    low_value: int
    high_value: int
    confidence: float | None
    rests_on: str

    @property
    def holds(self) -> bool:
        """Whether it is so."""
        return self.low_value <= self.high_value

    def __str__(self) -> str:
        return f"{self.subject}: {self.low} {self.low_value:,} > {self.high} {self.high_value:,}"


@dataclass(frozen=True)
class StoreCheck:
    """What the comparisons of a store show.

    Attributes
    ----------
    comparisons : tuple of Comparison
    impossible : tuple of str
        A line for each comparison that fails without chance, and each method whose bounds fail
        more often than its confidence lets one believe.
    """

    comparisons: tuple[Comparison, ...]
    impossible: tuple[str, ...]

    @property
    def failed(self) -> list[Comparison]:
        """The comparisons that do not hold, by chance or not."""
        return [c for c in self.comparisons if not c.holds]


def check(store: Store) -> StoreCheck:
    """Compare all lower bounds, counts and upper bounds of each network.

    Parameters
    ----------
    store : Store

    Notes
    -----
    A bound that holds with confidence c fails with probability at most 1 - c; over n networks the
    number of failures is at most binomial, and a method is reported where the failures seen have a
    probability below `INCREDIBLE`. A network counts once, whatever the bound is compared with.
    """
    found = tuple(c for lines in _groups(store.records.values()) for c in _compare(lines))
    impossible = [str(c) for c in found if not c.holds and c.confidence is None]
    impossible += _incredible(found)
    return StoreCheck(found, tuple(impossible))


def _groups(records: Iterable[Record]) -> list[list[Record]]:
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        if "fingerprint" in record:
            key = record["fingerprint"], record["domain"], record["quantity"]
            groups.setdefault(key, []).append(decoded(record) | {"record": record})
    return list(groups.values())


def _compare(lines: list[Record]) -> Iterator[Comparison]:
    lows = [low for line in lines for low in _lows(line)]
    highs = [high for line in lines for high in _highs(line)]
    subject = lines[0]["subject"]
    for low, low_value, low_sure, source in lows:
        for high, high_value, high_sure, other in highs:
            if source is not other:
                sure, rests_on = low_sure, low
                if high_sure is not None:
                    sure, rests_on = high_sure, high
                if low_sure is not None and high_sure is not None:
                    # Either may fail; names in a fixed order, so that it is one kind of failure.
                    sure = max(0.0, round(low_sure + high_sure - 1.0, 12))
                    rests_on = " and ".join(sorted({low, high.removeprefix(_END)}))
                yield Comparison(
                    subject, low, high, low_value, high_value, sure, rests_on.removeprefix(_END)
                )


_END = "upper end of "


def _name(line: Record) -> str:
    size, strategy = line["options"].get("xor_size"), line["options"].get("strategy", "auto")
    name: str = line["method"] if size is None else f"{line['method']} xor_size={size}"
    return name if strategy == "auto" else f"{name} {strategy}"


def _lows(line: Record) -> Iterator[tuple[str, int, float | None, Record]]:
    if "lower" in line:
        yield _name(line), line["lower"], line.get("confidence"), line


def _highs(line: Record) -> Iterator[tuple[str, int, float | None, Record]]:
    if line.get("upper") is not None:
        own = "" if line["exact"] else _END
        sure = line.get("confidence")
        by_chance = is_two_sided(sure, line.get("upper_source"))
        yield own + _name(line), line["upper"], sure if by_chance else None, line
    for key in line["record"].get("bounds", {}):
        yield key, line[key], None, line


def _incredible(comparisons: Iterable[Comparison]) -> list[str]:
    tried: dict[tuple[str, float], dict[str, bool]] = {}
    for c in comparisons:
        if c.confidence is not None:
            subjects = tried.setdefault((c.rests_on, c.confidence), {})
            subjects[c.subject] = subjects.get(c.subject, True) and c.holds
    found = []
    for (name, confidence), subjects in tried.items():
        n, failures = len(subjects), sum(not fine for fine in subjects.values())
        likely = _tail(n, failures, 1.0 - confidence)
        if failures and likely < INCREDIBLE:
            found.append(
                f"{name}: {failures} of {n} bounds with confidence {confidence:g} fail, which has "
                f"a probability of at most {likely:.2g}"
            )
    return found


def _tail(n: int, least: int, p: float) -> float:
    """Return P[Bin(n, p) >= least]."""
    return sum(comb(n, k) * p**k * (1.0 - p) ** (n - k) for k in range(least, n + 1))
