"""Compilation of the kernel, once per machine: numba keeps the result in its cache."""

from functools import cache

from milpcount.domain import Box
from milpcount.network import Network
from milpcount.tree import kernel
from milpcount.tree.search import Search


def is_compiled() -> bool:
    """Return whether this process has the kernel, or finds it in numba's cache."""
    if kernel.run.signatures:
        return True
    index = getattr(getattr(kernel.run, "_cache", None), "_impl", None)
    return index is None or _has_index(kernel.run)


def _has_index(dispatcher: object) -> bool:
    from pathlib import Path

    implementation = dispatcher._cache._impl  # type: ignore[attr-defined]
    folder = Path(implementation.locator.get_cache_path())
    return any(folder.glob(f"{implementation.filename_base}*.nbi"))


@cache
def warm_up() -> None:
    """Run the kernel on a network of one unit."""
    for _ in Search(
        Network.from_arrays([[[1.0]]], [[0.0]], output=False), Box(-1, 1).bind(1)
    ).run():
        pass
