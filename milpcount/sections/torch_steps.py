"""Affine steps in torch: an operator of the module on all points, and bounds on its errors.

With L for the operator's linear part and c for its constant, what is computed is off by at most
``|L| (e + gamma |x|) + gamma |c|`` for errors e of x, as in `network_program.LayerMap`: the same
operator, once more, with the absolute values of its weights.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network import Affine, Source
from milpcount.network.aten_calls import leaves, replaced
from milpcount.network.aten_operators import MOVING, called
from milpcount.network.torch_modules import import_torch
from milpcount.preactivation.rounding import UNDERFLOW, gamma
from milpcount.sections.winograd import FastConvolution
from milpcount.types import Array

_ROWS = frozenset(
    ("convolution", "addmm", "mm", "linear", "add", "sub", "rsub", "neg", "mul", "div")
)
_ROWS |= {"avg_pool2d", "_adaptive_avg_pool2d", "upsample_nearest2d"}
"""Operators that treat the rows of a batch one by one: all points are one batch."""
_BOUNDED = frozenset(("bmm", "mv", "dot", "matmul", "addmv", "baddbmm", "mean", "sum", "cumsum"))
_BOUNDED |= {"avg_pool1d", "avg_pool3d", "adaptive_avg_pool1d", "_adaptive_avg_pool3d"}
"""Further ones whose errors are bounded as in the module's text."""
_COMBINING = frozenset(("add", "sub", "rsub", "mul", "div"))
_BLOCK = 1 << 24
"""Numbers that an operator is given at once: torch's convolutions take several times as many."""


class TorchCall:
    """An operator on values of the network, flat as the walk holds them.

    Parameters
    ----------
    target : OpOverload
    name : str
    arguments : dict
        By name, with `Live` where values go.
    live : list of Live
        Those in the arguments, in order.
    place : int, optional
        Which of several outputs is taken.

    Attributes
    ----------
    terms : int
        Numbers that an output is a sum of, at most.
    """

    def __init__(
        self,
        target: Any,
        name: str,
        arguments: dict[str, Any],
        live: Sequence[Any],
        place: int | None = None,
    ) -> None:
        self._target, self._name, self._arguments = target, name, arguments
        self._live, self._place = list(live), place
        self._names = list(dict.fromkeys(v.name for v in live))
        self._torch = import_torch()
        fan_in = sum(prod(v.shape) for v in live)
        weight = arguments.get("weight")
        if weight is not None and name == "convolution" and not arguments["transposed"]:
            fan_in = prod(weight.shape[1:])
        self.terms = 1 if name in MOVING or name in _COMBINING else fan_in
        self._gamma = gamma(fan_in + 2)
        self._fast: FastConvolution | None = None
        self._looked = False
        self._is_rows = name in _ROWS and all(v.shape[:1] == (1,) for v in live) and self._fits()

    def _fits(self) -> bool:
        """Whether constants are the same for all rows of a batch, and rows come first."""
        first = next(iter(self._arguments.values()))
        if self._name in ("add", "sub", "rsub", "mul", "div"):
            ranks = {len(v.shape) for v in self._live}
            constants = [v for v in leaves(self._arguments) if isinstance(v, self._torch.Tensor)]
            rank = max(ranks)
            return len(ranks) == 1 and all(
                c.dim() < rank or (c.dim() == rank and c.shape[0] == 1) for c in constants
            )
        if self._name == "addmm":
            return not isinstance(self._arguments["mat1"], self._torch.Tensor) and isinstance(
                first, self._torch.Tensor
            )
        return not isinstance(first, self._torch.Tensor)

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the operator's values, one row for each point."""
        return self._run(self._target, self._arguments, dict(zip(self._names, values, strict=True)))

    def quick(self, values: Sequence[Any]) -> Any:
        """Return the values with fewer products, where the operator is such a convolution."""
        if not self._looked and self._name == "convolution" and self._is_rows:
            self._fast = FastConvolution.of(self._arguments, self._live[0].shape)
        self._looked = True
        return self(values) if self._fast is None else self._fast(values[0])

    def error(self, values: Sequence[Any], errors: Sequence[Any]) -> Any:
        """Return what bounds their errors."""
        exact = self._name in MOVING
        if not exact and not self._is_bounded():
            like = self(values)
            return self._torch.full_like(like, float("inf"))
        if exact:
            given = dict(zip(self._names, errors, strict=True))
            return self._run(self._target, self._without_constants(), given)
        given = {
            name: e * (1.0 + 4 * self._gamma) + self._gamma * x.abs()
            for name, x, e in zip(self._names, values, errors, strict=True)
        }
        target, arguments = self._absolute()
        found = self._run(target, arguments, given)
        return self._torch.where(found > 0, found * (1.0 + self._gamma) + UNDERFLOW, found)

    def _is_bounded(self) -> bool:
        """Whether the formula bounds the operator's error: not where torch computes its weights."""
        if self._name == "rsub" and self._arguments.get("alpha") not in (None, 1):
            return False
        return self._name in _ROWS or self._name in _BOUNDED

    def _absolute(self) -> tuple[Any, dict[str, Any]]:
        """Return the operator with absolute weights, and gamma times absolute constants."""
        aten = self._torch.ops.aten
        arguments = replaced(self._arguments, self._size)
        if self._name in _COMBINING - {"mul", "div"}:
            for key in ("self", "other"):
                if not _is_live(self._arguments[key]):
                    arguments[key] = arguments[key] * self._gamma
            arguments["alpha"] = abs(self._arguments.get("alpha") or 1)
            overload = (
                "Scalar"
                if not isinstance(arguments["other"], self._torch.Tensor)
                and not _is_live(arguments["other"])
                else "Tensor"
            )
            return getattr(aten.add, overload), arguments
        if self._name == "neg":
            return aten.abs.default, arguments
        for key in ("bias", "self"):
            of_bias = key == "bias" or self._name in ("addmm", "addmv", "baddbmm")
            if of_bias and isinstance(arguments.get(key), self._torch.Tensor):
                arguments[key] = arguments[key] * self._gamma
        for key in ("alpha", "beta"):
            if key in arguments:
                arguments[key] = abs(arguments[key])
        return self._target, arguments

    def _size(self, value: Any) -> Any:
        if isinstance(value, self._torch.Tensor) and value.is_floating_point():
            return value.abs()
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return abs(value) if is_number and self._name in _COMBINING else value

    def _without_constants(self) -> dict[str, Any]:
        def bare(value: Any) -> Any:
            if isinstance(value, self._torch.Tensor) and value.is_floating_point():
                return self._torch.zeros_like(value)
            return 0.0 if isinstance(value, float) else value

        return dict(replaced(self._arguments, bare))

    def _run(self, target: Any, arguments: dict[str, Any], values: dict[Any, Any]) -> Any:
        rows = len(next(iter(values.values())))
        size = max(prod(v.shape) for v in self._live)
        block = max(1, _BLOCK // size)
        parts = [
            self._block(target, arguments, {k: v[i : i + block] for k, v in values.items()})
            for i in range(0, rows, block)
        ]
        return parts[0] if len(parts) == 1 else self._torch.cat(parts)

    def _block(self, target: Any, arguments: dict[str, Any], values: dict[Any, Any]) -> Any:
        n = len(next(iter(values.values())))
        if self._is_rows:

            def whole(value: Any) -> Any:
                if _is_live(value):
                    return values[value.name].reshape(n, *value.shape[1:])
                return value

            found = called(target, replaced(arguments, whole))
        else:
            shaped = [values[v.name].reshape(n, *v.shape) for v in self._live]

            def one(*tensors: Any) -> Any:
                at = iter(tensors)
                return called(target, replaced(arguments, lambda v: next(at) if _is_live(v) else v))

            found = self._torch.func.vmap(one)(*shaped)
        if self._place is not None:
            found = found[self._place]
        return found.reshape(n, -1)


class Hosted:
    """A step of torch's on arrays of numpy's, which share their memory."""

    def __init__(self, step: Any) -> None:
        self._step, self._torch = step, import_torch()

    def __call__(self, values: Sequence[Array]) -> Array:
        """Return the step's values."""
        with self._torch.no_grad():
            return np.asarray(self._step(self._tensors(values)).numpy())

    def quick(self, values: Sequence[Array]) -> Array:
        """Return the values, with fewer products where that can be."""
        with self._torch.no_grad():
            return np.asarray(self._step.quick(self._tensors(values)).numpy())

    def error(self, values: Sequence[Array], errors: Sequence[Array]) -> Array:
        """Return what bounds their errors."""
        with self._torch.no_grad():
            found = self._step.error(self._tensors(values), self._tensors(errors))
        return np.asarray(found.numpy())

    def _tensors(self, arrays: Sequence[Array]) -> list[Any]:
        return [self._torch.from_numpy(np.ascontiguousarray(a)) for a in arrays]


class Normalise:
    """Batch normalisation in evaluation mode, ``scale x + shift`` channel by channel."""

    def __init__(self, scale: Any, shift: Any, size: Any, channels: int) -> None:
        self._scale, self._shift, self._size, self._channels = scale, shift, size, channels
        self._gamma = gamma(8)

    @classmethod
    def of(cls, arguments: dict[str, Any], shape: tuple[int, ...]) -> "Normalise":
        """Return the step for the operator's arguments and the shape of one input."""
        mean, variance = arguments["running_mean"], arguments["running_var"]
        if mean is None or variance is None:
            raise NetworkError(
                "it takes its statistics from the batch: train it with track_running_stats=True"
            )
        scale = (variance + arguments["eps"]).rsqrt() if arguments["weight"] is None else (
            arguments["weight"] / (variance + arguments["eps"]).sqrt()
        )  # fmt: skip
        # Scale and shift are rounded: the shift's error is one of its terms, which may cancel.
        shift = -mean * scale
        size = shift.abs()
        if arguments["bias"] is not None:
            shift, size = shift + arguments["bias"], size + arguments["bias"].abs()
        return cls(scale, shift, size, shape[1])

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the normalised values."""
        x = values[0].reshape(len(values[0]), self._channels, -1)
        found = x * self._scale[None, :, None] + self._shift[None, :, None]
        return found.reshape(values[0].shape)

    quick = __call__

    def error(self, values: Sequence[Any], errors: Sequence[Any]) -> Any:
        """Return what bounds their errors, those of scale and shift included."""
        n = len(values[0])
        x = (errors[0] * (1.0 + self._gamma) + self._gamma * values[0].abs()).reshape(
            n, self._channels, -1
        )
        off = self._gamma * self._size
        found = x * self._scale.abs()[None, :, None] + off[None, :, None]
        return found.reshape(values[0].shape) + UNDERFLOW


class Gather:
    """Columns of one or several values, in some order."""

    def __init__(self, columns: Any, offset: Any = None) -> None:
        self._columns, self._offset = columns, offset
        self._torch = import_torch()

    @classmethod
    def joining(cls, names: Sequence[Any], sizes: Sequence[int]) -> "Gather":
        """Return the step that puts values one after the other, some of them several times."""
        order = list(dict.fromkeys(names))
        first, at = {}, 0
        for name in order:
            first[name] = at
            at += sizes[list(names).index(name)]
        columns = [np.arange(first[n], first[n] + s) for n, s in zip(names, sizes, strict=True)]
        return cls(np.concatenate(columns))

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the columns."""
        joined = values[0] if len(values) == 1 else self._torch.cat(list(values), dim=1)
        columns = self._torch.as_tensor(self._columns, device=joined.device)
        return joined[:, columns]

    quick = __call__

    def error(self, values: Sequence[Any], errors: Sequence[Any]) -> Any:
        """Return the errors of the columns."""
        return self(errors)


class SparseMap:
    """The affine map of a small network, by rows without its zeros."""

    def __init__(self, affine: Affine, sources: Sequence[Source], device: Any) -> None:
        torch = import_torch()
        self._torch, self._sources = torch, sources
        matrix = affine.matrix
        from scipy import sparse

        rows = sparse.csr_array(matrix)
        self._matrix, self._absolute = (
            torch.sparse_csr_tensor(
                torch.from_numpy(m.indptr.astype(np.int64)),
                torch.from_numpy(m.indices.astype(np.int64)),
                torch.from_numpy(m.data.astype(np.float64)),
                size=m.shape,
                device=device,
            )
            for m in (rows, abs(rows))
        )
        self._bias = torch.from_numpy(np.array(affine.bias)).to(device)
        self._gamma = gamma(int(np.diff(rows.indptr).max(initial=0)) + 2)

    @classmethod
    def of(cls, affine: Affine, sources: Sequence[Source], device: Any) -> Any:
        """Return the step of a map; None if it is the one value that it reads."""
        from scipy import sparse

        rows = sparse.csr_array(affine.matrix)
        one_each = (np.diff(rows.indptr) == 1).all() and (rows.data == 1.0).all()
        if one_each and not np.any(affine.bias) and len(sources) == 1:
            columns = rows.indices
            if sources[0].local is not None:
                columns = sources[0].local[columns]
            elif rows.shape[0] == rows.shape[1] and (columns == np.arange(columns.size)).all():
                return None
            return Gather(columns.astype(np.int64))
        return cls(affine, sources, device)

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return ``weight @ x + bias``."""
        return (self._matrix @ self._joined(values).T).T.contiguous() + self._bias

    quick = __call__

    def error(self, values: Sequence[Any], errors: Sequence[Any]) -> Any:
        """Return what bounds its error."""
        x, e = self._joined(values).abs(), self._joined(errors)
        found = (self._absolute @ (e * (1.0 + 4 * self._gamma) + self._gamma * x).T).T
        found = found.contiguous() + self._gamma * self._bias.abs()
        return self._torch.where(found > 0, found * (1.0 + self._gamma) + UNDERFLOW, found)

    def _joined(self, values: Sequence[Any]) -> Any:
        parts = []
        for source, value in zip(self._sources, values, strict=True):
            if source.local is not None:
                value = value[:, self._torch.as_tensor(source.local, device=value.device)]
            parts.append(value)
        return parts[0] if len(parts) == 1 else self._torch.cat(parts, dim=1)


def _is_live(value: Any) -> bool:
    return hasattr(value, "name") and hasattr(value, "shape") and not hasattr(value, "dtype")
