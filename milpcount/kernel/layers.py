"""Where a layer's units and rows are among those of all layers."""

from milpcount.kernel.columns import LAYER_ROW, LAYER_ROWS, LAYER_UNIT, LAYER_UNITS
from milpcount.kernel.compiled import inlined


@inlined
def units_of(p, layer):
    """Return the first unit of a layer, and the first behind its last."""
    first = p.layers[layer, LAYER_UNIT]
    return first, first + p.layers[layer, LAYER_UNITS]


@inlined
def rows_of(p, layer):
    """Return the first row of a layer, and the first behind its last."""
    first = p.layers[layer, LAYER_ROW]
    return first, first + p.layers[layer, LAYER_ROWS]
