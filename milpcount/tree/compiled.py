"""How the kernel's functions are compiled: once, cached on disk, with the error model intact.

Sums may be reordered and fused (the error bounds hold for every order), nothing else is relaxed:
infinities and signs of zero keep their meaning. Parts are inlined into the entry points: a call that
passes the search's state costs more than most of them.
"""

from typing import Any

import numba

_MATH = {"reassoc", "contract"}

jit: Any = numba.njit(cache=True, fastmath=_MATH, error_model="numpy", _nrt=False)
"""Decorator for the kernel's parts."""

jit_call: Any = numba.njit(cache=True, fastmath=_MATH, error_model="numpy", _nrt=False)
"""Decorator for parts that are called, not inlined, and for the entry points."""


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
