"""Functions of the kernel as Python: one by one, on numbers made for them, without compiling."""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np


def interpreted(function: Any) -> Callable[..., Any]:
    """Return a function of the kernel as Python, and with it all those that it calls.

    Sums are then added up in the order in which they are written; bounds hold for any order.
    """
    plain = _plain(function)

    def called(*given: Any) -> Any:
        with np.errstate(all="ignore"):  # as compiled code does
            return plain(*given)

    return called


@cache
def _plain(function: Any) -> Any:
    source = function.py_func
    names: dict[str, Any] = dict(source.__globals__)
    copy = FunctionType(source.__code__, names, source.__name__, source.__defaults__)
    for name in source.__code__.co_names:
        if hasattr(names.get(name), "py_func"):
            names[name] = copy if names[name] is function else _plain(names[name])
    return copy
