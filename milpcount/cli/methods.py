"""The methods by their names on the command line; each is imported when it is asked for."""

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from milpcount.errors import OptionError

if TYPE_CHECKING:
    from milpcount.counters.method import Method


class MethodName(StrEnum):
    """How to count."""

    tree = "tree"
    pool = "pool"
    brute = "brute"
    exact = "exact"
    mbound = "mbound"
    probe = "probe"
    approx = "approx"
    section = "section"


class ModeName(StrEnum):
    """How a solution pool is enumerated."""

    one_tree = "one_tree"
    no_good = "no_good"
    decomposition = "decomposition"
    countsols = "countsols"
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
    MethodName.mbound: ("mbound", "MBound"),
    MethodName.probe: ("probing", "Probing"),
    MethodName.approx: ("approximate", "Approximate"),
    MethodName.section: ("section", "SectionWalk"),
}

OPTIONS = {
    MethodName.pool: ("backend", "mode", "form", "tighten"),
    MethodName.mbound: ("backend", "tighten", "confidence", "runs", "xor_size", "hybrid"),
    MethodName.probe: ("confidence", "probes", "gap"),
    MethodName.approx: ("epsilon", "delta", "strategy", "count_first"),
}
"""The options of each method; the others have none."""


_TESTED = ("highs", "cpsat", "scip", "pyscipopt", "pyomo:highs")
"""Backends that milpcount itself brings, or one of its extras."""
_NOT_TESTED = ("grid", "countsols")
"""Modes that count another quantity, or only up to the faces of cells."""


def make(name: MethodName, **options: Any) -> "Method":
    """Return a method with its options."""
    module, kind = _HOMES[name]
    home = import_module(f"milpcount.counters.{module}")
    return cast("Method", getattr(home, kind)(**options))


def method_named(name: MethodName, **options: Any) -> "Method":
    """Return the method that the options name; an option that is None was not given.

    Raises
    ------
    OptionError
        If an option does not belong to the method.
    """
    given = {option: _plain(value) for option, value in options.items() if value is not None}
    size = str(given.get("xor_size", ""))
    if size.isdecimal() and len(size) < 1000:  # Python refuses to read the longest of them
        given["xor_size"] = int(size)
    for option in given:
        if option not in OPTIONS.get(name, ()):
            owners = [owner.value for owner, own in OPTIONS.items() if option in own]
            raise OptionError(
                f"--{option.replace('_', '-')} belongs to --method {' and '.join(owners)}, not to "
                f"--method {name.value}: leave it out"
            )
    return make(name, **given)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def variants() -> "dict[str, Method]":
    """Return every method, and every backend and mode that milpcount brings, by a short title."""
    from milpcount.backends.registry import BACKENDS

    found = {
        name.value: make(name) for name in (MethodName.tree, MethodName.brute, MethodName.exact)
    }
    for entry in BACKENDS:
        for mode in entry.load().modes:
            if mode not in _NOT_TESTED and entry.name in _TESTED:
                title = f"pool {entry.name} {mode}"
                found[title] = make(MethodName.pool, backend=entry.name, mode=mode)
    return found
