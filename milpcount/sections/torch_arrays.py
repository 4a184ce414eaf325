"""What the walk does with large arrays, for torch's tensors, on whatever device they are."""

from typing import Any

import numpy as np

from milpcount.network import Activation
from milpcount.network.torch_modules import import_torch
from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW
from milpcount.sections.program import Step
from milpcount.types import Array

_BLOCK = 1 << 23
"""Numbers that are worked on at once where several copies of them are made; speed only."""


class TorchArrays:
    """The operations for tensors of float64.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: Any) -> None:
        self._torch, self._device = import_torch(), device

    def rows(self, x: Any, which: Array) -> Any:
        """Return some rows."""
        return x[self._numbers(which)]

    def extended(self, x: Any, capacity: int) -> Any:
        """Return a tensor with the same rows and room for more."""
        found = x.new_empty((capacity, *x.shape[1:]))
        found[: len(x)] = x
        return found

    def entries(self, x: Any, rows: Array, columns: Array) -> Array:
        """Return single numbers."""
        found = x[self._numbers(rows), self._numbers(columns)]
        return np.asarray(found.cpu().numpy())

    def put(self, x: Any, rows: Array, columns: Array, values: Any) -> None:
        """Set single numbers."""
        if len(rows):
            given = self._torch.as_tensor(values, dtype=x.dtype, device=self._device)
            x[self._numbers(rows), self._numbers(columns)] = given

    def between(self, x: Any, a: Array, b: Array, w: Array) -> Any:
        """Return ``(1 - w) x[a] + w x[b]``, row by row."""
        weight = self._numbers(w)[:, None]
        found = x[self._numbers(a)]
        found.mul_(1.0 - weight)
        return found.addcmul_(weight.expand(-1, x.shape[1]), x[self._numbers(b)])

    def between_error(self, x: Any, e: Any, a: Array, b: Array, w: Array, dw: Array) -> Any:
        """Return what bounds the error of `between`; see the module `points`."""
        one, two = self._numbers(a), self._numbers(b)
        weight, off = self._numbers(w)[:, None], self._numbers(dw)[:, None]
        xa, xb, ea, eb = x[one], x[two], e[one], e[two]
        size = (1.0 - weight) * xa.abs() + weight * xb.abs()
        found = (1.0 - weight) * ea + weight * eb + off * ((xb - xa).abs() + ea + eb)
        found = (found + 8 * ROUNDOFF * size) * (1.0 + 16 * ROUNDOFF)
        # What underflows loses besides, unless both ends are zero.
        return self._torch.where((xa != 0) | (xb != 0), found + UNDERFLOW, found)

    def signs(
        self, x: Any, e: Any, columns: Any, threshold: float, tolerance: float
    ) -> tuple[Array, Array, Array]:
        """Return which numbers are certainly above a threshold, below it, and unknown."""
        f = self._taken(x, columns)
        if threshold:
            f = f - threshold
        bound = tolerance if e is None else self._taken(e, columns) * (1.0 + 8 * ROUNDOFF)
        above, below = f > bound, f < -bound
        zero = (f == 0.0) if e is None else (f == 0.0) & (bound == 0.0)
        unknown = ~(above | below | zero)
        return above.cpu().numpy(), below.cpu().numpy(), unknown.cpu().numpy()

    def largest(self, x: Any) -> float:
        """Return the largest absolute value."""
        return float(max(x.max().item(), -x.min().item())) if x.numel() else 0.0

    def winners(
        self, x: Any, e: Any, columns: Any, rank: int, tolerance: float
    ) -> tuple[Array, Array]:
        """Return, as bits, which values of maxima certainly win, and which certainly lose."""
        v = self._taken(x, columns).reshape(len(x), -1, rank)
        r = None if e is None else self._taken(e, columns).reshape(len(x), -1, rank)
        torch = self._torch
        won, lost = torch.zeros((2, *v.shape[:2]), dtype=torch.int64, device=v.device)
        for k in range(rank):
            wins = torch.ones(v.shape[:2], dtype=torch.bool, device=v.device)
            loses = ~wins
            for j in range(rank):
                if j != k:
                    f = v[..., k] - v[..., j]
                    bound = tolerance if r is None else r[..., k] + r[..., j]
                    zero = (f == 0.0) if r is None else (f == 0.0) & (bound == 0.0)
                    bound = bound * (1.0 + 8 * ROUNDOFF)
                    wins &= (f > bound) | zero
                    loses |= f < -bound
            won |= wins.to(torch.int64) << k
            lost |= loses.to(torch.int64) << k
        return won.cpu().numpy(), lost.cpu().numpy()

    def activate(self, step: Step, x: Any) -> Any:
        """Return the outputs of a layer's units."""
        first = step.groups[0]
        if len(step.groups) == 1 and isinstance(first.units, slice):
            return self._activated(first.activation, x)
        y = x.new_empty((len(x), step.width))
        for group in step.groups:
            part = self._activated(group.activation, self._taken(x, group.values))
            y[:, self._numbers(group.units)] = part
        return y

    def unit_errors(self, step: Step, x: Any, e: Any, y: Any) -> Any:
        """Return what bounds the errors of continuous units; see the module `units`."""
        found = self._torch.empty_like(y)
        for group in step.groups:
            v, r = self._taken(x, group.values), self._taken(e, group.values)
            unit, at = group.activation, group.units
            at = at if isinstance(at, slice) else self._numbers(at)
            if unit.is_relu:
                found[:, at] = self._torch.where(v <= -r, 0.0, r)
            elif unit.is_maxout:
                shape, top = (len(v), -1, unit.rank), y[:, at]
                high = (v + r).reshape(shape).amax(-1) - top
                low = top - (v - r).reshape(shape).amax(-1)
                off = self._torch.maximum(high, low)
                more = off + 8 * ROUNDOFF * (top.abs() + off)
                found[:, at] = self._torch.where(off > 0, more, 0.0)
            else:
                steepest = max(abs(piece.slope) for piece in unit.pieces)
                farthest = max(abs(piece.intercept) for piece in unit.pieces)
                size = steepest * (v.abs() + r)
                off = steepest * r + 4 * ROUNDOFF * (size + farthest) + UNDERFLOW
                if farthest == 0:
                    off = self._torch.where((v == 0) & (r == 0), 0.0, off)
                found[:, at] = off * (1.0 + 8 * ROUNDOFF)
        return found

    def _activated(self, activation: Activation, x: Any) -> Any:
        if activation.is_relu:
            return x.clamp_min(0.0)
        if activation.is_maxout:
            return x.reshape(len(x), -1, activation.rank).amax(-1)
        torch = self._torch
        cuts = torch.tensor([row.threshold for row in activation.rows], dtype=x.dtype)
        slopes = torch.tensor([piece.slope for piece in activation.pieces], dtype=x.dtype)
        offsets = torch.tensor([piece.intercept for piece in activation.pieces], dtype=x.dtype)
        piece = torch.bucketize(x, cuts.to(self._device))
        return slopes.to(self._device)[piece] * x + offsets.to(self._device)[piece]

    def _taken(self, x: Any, columns: Any) -> Any:
        return x[:, columns if isinstance(columns, slice) else self._numbers(columns)]

    def _numbers(self, which: Array) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(which)).to(self._device)
