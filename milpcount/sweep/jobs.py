"""Jobs of an experiment: what each depends on, what a worker does, what line it leaves."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from math import ceil
from pathlib import Path
from typing import Any

from milpcount import integers
from milpcount.api import bound, count
from milpcount.bounds.best import best_upper
from milpcount.bounds.rectifier import serra_2018
from milpcount.bounds.theorem import Bound, Direction
from milpcount.counters.approximate.approximate import Approximate
from milpcount.counters.method import CLOSING, COUNTED, Method, Problem
from milpcount.counters.work_queue import Checkpoint
from milpcount.domain import Domain, InputSet
from milpcount.errors import OptionError
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee, Status, versions
from milpcount.store import Record, key_of
from milpcount.sweep.experiment import BOUNDS, Experiment, MethodSpec, NetworkSpec
from milpcount.sweep.pruning import pruned
from milpcount.sweep.random_networks import random_network

Maker = Callable[[MethodSpec], Method]
"""Returns the method that a file names; ImportError if it is not there."""

_BOUNDS_VERSION = 1


@dataclass(frozen=True)
class Job:
    """One method on one subject.

    Attributes
    ----------
    subject : NetworkSpec
    spec : MethodSpec
    domain : Domain
    quantity : Quantity
    method : Method or None
        None for bounds.
    """

    subject: NetworkSpec
    spec: MethodSpec
    domain: Domain
    quantity: Quantity
    method: Method | None

    @property
    def title(self) -> str:
        """NetworkSpec and method."""
        return f"{self.subject.title} · {self.spec.title}"

    @cached_property
    def network(self) -> Network | None:
        """The network, None for an architecture."""
        path, seed = self.subject.path, self.subject.seed
        if path is not None:
            found = _load(path, self.subject.output, path.stat().st_mtime_ns)
            return pruned(found, self.subject.pruned) if self.subject.pruned else found
        return None if seed is None else random_network(self.subject.architecture, seed)

    @cached_property
    def key(self) -> str:
        """What the store knows the result by."""
        network = self.network
        version = _BOUNDS_VERSION if self.method is None else getattr(self.method, "version", 1)
        if self.spec.name == "tree" and self.quantity is not Quantity.ACTIVATION_REGIONS:
            version = f"{version}, whole"  # lines that were counted in parts counted regions
        return key_of(
            subject=self.subject.architecture if network is None else network.fingerprint,
            domain=None if network is None else self.domain.bind(network.n_inputs).digest,
            quantity=self.quantity.value,
            method=self.spec.name,
            options=self.options,
            seed=self.spec.seed,
            version=version,
        )

    @property
    def options(self) -> dict[str, Any]:
        """All options, those not given included."""
        return self.spec.options if self.method is None else self.method.options()

    @cached_property
    def size(self) -> int:
        """An upper bound on the regions, for the order of the jobs."""
        network = self.network
        if network is None or not network.layers or not network.is_chain:
            return 0
        if not all(layer.activation.is_relu for layer in network.layers):
            return 0
        return serra_2018(network.n_inputs, network.widths)

    @property
    def in_parts(self) -> bool:
        """Whether the job is cut into tasks, instead of being one."""
        has_units = self.network is None or self.network.n_units > 0
        # What the parts count are activation regions, and nothing else.
        is_regions = self.quantity is Quantity.ACTIVATION_REGIONS
        return self.spec.name == "tree" and has_units and is_regions


@cache
def _load(path: Path, output: str | None, changed: int) -> Network:
    return Network.load(path, output)


def jobs_of(
    experiment: Experiment, make: Maker, only: Sequence[str] = ()
) -> tuple[list[Job], list[str]]:
    """Return the jobs, and a line for each method that is not there.

    Parameters
    ----------
    experiment : Experiment
    make : callable
    only : sequence of str
        Names of methods; all by default.

    Raises
    ------
    OptionError
        If a name in `only` is not a method of the experiment.
    """
    names = {spec.name for spec in experiment.methods}
    for name in only:
        if name not in names:
            raise OptionError(f"--only {name}: the experiment has {', '.join(sorted(names))}")
    jobs: list[Job] = []
    missing: list[str] = []
    for spec in experiment.methods:
        if only and spec.name not in only:
            continue
        try:
            method = None if spec.name == BOUNDS else make(spec)
        except ImportError as error:
            missing.append(f"{spec.title}: left out, the method is not there ({error})")
            continue
        jobs += [
            Job(subject, spec, experiment.domain, spec.quantity or experiment.quantity, method)
            for subject in experiment.subjects
        ]
    return jobs, missing


def run_whole(job: Job, left: dict[str, Any] | None = None) -> dict[str, Any]:
    """Do a job in one piece, in a worker; return the fields that it leaves.

    Parameters
    ----------
    job : Job
    left : dict, optional
        What it has left where it was stopped before, for methods that go on from there.
    """
    _warm_up(job)  # no part of the time
    cpu = time.process_time()
    fields = _bounds(job) if job.method is None else _counted(job, left)
    return fields | {"cpu_seconds": round(time.process_time() - cpu, 6)}


def _warm_up(job: Job) -> None:
    network = job.network
    if job.method is not None and network is not None and network.n_units:
        job.method.warm_up(Problem(network, job.domain.bind(network.n_inputs), job.quantity))


def _counted(job: Job, left: dict[str, Any] | None) -> dict[str, Any]:
    method = job.method
    assert method is not None
    if left is not None and isinstance(method, Approximate):
        method = replace(method, left=left)
    network = job.network
    if network is None:
        raise OptionError("an architecture can only be bounded, not counted")
    result = count(
        network, job.domain, method, quantity=job.quantity, seed=job.spec.seed,
        limits=Limits(seconds=job.spec.seconds),
    )  # fmt: skip
    return fields_of(result)


def _bounds(job: Job) -> dict[str, Any]:
    began = time.perf_counter()
    options = dict(job.spec.options)
    wanted = options.pop("theorems", None)
    unknown = set(options) - {"tighten"}
    if unknown:
        raise OptionError(f"bounds take theorems and tighten, not {', '.join(sorted(unknown))}")
    # A random network is bounded by its architecture: its weights do not show convolutions.
    network = None if job.subject.path is None else job.network
    table = bound(
        network or job.subject.architecture,
        job.domain if job.subject.has_weights else None,
        quantity=job.quantity,
        limits=Limits(seconds=job.spec.seconds),
        **options,
    )
    # Expectations are fractions; the whole number above bounds them as well.
    found = {
        row.theorem.key: row
        for row in table.bounds
        if isinstance(row.value, int) or row.theorem.direction is Direction.EXPECTED
    }
    missing = [key for key in wanted or [] if key not in found]
    if missing:
        raise OptionError(f"no such theorem applies: {', '.join(missing)}")
    chosen = {key: found[key] for key in wanted or found}
    above = {key: row for key, row in chosen.items() if row.is_upper(job.quantity)}
    others = {key: row for key, row in chosen.items() if key not in above}
    return {
        "bounds": _texts(above),
        **({"other_bounds": _texts(others)} if others else {}),
        "seconds": round(time.perf_counter() - began, 6),
        "status": Status.COMPLETE.name.lower(),
    }


def _texts(rows: Mapping[str, Bound]) -> dict[str, str]:
    return {key: integers.to_text(ceil(row.value)) for key, row in rows.items()}


def counted_in_parts(
    job: Job, network: Network, inputs: InputSet, found: Checkpoint, status: Status
) -> dict[str, Any]:
    """Return the fields of a count in parts.

    Parameters
    ----------
    job : Job
    network : Network
    inputs : InputSet
    found : Checkpoint
    status : Status
        Why it ended.
    """
    assert job.method is not None
    upper, source = found.found, COUNTED
    if status is not Status.COMPLETE:
        upper, source = best_upper(network, inputs, job.quantity)
        if found.upper is not None and found.upper < upper:
            upper, source = found.upper, CLOSING
    fields = fields_of(
        CountResult(
            quantity=job.quantity, lower=found.found, upper=upper, status=status,
            guarantee=Guarantee.CERTIFIED, method={"name": job.method.name}, seconds=found.seconds,
            lps=found.tests, share=found.share, upper_source=source,
            details={"decisions": found.decisions},
        )
    )  # fmt: skip
    return fields | {"cpu_seconds": round(found.cpu_seconds, 6)}


def fields_of(result: CountResult) -> dict[str, Any]:
    """Return what a line keeps of a result."""
    record = result.to_record()
    kept = ("lower", "upper", "exact", "status", "guarantee", "confidence", "estimate", "theorem",
            "upper_source", "seconds", "lps", "uncertain")  # fmt: skip
    fields = {name: record[name] for name in kept if record[name] not in (None, "")}
    fields["seconds"] = round(result.seconds, 6)
    exactly = result.details.get("decisions", {}).get("decided_in_exact_arithmetic")
    left = result.details.get("left")
    fields |= {} if left is None else {"left": left}
    return fields | ({} if exactly is None else {"decided_exactly": exactly})


def line_of(job: Job, fields: dict[str, Any]) -> Record:
    """Return the line of a job for the store."""
    network = job.network
    about = {
        "key": job.key,
        "subject": job.subject.title,
        "method": job.spec.name,
        "options": job.options,
        "seed": job.spec.seed,
        "quantity": job.quantity.value,
        "domain": job.domain.title if network is not None else "",
        **job.subject.tags,
        **({} if network is None else {"fingerprint": network.fingerprint}),
    }
    limit = {} if job.spec.seconds is None else {"limit_seconds": job.spec.seconds}
    return (
        about
        | fields
        | limit
        | {
            "milpcount": versions()["milpcount"],
            "machine": machine(),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )


def is_settled(job: Job, record: Record | None) -> bool:
    """Return whether a stored line answers a job: complete, or stopped no earlier than asked."""
    if record is None:
        return False
    if record["status"] in {s.name.lower() for s in Status if s.is_complete}:
        return True
    limit = job.spec.seconds
    return limit is not None and record.get("limit_seconds", 0.0) >= limit


@lru_cache(maxsize=1)
def machine() -> str:
    """Return the processor in short."""
    import os

    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:  # noqa: PTH123
            names = [line.split(":", 1)[1].strip() for line in stream if "model name" in line]
        name = names[0] if names else name
    except OSError:
        pass
    return f"{os.cpu_count()} x {name}"
