"""A probabilistic lower bound by random XORs: MBound on the patterns of a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, log2
from typing import Any, ClassVar

from milpcount import caps
from milpcount.backends import registry
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.mbound import xor_statistics as statistics
from milpcount.counters.mbound.xor_runs import Mechanism, Run, SolverMechanism, Tally, TreeMechanism
from milpcount.counters.mbound.xor_schedule import perform_all
from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.options import CONFIDENCE, Options, choice, integer, number, option
from milpcount.counters.region_tree import prepare_search
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.errors import OptionError
from milpcount.formulation.formulate import formulate
from milpcount.formulation.margins import Form
from milpcount.formulation.tighten import LEVELS
from milpcount.formulation.xor import Size, XorFamily, check_size, from_bounds, unstable_variables
from milpcount.quantities import Quantity
from milpcount.result import Guarantee

TREE = "tree"
_PILOTS = 3
_FIRST_PILOT = 2**20
"""Runs from here on choose the number of XORs of the hybrid form, and count for nothing else."""


def _checked_size(name: str, value: Any) -> Any:
    check_size(value)
    return value


def _read_size(text: str) -> Any:
    # Python refuses to read the longest of numbers; the check says what is wrong with them.
    return int(text) if text.isdecimal() and len(text) < 1000 else text


def _able_backend(name: str, value: str) -> str:
    if value == TREE:
        return value
    able = ", ".join((TREE, *registry.names(registry.TAKE_ROWS)))
    try:
        capabilities = registry.find(value).load().capabilities
    except OptionError:
        raise OptionError(f"backend {value!r} is not known; give one of: {able}") from None
    if not capabilities & registry.TAKE_ROWS:
        raise OptionError(
            f"backend {value!r} enumerates in one call and takes no rows while it does, "
            f"which XORs are: give one of: {able}"
        )
    return value


@dataclass(frozen=True)
class MBound(Options):
    """Bound the number of regions from below by random XORs (Serra and Ramalingam, AAAI 2020).

    Or that of activation patterns: nothing here depends on which of them are counted. In every
    run, XORs of `xor_size` units with random right-hand sides are added, whenever a region is found
    that satisfies those before, until one cuts it off; the run ends when no region
    is left. With ``f_s`` runs still feasible with s XORs, the bound is 2^j for the largest j with
    ``P[Bin(runs, 1/2) >= f_(j+1)] <= 1 - confidence``; the proof is in `xor_statistics.exponent`.
    A run that a time limit cuts short counts for the XORs it has proved feasible.

    Parameters
    ----------
    xor_size : int or "dense"
        Units per XOR; units that are stable over the domain are never among them. The bound holds
        for any size. Short XORs tell neighbouring regions apart badly, so theirs are weaker; on
        the region tree long ones cost no more. "dense" takes each unit with probability 1/2.
    runs : int
        Fixed beforehand: at least 5 for a confidence of 0.95.
    confidence : float
    backend : str
        ``tree``: the region tree, which takes any activation and domain; or a solver of the MILP:
        ``highs`` (one tree), ``scip`` (rows added while it searches), ``cpsat`` and ``pyomo:NAME``
        (solved again). All return the same for the same seed. The native pools of ``gurobi`` and
        ``cplex`` take no rows, and so no XORs.
    hybrid : int, optional
        Instead, count exactly what a fixed number s of XORs leaves, up to so many regions a run:
        ``2^s q min M`` with ``q^runs = 1 - confidence`` (Hybrid-MBound of Gomes et al.; proof in
        `xor_statistics.hybrid_bound`). s is chosen by runs of their own.
    tighten : {"interval", "lp", "milp"}
        How stable units are found.

    Raises
    ------
    OptionError
        If an option is outside its range, or the runs are too few for the confidence.

    Examples
    --------
    >>> import milpcount as mc
    >>> rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]]
    >>> net = mc.Network.from_arrays([rows], [[0.0, 0.0, 0.5, 0.25]], output=False)
    >>> result = mc.count(net, mc.Box(-1, 1), MBound("dense"))
    >>> result.lower <= mc.count(net, mc.Box(-1, 1)).lower, result.confidence
    (True, 0.95)
    """

    xor_size: Size = option(
        5, "Units in an XOR.", unit="K|dense", check=_checked_size, read=_read_size
    )
    runs: int = integer(20, "Runs, fixed beforehand.", caps.RUNS)
    confidence: float = number(
        0.95, CONFIDENCE, "a number between 0 and 1, e.g. 0.95", unit="P", above=0.0, below=1.0
    )
    backend: str = option(
        TREE, "Which search takes the XORs: tree, or a solver.", unit="NAME", check=_able_backend
    )
    hybrid: int | None = integer(
        None, "Count what XORs leave instead, up to N regions a run.", caps.REGIONS,
        recorded_if_none=False,
    )  # fmt: skip
    tighten: str = choice("lp", "How bounds on pre-activations are found.", LEVELS)

    name: ClassVar[str] = "mbound"
    quantities: ClassVar[frozenset[Quantity]] = frozenset(
        {Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS}
    )
    guarantee: ClassVar[Guarantee] = Guarantee.PROBABILISTIC
    packages: ClassVar[tuple[str, ...]] = ("numba", "highspy", "ortools", "pyomo")
    in_parts: ClassVar[bool] = True
    kernels: ClassVar[tuple[str, ...]] = ("vertices_mbound", "mbound")
    theorem: ClassVar[str] = "XOR hashing (Gomes et al. 2006; Serra and Ramalingam 2020)"

    def __post_init__(self) -> None:
        super().__post_init__()
        statistics.least_feasible(self.runs, self._error)

    @property
    def _error(self) -> Fraction:
        return statistics.error_rate(self.confidence)

    def warm_up(self, problem: Problem) -> None:
        """Compile or import what is needed."""
        from milpcount.formulation.highs_model import highspy

        highspy()
        if self.backend != TREE:
            registry.backend(self.backend).require()
            return
        prepare_search(problem, "vertices_mbound", "mbound")

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots while the runs go on."""
        if not problem.network.n_units:
            yield from the_one_region(problem)
            return
        yield Snapshot(confidence=self.confidence)
        mechanism, family = self._prepare(problem)
        # A box and all of space have interior points, and so a region.
        report = _Report(self, family, known=int(not problem.inputs.rows.size))
        yield report.snapshot([])
        runs = [Run(family, number) for number in range(self.runs)]
        if self.hybrid is not None:
            pilots = [Run(family, _FIRST_PILOT + number) for number in range(_PILOTS)]
            part = problem.deadline.share(_PILOTS, _PILOTS + self.runs)
            for _ in perform_all(mechanism, pilots, part, problem):
                yield report.snapshot([], pilots)
            s = _fixed_xors([run.tally for run in pilots], self.hybrid)
            known = report.known or any(run.tally.regions for run in pilots)
            report = replace(report, fixed=s, known=int(known))
            runs = [Run(family, number, fixed=s, most=self.hybrid) for number in range(self.runs)]
        for _ in perform_all(mechanism, runs, problem.deadline, problem):
            yield report.snapshot(runs)
        yield report.snapshot(runs)

    def _prepare(self, problem: Problem) -> tuple[Mechanism, XorFamily]:
        network, inputs = problem.network, problem.inputs
        if self.backend == TREE:
            # Short of time, the runs get their share: bounds that are left are wider, not wrong.
            part = problem.deadline.share(1, 2)
            free = unstable_variables(network, inputs, self.tighten, part)
            patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
            family = XorFamily(free, self.xor_size, problem.seed)
            return TreeMechanism(network, with_implied_bounds(inputs), patterns), family
        # This form has all patterns, of which those of no region are rejected where regions count.
        formulation = formulate(
            network,
            inputs,
            quantity=problem.quantity,
            form=Form.ONE_SIDED,
            tighten=self.tighten,
            deadline=problem.deadline.share(1, 2),
        )
        free = from_bounds(network, formulation.bounds)
        family = XorFamily(free, self.xor_size, problem.seed)
        return SolverMechanism(formulation, self.backend), family


def _fixed_xors(pilots: Sequence[Tally], threshold: int) -> int:
    """Return a number of XORs that leaves about a quarter to a half of the threshold."""
    guess = statistics.estimate([tally.xors for tally in pilots]) or 1
    return max(0, ceil(log2(guess) - log2(threshold) + 1))


@dataclass(frozen=True)
class _Report:
    """What runs show, as snapshots."""

    method: MBound
    family: XorFamily
    fixed: int | None = None
    known: int = 0  # 1 if there is a region for certain, whatever the runs show

    def snapshot(self, runs: Sequence[Run], pilots: Sequence[Run] = ()) -> Snapshot:
        tallies = [run.tally for run in runs if run.tally.xors or run.tally.complete]
        error, method = self.method._error, self.method
        found = max([self.known, *(tally.regions for tally in tallies)])
        if self.fixed is None:
            xors = [tally.xors for tally in tallies]
            bound = 1 << statistics.exponent(xors, method.runs, error)
            guess = statistics.estimate([tally.xors for tally in tallies if tally.complete])
        else:
            residues = [tally.regions for tally in tallies]
            bound = max(found, statistics.hybrid_bound(residues, method.runs, self.fixed, error))
            guess = _mean(residues, self.fixed) if len(residues) == method.runs else None
        done = sum(run.tally.complete or run.is_full for run in runs)
        current = next((run.tally.xors for run in runs if not run.tally.complete), 0)
        lower = bound if found else 0
        doing = f"{done} of {method.runs} runs" if runs else "choosing the number of XORs"
        return Snapshot(
            lower=lower,
            lps=sum(run.tally.solved for run in (*runs, *pilots)),
            confidence=method.confidence,
            estimate=guess,
            note=f"{doing}   {current} XORs active   at least {lower:,} "
            f"with confidence {method.confidence:.6g}",
            details=self._details(_begun(runs)),
        )

    def _details(self, tallies: Sequence[Tally]) -> dict[str, Any]:
        variables, size = len(self.family.variables), self.family.size
        details: dict[str, Any] = {
            "variables": variables,
            "xor_size_used": size if size == "dense" else min(int(size), variables),
            "xors": [tally.xors for tally in tallies],
            "complete": [tally.complete for tally in tallies],
        }
        if self.fixed is not None:
            q = statistics.share(self.method.runs, self.method._error)
            return details | {
                "bound": "2^s q min(counted), rounded up, with q^runs <= 1 - confidence",
                "s": self.fixed,
                "q": f"{q.numerator}/{q.denominator}",
                "counted": [tally.regions for tally in tallies],
            }
        longest = max(details["xors"], default=0)
        details["feasible_runs"] = [
            sum(tally.xors > s for tally in tallies) for s in range(longest)
        ]
        needed = statistics.least_feasible(self.method.runs, self.method._error)
        notes = _saturation(tallies, self.method.runs, needed, variables)
        return details | {"feasible_runs_needed": needed, "saturated": bool(notes), "notes": notes}


def _begun(runs: Sequence[Run]) -> list[Tally]:
    """Return the tallies up to the last run that shows anything, in the order of the runs."""
    shown = [k for k, run in enumerate(runs) if run.tally.xors or run.tally.complete]
    return [run.tally for run in runs[: max(shown, default=-1) + 1]]


def _mean(residues: Sequence[int], xors: int) -> int:
    """Return the mean of the counts times 2^s, which has the number of regions as expectation."""
    return max(1, ((sum(residues) << xors + 1) + len(residues)) // (2 * len(residues)))


def _saturation(tallies: Sequence[Tally], runs: int, needed: int, variables: int) -> list[str]:
    lengths = [tally.xors for tally in tallies if tally.complete]
    notes = []
    if len(lengths) == runs and len(set(lengths)) == 1:
        notes.append(
            f"saturated: all {runs} runs ended with {lengths[0]} XORs, so the spread of the runs "
            "says nothing about how tight the bound is"
        )
    full = sum(length > variables for length in lengths)
    if full >= needed:
        notes.append(
            f"saturated: {full} runs were feasible with {variables} XORs, as many as there are "
            "units that may change: more XORs tell no more patterns apart"
        )
    return notes
