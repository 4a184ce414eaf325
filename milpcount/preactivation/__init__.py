"""Bounds on pre-activations over a domain: one record, and one interval rule that fills it."""

from milpcount.preactivation.intervals import carried_forward, interval_bounds
from milpcount.preactivation.record import PreActivationBounds, settled_pieces

__all__ = ["PreActivationBounds", "carried_forward", "interval_bounds", "settled_pieces"]
