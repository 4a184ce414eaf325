"""How large the output of an ONNX node would be, where numbers in the node say so."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from milpcount import caps
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.onnx_nodes import attributes_of


def check_room(node: Any, inputs: Sequence[AffineTensor | np.ndarray | None]) -> None:
    """Refuse a node whose own numbers, and not its inputs, make its output huge.

    Raises
    ------
    FileFormatError
        If a constant's shape, a padding or a kernel asks for more numbers than the cap allows.
    """
    attributes, first = attributes_of(node), inputs[0] if inputs else None
    sizes = [prod(attributes.get("kernel_shape", ()))]
    pads = attributes.get("pads", ())
    if node.op_type == "Pad" and len(inputs) > 1 and isinstance(inputs[1], np.ndarray):
        pads = inputs[1].ravel().tolist()
    if node.op_type in ("Expand", "Tile") and first is not None:
        sizes.append(_repeated(node.op_type, first.shape, inputs[1]))
    if node.op_type == "ConstantOfShape" and isinstance(first, np.ndarray):
        sizes.append(prod(int(n) for n in first.ravel()))
    elif first is not None and len(pads) > 0:
        half = len(pads) // 2
        added = zip(first.shape[-half:], pads[:half], pads[half:], strict=False)
        sizes.append(prod(int(n) + max(0, int(a)) + max(0, int(b)) for n, a, b in added))
    caps.NUMBERS.check(max(sizes), "its output")


def _repeated(kind: str, shape: Sequence[int], given: AffineTensor | np.ndarray | None) -> int:
    """Return how many entries are there once they are repeated."""
    if not isinstance(given, np.ndarray):
        return prod(shape)
    numbers = [max(1, int(n)) for n in given.ravel()]
    if kind == "Tile":
        return prod(shape) * prod(numbers)
    return prod(np.broadcast_shapes(tuple(shape), tuple(numbers)))
