"""What the verbs are given: each value is of its type, or one line says what to write instead.

The checks ask for what a value can do rather than for its class, so that a domain, a method or an
executor of one's own passes.
"""

import inspect
import reprlib
import sys
from collections.abc import Iterable
from numbers import Real
from pathlib import PurePath
from typing import Any, cast

from milpcount.domain import Domain
from milpcount.errors import DomainError, NetworkError, OptionError
from milpcount.limits import Deadline, Limits
from milpcount.methods import CLASSES
from milpcount.network import Network
from milpcount.quantities import Quantity

_DOMAINS = "mc.Box(-1, 1), mc.Polytope(A, b), mc.Section(p0, directions, box) or mc.Unbounded()"
_READERS = (
    "a milpcount.Network, from mc.Network.load(path), mc.Network.from_torch(module), "
    "mc.Network.from_sklearn(model) or mc.Network.from_arrays(weights, biases)"
)


def network(value: Any, what: str = "the network") -> Network:
    """Return a network.

    Parameters
    ----------
    value : object
    what : str
        What it is for, for the message.

    Raises
    ------
    NetworkError
        Naming the call that makes one of what was given.
    """
    if isinstance(value, Network):
        return value
    raise NetworkError(f"{what} is {_described(value)}: give {_reader(value)}")


def is_module(value: Any) -> bool:
    """Return whether a value is a module of PyTorch, which is not imported for that."""
    return _is_a(value, "torch.nn", "Module")


def _reader(value: Any) -> str:
    """Return the call that makes a network of a value."""
    if isinstance(value, (str, PurePath)):
        return f"mc.Network.load({str(value)!r})"
    if _is_a(value, "torch.nn", "Module"):
        return "mc.Network.from_torch(module, input_shape=..), with the shape of one input"
    if _is_a(value, "sklearn.base", "BaseEstimator"):
        return "mc.Network.from_sklearn(model)"
    if _is_a(value, "omlt.neuralnet", "NetworkDefinition"):
        return "mc.Network.from_omlt(definition)"
    if _is_a(value, "onnx", "ModelProto"):
        return "the file it was read from, mc.Network.load('net.onnx')"
    if isinstance(value, (list, tuple)) or _is_a(value, "numpy", "ndarray"):
        return "mc.Network.from_arrays(weights, biases), with one array of each per layer"
    return _READERS


def _is_a(value: Any, module: str, name: str) -> bool:
    """Return whether a value is of a class of a package, which is not imported for that."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def domain(value: Any) -> Domain:
    """Return a domain.

    Raises
    ------
    DomainError
        Saying how to write one, with the numbers that were given where they are two.
    """
    if not inspect.isclass(value) and callable(getattr(value, "bind", None)):
        return cast(Domain, value)
    if value is None:
        raise DomainError(f"no domain, and the count depends on it: give {_DOMAINS}")
    raise DomainError(f"the domain is {_described(value)}: give {_box(value)}")


def _box(value: Any) -> str:
    if isinstance(value, (list, tuple)) and len(value) == 2:
        low, high = value
        if isinstance(low, Real) and isinstance(high, Real):
            return f"mc.Box({low!s}, {high!s})"
    elif not _is_a(value, "numpy", "ndarray"):
        return _DOMAINS
    return "mc.Box(lower, upper), each a number or one number per input"


def method(value: Any) -> Any:
    """Return a method of counting.

    Raises
    ------
    OptionError
        Listing the methods.
    """
    known = not inspect.isclass(value) and callable(getattr(value, "run", None))
    if known and hasattr(value, "quantities"):
        return value
    everything = ", ".join(f"mc.{name}()" for name in CLASSES.values())
    if isinstance(value, str) and value in CLASSES:
        raise OptionError(
            f"the method is the string {value!r}: give mc.{CLASSES[value]}(), one of {everything}"
        )
    if inspect.isclass(value) and value.__name__ in CLASSES.values():
        raise OptionError(
            f"the method is the class {value.__name__}: give mc.{value.__name__}(), with "
            "parentheses for its options"
        )
    raise OptionError(f"the method is {_described(value)}: give one of {everything}")


def quantity(value: Any, known: Iterable[Quantity] = Quantity) -> Quantity:
    """Return a quantity, by its name too.

    Parameters
    ----------
    value : object
    known : iterable of Quantity
        Those to list.

    Raises
    ------
    OptionError
        Listing those that are known.
    """
    try:
        return Quantity(value)
    except ValueError:
        raise OptionError(
            f"quantity {reprlib.repr(value)} is not known: give one of {names(known)}"
        ) from None


def check_counted(kind: Quantity, method_name: str, able: Iterable[Quantity]) -> None:
    """Check that a method counts a quantity.

    Parameters
    ----------
    kind : Quantity
    method_name : str
    able : iterable of Quantity
        What the method counts.

    Raises
    ------
    OptionError
        Saying what the method counts.
    """
    own = sorted(able, key=lambda one: one.value)
    if kind in own:
        return
    raise OptionError(f"method {method_name!r} cannot count {kind.value}; it counts {names(own)}")


def names(kinds: Iterable[Quantity]) -> str:
    """Return the names of quantities in a row."""
    return ", ".join(kind.value for kind in kinds)


def limits(value: Any) -> Limits | None:
    """Return limits, or None where there are none.

    Raises
    ------
    OptionError
        Saying how to write them.
    """
    if value is None or isinstance(value, Limits):
        return value
    number = isinstance(value, Real) and not isinstance(value, bool)
    example = f"mc.Limits(seconds={value})" if number else "mc.Limits(seconds=60)"
    raise OptionError(f"limits are {_described(value)}: give {example}")


def deadline(value: Any) -> Deadline | None:
    """Return a deadline, or None where there is none."""
    if value is None or isinstance(value, Deadline):
        return value
    raise OptionError(f"the deadline is {_described(value)}: give milpcount.limits.Deadline(60)")


def listener(value: Any) -> Any:
    """Return a listener: anything that can be called."""
    if callable(value):
        return value
    raise OptionError(f"the listener is {_described(value)}: give a function that takes one event")


def executor(value: Any) -> Any:
    """Return an executor, or None where there is none."""
    if value is None or (not inspect.isclass(value) and callable(getattr(value, "submit", None))):
        return value
    workers = value if isinstance(value, int) and value > 0 else 2
    raise OptionError(
        f"the executor is {_described(value)}: give one as concurrent.futures has them, e.g. "
        f"ProcessPoolExecutor({workers})"
    )


def flag(value: Any, name: str) -> bool:
    """Return a truth value; a text that says no is not one."""
    if isinstance(value, bool) or _is_a(value, "numpy", "bool_"):
        return bool(value)
    raise OptionError(f"{name}={reprlib.repr(value)}: give True or False")


def _described(value: Any) -> str:
    """Return what a value is, short and on one line."""
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    kind = type(value).__name__
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, Real):
        return f"the number {value!s}"
    if isinstance(value, str):
        return f"the string {reprlib.repr(value)}"
    if isinstance(value, PurePath):
        return f"the path {str(value)!r}"
    if isinstance(value, (list, tuple)) and all(isinstance(one, Real) for one in value):
        return f"the {kind} {reprlib.repr(value)}"
    return f"of type {kind}"
