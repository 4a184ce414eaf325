"""Parities that come in the course of a search whose cells carry their vertices; see `parity`."""

from milpcount.kernel.compiled import copy, entry
from milpcount.kernel.parity import (
    CONTRADICTED,
    SATISFIED,
    WORK,
    holds,
    insert,
    insert_below,
    place_of,
)
from milpcount.kernel.vertex_stages import CHILDREN, DOMAIN, ENTER
from milpcount.kernel.vertex_state import DEPTH, LAYER, PLACE, STAGE


@entry
def add_parity(p, s, q, parity):
    """Add a parity to all systems on the path, and leave what it rules out of the path.

    A node goes on from unit to unit and from layer to layer until it branches, so the node to go
    back to is the last one that branched before the first unit that the parity rules out: on that
    unit itself, or on one before.

    Parameters
    ----------
    p : Program
    s : Cells
    q : Parities
    parity : (words + 1,)
        The row, over all variables.
    """
    row, d = q.work[WORK], s.control[DEPTH]
    copy(row, parity)
    pivot = insert(q, 0, row)
    if pivot == CONTRADICTED:
        s.control[DEPTH] = -1
    if pivot == CONTRADICTED or pivot == SATISFIED or d < 0:
        return
    stage, reached = s.path.node[d, STAGE], s.path.node[d, LAYER]
    entered = reached if stage == ENTER or stage == DOMAIN else reached + 1
    for layer in range(entered):
        copy(row, parity)
        pivot = insert_below(p, q, s.opened, layer, row)
        place = -1
        if pivot != CONTRADICTED:
            place = place_of(q, s.opened, layer, pivot)
            is_decided = layer < reached or place < s.path.node[d, PLACE]
            if place < 0 or not is_decided or holds(q, row):
                continue
        while d >= 0 and (
            s.path.node[d, STAGE] != CHILDREN
            or s.path.node[d, LAYER] > layer
            or (s.path.node[d, LAYER] == layer and s.path.node[d, PLACE] > place)
        ):
            d -= 1
        s.control[DEPTH] = d
        return
