"""What layers of units do with values and with the bounds on their errors, in numpy's arrays."""

from typing import Any

import numpy as np

from milpcount.network import Activation
from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW
from milpcount.sections.program import Step
from milpcount.types import Array


def applied(step: Step, x: Array) -> Array:
    """Return the outputs of a layer's units for their values, shape (points, width)."""
    first = step.groups[0]
    if len(step.groups) == 1 and isinstance(first.units, slice):
        return _activated(first.activation, x)
    y = np.empty((len(x), step.width))
    for group in step.groups:
        y[:, group.units] = _activated(group.activation, x[:, group.values])
    return y


def _activated(activation: Activation, x: Array) -> Array:
    if activation.is_relu:
        return np.asarray(np.maximum(x, 0.0))
    if activation.is_maxout:
        return np.asarray(x.reshape(len(x), -1, activation.rank).max(axis=-1))
    return np.asarray(activation.apply(x))


def unit_errors(step: Step, x: Array, e: Array, y: Array) -> Array:
    """Return what bounds the errors of continuous units, for those of their values.

    A continuous piecewise linear unit changes by at most its steepest slope times the change of its
    value; multiplying and adding round, four roundoffs of the terms cover it.
    """
    found = np.empty_like(y)
    for group in step.groups:
        unit, v, r = group.activation, x[:, group.values], e[:, group.values]
        if unit.is_relu:
            found[:, group.units] = np.where(v <= -r, 0.0, r)
        elif unit.is_maxout:
            shape = len(v), -1, unit.rank
            top = y[:, group.units]
            high = (v + r).reshape(shape).max(axis=-1) - top
            low = top - (v - r).reshape(shape).max(axis=-1)
            off = np.maximum(high, low)
            found[:, group.units] = np.where(off > 0, off + 8 * ROUNDOFF * (np.abs(top) + off), 0.0)
        else:
            found[:, group.units] = _scalar_errors(unit, v, r)
    return found


def _scalar_errors(unit: Any, v: Array, r: Array) -> Array:
    steepest = max(abs(piece.slope) for piece in unit.pieces)
    farthest = max(abs(piece.intercept) for piece in unit.pieces)
    size = steepest * (np.abs(v) + r)
    rounds = any(piece.intercept and piece.slope for piece in unit.pieces) or any(
        abs(piece.slope) not in (0.0, 1.0) for piece in unit.pieces
    )
    found = steepest * r
    if rounds:
        extra = 4 * ROUNDOFF * (size + farthest) + np.where(v != 0, UNDERFLOW, 0.0)
        found = np.where((v == 0) & (r == 0) & (farthest == 0), 0.0, found + extra)
    return np.asarray(found * (1.0 + 8 * ROUNDOFF))


def pieces_applied(step: Step, pieces: Array, x: Array, e: Array | None) -> tuple[Array, Any]:
    """Return the outputs of units on given pieces, and their errors: for units that jump.

    Parameters
    ----------
    pieces : ndarray of int, shape (points, units)
    x, e : ndarray, shape (points, values)
    """
    y = np.empty(pieces.shape)
    r = None if e is None else np.empty(pieces.shape)
    for group in step.groups:
        unit, at = group.activation, pieces[:, group.units]
        shape = len(x), -1, unit.rank
        chosen = np.array([p.value for p in unit.pieces])[at][..., None]
        v = np.take_along_axis(x[:, group.values].reshape(shape), chosen, -1)[..., 0]
        slope = np.array([p.slope for p in unit.pieces])[at]
        intercept = np.array([p.intercept for p in unit.pieces])[at]
        y[:, group.units] = slope * v + intercept
        if r is not None and e is not None:
            off = np.take_along_axis(e[:, group.values].reshape(shape), chosen, -1)[..., 0]
            size = np.abs(slope) * (np.abs(v) + off) + np.abs(intercept)
            exact = (slope == 0) | ((np.abs(slope) == 1) & (intercept == 0))
            extra = np.where(exact, 0.0, 4 * ROUNDOFF * size + UNDERFLOW)
            r[:, group.units] = np.abs(slope) * off * (1.0 + 8 * ROUNDOFF) + extra
    return y, r
