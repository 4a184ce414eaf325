"""Compilation of the kernel, once per machine; `milpcount.kernel.disk_cache` keeps the result."""

import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.domain import Box
from milpcount.formulation.xor import Xor
from milpcount.kernel import (
    depth_first,
    parity,
    random_descent,
    refutations,
    region_points,
    vertex_parity,
    vertex_search,
)
from milpcount.kernel.compiled import IS_PYTHON
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.disk_cache import alone
from milpcount.kernel.image_space import SMALL
from milpcount.kernel.program import compile_program
from milpcount.network import Network
from milpcount.tree import kept_points
from milpcount.tree.descent_tasks import walking
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.refutations import Projections
from milpcount.tree.search import Search

_REST_SECONDS = 0.1


@dataclass(frozen=True)
class Kernel:
    """What a method needs compiled.

    Attributes
    ----------
    title : str
    seconds : int
        About how long one core takes to compile it.
    entries : tuple
        Of its functions those that Python calls in every run.
    work : callable
        Calls them.
    after : str, optional
        Another one, by the name of its method, that this one includes.
    """

    title: str
    seconds: int
    entries: tuple[Any, ...]
    work: Callable[[], None]
    after: str | None = None

    @property
    def is_compiled(self) -> bool:
        """Whether this process has it, or finds all of it on the disk, or runs it as Python."""
        return IS_PYTHON or all(
            entry.signatures or entry._cache.kept_in(entry.targetctx) is not None
            for entry in self.entries
        )

    @property
    def kept_in(self) -> Path | None:
        """The folder on the disk that has it, None if none has."""
        if IS_PYTHON:
            return None
        folders = [entry._cache.kept_in(entry.targetctx) for entry in self.entries]
        return None if None in folders else folders[0]


def _search() -> None:
    for _ in Search(_one_unit(), Box(-1, 1).bind(1)).run():
        pass


def _search_vertices() -> None:
    for _ in VertexSearch(_one_unit(), Box(-1, 1).bind(1)).run():
        pass


def _search_under_a_parity() -> None:
    _under_a_parity(Search(_one_unit(), Box(-1, 1).bind(1), parities=True))


def _search_vertices_under_a_parity() -> None:
    _under_a_parity(VertexSearch(_one_unit(), Box(-1, 1).bind(1), parities=True))


def _under_a_parity(search: Search | VertexSearch) -> None:
    search.add(Xor(((0, 1),), True))
    for _ in search.run():
        pass


def _walk() -> None:
    batch = Batch(np.zeros((1, 2)), np.zeros((1, 2)), 1, 0, 0, 1)
    for _ in walking(Search(_one_unit(), Box(-1, 1).bind(1)), batch):
        pass


def _walk_by_vertices() -> None:
    batch = Batch(np.zeros((1, 2)), np.zeros((1, 2)), 1, 0, 0, 1, by_vertices=True)
    for _ in walking(VertexSearch(_one_unit(), Box(-1, 1).bind(1)), batch):
        pass


def _points() -> None:
    network = Network.from_arrays([np.ones((1, SMALL + 1))], [[-0.5]], output=False)
    inputs = Box(0, 1).bind(SMALL + 1)
    finder = kept_points.PointFinder(network, inputs, compile_program(network, inputs))
    finder.points(np.ones((1, 1), dtype=np.int64))


def _refute() -> None:
    one, none = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    finder = Projections(_one_unit(), Box(-1, 1).bind(1), closed=False)
    finder.refute(one[None], none, none, none, lambda *found: None)


def _one_unit() -> Network:
    return Network.from_arrays([[[1.0]]], [[0.25]], output=False)


KERNELS = {
    "vertices": Kernel(
        "the region tree's kernel for few inputs", 10, (vertex_search.run,), _search_vertices
    ),
    "tree": Kernel("the region tree's kernel", 30, (depth_first.run,), _search),
    "mbound": Kernel(
        "what parities add to the region tree's kernel",
        2,
        (depth_first.run, parity.add_parity),
        _search_under_a_parity,
        "tree",
    ),
    "vertices_mbound": Kernel(
        "the kernel for few inputs under parities",
        12,
        (vertex_search.run_under_parities, vertex_parity.add_parity),
        _search_vertices_under_a_parity,
    ),
    "points": Kernel(
        "what finds points of kept regions of many inputs",
        15,
        (region_points.find_points,),
        _points,
    ),
    "proof": Kernel("what refutes the sides of a proof", 15, (refutations.refute,), _refute),
    "vertices_probe": Kernel(
        "the kernel of random walks for few inputs", 12, (vertex_search.walk,), _walk_by_vertices
    ),
    "probe": Kernel("the kernel of random walks", 35, (random_descent.walk,), _walk),
}
"""By name; a method may need several, and some only in the course of a count."""


@cache
def warm_up(method: str = "tree") -> None:
    """Compile what a method needs, or load it; of the processes that want it one compiles.

    Parameters
    ----------
    method : str
        A key of `KERNELS`.
    """
    wanted = KERNELS[method]
    if wanted.is_compiled:
        wanted.work()
    else:
        with alone():
            wanted.work()


def warm_up_worker(method: str) -> tuple[str, int, int]:
    """Do the same in a worker; return who it is.

    A worker that has done so already rests, so that those that are just starting get their turn.
    """
    before = warm_up.cache_info().misses
    warm_up(method)
    if warm_up.cache_info().misses == before:
        time.sleep(_REST_SECONDS)
    return platform.node(), os.getpid(), threading.get_ident()
