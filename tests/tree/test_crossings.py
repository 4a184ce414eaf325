"""Which crossings of a cell's edges with a row are neighbours: by pairs, and by a hash."""

import numpy as np
import pytest

from milpcount import Box, Network
from milpcount.kernel.vertex_cells import (
    CUT,
    NO_ROOM,
    OWN,
    _meet,
    _meet_by_hash,
    cut,
    find_crossings,
    take_side,
)
from milpcount.kernel.vertex_cells import (
    test_row as sign_of_row,
)
from milpcount.kernel.vertex_state import CROSSINGS, TOP
from milpcount.tree.few_inputs import VertexSearch
from tests.interpreted import interpreted


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_both_ways_find_the_same(n: int, seed: int) -> None:
    """Of a cube and then of what is left of it, cut after cut."""
    rng = np.random.default_rng(seed)
    rows = 3 if n < 6 else 2  # of what there is room for at first
    network = Network.from_arrays([rng.normal(size=(rows, n))], [np.zeros(rows)], output=False)
    search = VertexSearch(network, Box(0, 1).bind(n))
    p, s = search.program, search.state
    for d in range(rows):
        normal = rng.normal(size=n)
        s.forms.table[: n + 1, d] = *normal, -normal.sum() / 2 + 0.05 * rng.normal()
        s.forms.table[n + 1, d] = s.forms.size[d] = abs(normal).sum()
        s.forms.error[d] = 1e-14
        interpreted(sign_of_row)(p, s, d, 0, d, n)
        assert interpreted(find_crossings)(s, d, d, n) == CUT
        count, top = s.path.node[d, CROSSINGS], s.path.node[d, TOP]
        own = s.path.crossing[d, :count, OWN]
        neighbours = s.path.crossing[d, :count, OWN + 1 :]
        neighbours[:] = -1
        for c in range(1, count):
            interpreted(_meet)(s, d, c, top, n)
        by_pairs = neighbours.copy()
        neighbours[:] = -1
        interpreted(_meet_by_hash)(s, d, count, top, n)
        assert np.array_equal(neighbours, by_pairs)
        # One for every facet but the new one.
        assert np.array_equal(neighbours < 0, np.arange(n) == own[:, None])
        interpreted(cut)(s, d, d, n)
        interpreted(take_side)(s, d, 1 if seed % 2 else -1, n)


def test_no_more_crossings_than_there_is_room_for() -> None:
    """A cut that does not fit says so, and changes nothing of the cell."""
    n = 4
    network = Network.from_arrays([np.ones((1, n))], [np.zeros(1)], output=False)
    search = VertexSearch(network, Box(0, 1).bind(n))
    p, s = search.program, search.state
    s.forms.table[: n + 2, 0] = *np.ones(n), -1.9, 8.0
    s.forms.size[0], s.forms.error[0] = n, 1e-14
    interpreted(sign_of_row)(p, s, 0, 0, 0, n)
    cell = s.path.beside[0].copy(), s.path.node[0].copy()
    for spare, came in ((11, NO_ROOM), (12, CUT)):  # of the edges, 12 have sums 1 and 2
        path = s.path._replace(member=s.path.member[:, : 16 + spare])
        assert interpreted(find_crossings)(s._replace(path=path), 0, 0, n) == came
        if came == NO_ROOM:
            assert np.array_equal(s.path.beside[0], cell[0])
            assert np.array_equal(s.path.node[0], cell[1])
    assert s.path.node[0, CROSSINGS] == 12
