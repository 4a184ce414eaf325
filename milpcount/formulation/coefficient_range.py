"""Whether solvers can compute with the numbers of a program."""

import numpy as np

from milpcount.errors import OptionError
from milpcount.formulation.gradient_lengths import SHORTEST
from milpcount.formulation.linear_program import LinearProgram
from milpcount.formulation.pattern_map import PatternMap

_FARTHEST = 1e8
"""Scaled numbers from here on are rounded by more than solvers tolerate."""
_DROPPED, _TOLERANCE = 1e-12, 1e-9


def require_fit(program: LinearProgram, columns: PatternMap) -> None:
    """Refuse a program with numbers that a solver cannot tell apart at its tolerances.

    Raises
    ------
    OptionError
        If there are such.
    """
    if not is_fit(program, columns):
        raise OptionError(
            "the network's numbers, or the domain's, are too large, too small or too far apart "
            "for the MILP's solvers: count with the method 'tree' or 'exact'"
        )


def is_fit(program: LinearProgram, columns: PatternMap) -> bool:
    """Return whether solvers can take a program: its numbers, once scaled, are near enough to 1.

    Solvers compute with an absolute tolerance of 1e-9 in the scaled columns and rows. They take
    bounds from 1e20 on as infinite and leave out coefficients below 1e-12; products of coefficients
    and columns are rounded.
    """
    lengths = columns.lengths[columns.lengths != 0]
    if not ((lengths > SHORTEST) & (lengths < 1.0 / SHORTEST)).all():
        return False
    with np.errstate(all="ignore"):
        scaled = program.rescaled(columns.shift, columns.scale)
        moved = np.abs(program.values * columns.shift[program.indices])
        unit = np.abs(scaled.values) / np.abs(program.values * columns.scale[program.indices])
    reach = np.maximum(np.abs(scaled.lower), np.abs(scaled.upper))
    sides = [s[~np.isinf(p)] for s, p in (
        (scaled.row_lower, program.row_lower), (scaled.row_upper, program.row_upper)
    )]  # fmt: skip
    sizes = np.concatenate([reach, np.abs(scaled.values), moved * unit, *map(np.abs, sides)])
    dropped = np.abs(scaled.values) < _DROPPED
    lost = np.abs(scaled.values[dropped]) * reach[scaled.indices[dropped]]
    return bool((sizes < _FARTHEST).all() and (lost < _TOLERANCE).all())
