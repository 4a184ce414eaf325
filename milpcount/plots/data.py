"""From the lines of a store to one row for each network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from milpcount.errors import InputError
from milpcount.result import is_two_sided
from milpcount.store import Record, Store, decoded

BOUNDS = ("naive", "montufar2017", "serra2018", "serra2020")
SMALL = 2**12
"""Networks with fewer regions are called small by Serra and Ramalingam (2020)."""


@dataclass
class NetworkRow:
    """What is known of one network.

    Attributes
    ----------
    n1, n2, seed : int
        Widths, and which of the networks of these widths it is.
    train_error, test_error : float
    exact : int or None
        Its regions, if they were counted to the end.
    exact_seconds : float or None
        Of one process.
    stopped : (int, int) or None
        Both ends of a count that was stopped.
    both : (int, int) or None
        Both ends that hold with a confidence, together, by the method ``approx``; its confidence is
        in `confidence`.
    upper : dict of str to int
        Upper bounds by theorem.
    lower : dict of str to int
        Lower bounds that hold with a confidence: ``probe``, ``mbound 2``, .., ``mbound 5``.
    confidence : dict of str to float
        Of each lower bound.
    estimate : int or None
        Of the probes.
    seconds : dict of str to float
        Of each lower bound, of one process.
    """

    n1: int
    n2: int
    seed: int
    train_error: float
    test_error: float
    exact: int | None = None
    exact_seconds: float | None = None
    stopped: tuple[int, int] | None = None
    both: tuple[int, int] | None = None
    upper: dict[str, int] = field(default_factory=dict)
    lower: dict[str, int] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    estimate: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Widths and seed."""
        return f"784-{self.n1}-{self.n2} #{self.seed}"

    @property
    def narrowest(self) -> int:
        """Units of the narrower layer."""
        return min(self.n1, self.n2)


def lower_name(record: Record) -> str:
    """Return the name of a lower bound: the method, with the length of its XORs."""
    size = record["options"].get("xor_size")
    return f"mbound {size}" if record["method"] == "mbound" else str(record["method"])


def rows_of(store: Store) -> list[NetworkRow]:
    """Return a row for each network of the sweep, by widths and seed.

    Raises
    ------
    InputError
        If the store holds none, or one that lacks a field.
    """
    found: dict[str, NetworkRow] = {}
    for record in store.records.values():
        if "n1" in record and "fingerprint" in record:
            try:
                _add(found, decoded(record))
            except KeyError as error:
                raise InputError(
                    f"{store.path}: the result {record['key']!r} lacks {error}: it is none of a "
                    "sweep; name another store"
                ) from None
    if not found:
        raise InputError(f"{store.path} holds no results of the sweep: run it first")
    return sorted(found.values(), key=lambda row: (row.n1, row.seed))


def _add(found: dict[str, NetworkRow], line: Record) -> None:
    row = found.setdefault(
        line["fingerprint"],
        NetworkRow(
            line["n1"], line["n2"], line["network_seed"], line["train_error"], line["test_error"]
        ),
    )
    seconds = line["cpu_seconds"]
    if line["method"] == "bounds":
        row.upper |= {key: line[key] for key in BOUNDS if key in line}
    elif line.get("confidence") is not None:
        name = lower_name(line)
        row.lower[name], row.seconds[name] = line["lower"], seconds
        row.confidence[name] = line["confidence"]
        row.estimate = line.get("estimate") if name == "probe" else row.estimate
        if is_two_sided(line["confidence"], line.get("upper_source")):
            row.both = line["lower"], line["upper"]
    elif line["method"] == "tree" and line["exact"]:
        row.exact, row.exact_seconds = line["lower"], seconds
    elif line["method"] == "approx" and line["exact"]:  # it counts where that is cheaper
        row.exact = line["lower"] if row.exact is None else row.exact
    elif line["method"] == "tree":
        row.stopped = line["lower"], line["upper"]


def by_width(rows: Iterable[NetworkRow]) -> dict[int, list[NetworkRow]]:
    """Return the rows by n1."""
    groups: dict[int, list[NetworkRow]] = {}
    for row in rows:
        groups.setdefault(row.n1, []).append(row)
    return dict(sorted(groups.items()))


def rank_correlation(x: Sequence[Any], y: Sequence[Any]) -> float:
    """Return Spearman's rank correlation, nan for fewer than three pairs or no variation."""
    import numpy as np

    if len(x) < 3:
        return float("nan")
    ranks = [_ranks(list(values)) for values in (x, y)]
    if any(np.ptp(r) == 0 for r in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: list[Any]) -> Any:
    import numpy as np

    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = np.empty(len(values))
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        ranks[order[at : end + 1]] = 0.5 * (at + end)
        at = end + 1
    return ranks
