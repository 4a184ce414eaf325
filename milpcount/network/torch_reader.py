"""Reader of PyTorch modules: ``nn.Sequential`` chains of affine layers and piecewise linear units.

A linear module is applied once to the constant part of what went before and once, with its
offsets set to zero, to the coefficients, as one batch; so convolutions and poolings need no code
of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from operator import index
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation, clip, leaky_relu, relu
from milpcount.network.affine_tensor import ROOTS, AffineTensor, check_size
from milpcount.network.builder import NetworkBuilder
from milpcount.network.network import Network
from milpcount.network.torch_modules import (
    AT_THE_END,
    LINEAR,
    UNCHANGED,
    check_global_hooks,
    import_torch,
    kind_of,
    plain_copy,
    unsupported,
)
from milpcount.network.unsupported import AT_THE_END_ONLY, reason

_MOVING = ("Flatten", "Unflatten")


def read_torch(module: Any, input_shape: Sequence[int] | None = None) -> Network:
    """Return the network that a module computes in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        An ``nn.Sequential``, nested or not, of Linear, ReLU, LeakyReLU, PReLU (one slope),
        Hardtanh, ReLU6, BatchNorm, Conv, AvgPool, Flatten, Unflatten, Identity and Dropout. A
        Softmax or LogSoftmax at the end is left out; it does not change the regions. A unit
        after the last affine layer makes it a hidden layer, and the network has no output layer.
        A module with forward hooks or methods of its own is refused: they can change what it
        computes. It is left as it is, and nothing of it is called.
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
    if not isinstance(module, import_torch().nn.Module):
        raise NetworkError(f"a {type(module).__name__} is not a torch.nn.Module")
    check_global_hooks()
    leaves = list(_leaves(module))
    while leaves and leaves[-1].kind in AT_THE_END:
        leaves.pop()
    for leaf in leaves:
        _check_supported(leaf, is_last=leaf is leaves[-1])
    builder = NetworkBuilder()
    tensor = AffineTensor.identity(_input_shape(input_shape, leaves), 0)
    for leaf in leaves:
        try:
            tensor = _apply(leaf, tensor, builder)
        except NetworkError as error:
            raise NetworkError(f"{leaf.title}: {error}") from None
    return builder.finish(tensor)


@dataclass(frozen=True, eq=False)
class _Leaf:
    """A module that a chain applies; `kind` is None if it is of no supported class."""

    name: str
    module: Any
    kind: str | None

    @property
    def title(self) -> str:
        return f"{self.name} ({type(self.module).__name__})"


def _leaves(module: Any, prefix: str = "") -> Iterator[_Leaf]:
    """Yield the modules that a chain applies, in order."""
    leaf = _Leaf(prefix or "the module", module, None)
    try:
        kind = kind_of(module)
    except NetworkError as error:
        raise NetworkError(f"{leaf.title}: {error}") from None
    if kind != "Sequential":
        yield _Leaf(leaf.name, module, kind)
        return
    # Not named_children: it leaves out the second use of a shared module.
    for key, child in module._modules.items():
        yield from _leaves(child, f"{prefix}.{key}" if prefix else key)


def _check_supported(leaf: _Leaf, is_last: bool) -> None:
    if leaf.kind is None:
        raise NetworkError(f"{leaf.title}: {unsupported(leaf.module, is_last=is_last)}")
    if leaf.kind in AT_THE_END:
        raise NetworkError(f"{leaf.title}: {reason(leaf.kind)}; {AT_THE_END_ONLY}")


def _input_shape(given: Sequence[int] | None, leaves: list[_Leaf]) -> tuple[int, ...]:
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


def _first_shape(leaves: list[_Leaf]) -> tuple[int, ...]:
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
                f"{leaf.name} ({kind}) does not tell the shape of the inputs: give input_shape, "
                "e.g. input_shape=(1, 28, 28)"
            )
    raise NetworkError("the module has no layers: there is nothing to count")


def _apply(leaf: _Leaf, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    kind = leaf.kind
    if kind is None or kind in UNCHANGED:
        return tensor
    module = plain_copy(leaf.module, kind)
    if kind in LINEAR:
        return _apply_linear(kind, module, tensor, builder)
    activation = _activation(kind, module)
    return tensor if activation is None else builder.activate(tensor, activation)


def _apply_linear(
    kind: str, module: Any, tensor: AffineTensor, builder: NetworkBuilder
) -> AffineTensor:
    """Apply a module of a linear class, which is the reader's own copy."""
    try:
        _check_finite(module)
        with import_torch().no_grad():
            module.double()
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
    except (
        *(AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError),
    ) as error:
        if isinstance(error, NetworkError):
            raise
        reason = " ".join(str(error).split())
        raise NetworkError(f"it cannot take an input of shape {tensor.shape}: {reason}") from None
    if len(coefficients) != len(tensor.stack) - 1:
        raise NetworkError("it mixes the inputs of a batch: only one input at a time is supported")
    return AffineTensor(np.concatenate([constant, coefficients]), tensor.layer, tensor.factors)


def _run(module: Any, stack: np.ndarray) -> np.ndarray:
    return np.asarray(module(import_torch().from_numpy(np.ascontiguousarray(stack))).numpy())


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
            raise NetworkError(
                f"{leaf.weight.numel()} slopes: it is piecewise linear, but not implemented"
            )
        slope = float(leaf.weight.item())
    else:
        slope = float(leaf.negative_slope)
    return None if slope == 1 else leaky_relu(slope)
