"""The methods by their names on the command line; each is imported when it is asked for."""

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, cast

from milpcount.errors import OptionError

if TYPE_CHECKING:
    from milpcount.counters.method import Method


class MethodName(StrEnum):
    """How to count."""

    tree = "tree"
    pool = "pool"
    brute = "brute"
    exact = "exact"


class ModeName(StrEnum):
    """How a solution pool is enumerated."""

    one_tree = "one_tree"
    no_good = "no_good"
    decomposition = "decomposition"
    grid = "grid"


class FormName(StrEnum):
    """Which units bound f in the MILP of a solution pool."""

    one_sided = "one_sided"
    two_sided = "two_sided"


class TightenName(StrEnum):
    """How pre-activation bounds are found."""

    interval = "interval"
    lp = "lp"
    milp = "milp"


_HOMES = {
    MethodName.tree: ("region_tree", "RegionTree"),
    MethodName.pool: ("solution_pool", "SolutionPool"),
    MethodName.brute: ("brute_force", "BruteForce"),
    MethodName.exact: ("exact_tree", "ExactTree"),
}


_TESTED = ("highs", "cpsat", "scip", "pyomo:highs")
"""Backends that milpcount itself brings."""


def make(name: MethodName, **options: str) -> "Method":
    """Return a method with its options."""
    module, kind = _HOMES[name]
    home = import_module(f"milpcount.counters.{module}")
    return cast("Method", getattr(home, kind)(**options))


def method_named(name: MethodName, **options: str | None) -> "Method":
    """Return the method that the options name; an option that is None was not given.

    Raises
    ------
    OptionError
        If an option does not belong to the method.
    """
    given = {option: str(value) for option, value in options.items() if value is not None}
    if given and name is not MethodName.pool:
        raise OptionError(
            f"--{next(iter(given))} belongs to --method pool, not to --method {name.value}: "
            "leave it out"
        )
    return make(name, **given)


def variants() -> "dict[str, Method]":
    """Return every method, and every backend and mode that milpcount brings, by a short title."""
    from milpcount.backends.registry import BACKENDS

    found = {name.value: make(name) for name in MethodName if name is not MethodName.pool}
    for entry in BACKENDS:
        for mode in entry.load().modes:
            if mode != ModeName.grid.value and entry.name in _TESTED:
                title = f"pool {entry.name} {mode}"
                found[title] = make(MethodName.pool, backend=entry.name, mode=mode)
    return found
