"""How many regions the last units cut a cell into, without making them.

Of hyperplanes in general position in a convex cell C of n dimensions (deletion and restriction:
Zaslavsky, Facing up to arrangements, Memoirs of the AMS 154, 1975)::

    regions(C; H_1, .., H_m) = 1 + sum over the H_k that cross C of
                               regions(C with H_k; H_(k+1), .., H_m)

as ``H_k`` parts in two just those of the regions of ``H_1 .. H_(k-1)``, turned round, that it
crosses, and these are the regions that its section of C is cut into. A section has the crossings of
its hyperplane for vertices, and one dimension less; one of a single dimension, an edge, is cut in
as many pieces as hyperplanes cross it and one more. So most of what is counted are cells of few
vertices.

Position is general where every hyperplane has a certain sign at every vertex of every section that
it is tried on. Two of them that cross a section then cross it in different sections of it: if they
were the same there, the second would be zero at all vertices of the section with the first.
"""

from milpcount.kernel.compiled import inlined
from milpcount.kernel.rows import UNIT_ROUNDOFF
from milpcount.kernel.vertex_cells import (
    CUT,
    FIXED,
    NO_ROOM,
    OWN,
    SPLIT,
    UNSURE,
    find_crossings,
    test_row,
    values,
)
from milpcount.kernel.vertex_state import (
    COLUMN,
    CROSSINGS,
    DIMENSION,
    MOST_SPLITTERS,
    NEXT,
    PLACE,
    SPLITTERS,
    TOP,
    VERTICES,
)

NOT_GENERAL, LARGER = -1, -2
"""What comes of a count instead: position is not proved to be general; there is no room."""
_MOST_REGIONS = 5000
"""Of a cell, as far as the number of its splitters tells: in between nothing can be paused."""


@inlined
def count_regions(p, t, s, root, layer, n):
    """Count the regions of the cell at depth `root`, of which units of the last layer are left.

    Returns
    -------
    int
        Their number; `NOT_GENERAL`, `LARGER`; or 0 where there may be too many, units of several
        rows among them, or a single input.
    """
    if n == 1:  # an edge itself: no sections that tell its crossings apart
        return 0
    split = 0
    for place in range(s.path.node[root, PLACE], s.opened.number[layer]):
        column = t.units[s.opened.unit[layer, place], COLUMN]
        if column < 0 or split == MOST_SPLITTERS:
            return 0
        found = test_row(p, s, root, layer, column, n)
        if found == UNSURE:
            return NOT_GENERAL
        if found == SPLIT:
            s.path.splitters[root, split] = column
            split += 1
    most, term = 1, 1
    for j in range(1, min(n, split) + 1):
        term = term * (split - j + 1) // j
        most += term
    if most > _MOST_REGIONS:
        return 0
    s.path.node[root, SPLITTERS], s.path.node[root, NEXT], s.path.node[root, DIMENSION] = (
        split,
        0,
        n,
    )
    d, count = root, 1 + split
    while d >= root:
        k = s.path.node[d, NEXT]
        if k + 1 >= s.path.node[d, SPLITTERS]:  # on the section by the last one there is no other
            d -= 1
            continue
        s.path.node[d, NEXT] = k + 1
        if d + 2 > s.path.node.shape[0]:
            return LARGER
        column = s.path.splitters[d, k]
        values(s, d, column, n)
        came = find_crossings(s, d, column, n)
        if came != CUT:
            return LARGER if came == NO_ROOM else NOT_GENERAL
        _take_section(s, d, n)
        split = _find_splitters(p, s, d, layer, k + 1, n)
        if split < 0:
            return NOT_GENERAL
        count += split
        s.path.node[d + 1, SPLITTERS], s.path.node[d + 1, NEXT] = split, 0
        if s.path.node[d + 1, DIMENSION] > 1:
            d += 1
    return count


@inlined
def _find_splitters(p, s, d, layer, first, n):
    """Find the units that split the section below depth d, of its splitters from `first` on.

    Returns
    -------
    int
        Their number, -1 if not all signs are certain or, on an edge, not all crossings distinct.
    """
    split, edge = 0, s.path.node[d + 1, DIMENSION] == 1
    for k in range(first, s.path.node[d, SPLITTERS]):
        column = s.path.splitters[d, k]
        found = test_row(p, s, d + 1, layer, column, n)
        if found == UNSURE:
            return -1
        if found == SPLIT:
            s.path.splitters[d + 1, split] = column
            if edge:
                # A crossing divides the edge as its values at the ends say, a : b, which are known
                # within a bound: |a / (a - b) - a^ / (a^ - b^)| <= bound / |a^ - b^|.
                a, b = s.path.value[d + 1, 0], s.path.value[d + 1, 1]
                bound = s.forms.error[column] + s.forms.size[column] * s.path.reach[d + 1]
                at, width = a / (a - b), 1.001 * bound / abs(a - b) + 8.0 * UNIT_ROUNDOFF
                for other in range(split):
                    if not abs(at - s.work.sums[1, other]) > width + s.work.sums[2, other]:
                        return -1
                s.work.sums[1, split], s.work.sums[2, split] = at, width
            split += 1
    return split


@inlined
def _take_section(s, d, n):
    """Make the node at depth d + 1 the section of that at depth d which was found last."""
    top, edges = s.path.node[d, TOP], s.path.node[d, CROSSINGS]
    reach = 0.0
    for c in range(edges):
        s.path.member[d + 1, c] = top + c
        reach = max(reach, s.pool.error[top + c])
        for k in range(n):
            s.path.beside[d + 1, c, k] = s.path.crossing[d, c, OWN + 1 + k]
        s.path.beside[d + 1, c, s.path.crossing[d, c, OWN]] = FIXED
        # What was fixed in the section above is fixed here as well.
        v = s.path.crossing[d, c, 0]
        for k in range(n):
            if s.path.beside[d, v, k] == FIXED:
                s.path.beside[d + 1, c, k] = FIXED
    s.path.node[d + 1, VERTICES], s.path.node[d + 1, TOP] = edges, top + edges
    s.path.node[d + 1, DIMENSION] = s.path.node[d, DIMENSION] - 1
    s.path.reach[d + 1] = reach
