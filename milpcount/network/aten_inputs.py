"""The inputs of an exported program: tensors that are the parts of one input of a network."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.batch import without_batch
from milpcount.network.network import Network


@dataclass(frozen=True)
class Inputs:
    """Names and shapes of tensors that are given together.

    Attributes
    ----------
    names : tuple of str
    shapes : tuple of tuple of int
        Each with its batch, where it has one.
    """

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> int:
        """The size of the batch, if all tensors have the same first of several dimensions; or 1."""
        firsts = {shape[0] if len(shape) > 1 else 1 for shape in self.shapes}
        return firsts.pop() if len(firsts) == 1 else 1

    @property
    def size(self) -> int:
        """Number of entries of all tensors."""
        return sum(map(prod, self.shapes))

    @property
    def note(self) -> str | None:
        """Where in the network's input the tensors are; nothing to say of one alone."""
        if len(self.names) == 1:
            return None
        slices, start = [], 0
        for name, shape in zip(self.names, self.shapes, strict=True):
            stop = start + prod(shape) // self.rows
            slices.append(f"{name!r} {start} to {stop - 1}")
            start = stop
        return f"several inputs are one, in this order: {', '.join(slices)}"

    def tensors(self) -> list[AffineTensor]:
        """Return the tensors over the columns: row by row of the batch, in a row one by one."""
        if len(self.shapes) == 1:
            return [AffineTensor.of_columns(self.shapes[0], 0)]
        everything = AffineTensor.of_columns((self.rows, self.size // self.rows), 0)
        found, start = [], 0
        for shape in self.shapes:
            stop = start + prod(shape) // self.rows
            places = everything.numbers[:, start:stop]
            found.append(everything.taken(np.ascontiguousarray(places).reshape(shape)))
            start = stop
        return found

    def of_one_row(self, network: Network) -> Network:
        """Return what a network does to one row of the batch; itself if they are parts of one.

        Raises
        ------
        NetworkError
            If the rows are not treated alike, or several tensors have rows that meet.
        """
        if self.rows == 1:
            return network
        found = without_batch(network, self.rows)
        if found is network and len(self.names) > 1:
            raise NetworkError(
                f"the module mixes the {self.rows} rows of its inputs {', '.join(self.names)}: "
                "give example_input, with a batch of 1 to count on one input"
            )
        return found


def inputs_of(program: Any) -> Inputs:
    """Return the inputs of a program; a batch of unknown size is one of 2.

    Raises
    ------
    NetworkError
        If there is none, or one is no tensor of floating numbers of a known shape.
    """
    wanted = [s.arg for s in program.graph_signature.input_specs if s.kind.name == "USER_INPUT"]
    names = [str(getattr(arg, "name", "?")) for arg in wanted]
    if not names:
        raise NetworkError("the module takes no input")
    nodes = {node.name: node for node in program.graph.nodes}
    return Inputs(tuple(names), tuple(_shape(nodes.get(name), name) for name in names))


def _shape(node: Any, name: str) -> tuple[int, ...]:
    value: Any = None if node is None else node.meta.get("val")
    if not hasattr(value, "shape"):
        raise NetworkError(f"the input {name!r} is no tensor: make it a part of the module")
    if not value.is_floating_point():
        raise NetworkError(
            f"the input {name!r} is not of real numbers ({value.dtype}): make it a part of the "
            "module"
        )
    sizes = list(value.shape)
    if len(sizes) > 1 and not isinstance(sizes[0], int):
        sizes[0] = 2
    if not sizes or any(not isinstance(size, int) for size in sizes) or min(sizes) < 1:
        raise NetworkError(
            f"the input {name!r} has shape {list(map(str, sizes))}: only the first of several "
            "dimensions, the batch, may be unknown"
        )
    return tuple(int(size) for size in sizes)
