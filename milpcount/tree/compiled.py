"""How the kernel's functions are compiled: once, cached on disk, with the error model intact.

Sums may be reordered and fused (the error bounds hold for every order), nothing else is relaxed:
infinities and signs of zero keep their meaning. Reference counting is off: no function of the
kernel allocates, and counting the references to the search's arrays took nine tenths of the time.
"""

import hashlib
from pathlib import Path
from typing import Any

import numba

_MATH = {"reassoc", "contract"}
_PLAIN = ("answers", "prober", "search", "split", "warm_up", "witnesses")

_OPTIONS: dict[str, Any] = {
    "cache": True, "fastmath": _MATH, "error_model": "numpy", "_nrt": False,
}  # fmt: skip

entry: Any = numba.njit(**_OPTIONS)
"""Decorator for the functions of the kernel that Python calls."""

jit: Any = numba.njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Decorator for all others: wrappers that nobody calls took two fifths of the time to compile."""


@jit
def copy(target, source):
    """Copy a vector; numba's own slice assignment may allocate."""
    for i in range(source.shape[0]):
        target[i] = source[i]


@jit
def fill(target, value):
    """Set every entry of a vector."""
    for i in range(target.shape[0]):
        target[i] = value


@jit
def copy_bits(target, source):
    """Copy a pair of bit sets."""
    for w in range(source.shape[1]):
        target[0, w] = source[0, w]
        target[1, w] = source[1, w]


@jit
def clear_bits(target):
    """Empty a pair of bit sets."""
    for w in range(target.shape[1]):
        target[0, w] = 0
        target[1, w] = 0


def _plain() -> set[Path]:
    """Return the files of this folder that the kernel does not depend on."""
    return {Path(__file__).with_name(f"{n}.py") for n in _PLAIN}


def _drop_stale() -> None:
    """Empty the cache if any source of the kernel has changed.

    numba looks only at the file of the function it loads, so code inlined from another file would
    live on after that file has changed.
    """
    sources = sorted(set(Path(__file__).parent.glob("*.py")) - _plain())
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in sources)).hexdigest()
    folder = Path(copy.stats.cache_path)
    stamp = folder / "kernel.sha256"
    try:
        if stamp.exists() and stamp.read_text() == digest:
            return
        for pattern in ("*.nbi", "*.nbc"):
            for file in folder.glob(pattern):
                file.unlink(missing_ok=True)
        stamp.write_text(digest)
    except OSError:
        return  # a cache that cannot be written cannot have gone stale


_drop_stale()
