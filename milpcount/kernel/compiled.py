"""How the kernel's functions are compiled: once per machine, with the error model intact.

Sums may be reordered and fused (the error bounds hold for every order), nothing else is relaxed:
infinities and signs of zero keep their meaning. Reference counting is off: no function of the
kernel allocates, and counting the references to the search's arrays took nine tenths of the time.

With ``NUMBA_DISABLE_JIT=1`` in the environment nothing is compiled: the kernel runs as Python, a
thousand times slower, with tracebacks and a debugger, and any change of it is tried at once.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numba
import numpy as np

from milpcount.kernel.disk_cache import Kept
from milpcount.kernel.part_compiler import PartCompiler, WholeCompiler

_MATH = {"reassoc", "contract"}
_OPTIONS: dict[str, Any] = {"fastmath": _MATH, "error_model": "numpy", "_nrt": False}
_PART: dict[str, Any] = _OPTIONS | {
    "pipeline_class": PartCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True
}  # fmt: skip
_WHOLE: dict[str, Any] = _OPTIONS | {"pipeline_class": WholeCompiler, "no_cfunc_wrapper": True}

IS_PYTHON = bool(numba.config.DISABLE_JIT)
"""Whether the kernel runs as Python."""


def _left_as_python(function: Callable[..., Any]) -> Any:
    function.py_func = function  # type: ignore[attr-defined]
    return function


jit: Any = _left_as_python if IS_PYTHON else numba.njit(**_PART)
"""Decorator for the functions of the kernel that only others of the kernel call."""

inlined: Any = _left_as_python if IS_PYTHON else numba.njit(**_PART, forceinline=True)
"""The same for those whose many arguments take longer to pass than they take to run."""


def entry(function: Callable[..., Any]) -> Any:
    """Decorate a function of the kernel that Python calls: it is kept on disk."""
    if IS_PYTHON:

        @wraps(function)
        def called(*given: Any) -> Any:
            with np.errstate(all="ignore"):  # as in compiled code
                return function(*given)

        called.py_func = function  # type: ignore[attr-defined]
        return called
    compiled = numba.njit(**_WHOLE)(function)
    compiled._cache = Kept(function)
    return compiled


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
