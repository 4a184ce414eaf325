from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount.network import Network

WEIGHTS = [np.array([[1.0, -2.0, 3.0], [0.0, 1.0, -1.0], [2.0, 2.0, 0.0], [-1.0, 0.5, 4.0]])]
WEIGHTS.append(np.array([[1.0, 2.0, -1.0, 0.0], [3.0, 0.0, 1.0, -2.0]]))
BIASES = [np.array([1.0, -1.0, 0.0, 2.0]), np.array([0.5, -0.5])]


@pytest.fixture
def small() -> Network:
    """A 3-4-2 network of dyadic numbers: arithmetic on it is exact."""
    return Network.from_arrays(WEIGHTS, BIASES)


@pytest.fixture
def write_onnx(tmp_path: Path) -> Callable[..., Path]:
    """Write a model from (operator, inputs, output, attributes) rows and constants."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper

    def write(
        rows: list[tuple[Any, ...]],
        constants: dict[str, Any],
        shape: list[Any],
        *,
        inputs: list[str] | None = None,
        outputs: list[str] | None = None,
        listed: bool = False,
        opset: int = 13,
        dtype: Any = np.float64,
    ) -> Path:
        real = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        nodes = []
        for operator, sources, target, *attributes in rows:
            extra = attributes[0] if attributes else {}
            nodes.append(
                helper.make_node(operator, sources.split(), target.split(), target, **extra)
            )
        tensors = []
        for name, value in constants.items():
            array = np.asarray(value)
            array = array.astype(dtype) if array.dtype.kind == "f" else array
            tensors.append(onnx.numpy_helper.from_array(array, name))
        info = [helper.make_tensor_value_info(n, real, shape) for n in inputs or ["x"]]
        if listed:
            info += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in tensors]
        ends = [helper.make_tensor_value_info(n, real, None) for n in outputs or ["y"]]
        graph = helper.make_graph(nodes, "test", info, ends, tensors)
        opsets = [helper.make_opsetid("", opset)]
        path = tmp_path / "model.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
        return path

    return write
