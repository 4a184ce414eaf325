"""Compilation of the kernel, once per machine: numba keeps the result in its cache."""

from functools import cache

import numpy as np

from milpcount.domain import Box
from milpcount.network import Network
from milpcount.tree import kernel, probe
from milpcount.tree.prober import walking
from milpcount.tree.search import Search
from milpcount.tree.walks import Batch


def is_compiled(*, walks: bool = False) -> bool:
    """Return whether this process has the kernel, or finds it in numba's cache.

    Parameters
    ----------
    walks : bool
        The kernel of random walks, instead of that of the search.
    """
    function = probe.walk if walks else kernel.run
    if function.signatures:
        return True
    return function._cache.holds(function.targetctx)


def _has_index(dispatcher: object) -> bool:
    from pathlib import Path

    implementation = dispatcher._cache._impl  # type: ignore[attr-defined]
    folder = Path(implementation.locator.get_cache_path())
    return any(folder.glob(f"{implementation.filename_base}*.nbi"))


@cache
def warm_up() -> None:
    """Run the kernel on a network of one unit."""
    for _ in Search(_one_unit(), Box(-1, 1).bind(1)).run():
        pass


@cache
def warm_up_walks() -> None:
    """Run the kernel of random walks on a network of one unit."""
    batch = Batch(np.zeros((1, 2)), np.zeros((1, 2)), 1, 0, 0, 1)
    for _ in walking(Search(_one_unit(), Box(-1, 1).bind(1)), batch):
        pass


def _one_unit() -> Network:
    return Network.from_arrays([[[1.0]]], [[0.0]], output=False)
