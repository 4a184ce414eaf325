"""Reader of PyTorch modules: ``nn.Sequential`` chains of affine layers and piecewise linear units.

A linear module is applied once to the constant part of what went before and once, with its
offsets set to zero, to the coefficients, as one batch; so convolutions and poolings need no code
of their own.
"""

import copy
from collections.abc import Iterator, Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np

from milpcount.errors import NetworkError, NotInstalledError
from milpcount.network.activation import Activation, clip, leaky_relu, relu
from milpcount.network.affine_tensor import ROOTS, AffineTensor, check_size
from milpcount.network.builder import NetworkBuilder
from milpcount.network.network import Network

_UNCHANGED = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
_LINEAR = (
    *("Linear", "Flatten", "Unflatten", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
    *("Conv1d", "Conv2d", "Conv3d", "AvgPool1d", "AvgPool2d", "AvgPool3d"),
)
_MOVING = ("Flatten", "Unflatten")
_UNITS = ("ReLU", "LeakyReLU", "PReLU", "Hardtanh", "ReLU6")
_AT_THE_END = ("Softmax", "LogSoftmax")


def read_torch(module: Any, input_shape: Sequence[int] | None = None) -> Network:
    """Return the network that a module computes in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        An ``nn.Sequential``, nested or not, of Linear, ReLU, LeakyReLU, PReLU (one slope),
        Hardtanh, ReLU6, BatchNorm, Conv, AvgPool, Flatten, Unflatten, Identity and Dropout. A
        Softmax or LogSoftmax at the end is left out; it does not change the regions. A unit
        after the last affine layer makes it a hidden layer, and the network has no output layer.
    input_shape : sequence of int, optional
        Shape of one input without the batch, e.g. ``(1, 28, 28)``; the network's inputs are its
        entries, row-major. Needed where the first layer does not tell, as a convolution.

    Returns
    -------
    Network
        Weights converted exactly; affine layers in a row are composed without rounding.

    Raises
    ------
    NetworkError
        If a module is not supported, named in the message, the shapes do not chain, or a number
        is not finite.
    NotInstalledError
        If torch is missing.
    """
    nn = _torch().nn
    if not isinstance(module, nn.Module):
        raise NetworkError(f"a {type(module).__name__} is not a torch.nn.Module")
    leaves = list(_leaves(module))
    while leaves and isinstance(leaves[-1][1], tuple(getattr(nn, n) for n in _AT_THE_END)):
        leaves.pop()
    builder = NetworkBuilder()
    tensor = AffineTensor.identity(_input_shape(input_shape, leaves), 0)
    for name, leaf in leaves:
        try:
            tensor = _apply(leaf, tensor, builder)
        except NetworkError as error:
            raise NetworkError(f"{name} ({type(leaf).__name__}): {error}") from None
    return builder.finish(tensor)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise NotInstalledError("reading a PyTorch module", "torch", "torch") from None
    return torch


def _leaves(module: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the modules that a chain applies, in order, with names for messages."""
    kind = _torch().nn.Sequential
    if not isinstance(module, kind):
        yield prefix or "the module", module
        return
    if not _has_forward_of(module, kind):
        raise NetworkError(
            f"{prefix or 'the module'} ({type(module).__name__}) has a forward method of its own, "
            "which cannot be read: wrap its layers in a plain nn.Sequential"
        )
    # Not named_children: it leaves out the second use of a shared module.
    for key, child in module._modules.items():
        yield from _leaves(child, f"{prefix}.{key}" if prefix else key)


def _has_forward_of(module: Any, kind: type) -> bool:
    same = getattr(type(module), "forward", None) is getattr(kind, "forward", None)
    return same and "forward" not in vars(module)


def _kind(module: Any) -> str:
    """Return the name of the supported class whose forward method a module runs."""
    nn = _torch().nn
    for name in (*_UNCHANGED, *_LINEAR, *_UNITS):
        kind = getattr(nn, name)
        if isinstance(module, kind) and _has_forward_of(module, kind):
            return name
    raise NetworkError(
        "the module is not supported: wrap its layers in nn.Sequential; supported are "
        f"{', '.join(sorted((*_UNCHANGED, *_LINEAR, *_UNITS)))}, and at the end "
        f"{' or '.join(_AT_THE_END)}"
    )


def _input_shape(given: Sequence[int] | None, leaves: list[tuple[str, Any]]) -> tuple[int, ...]:
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


def _first_shape(leaves: list[tuple[str, Any]]) -> tuple[int, ...]:
    """Return the shape of one input as the first layer that has one tells it."""
    for name, leaf in leaves:
        kind = _kind_named(name, leaf)
        if kind == "Linear":
            return (int(leaf.in_features),)
        if kind == "BatchNorm1d":
            return (int(leaf.num_features),)
        if kind == "Unflatten" and leaf.dim == 1:
            return (prod(leaf.unflattened_size),)
        if kind not in (*_UNCHANGED, "Flatten"):
            raise NetworkError(
                f"{name} ({kind}) does not tell the shape of the inputs: give input_shape, e.g. "
                "input_shape=(1, 28, 28)"
            )
    raise NetworkError("the module has no layers: there is nothing to count")


def _kind_named(name: str, leaf: Any) -> str:
    try:
        return _kind(leaf)
    except NetworkError as error:
        raise NetworkError(f"{name} ({type(leaf).__name__}): {error}") from None


def _apply(leaf: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    kind = _kind(leaf)
    if kind in _UNCHANGED:
        return tensor
    if kind in _LINEAR:
        return _apply_linear(leaf, tensor, builder)
    activation = _activation(kind, leaf)
    return tensor if activation is None else builder.activate(tensor, activation)


def _apply_linear(leaf: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    torch, kind = _torch(), _kind(leaf)
    try:
        _check_finite(leaf)
        with torch.no_grad():
            # A copy: the caller's module keeps its precision, its mode and its offsets.
            module = copy.deepcopy(leaf).cpu().double().eval()
            if kind.startswith("BatchNorm"):
                return _normalise(module, tensor, builder)
            if kind.startswith("AvgPool"):
                return tensor.averaged(lambda stack: _run(module, stack))
            if getattr(module, "padding_mode", "zeros") != "zeros":
                tensor = _pad(module, tensor)
            if kind not in _MOVING and not tensor.is_selection:
                # Sums of products of coefficients would round: entries become sources of their own.
                tensor = tensor.restarted()
            constant = _run(module, tensor.stack[:1])
            check_size(len(tensor.stack), tuple(constant.shape[1:]))
            _drop_offsets(module)
            if _run(module, np.zeros_like(tensor.stack[:1])).any():
                raise NetworkError("its offset cannot be told from its linear part")
            coefficients = _run(module, tensor.stack[1:])
    # Torch raises many kinds of errors; all mean that the module cannot take this input.
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        if isinstance(error, NetworkError):
            raise
        reason = " ".join(str(error).split())
        raise NetworkError(f"it cannot take an input of shape {tensor.shape}: {reason}") from None
    if len(coefficients) != len(tensor.stack) - 1:
        raise NetworkError("it mixes the inputs of a batch: only one input at a time is supported")
    return AffineTensor(np.concatenate([constant, coefficients]), tensor.layer, tensor.factors)


def _run(module: Any, stack: np.ndarray) -> np.ndarray:
    return np.asarray(module(_torch().from_numpy(np.ascontiguousarray(stack))).numpy())


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
    torch = _torch()
    sides, mode = module._reversed_padding_repeated_twice, module.padding_mode
    padded = torch.nn.functional.pad(torch.from_numpy(tensor.stack), sides, mode=mode)
    module.padding, module.padding_mode = (0,) * len(module.kernel_size), "zeros"
    return AffineTensor(padded.numpy(), tensor.layer, tensor.factors)


def _check_finite(leaf: Any) -> None:
    for name, values in (*leaf.named_parameters(), *leaf.named_buffers()):
        if not values.isfinite().all():
            wrong = values[~values.isfinite()][0].item()
            raise NetworkError(f"{name} holds {wrong}: every number must be finite")


def _drop_offsets(module: Any) -> None:
    for name in ("bias", "running_mean"):
        if getattr(module, name, None) is not None:
            getattr(module, name).zero_()


def _activation(kind: str, leaf: Any) -> Activation | None:
    if kind == "ReLU":
        return relu()
    if kind in ("Hardtanh", "ReLU6"):
        return clip(float(leaf.min_val), float(leaf.max_val))
    if kind == "PReLU":
        if leaf.weight.numel() != 1:
            raise NetworkError(f"{leaf.weight.numel()} slopes: one for all units is supported")
        slope = float(leaf.weight.item())
    else:
        slope = float(leaf.negative_slope)
    return None if slope == 1 else leaky_relu(slope)
