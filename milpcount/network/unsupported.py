"""Why an operator is not read: it is not piecewise linear, or only not implemented yet.

The names are those of ONNX and of torch.nn; the latter without the number of dimensions.
"""

import re

_NOT_PIECEWISE_LINEAR = frozenset(
    (
        # ONNX
        *("Sigmoid", "Tanh", "Erf", "Gelu", "Exp", "Log", "Softplus", "Softsign", "Elu", "Selu"),
        *("Celu", "Mish", "Swish", "HardSwish", "QuickGelu", "FastGelu", "Sqrt", "Pow"),
        *("Reciprocal", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh"),
        *("Acosh", "Atanh", "Softmax", "LogSoftmax", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"),
        *("ReduceSumSquare", "ReduceProd", "LayerNormalization", "InstanceNormalization"),
        *("GroupNormalization", "RMSNormalization", "SimplifiedLayerNormalization"),
        *("SkipLayerNormalization", "LpNormalization", "MeanVarianceNormalization", "LRN"),
        *("LpPool", "GlobalLpPool", "Attention", "MultiHeadAttention", "GroupQueryAttention"),
        *("RotaryEmbedding", "LSTM", "GRU", "RNN", "Det", "BiasGelu", "SoftmaxCrossEntropyLoss"),
        # torch.nn
        *("GELU", "SiLU", "ELU", "SELU", "CELU", "LogSigmoid", "Hardswish", "GLU", "Softmin"),
        *("Tanhshrink", "LayerNorm", "InstanceNorm", "LazyInstanceNorm", "GroupNorm", "RMSNorm"),
        *("LocalResponseNorm", "CrossMapLRN", "LPPool", "MultiheadAttention", "Transformer"),
        *("TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoder"),
        *("TransformerDecoderLayer", "LSTMCell", "GRUCell", "RNNCell", "Bilinear"),
        *("CosineSimilarity", "PairwiseDistance", "AdaptiveLogSoftmaxWithLoss"),
    )
)
_PIECEWISE_LINEAR = frozenset(
    (
        # ONNX
        *("MaxPool", "GlobalMaxPool", "MaxRoiPool", "MaxUnpool", "Max", "Min", "ReduceMax"),
        *("ReduceMin", "ReduceL1", "Abs", "HardSigmoid", "Hardmax", "ThresholdedRelu", "Shrink"),
        *("Sign", "Floor", "Ceil", "Round", "Where", "TopK", "ArgMax", "ArgMin", "Greater"),
        *(
            "GreaterOrEqual",
            "Less",
            "LessOrEqual",
            "Equal",
            "ConvTranspose",
            "Split",
            "Sum",
            "Mean",
        ),
        *("Expand", "Tile", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth", "Einsum"),
        *("CumSum", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Trilu"),
        *("ReverseSequence", "GridSample", "Col2Im", "CenterCropPad", "QuantizeLinear"),
        *("DequantizeLinear", "DynamicQuantizeLinear", "FusedConv", "FusedGemm", "FusedMatMul"),
        # torch.nn
        *("AdaptiveMaxPool", "FractionalMaxPool", "AdaptiveAvgPool", "Hardsigmoid", "Hardshrink"),
        *("Softshrink", "Threshold", "RReLU", "UpsamplingNearest", "UpsamplingBilinear"),
        *("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad"),
        *("PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Fold", "Unfold", "SyncBatchNorm"),
        *("FeatureAlphaDropout",),
    )
)

_WHY = {
    "HardSwish": "it is quadratic between -3 and 3",
    "Hardswish": "it is quadratic between -3 and 3",
    "Attention": "it multiplies values that depend on the input",
    "MultiHeadAttention": "it multiplies values that depend on the input",
    "MultiheadAttention": "it multiplies values that depend on the input",
    "GroupQueryAttention": "it multiplies values that depend on the input",
    "LRN": "it divides by a sum of squares",
    "Softplus": "it is smooth",
    "Equal": "it compares, which makes steps",
}
"""More on some of them."""

AT_THE_END_ONLY = "it is left out at the end of a network, and only there"


def reason(operator: str, *, is_last: bool = False) -> str:
    """Return in a few words why an operator is not read.

    Parameters
    ----------
    operator : str
        Type of an ONNX node, or name of a class of torch.nn.
    is_last : bool
        Whether nothing follows it.
    """
    name = re.sub(r"[123]d$", "", operator)
    if name in _NOT_PIECEWISE_LINEAR:
        if is_last:
            what = "it is not piecewise linear: leave it out, as it comes last, and count the rest"
        else:
            what = "it is not piecewise linear, so the network has no linear regions to count"
        return f"{what} ({_WHY[name]})" if name in _WHY else what
    if name in _PIECEWISE_LINEAR:
        what = "it is piecewise linear, but not implemented"
        return f"{what} ({_WHY[name]})" if name in _WHY else what
    return "the operator is not known"


def is_known(operator: str) -> bool:
    """Return whether `reason` knows an operator."""
    return re.sub(r"[123]d$", "", operator) in _NOT_PIECEWISE_LINEAR | _PIECEWISE_LINEAR
