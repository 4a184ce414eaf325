"""What an answer is: the quantity, the interval, why the run stopped, how it was obtained."""

import json
import platform
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from milpcount import integers
from milpcount.errors import ContradictionError, FileFormatError, OptionError
from milpcount.printable import html_table, printable, rich_table
from milpcount.quantities import Quantity


class Status(Enum):
    """Why a run ended; the value is the sentence for people."""

    COMPLETE = "complete: every region was found"
    SAMPLED = "finished: what it says holds with the stated confidence"
    UNCERTAIN = "complete but for cells that floating point could not decide"
    TIME_LIMIT = "stopped at the time limit; the bounds are valid"
    REGION_LIMIT = "stopped at the region limit; the bounds are valid"
    MEMORY_LIMIT = "stopped at the memory limit; the bounds are valid"
    INTERRUPTED = "stopped by the user; the bounds are valid"
    WORKERS_LOST = "stopped: its workers were killed again and again; the bounds are valid"

    @property
    def is_complete(self) -> bool:
        """Whether the method ran to its end."""
        return self in (Status.COMPLETE, Status.SAMPLED, Status.UNCERTAIN)


class Guarantee(Enum):
    """What the lower bound rests on."""

    CERTIFIED = "every region has a witness and every pruned cell a certificate, rounding included"
    EXACT_ARITHMETIC = "exact rational arithmetic throughout"
    TOLERANCE = "a solver's floating-point tolerances, stated in the result"
    PROBABILISTIC = "holds with the stated confidence"


BY_CHANCE = "with the stated confidence"
"""Ends what an upper bound rests on that holds with a confidence, as its lower bound then does."""


def is_two_sided(confidence: float | None, upper_source: str | None) -> bool:
    """Return whether a confidence is that of both bounds together, and not of the lower alone."""
    return confidence is not None and (upper_source or "").endswith(BY_CHANCE)


@dataclass(frozen=True, slots=True)
class Region:
    """One activation region.

    Attributes
    ----------
    pattern : tuple of int
        The piece of every unit, layer by layer; for a ReLU 1 is active and 0 inactive.
    witness : ndarray, shape (n_inputs,)
        A point of input space in its interior: float64, or an array of Fraction (dtype object)
        where float64 has no such point.
    parameters : ndarray, shape (d,), or None
        The point in the domain's own parameters, exactly, where a float64 point of input space
        need not lie in the domain, as in a section: `witness` is then its rounding, and what is
        verified are the parameters. Of a section they are the numbers t whose bounds differ.
    """

    pattern: tuple[int, ...]
    witness: np.ndarray
    parameters: np.ndarray | None = None


def patterns_of(regions: Iterable[Region]) -> Iterator[tuple[int, ...]]:
    """Yield the patterns of regions; of those that compute witnesses on access, without them."""
    if hasattr(regions, "patterns"):
        yield from regions.patterns()
    else:
        yield from (tuple(region.pattern) for region in regions)


def taken(regions: MutableSequence[Region], indices: Iterable[int]) -> MutableSequence[Region]:
    """Return the regions at some indices, in a sequence of the same kind."""
    if hasattr(regions, "taken"):
        return regions.taken(indices)  # type: ignore[no-any-return]
    return [regions[i] for i in indices]


@dataclass(frozen=True)
class CountResult:
    """The answer to a count: ``lower <= count <= upper``, exact integers.

    Attributes
    ----------
    quantity : Quantity
    lower, upper : int
        Bounds on the count; equal when the answer is exact.
    status : Status
    guarantee : Guarantee
        What `lower` rests on.
    method : dict
        Name and options of the method.
    seconds : float
        Wall-clock seconds of the method, compilation excluded.
    lps : int
        Linear (or quadratic) programs solved.
    share : float or None
        Share of the tree that is closed.
    uncertain : int
        Cells thinner than the tolerance that were left undecided.
    details : dict
        What else the method has to say: tolerances, how cells were decided, solver statuses; its
        ``notes`` are sentences for people.
    seed : int or None
    fingerprint : str
        SHA-256 of the network.
    network, domain : str
        One line each.
    upper_source : str
        The theorem or the run that gives `upper`.
    confidence : float or None
        Of `lower`, where it rests on chance; of both bounds together where `is_two_sided`.
    versions : dict
    regions : mutable sequence of Region, or None
        Kept on request. Those of the region tree are held as patterns, and their witnesses are
        computed when they are read; all in order is much faster than one by one.
    estimate : int or None
        Of the count, rounded, by methods that rest on chance: no bound in either direction.
    theorem : str
        What a lower bound that holds with a confidence rests on.
    verifier : callable or None
        What `verify` calls; set by `milpcount.count`.
    """

    quantity: Quantity
    lower: int
    upper: int
    status: Status
    guarantee: Guarantee
    method: dict[str, Any]
    seconds: float
    lps: int = 0
    share: float | None = None
    uncertain: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    fingerprint: str = ""
    network: str = ""
    domain: str = ""
    upper_source: str = ""
    confidence: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    regions: MutableSequence[Region] | None = None
    estimate: int | None = None
    theorem: str = ""
    verifier: Callable[..., Any] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.upper:
            raise ContradictionError(
                f"a count of at least {integers.human(self.lower)} and at most "
                f"{integers.human(self.upper)}: no number is both"
            )

    @property
    def is_exact(self) -> bool:
        """Whether the count is known, and not only with a confidence."""
        return self.lower == self.upper and self.confidence is None

    @property
    def is_two_sided(self) -> bool:
        """Whether the confidence is that of both bounds together, and not of `lower` alone."""
        return is_two_sided(self.confidence, self.upper_source)

    @property
    def regions_per_second(self) -> float | None:
        """Regions found per second, None for a run too short to time or that does not find them."""
        counted = self.confidence is None and self.seconds > 0
        return self.lower / self.seconds if counted else None

    def verify(self, network: Any = None) -> Any:
        """Prove the lower bound from the kept regions and the raw weights, in exact arithmetic.

        Every witness is evaluated on the network as a rational point: nothing of the method that
        found it, and no tolerance, is trusted. Proved is the lower end: that so many distinct
        regions exist. That there are no more rests on the method.

        Parameters
        ----------
        network : Network, optional
            The network that was counted; needed where the result was read from a file.

        Returns
        -------
        milpcount.exact.verify.Verification
            True in a condition if every region was proved and none is repeated.

        Raises
        ------
        OptionError
            If the regions were not kept, the result was read from a record, or the network is
            needed.
        NetworkError
            If another network was counted.
        """
        if self.regions is None or self.verifier is None:
            raise OptionError(
                "this result holds no regions to verify: count with keep_regions=True"
            )
        return self.verifier(self, network)

    def to_record(self) -> dict[str, Any]:
        """Return a record for JSON; counts are strings, so that no reader rounds them."""
        return {
            "quantity": self.quantity.value,
            "lower": integers.to_text(self.lower),
            "upper": integers.to_text(self.upper),
            "exact": self.is_exact,
            "status": self.status.name.lower(),
            "guarantee": self.guarantee.name.lower(),
            "confidence": self.confidence,
            "estimate": None if self.estimate is None else integers.to_text(self.estimate),
            "theorem": self.theorem,
            "upper_source": self.upper_source,
            "method": self.method,
            "seconds": self.seconds,
            "regions_per_second": self.regions_per_second,
            "lps": self.lps,
            "share": self.share,
            "uncertain": self.uncertain,
            "details": self.details,
            "seed": self.seed,
            "fingerprint": self.fingerprint,
            "network": self.network,
            "domain": self.domain,
            "versions": self.versions,
        }

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(self.to_record(), allow_nan=False, sort_keys=False)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "CountResult":
        """Return the result that `to_record` wrote (regions excepted).

        Raises
        ------
        FileFormatError
            If it is no such record, or its lower bound is above its upper one.
        """
        try:
            given = dict(record)
            for derived in ("exact", "regions_per_second"):
                given.pop(derived, None)
            return cls(
                **given
                | {
                    "quantity": Quantity(given["quantity"]),
                    "status": Status[given["status"].upper()],
                    "guarantee": Guarantee[given["guarantee"].upper()],
                    "lower": integers.from_text(given["lower"]),
                    "upper": integers.from_text(given["upper"]),
                    "estimate": _integer(given.get("estimate")),
                }
            )
        except ContradictionError as error:
            raise FileFormatError(f"not a result: {error}") from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileFormatError(f"not the record of a result: {error!r}") from None

    def rows(self) -> list[tuple[str, str]]:
        """Return the result as (name, text) pairs for people."""
        low, high = integers.human(self.lower), integers.human(self.upper)
        count = f"{low}   exact" if self.is_exact else f"{low} ≤ count ≤ {high}"
        rate, unit = self.regions_per_second, self.quantity.title.split()[-1]
        rows = [(self.quantity.title, count), ("status", self.status.value)]
        if not self.is_exact:
            rows.append(("upper bound", self.upper_source))
        if self.confidence is not None:
            rests = f", by {self.theorem}" if self.theorem else ""
            of = "both bounds together" if self.is_two_sided else "the lower bound"
            rows.append(("confidence", f"{self.confidence:.4g}, of {of}{rests}"))
        if self.estimate is not None:
            rows.append(("estimate", f"{integers.human(self.estimate)}, not a bound"))
        rows.append(("guarantee", self.guarantee.value))
        rows += [("note", note) for note in self.details.get("notes", ())]
        if self.uncertain:
            rows.append(("uncertain cells", integers.human(self.uncertain)))
        if self.share is not None and not self.status.is_complete:
            rows.append(("tree closed", f"{100 * self.share:.2f} %"))
        rows += [
            ("time", f"{self.seconds:.3g} s" + (f"   {rate:,.0f} {unit}/s" if rate else "")),
            ("programs solved", integers.human(self.lps)),
            ("network", self.network),
            ("domain", self.domain),
            ("method", " ".join([str(self.method.get("name", "")), *_options(self.method)])),
        ]
        return [(name, printable(text)) for name, text in rows]

    def __str__(self) -> str:
        rows = self.rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)

    def _repr_html_(self) -> str:
        return html_table(self.rows())

    def __rich__(self) -> Any:
        return rich_table(self.rows())


def _integer(text: str | None) -> int | None:
    return None if text is None else integers.from_text(text)


def _options(method: dict[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in method.items() if key != "name"]


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, milpcount, numpy and the named installed packages."""
    from importlib.metadata import PackageNotFoundError, version

    from milpcount import __version__

    found = {"python": platform.python_version(), "milpcount": __version__}
    for package in ("numpy", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
