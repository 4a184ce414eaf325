"""What an ONNX graph ends with and a count leaves out: a Softmax, a Sigmoid, the label of a class.

These follow the last piecewise linear operation. As they are strictly monotone (or, as an ArgMax,
piecewise constant), the regions that are counted are those of what they are applied to. Operations
that put their results in another form, as a table of classes, go with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.onnx_nodes import label
from milpcount.network.unsupported import AT_THE_END_ONLY

_STARTS = frozenset(
    (
        *("Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Exp"),
        *("ArgMax", "ArgMin", "Hardmax"),
    )
)
_GOES_ON = _STARTS | frozenset(
    (
        *("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Neg"),
        *("Add", "Sub", "Mul", "Div", "Concat", "Gather", "ZipMap", "ArrayFeatureExtractor"),
    )
)


@dataclass(frozen=True)
class LeftOut:
    """A value after the operations that are left out.

    Attributes
    ----------
    source : AffineTensor
        What they are applied to.
    node : NodeProto
        The first of them.
    refusal : str
        Why it is not read, if it turns out not to come last.
    operations : tuple of str
        Their types.
    """

    source: AffineTensor
    node: Any
    refusal: str
    operations: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a network says that ends with it."""
        names = ", ".join(dict.fromkeys(self.operations))
        return f"left out at the end: {names}; counted is what comes before"


def starts_ending(kind: str) -> bool:
    """Return whether an operator is left out where nothing but such operators follows."""
    return kind in _STARTS


def ending(node: Any, inputs: Sequence[Any]) -> LeftOut:
    """Return what a node makes of values after operations that are left out.

    Raises
    ------
    FileFormatError
        If it does more with them than an end of a network does: it names the first of them.
    """
    found = [v for v in inputs if isinstance(v, LeftOut)]
    first = found[0]
    alone = all(v is None or isinstance(v, LeftOut | np.ndarray | list) for v in inputs)
    same = all(v.source is first.source for v in found)
    if node.op_type not in _GOES_ON or not alone or not same:
        raise FileFormatError(f"{label(first.node)}: {first.refusal}; {AT_THE_END_ONLY}")
    met = dict.fromkeys(kind for v in found for kind in v.operations)
    return replace(first, operations=(*met, node.op_type))
