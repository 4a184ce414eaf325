"""What both ways to SCIP have in common: settings, a search in a thread of its own, rows."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from milpcount.backends.quiet import QuietStderr
from milpcount.enumeration.search import SearchState
from milpcount.formulation.highs_model import FEASIBILITY
from milpcount.formulation.linear_program import Row

YIELD_SECONDS = 0.2
REAL_SETTINGS = {"numerics/feastol": FEASIBILITY}
BOOL_SETTINGS = {
    # What rests on the objective or on symmetry must not remove patterns.
    "misc/allowstrongdualreds": False,
    "misc/allowweakdualreds": False,
}
INT_SETTINGS = {
    "misc/usesymmetry": 0,
    # Cuts that are wrong by rounding cut off thin cells.
    "separating/maxrounds": 0,
    "separating/maxroundsroot": 0,
}


def in_a_thread(
    solve: Callable[[], Any], interrupt: Callable[[], None], state: SearchState
) -> Generator[SearchState, None, Any]:
    """Yield the state while SCIP searches, and return what it returns.

    Closing the generator stops the search; between two states SCIP's complaints are not shown.

    Parameters
    ----------
    solve : callable
        Runs the search.
    interrupt : callable
        Asks it to stop; it is asked until it has.
    state : SearchState
    """
    quiet = QuietStderr()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(solve)
        try:
            while not wait([future], YIELD_SECONDS).done:
                quiet.release()
                yield state
                quiet = QuietStderr()
        finally:
            quiet.release()
            while not wait([future], 0).done:
                interrupt()
                wait([future], 0.01)
    return future.result()


def bounded(total: Any, row: Row) -> Any:
    """Return a row as an inequality or equation in a modelling language with operators.

    Parameters
    ----------
    total : expression
        The row's sum.
    row : Row
        Its sides.
    """
    if row.lower == row.upper:
        return total == row.upper
    if np.isneginf(row.lower):
        return total <= row.upper
    if np.isposinf(row.upper):
        return total >= row.lower
    return (total >= row.lower) <= row.upper
