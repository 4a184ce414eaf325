"""The tightest upper bound on a network's count that costs next to nothing."""

from milpcount.bounds import registry
from milpcount.bounds.any_network import naive
from milpcount.bounds.case import Case
from milpcount.domain import InputSet
from milpcount.network import Network
from milpcount.quantities import Quantity

__all__ = ["BUDGET", "best_upper", "naive"]

BUDGET = 300.0
"""Milliseconds of work as `milpcount.bounds.costs` has it: a small part of a second in truth."""


def best_upper(
    network: Network, inputs: InputSet, quantity: Quantity, budget: float = BUDGET
) -> tuple[int, str]:
    """Return an upper bound on the quantity and the name of its theorem.

    The theorems of the registry that bound the quantity from above, cheapest first, until the
    budget is spent; the smallest value counts, of equal ones that of the cheapest theorem.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    quantity : Quantity
        Of patterns, those attained on lower-dimensional sets too can exceed every bound but the
        number of all patterns.
    budget : float
        Milliseconds, by the theorems' own orders of magnitude.
    """
    case = Case.of(network, inputs)
    rows = [row for row in registry.THEOREMS if row.bounds_from_above(quantity)]
    costs = sorted(((row.cost(case), place) for place, row in enumerate(rows)))
    best, source, spent = naive(network), "naive (all patterns)", 0.0
    for cost, place in costs:
        if spent + cost > budget:
            break
        if (value := rows[place].value(case)) is None:
            continue
        spent += cost
        if value < best:
            best, source = int(value), rows[place].title
    return best, source
