"""Points of regions with many inputs, from their patterns alone.

While it counts, the search knows points of the first layer's image only, of as many numbers as the
layer has rows. A point of the cube that has the same image is not kept but computed when it is
asked for: the cube's centre is projected onto the cell of the whole pattern, as the search does it
with the cells on its way. Nothing is proved here (see `milpcount.tree.witnesses`), so no
certificate is needed.
"""

from milpcount.kernel.box_projection import box_project
from milpcount.kernel.cell import NARROWEST, push_piece
from milpcount.kernel.columns import LAYER_ROWS, LAYER_VALUES, UNIT_PIECE
from milpcount.kernel.compiled import copy, entry, fill, jit
from milpcount.kernel.layers import rows_of, units_of
from milpcount.kernel.products import transposed
from milpcount.kernel.projection import FULL
from milpcount.kernel.rows import LOST, UNKNOWN, compose_layer, compose_rows, set_output
from milpcount.kernel.state import PATIENT_STEPS
from milpcount.kernel.warm_starts import take_start

_STEPS = 40
"""Newton steps of a first attempt."""


@entry
def find_points(p, s, scratch, rounding, patterns, above, points, found, aim):
    """Set a point of the cube for every pattern, and whether one was found.

    Parameters
    ----------
    p, s, scratch : Program, State, Scratch
        The state is that of a search that has not begun: its cell has the domain's rows, and room
        for those of all units.
    rounding : float
    patterns : (k, units)
    above : (units + 1,)
        Work: rows of the cell above each unit.
    points : (k, n), found : (k,)
        Out.
    aim : float
        Distance by which a point should clear every row, in a cube of side 1. Above the least,
        which the search aims at, only cells are tried that a first attempt finds a point of.
    """
    placed = 0
    for i in range(patterns.shape[0]):
        # Forms and rows of units that have the same piece in the pattern before stay.
        same = 0
        while i > 0 and same < placed and patterns[i, same] == patterns[i - 1, same]:
            same += 1
        placed, count = _place(p, s, rounding, patterns[i], same, above)
        found[i] = False
        if placed == patterns.shape[1]:
            found[i] = _project(p, s, scratch, count, aim)
            copy(points[i], s.trial.x)


@jit
def _place(p, s, rounding, pattern, same, above):
    """Make a pattern's cell, of which the first units are in place; return units placed, rows.

    A row whose kind floating point cannot tell, or that forbids the piece, ends it.
    """
    count = s.path.size[0] if same == 0 else above[same]
    for layer in range(p.layers.shape[0]):
        first, end = units_of(p, layer)
        if end <= same:
            continue
        if same <= first:
            compose_layer(p, layer, 0, p.layers[layer, LAYER_VALUES], s.values, s.outputs)
            compose_rows(p, layer, 0, p.layers[layer, LAYER_ROWS], rounding, s.values, s.rows)
            for r in range(*rows_of(p, layer)):
                if s.rows.kind[r] == UNKNOWN:
                    return first, count
        for unit in range(max(first, same), end):
            piece = p.units[unit, UNIT_PIECE] + pattern[unit]
            above[unit] = count
            further = push_piece(p, s, piece, count)
            if further < 0:
                return unit, count
            count = further
            set_output(p, unit, piece, s.values, s.outputs)
    above[pattern.shape[0]] = count
    return pattern.shape[0], count


@jit
def _project(p, s, scratch, count, aim):
    """Project the centre onto the cell; return whether a point that meets its rows was found."""
    if s.cell.inputs.shape[0] > 1:
        for i in range(count):
            if s.cell.stale[i]:
                transposed(p.V, s.cell.rows[i], s.cell.inputs[i])
                s.cell.stale[i] = False
    for attempt in range(3 if aim <= NARROWEST else 1):
        # A cell narrower than what a projection aims at is met by aiming at less.
        least = aim if attempt < 2 else 0.0
        for i in range(count):
            error = s.cell.error[i]
            lost = s.rows.s[s.cell.id[i]] == LOST
            s.cell.margin[i] = -error if lost else max(least, 4.0 * error)
        fill(s.trial.lam, 0.0)
        steps = _STEPS if attempt == 0 else PATIENT_STEPS
        at = take_start(p, s, scratch, count)
        verdict = box_project(s.cell, s.trial, s.starts, at, count, p.V, p.VT, scratch, steps)
        if verdict == FULL:
            return True
    return False
