"""The modules that a chain of PyTorch modules applies in order, and the input it takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from operator import index
from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.torch_copies import rounded_weights, traceable, unwrapped, weight_hooks
from milpcount.network.torch_modules import (
    AT_THE_END,
    UNCHANGED,
    NeedsTracing,
    check_forward_hooks,
    kind_of,
    unsupported,
)
from milpcount.network.unsupported import AT_THE_END_ONLY, reason

TELLING = ("Linear", "BatchNorm1d", "Unflatten", "Flatten", *UNCHANGED)
"""Kinds of modules at the beginning of a chain that tell its input, or leave that to the next."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """A module that a chain applies; `kind` is None if it is of no supported class."""

    name: str
    module: Any
    kind: str | None
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and class, for messages."""
        return f"{self.name} ({type(self.module).__name__})"


def leaves_of(module: Any, prefix: str = "") -> Iterator[Leaf]:
    """Yield the modules that a chain applies, in order.

    Raises
    ------
    NetworkError
        If one has hooks or methods that may change what it computes.
    """
    notes: tuple[str, ...] = ()
    leaf = Leaf(prefix or "the module", module, None)
    try:
        module = unwrapped(module)
        if weight_hooks(module):
            check_forward_hooks(module, weight_hooks(module))
            copied = traceable(module)
            module, notes = copied.module, tuple(rounded_weights(leaf.title) for _ in copied.notes)
        kind = kind_of(module)
    except NeedsTracing:
        kind = None
    except NetworkError as error:
        raise NetworkError(f"{leaf.title}: {error}") from None
    if kind != "Sequential":
        yield Leaf(leaf.name, module, kind, notes)
        return
    # Not named_children: it leaves out the second use of a shared module.
    for key, child in module._modules.items():
        yield from leaves_of(child, f"{prefix}.{key}" if prefix else key)


def check_supported(leaf: Leaf, is_last: bool) -> None:
    """Raise NetworkError if a module is known not to be piecewise linear."""
    if leaf.kind is None:
        why = unsupported(leaf.module, is_last=is_last)
        if why:
            raise NetworkError(f"{leaf.title}: {why}")
    elif leaf.kind in AT_THE_END:
        raise NetworkError(f"{leaf.title}: {reason(leaf.kind)}; {AT_THE_END_ONLY}")


def checked_shapes(given: Any, leaves: list[Leaf]) -> list[tuple[int, ...]]:
    """Return the shapes of the tensors of one input: the one that is given, or all of several."""
    several = isinstance(given, list | tuple) and any(isinstance(v, list | tuple) for v in given)
    return (
        [checked_shape(shape, leaves) for shape in given]
        if several
        else [checked_shape(given, leaves)]
    )


def checked_shape(given: Any, leaves: list[Leaf]) -> tuple[int, ...]:
    """Return the shape of one input, as it is given or as the first layer tells it."""
    if given is None:
        return _first_shape(leaves)
    try:
        shape = tuple(index(size) for size in given)
    except TypeError:
        shape = ()
    if not shape or min(shape) < 1:
        raise NetworkError(
            f"input_shape {given!r}: give positive integers, without the batch, e.g. (1, 28, 28)"
        )
    return shape


def _first_shape(leaves: list[Leaf]) -> tuple[int, ...]:
    """Return the shape of one input as the first layer that has one tells it."""
    for leaf in leaves:
        kind, module = leaf.kind, leaf.module
        if kind == "Linear":
            return (int(module.in_features),)
        if kind == "BatchNorm1d":
            return (int(module.num_features),)
        if kind == "Unflatten" and module.dim == 1:
            return (prod(module.unflattened_size),)
        if kind not in (*UNCHANGED, "Flatten"):
            raise NetworkError(
                f"{leaf.title} does not tell the shape of the inputs: give input_shape, "
                "e.g. input_shape=(1, 28, 28)"
            )
    raise NetworkError("the module has no layers: there is nothing to count")
