"""The counting methods by name: one line each. A method is imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from milpcount.counters.method import Method

METHODS = {
    "tree": "counters.region_tree:RegionTree",
    "pool": "counters.solution_pool:SolutionPool",
    "brute": "counters.brute_force:BruteForce",
    "exact": "counters.exact_tree:ExactTree",
    "mbound": "counters.mbound.mbound:MBound",
    "probe": "counters.probing.probing:Probing",
    "approx": "counters.approximate.approximate:Approximate",
    "section": "counters.section:SectionWalk",
}
"""Names as on the command line and in experiments, and the classes behind them. What else is to be
known of a method, its options and what it can be compared on included, its class says."""
CLASSES = {name: home.split(":")[1] for name, home in METHODS.items()}


def load(name: str) -> "type[Method]":
    """Return the class of a method.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    module, kind = METHODS[name].split(":")
    return cast("type[Method]", getattr(import_module(f"milpcount.{module}"), kind))


def make(name: str, **options: Any) -> "Method":
    """Return a method with its options.

    Raises
    ------
    KeyError
        If there is none of that name.
    OptionError
        If an option is outside its range.
    """
    return load(name)(**options)
