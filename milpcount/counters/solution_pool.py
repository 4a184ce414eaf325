"""Counting by enumerating the solutions of the big-M MILP."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from milpcount.backends import registry
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.method import Candidate, Problem, Snapshot
from milpcount.counters.options import Options, as_it_is, choice, option
from milpcount.enumeration.cell_feasibility import MARGIN
from milpcount.enumeration.no_good import LEAST_MARGIN
from milpcount.enumeration.search import Search, SearchState
from milpcount.errors import OptionError, SolverError
from milpcount.exact.evaluate import parameters_of
from milpcount.exact.geometry import Point
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import region_near
from milpcount.formulation.formulate import Formulation, formulate
from milpcount.formulation.highs_model import FEASIBILITY
from milpcount.formulation.margins import Form
from milpcount.formulation.tighten import LEVELS
from milpcount.limits import Deadline, OutOfTime
from milpcount.quantities import FROM_REGIONS, Quantity
from milpcount.result import Guarantee, Region

CLOCKS_DIFFER = 1.0
"""Seconds by which a solver may think that its time is up too early."""


def _known_backend(name: str, value: str) -> str:
    registry.find(value)
    return value


@dataclass(frozen=True)
class SolutionPool(Options):
    """Count by enumerating the patterns of the MILP of Serra et al. (ICML 2018).

    Parameters
    ----------
    backend : str
        The solver: ``highs``, ``cpsat``, ``scip``, ``pyscipopt``, ``gurobi``, ``cplex``, or
        ``pyomo:NAME`` with a solver that Pyomo reaches; ``milpcount backends`` lists them.
    mode : str, optional
        How the patterns are enumerated; every backend has a mode of its own by default.
        ``one_tree``: one branch-and-bound tree that keeps every integral leaf (highs, scip,
        pyscipopt).
        ``no_good``: the MILP solved again and again with a cut for every pattern found (highs,
        pyomo). ``decomposition``: Boolean search, with every pattern decided in exact arithmetic
        (cpsat). ``grid``: the patterns attained at integer inputs of a network of integers
        (cpsat); this counts ``grid_patterns`` and nothing else. ``countsols``: the solver's own
        count, with and without a margin, as lower and upper bounds; no pattern is named or
        confirmed (pyscipopt). ``pool``, ``populate``: the solver's own solution pool (gurobi's
        PoolSearchMode 2, cplex's populate).
    form : {"one_sided", "two_sided"}, optional
        Which units bound f in ``no_good`` mode, where a MILP with f is solved: active ones only,
        or all. By default the one-sided form, whose patterns include those of all regions; every
        pattern is confirmed on its cell, so the form changes the work, not the count.
    tighten : {"interval", "lp", "milp"}
        How the big-M constants are found.
    workers : int, optional
        1 is all there is: enumeration in parallel repeats some patterns and loses others.

    Raises
    ------
    OptionError
        If an option is not known.

    Notes
    -----
    Cells are decided by a margin normalised in input space, the solver's tolerances below it, and
    in exact arithmetic where that is not enough; ``details["borderline"]`` says how often. The
    backend ``cpsat`` decides all of them in exact arithmetic, the mode ``countsols`` none.

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    >>> mc.count(net, mc.Box(-1, 1), SolutionPool()).lower
    2
    >>> mc.count(net, mc.Box(-1, 1), SolutionPool(), quantity="activation_patterns").lower
    3
    """

    backend: str = option(
        "highs", "The solver; see milpcount backends.", unit="NAME", check=_known_backend
    )
    mode: str | None = option(
        None, "Enumeration, the backend's own by default.", unit="NAME", check=as_it_is
    )
    form: str | None = choice(None, "MILP of --mode no_good.", tuple(form.value for form in Form))
    tighten: str = choice("lp", "How bounds on pre-activations are found.", LEVELS)
    workers: int | None = None

    name: ClassVar[str] = "pool"
    quantities: ClassVar[frozenset[Quantity]] = frozenset(
        {
            Quantity.ACTIVATION_REGIONS,
            Quantity.ACTIVATION_PATTERNS,
            Quantity.GRID_PATTERNS,
            *FROM_REGIONS,
        }
    )
    packages: ClassVar[tuple[str, ...]] = (
        *("highspy", "ortools", "pyomo", "pyscipopt", "gurobipy", "cplex"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        modes = registry.find(self.backend).load().modes
        object.__setattr__(self, "mode", modes[0] if self.mode is None else self.mode)
        if self.mode not in modes:
            raise OptionError(f"mode={self.mode!r}: give one of {', '.join(modes)}")
        if self.workers not in (None, 1):
            raise OptionError(
                f"workers={self.workers}: a solver that enumerates in parallel repeats some "
                "patterns and loses others; leave the option out"
            )

    @property
    def guarantee(self) -> Guarantee:
        """What the lower bound rests on."""
        exact = self.backend == "cpsat"
        return Guarantee.EXACT_ARITHMETIC if exact else Guarantee.TOLERANCE

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how the backends' modes take part in comparisons."""
        return tuple(
            Candidate(
                f"{cls.name} {entry.name} {mode}",
                partial(cls, backend=entry.name, mode=mode),
                most,
                names=mode not in registry.COUNT_ONLY,
            )
            for entry in registry.BACKENDS
            for mode, most in entry.load().affordable.items()
        )

    def warm_up(self, problem: Problem) -> None:
        """Import the solver.

        Raises
        ------
        NotInstalledError
            If it is missing.
        OptionError
            If a two-sided form is to count patterns, most of which it does not have, or if the
            mode does not count the quantity.
        """
        registry.backend(self.backend).require()
        if (self.mode == "grid") != (problem.quantity is Quantity.GRID_PATTERNS):
            raise OptionError(
                f"mode {self.mode!r} does not count {problem.quantity.value}: grid_patterns are "
                "counted by backend 'cpsat' in mode 'grid', and by nothing else"
            )
        if problem.quantity is Quantity.ACTIVATION_PATTERNS and self.form == Form.TWO_SIDED.value:
            raise OptionError(
                "form='two_sided' leaves out patterns attained on lower-dimensional sets only: "
                "count activation_patterns with form='one_sided'"
            )
        if self.mode == "countsols" and (self.form or problem.keep_regions):
            raise OptionError(
                "mode 'countsols' names no patterns, and takes the form of its quantity: count "
                "without keep_regions and form, or in mode 'one_tree'"
            )
        from milpcount.formulation.highs_model import highspy

        highspy()

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots while the patterns are enumerated."""
        if not problem.network.n_units:
            yield from the_one_region(problem)
            return
        formulation = formulate(
            problem.network,
            problem.inputs,
            quantity=_continuous(problem.quantity),
            form=self.form or (None if self.mode == "countsols" else Form.ONE_SIDED),
            tighten=self.tighten,
            # Short of time, counting gets its share: constants that are left are larger, not wrong.
            deadline=problem.deadline.share(1, 2),
        )
        patterns: set[tuple[int, ...]] = set()
        regions: list[Region] | None = [] if problem.keep_regions else None

        proved = _proved(problem)

        def keep(pattern: tuple[int, ...], point: np.ndarray) -> None:
            if pattern not in patterns:
                patterns.add(pattern)
                if regions is not None:
                    regions.append(proved(pattern, point))

        solver = registry.backend(self.backend)
        assert self.mode is not None
        search = solver.search(formulation, keep, self.mode, problem.deadline)
        fixed = self._details(formulation)
        yield Snapshot(details=fixed, regions=regions)

        def shown(state: SearchState) -> Snapshot:
            return Snapshot(
                lower=len(patterns) + state.counted,
                upper=state.most,
                uncertain=_between(state),
                lps=state.lps + state.milps,
                share=state.share,
                details=fixed | _progress(state),
                regions=regions,
            )

        try:
            for state in _until_the_end(search, problem.deadline):
                yield shown(state)
        except OutOfTime:
            yield shown(search.state)

    def _details(self, formulation: Formulation) -> dict[str, Any]:
        details: dict[str, Any] = {
            "form": formulation.form.value,
            "tighten": formulation.bounds.source,
            "stable_units": int(formulation.columns.fixed.size) - formulation.n_free,
        }
        if self.mode == "grid":
            return details | {"counted": "patterns attained at integer inputs, not regions"}
        if self.mode == "decomposition":
            return details | {"cells": "decided in exact rational arithmetic"}
        if self.mode == "countsols":
            return details | {
                "cells": "counted by the solver, not confirmed one by one",
                "margins": [LEAST_MARGIN, 0.0],
                "solver_tolerance": FEASIBILITY,
            }
        proposed = "scip" in self.backend or self.mode in ("pool", "populate")
        if proposed or (self.mode == "no_good" and self.backend == "highs"):
            details["least_margin_proposed"] = LEAST_MARGIN
        return details | {"margin": MARGIN, "solver_tolerance": FEASIBILITY}


def _proved(problem: Problem) -> Callable[[tuple[int, ...], np.ndarray], Region]:
    """Return a function that makes regions of patterns and points that solvers give.

    A solver's point may be off by its tolerance: where it does not prove its region, another point
    is found in exact arithmetic. Where there is none the point is kept, and fails verification.
    """
    if problem.quantity is Quantity.GRID_PATTERNS:
        return lambda pattern, point: Region(pattern, point)
    closed = problem.quantity is Quantity.ACTIVATION_PATTERNS
    network: list[ExactNetwork] = []

    def region(pattern: tuple[int, ...], x: np.ndarray) -> Region:
        if not network:
            network.append(ExactNetwork(problem.network, problem.inputs))
        t = parameters_of(network[0].inputs, x)
        if t is None:
            inputs = problem.inputs
            t = Point.of(np.linalg.lstsq(inputs.directions, x - inputs.origin, rcond=None)[0])
        return region_near(network[0], pattern, t, patterns=closed) or Region(pattern, x)

    return region


def _until_the_end(search: Search, deadline: Deadline) -> Iterator[SearchState]:
    """Yield the states of a search; one that ends early ends with the deadline, or in an error.

    A solver's clock may run ahead of the deadline's, and whoever ends before the deadline is taken
    to have found everything.
    """
    yield from search.run()
    state = search.state
    if state.exhausted or state.stopped or deadline.passed():
        return
    if deadline.remaining() > CLOCKS_DIFFER:
        raise SolverError(
            "the solver stopped by itself, at none of milpcount's limits, before it had found "
            "everything: count with the backend 'highs'"
        )
    time.sleep(deadline.remaining())
    yield state


def _between(state: SearchState) -> int:
    """Return how many patterns the two counts of a solver leave open."""
    return 0 if state.most is None else max(0, state.most - state.counted)


def _continuous(quantity: Quantity) -> Quantity:
    """Return the quantity whose formulation has the patterns that are counted."""
    patterns = Quantity.ACTIVATION_PATTERNS
    return patterns if quantity is Quantity.GRID_PATTERNS else quantity


def _progress(state: SearchState) -> dict[str, Any]:
    return {
        "nodes": state.nodes,
        "milps": state.milps,
        "borderline": state.borderline,
        "rejected": state.rejected,
    } | state.details
