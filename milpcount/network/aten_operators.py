"""The ATen operators that are linear in the values that depend on the network's input.

Operators that only move entries are run by torch on the numbers of the entries: what comes out
says where each entry went. All others are operators of ONNX, or sparse matrices of
`milpcount.network.linear_maps`.
"""

from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.alignment import joined
from milpcount.network.aten_calls import AtenCall, AtenOperator, leaves, replaced
from milpcount.network.aten_windows import (
    adaptive_average_pool,
    average_pool,
    convolved,
    upsampled,
)
from milpcount.network.torch_modules import import_torch

MOVING = frozenset(
    (
        *("view", "_unsafe_view", "reshape", "flatten", "unflatten", "permute", "transpose", "t"),
        *("squeeze", "unsqueeze", "expand", "expand_as", "repeat", "clone", "alias", "detach"),
        *("contiguous", "slice", "select", "narrow", "index", "index_select", "gather", "take"),
        *("cat", "stack", "split", "split_with_sizes", "chunk", "unbind", "flip", "roll", "rot90"),
        *("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d"),
        *("replication_pad1d", "replication_pad2d", "replication_pad3d", "unfold", "diagonal"),
        *("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "tril", "triu", "where"),
        *("masked_fill", "copy", "slice_scatter", "select_scatter", "diagonal_scatter", "im2col"),
        *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "movedim", "scatter"),
        *("index_put", "lift_fresh_copy", "lift_fresh", "view_copy", "expand_copy", "tile"),
        *("repeat_interleave", "masked_select", "diag_embed", "zeros_like", "ones_like"),
        *("full_like", "new_zeros", "new_ones", "new_full", "fill"),
    )
)


def moved(call: AtenCall) -> Any:
    """Return entries where torch puts them; other numbers in its result are constants."""
    torch = import_torch()
    if call["accumulate"] or call["reduce"]:
        raise NetworkError("adding up entries that meet is not implemented")
    if call.target._overloadname == "dtype":
        raise NetworkError("numbers that are read as those of another type are not implemented")
    tensors = [v for v in leaves(call.arguments) if isinstance(v, AffineTensor)]
    row = joined(tensors)
    results = []
    for run in (0, 1):
        # In the second run all numbers are others, so what stays the same is a constant.
        at = [1.0 + run * row.size]

        def numbered(value: Any, at: list[float] = at) -> Any:
            if isinstance(value, AffineTensor):
                at[0] += value.size
                return torch.from_numpy(value.numbers + at[0] - value.size)
            is_real = isinstance(value, torch.Tensor) and value.is_floating_point()
            return value.detach().cpu().double() if is_real else value

        results.append(called(call.target, replaced(call.arguments, numbered)))
    pairs = list(zip(*(r if isinstance(r, list | tuple) else [r] for r in results), strict=True))
    found = []
    for first, second in pairs:
        a, b = first.numpy().astype(np.float64), second.numpy().astype(np.float64)
        stays = a == b
        if not (stays | (b - a == row.size)).all():
            raise NetworkError("with these arguments it does more than move entries")
        constants = np.where(stays, a, 0.0)
        places = np.where(stays, 0, a).astype(np.int64) - 1
        found.append(row.taken(places, constants if stays.any() else None))
    return found if isinstance(results[0], list | tuple) else found[0]


def called(target: Any, arguments: dict[str, Any]) -> Any:
    """Return what torch makes of arguments by name."""
    schema = target._schema.arguments
    positional = [arguments[a.name] for a in schema if not a.kwarg_only and a.name in arguments]
    named = {a.name: arguments[a.name] for a in schema if a.kwarg_only and a.name in arguments}
    with import_torch().no_grad():
        return target(*positional, **named)


def _sum(call: AtenCall) -> AffineTensor:
    return _combined(call, call["self"], call["other"], "Add")


def _difference(call: AtenCall) -> AffineTensor:
    return _combined(call, call["self"], call["other"], "Sub")


def _reversed_difference(call: AtenCall) -> AffineTensor:
    return _combined(call, call["other"], call["self"], "Sub", scaled=0)


def _combined(call: AtenCall, a: Any, b: Any, kind: str, *, scaled: int = 1) -> AffineTensor:
    """Return a sum or difference in which one term is multiplied by alpha."""
    alpha, terms = call["alpha"], [a, b]
    if alpha not in (None, 1):
        is_tensor = isinstance(terms[scaled], AffineTensor)
        terms[scaled] = (
            call.onnx("Mul", terms[scaled], alpha) if is_tensor else terms[scaled] * alpha
        )
    return call.onnx(kind, *terms)


def _quotient(call: AtenCall) -> AffineTensor:
    if call["rounding_mode"] is not None:
        raise NetworkError("rounding is piecewise linear, but not implemented")
    return call.onnx("Div", call["self"], call["other"])


def _product(call: AtenCall) -> AffineTensor:
    pair = list(call.arguments.values())[:2]
    return call.onnx("MatMul", *pair)


def _product_and_sum(call: AtenCall) -> AffineTensor:
    bias, a, b = list(call.arguments.values())[:3]
    alpha, beta = (1.0 if call[n] is None else float(call[n]) for n in ("alpha", "beta"))
    return call.onnx("Gemm", a, b, bias, alpha=alpha, beta=beta)


def _linear(call: AtenCall) -> AffineTensor:
    return call.onnx("Gemm", call["input"], call["weight"], call["bias"], transB=1)


def _reduced(kind: str) -> AtenOperator:
    def apply(call: AtenCall) -> AffineTensor:
        dims = call["dim"]
        axes = [dims] if isinstance(dims, int) else list(dims or [])
        return call.onnx(kind, call.tensor, axes=axes, keepdims=int(bool(call["keepdim"])))

    return AtenOperator(apply, kind)


def _normalised(call: AtenCall) -> list[AffineTensor | None]:
    mean, variance = call["running_mean"], call["running_var"]
    if call["training"]:
        raise NetworkError("it takes its statistics from the batch: call the module's eval() first")
    ones, zeros = np.ones(len(mean)), np.zeros(len(mean))
    scale = ones if call["weight"] is None else call["weight"]
    shift = zeros if call["bias"] is None else call["bias"]
    inputs = (call.tensor, scale, shift, mean, variance)
    return [call.onnx("BatchNormalization", *inputs, epsilon=call["eps"]), None, None]


def _cumulative_sum(call: AtenCall) -> AffineTensor:
    tensor, axis = call.tensor, int(call["dim"])
    order = list(range(len(tensor.shape)))
    order.append(order.pop(axis))
    last = tensor.taken(tensor.numbers.transpose(order))
    found = call.onnx("MatMul", last, np.triu(np.ones((last.shape[-1],) * 2)))
    return found.taken(found.numbers.transpose(np.argsort(order)))


OPERATORS_OF_ATEN: dict[str, AtenOperator] = {
    "add": AtenOperator(_sum, "Add"),
    "sub": AtenOperator(_difference, "Sub"),
    "rsub": AtenOperator(_reversed_difference, "Sub"),
    "mul": AtenOperator(lambda call: call.onnx("Mul", call["self"], call["other"]), "Mul"),
    "div": AtenOperator(_quotient, "Div"),
    "neg": AtenOperator(lambda call: call.onnx("Neg", call.tensor), "Neg"),
    "mm": AtenOperator(_product, "MatMul"),
    "bmm": AtenOperator(_product, "MatMul"),
    "mv": AtenOperator(_product, "MatMul"),
    "dot": AtenOperator(_product, "MatMul"),
    "matmul": AtenOperator(_product, "MatMul"),
    "addmm": AtenOperator(_product_and_sum, "Gemm"),
    "addmv": AtenOperator(_product_and_sum, "Gemm"),
    "baddbmm": AtenOperator(_product_and_sum, "Gemm"),
    "linear": AtenOperator(_linear, "Gemm"),
    "convolution": AtenOperator(convolved, "Conv"),
    "_native_batch_norm_legit_no_training": AtenOperator(_normalised, "BatchNormalization"),
    "avg_pool1d": AtenOperator(average_pool, "AveragePool"),
    "avg_pool2d": AtenOperator(average_pool, "AveragePool"),
    "avg_pool3d": AtenOperator(average_pool, "AveragePool"),
    "_adaptive_avg_pool2d": AtenOperator(adaptive_average_pool, "AveragePool"),
    "_adaptive_avg_pool3d": AtenOperator(adaptive_average_pool, "AveragePool"),
    "adaptive_avg_pool1d": AtenOperator(adaptive_average_pool, "AveragePool"),
    "upsample_linear1d": AtenOperator(upsampled, "Resize"),
    "upsample_bilinear2d": AtenOperator(upsampled, "Resize"),
    "upsample_trilinear3d": AtenOperator(upsampled, "Resize"),
    "mean": _reduced("ReduceMean"),
    "sum": _reduced("ReduceSum"),
    "cumsum": AtenOperator(_cumulative_sum, "CumSum"),
    "_to_copy": AtenOperator(lambda call: call.tensor, "Cast"),
} | dict.fromkeys(MOVING, AtenOperator(moved, "Reshape"))
