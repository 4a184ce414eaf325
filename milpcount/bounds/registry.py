"""All theorems in one table: a new one is a function and a row."""

from milpcount.bounds.case import Case
from milpcount.bounds.rows import (
    any_network,
    convolutional,
    expected,
    piecewise,
    rectifier,
    rectifier_best,
)
from milpcount.bounds.theorem import Bound, Theorem
from milpcount.errors import OptionError

THEOREMS: tuple[Theorem, ...] = (
    *any_network.ROWS,
    *rectifier.ROWS,
    *rectifier_best.ROWS,
    *piecewise.ROWS,
    *convolutional.ROWS,
    *expected.ROWS,
)


def families() -> list[str]:
    """Return the families of theorems."""
    return sorted({row.family for row in THEOREMS})


def evaluate(case: Case, family: str | None = None) -> list[Bound]:
    """Return the value of every theorem that applies.

    Parameters
    ----------
    case : Case
    family : str, optional
        Only theorems of this family.

    Raises
    ------
    OptionError
        If there is no such family.
    """
    if family is not None and family not in families():
        raise OptionError(f"family {family!r}: there are {', '.join(families())}")
    found = []
    for row in THEOREMS:
        if family in (None, row.family):
            value = row.value(case)
            if value is not None:
                found.append(Bound(row, value))
    return found
