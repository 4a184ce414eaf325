"""ATen operators that are not read: which ONNX operator says why, and which may come last."""

from milpcount.network.unsupported import reason

_NAMES = {
    "_softmax": "Softmax",
    "_log_softmax": "LogSoftmax",
    "log_sigmoid_forward": "LogSigmoid",
    "silu": "SiLU",
    "hardswish": "HardSwish",
    "rsqrt": "Sqrt",
    "log1p": "Log",
    "log2": "Log",
    "expm1": "Exp",
    "square": "Pow",
    "prod": "ReduceProd",
    "var": "ReduceSumSquare",
    "std": "ReduceSumSquare",
    "var_mean": "ReduceSumSquare",
    "norm": "ReduceL2",
    "linalg_vector_norm": "ReduceL2",
    "logsumexp": "ReduceLogSumExp",
    "native_layer_norm": "LayerNormalization",
    "native_group_norm": "GroupNormalization",
    "_fused_rms_norm": "RMSNormalization",
    "scaled_dot_product_attention": "Attention",
    "_scaled_dot_product_flash_attention_for_cpu": "Attention",
    "glu": "GLU",
    "eq": "Equal",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt": "Less",
    "le": "LessOrEqual",
    "topk": "TopK",
    "argmax": "ArgMax",
    "argmin": "ArgMin",
    "grid_sampler_2d": "GridSample",
}
# Decomposed they would be refused for what they are made of, under a name nobody wrote.
WHOLE = frozenset(
    (
        *("silu", "hardswish", "mish", "softplus", "log_sigmoid_forward", "gelu", "elu", "celu"),
        *("selu", "glu", "logsumexp", "native_layer_norm", "native_group_norm", "var", "std"),
        *("scaled_dot_product_attention", "norm", "linalg_vector_norm", "softsign", "topk"),
    )
)


def onnx_name(operator: str) -> str:
    """Return the name of the operator of ONNX, or the class of torch.nn, that an operator is."""
    return _NAMES.get(operator) or "".join(part.capitalize() for part in operator.split("_"))


def why_not(operator: str, *, is_last: bool) -> str:
    """Return why an operator on values that depend on the input is not read."""
    if operator.startswith(("_native_batch_norm", "native_batch_norm")):
        return "it takes its statistics from the batch: train it with track_running_stats=True"
    found = reason(onnx_name(operator), is_last=is_last)
    return found if "not known" not in found else "the operator is not implemented"
