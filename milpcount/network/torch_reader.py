"""Reader of PyTorch modules: ``nn.Sequential`` chains of affine layers and piecewise linear units.

Linear modules become sparse matrices (see `milpcount.network.linear_maps`); modules that move
entries are run on the numbers of the entries. Torch itself says whether a module can take an input.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation, clip, leaky_relu, relu
from milpcount.network.affine_tensor import ROOTS, AffineTensor
from milpcount.network.builder import NetworkBuilder
from milpcount.network.linear_maps import (
    Windows,
    convolution,
    gathered_windows,
    pooling,
    product,
    same_pads,
    windows,
)
from milpcount.network.network import Network
from milpcount.network.torch_chain import (
    TELLING,
    Leaf,
    check_supported,
    checked_shape,
    checked_shapes,
    leaves_of,
)
from milpcount.network.torch_copies import (
    loaded,
    rounded_weights,
)
from milpcount.network.torch_modules import (
    AT_THE_END,
    LINEAR,
    UNCHANGED,
    check_global_hooks,
    import_torch,
    plain_copy,
)

_MOVING = ("Flatten", "Unflatten")


def read_torch(
    module: Any,
    input_shape: Sequence[int] | Sequence[Sequence[int]] | None = None,
    example_input: Any = None,
    output: str | int | None = None,
    state_dict: Any = None,
) -> Network:
    """Return the network that a module computes in evaluation mode.

    An ``nn.Sequential``, nested or not, of Linear, ReLU, LeakyReLU, PReLU, Hardtanh, ReLU6,
    BatchNorm, Conv, AvgPool, MaxPool, Flatten, Unflatten, Identity and Dropout is read without a
    call to anything. A Softmax, LogSoftmax, Sigmoid or Tanh at the end is left out, and a note says
    so. Of every other module a copy is traced, which calls its `forward` and no hook; see
    `milpcount.network.torch_export`. A unit after the last affine layer makes it a hidden layer,
    and the network has no output layer. The module is left as it is.

    Parameters
    ----------
    module : torch.nn.Module
        One with forward hooks of the user's is refused: they can change what it computes. Hooks of
        torch's own that compute weights, as of pruning, are taken at what they compute.
    input_shape : sequence of int, optional
        Shape of one input without the batch, e.g. ``(1, 28, 28)``; the network's inputs are its
        entries, row-major. Needed where the first layer does not tell, as a convolution. Of a
        module with several inputs a sequence of shapes; they are one input of the network, one
        after the other, which a note says.
    example_input : torch.Tensor or sequence of torch.Tensor, optional
        An input with its batch, in place of the shape; the module is traced on its shape.
    output : str or int, optional
        Which output to take of a module that returns several: its key, or its place.
    state_dict : dict, optional
        Values to load into a copy of the module first.

    Returns
    -------
    Network
        Weights converted exactly; affine layers in a row are composed without rounding.

    Raises
    ------
    NetworkError
        If something is not supported, named in the message, the shapes do not chain, or a number
        is not finite.
    NotInstalledError
        If torch is missing.
    """
    if not isinstance(module, import_torch().nn.Module):
        raise NetworkError(f"a {type(module).__name__} is not a torch.nn.Module")
    check_global_hooks()
    if state_dict is not None:
        module = loaded(module, state_dict)
    leaves = list(leaves_of(module))
    ends = []
    while leaves and leaves[-1].kind in AT_THE_END:
        ends.append(str(leaves.pop().kind))
    traced = [leaf for leaf in leaves if leaf.kind is None]
    for leaf in leaves:
        check_supported(leaf, is_last=leaf is leaves[-1])
    if traced or output is not None:
        from milpcount.network.torch_export import read_forward

        shapes = None
        if example_input is None and (input_shape is not None or leaves[0].kind in TELLING):
            shapes = checked_shapes(input_shape, leaves)
        return read_forward(module, shapes, example_input, output)
    if example_input is not None:
        from milpcount.network.torch_export import examples_of

        sizes, *others = (tuple(example.shape) for example in examples_of(example_input))
        input_shape = sizes[1:] if len(sizes) > 1 else sizes
        if others:
            raise NetworkError(f"the {type(module).__name__} takes one input: give one tensor")
    tensor = AffineTensor.of_columns(checked_shape(input_shape, leaves), 0)
    builder = NetworkBuilder(tensor.size)
    for leaf in leaves:
        try:
            tensor = _apply(leaf, tensor, builder)
        except NetworkError as error:
            raise NetworkError(f"{leaf.title}: {error}") from None
    if ends:
        builder.note(f"left out at the end: {', '.join(ends[::-1])}; counted is what comes before")
    return builder.finish(tensor)


def _apply(leaf: Leaf, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    kind = leaf.kind
    if kind is None or kind in UNCHANGED:
        return tensor
    module = plain_copy(leaf.module, kind)
    for note in leaf.notes:
        builder.note(note)
    if "parametrizations" in vars(leaf.module)["_modules"]:
        builder.note(rounded_weights(leaf.title))
    if kind in LINEAR or kind.startswith("MaxPool"):
        return _apply_to_shape(kind, module, tensor, builder)
    return builder.activate(tensor, _units(kind, module, tensor))


def _apply_to_shape(
    kind: str, module: Any, tensor: AffineTensor, builder: NetworkBuilder
) -> AffineTensor:
    """Apply a module that is no unit of its own, which is the reader's own copy."""
    try:
        _check_finite(module)
        with import_torch().no_grad():
            module.double()
            if kind.startswith("BatchNorm"):
                return _normalise(module, tensor, builder)
            # Two inputs: torch says what it makes of their shape, and whether it keeps them apart.
            shape = _run(module, np.zeros((2, *tensor.shape))).shape
            if shape[:1] != (2,):
                raise NetworkError(
                    "it mixes the inputs of a batch: only one input at a time is supported"
                )
            if kind in _MOVING:
                return tensor.reshaped(shape[1:])
            if kind == "Linear":
                matrix, found = product(tensor.shape, module.weight.numpy().T)
                return tensor.applied(matrix, found, _offset(module, 0))
            return _apply_windows(kind, module, tensor, builder, shape[1:])
    # Torch raises many kinds of errors; all mean that the module cannot take this input.
    except (
        *(AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError),
    ) as error:
        if isinstance(error, NetworkError):
            raise
        reason = " ".join(str(error).split())
        raise NetworkError(f"it cannot take an input of shape {tensor.shape}: {reason}") from None


def _apply_windows(
    kind: str, module: Any, tensor: AffineTensor, builder: NetworkBuilder, shape: tuple[int, ...]
) -> AffineTensor:
    """Apply a convolution or pooling whose output has a shape."""
    if getattr(module, "padding_mode", "zeros") != "zeros":
        tensor = _pad(module, tensor)
    channels, *image = tensor.shape
    seen = _windows(kind, module, image)
    if seen.shape != shape[1:]:
        raise NetworkError(f"torch makes an output of shape {shape} of it: not implemented")
    size = prod(image)
    if kind.startswith("Conv"):
        matrix = convolution(1, size, module.weight.numpy(), seen, module.groups)
        return tensor.applied(matrix, shape, _offset(module, len(image)))
    if kind.startswith("MaxPool"):
        if module.return_indices:
            raise NetworkError("return_indices=True gives two outputs: not implemented")
        return builder.maximum(tensor, gathered_windows(channels, size, seen), shape)
    number = seen.padded if module.count_include_pad else (seen.places >= 0).sum(axis=1)
    if getattr(module, "divisor_override", None):
        number = np.full(len(number), module.divisor_override)
    total = tensor.applied(pooling(channels, size, seen), shape)
    return total.over(number.astype(np.float64).reshape(seen.shape))


def _windows(kind: str, module: Any, image: Sequence[int]) -> Windows:
    n = len(image)
    kernel, stride = _several(module.kernel_size, n), _several(module.stride, n)
    gaps, padding = _several(getattr(module, "dilation", 1), n), module.padding
    if padding == "same":  # an odd pad is longer at the end
        pads = same_pads(image, kernel, stride, gaps, upper=True)
    else:
        pads = [0] * 2 * n if padding == "valid" else _several(padding, n) * 2
    ceil_mode = bool(getattr(module, "ceil_mode", False))
    return windows(image, kernel, strides=stride, dilations=gaps, pads=pads, ceil_mode=ceil_mode)


def _several(number: Any, n: int) -> list[int]:
    """Return one number for each axis."""
    return [int(number)] * n if isinstance(number, int) else [int(v) for v in number]


def _offset(module: Any, axes: int) -> np.ndarray | None:
    """Return the bias of a module, in a shape that fits channels before some axes."""
    if module.bias is None:
        return None
    return np.asarray(module.bias.numpy()).reshape(-1, *[1] * axes)


def _run(module: Any, values: np.ndarray) -> np.ndarray:
    found = module(import_torch().from_numpy(np.ascontiguousarray(values)))
    return np.asarray((found[0] if isinstance(found, tuple) else found).numpy())


def _normalise(module: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    if module.running_mean is None or module.running_var is None:
        raise NetworkError(
            "it takes its statistics from the batch: train it with track_running_stats=True"
        )
    n = module.num_features
    if not tensor.shape or tensor.shape[0] != n:
        raise NetworkError(f"it cannot take an input of shape {tensor.shape}: {n} channels")
    scale = np.ones(n) if module.weight is None else module.weight.numpy()
    shift = np.zeros(n) if module.bias is None else module.bias.numpy()
    found, rounded = tensor.normalised(
        module.running_mean.numpy(), module.running_var.numpy(), module.eps, scale, shift, axis=0
    )
    if rounded:
        builder.note(ROOTS)
    return found


def _pad(module: Any, tensor: AffineTensor) -> AffineTensor:
    """Pad with copies of entries, as a convolution does that does not pad with zeros."""
    torch = import_torch()
    sides, mode = module._reversed_padding_repeated_twice, module.padding_mode
    numbers = torch.from_numpy(tensor.numbers[None].astype(np.float64))
    padded = torch.nn.functional.pad(numbers, sides, mode=mode)
    module.padding, module.padding_mode = (0,) * len(module.kernel_size), "zeros"
    return tensor.taken(padded[0].numpy().astype(np.int64))


def _check_finite(leaf: Any) -> None:
    for name, values in (*leaf.named_parameters(), *leaf.named_buffers()):
        if not values.isfinite().all():
            wrong = values[~values.isfinite()][0].item()
            raise NetworkError(f"{name} holds {wrong}: every number must be finite")


def _units(kind: str, leaf: Any, tensor: AffineTensor) -> Activation | list[Activation | None]:
    if kind == "ReLU":
        return relu()
    if kind in ("Hardtanh", "ReLU6"):
        return clip(float(leaf.min_val), float(leaf.max_val))
    if kind == "LeakyReLU":
        slopes = [float(leaf.negative_slope)]
    else:
        slopes = [float(slope) for slope in leaf.weight.tolist()]
        if len(slopes) > 1 and tensor.shape[:1] != (len(slopes),):
            raise NetworkError(f"{len(slopes)} slopes do not fit an input of shape {tensor.shape}")
    of_channel = [None if slope == 1 else leaky_relu(slope) for slope in slopes]
    return [kind for kind in of_channel for _ in range(tensor.size // len(slopes))]
