"""The recursion over the layers of any graph of any units: Serra et al. (2018) beyond chains.

After some layers, a *state* holds for each layer s that later ones still depend on a bound c_s on
the rank of its outputs (`milpcount.bounds.wiring`). With r the rank that the state allows layer l
and (m, h) the worst histogram of its cells (`milpcount.bounds.layer_cells`),

    G(l, c) = sum_{(m, h)} h G(l+1, c with c_l = min(r, m)),      G(L+1, .) = 1,

is no less than the number of regions in a region that has reached state c. *Proof*, from the last
layer on: G(l+1, .) bounds what each cell becomes, and is non-decreasing in each c_s, since a larger
c_s lets r grow, with r the total of the histogram and each min(r, m), and G(l+2, .) is
non-decreasing by the same argument. So it is non-decreasing in m, the worst histogram is the one
that fills many moving units first, and a larger state may stand for a smaller one, which keeps
states few where many layers are depended on.

Where the cells of a layer depend on how many units of its sources move, K in all (A(K) and I(K) of
`milpcount.bounds.empirical_graph`), the state holds these numbers too. More of them allow more
units to be active and to cut, so that the same induction goes through.

On a chain of rectifiers this is Theorem 1 of Serra et al., on one of units without constant pieces
Theorem 2 of Hu and Zhang (2018), of maxout units the product of the maxima of Montúfar, Ren and
Zhang (2022); on a chain of units with both sorts of pieces it is smaller than that product.
"""

from collections.abc import Iterable, Sequence
from math import prod

from milpcount.bounds.layer_cells import CoveredCells, LayerCells
from milpcount.bounds.wiring import Reading

MOST_STATES = 1_000
MOST_STEPS = 60_000


def most_states(dimension: int, widths: Sequence[int]) -> int:
    """Return how many states can be told apart quickly, each with a step for every rank."""
    ranks = 1 + min(dimension, max(widths, default=0))
    return max(1, min(MOST_STATES, MOST_STEPS // (ranks * max(1, len(widths)))))


def count_cells(
    dimension: int,
    layers: Sequence[LayerCells | CoveredCells],
    readings: Sequence[Reading],
    ranks: Sequence[int] | None = None,
    most_states: int = MOST_STATES,
) -> int:
    """Return G(1, .), an upper bound on the activation regions.

    Parameters
    ----------
    dimension : int
        Of the domain.
    layers : sequence of LayerCells or CoveredCells
    readings : sequence of Reading
    ranks : sequence of int, optional
        Upper bounds on the ranks of the layers' weights.
    most_states : int
        So many states are told apart.
    """
    following = _live(layers, readings)
    limits = [dimension] * len(layers) if ranks is None else [min(dimension, r) for r in ranks]
    live: tuple[int, ...] = ()
    ways: dict[tuple[int, ...], int] = {(): 1}
    for number, (layer, reading) in enumerate(zip(layers, readings, strict=True), 1):
        after: dict[tuple[int, ...], int] = {}
        steps: dict[tuple[int, int], dict[int, int]] = {}
        kept = following[number - 1]
        is_needed = number in kept or -number in kept
        for state, count in ways.items():
            known = _State(zip(live, state, strict=True), dimension)
            rank = min(limits[number - 1], reading.rank(known))
            active = 0
            if isinstance(layer, CoveredCells):
                active = min(sum(known[-s] for s in layer.sources), len(layer.cells) - 1)
            if (active, rank) not in steps:
                cells = layer if isinstance(layer, LayerCells) else layer.cells[active]
                steps[active, rank] = _step(cells, rank, needs_moving=is_needed)
            for moving, cells_on in steps[active, rank].items():
                known[number], known[-number] = min(rank, moving), moving
                new = tuple(known[key] for key in kept)
                after[new] = after.get(new, 0) + count * cells_on
        ways, live = _fewer(after, most_states), kept
    return sum(ways.values())


class _State(dict[int, int]):
    """A state: under s the bound on the rank of layer s, under -s the units that move in it.

    A rank that makes no difference is the dimension.
    """

    def __init__(self, known: Iterable[tuple[int, int]], dimension: int) -> None:
        super().__init__(known)
        self._dimension = dimension

    def __missing__(self, key: int) -> int:
        return self._dimension


def product_of_layers(
    dimension: int,
    layers: Sequence[LayerCells],
    readings: Sequence[Reading],
    ranks: Sequence[int] | None = None,
) -> int:
    """Return the product of the layers' most cells, each of the largest rank it can have.

    The recursion with one state. On chains it is the bound of Montúfar (2017), of Hu and Zhang
    (2018), Theorem 2, and the product of the maxima of Montúfar, Ren and Zhang (2022).

    Parameters
    ----------
    dimension, layers, readings, ranks
        As in `count_cells`.
    """
    caps, found = {0: dimension}, []
    for number, (cells, reading) in enumerate(zip(layers, readings, strict=True), 1):
        rank = reading.rank(caps)
        rank = rank if ranks is None else min(rank, ranks[number - 1])
        caps[number] = min(rank, cells.most_moving)
        found.append(cells.total(rank))
    return prod(found)


def _live(
    layers: Sequence[LayerCells | CoveredCells], readings: Sequence[Reading]
) -> list[tuple[int, ...]]:
    """Return, for each layer, what later layers depend on; keys as in `_State`."""
    needed: set[int] = set()
    found = []
    for number in range(len(readings), 0, -1):
        found.append(tuple(sorted(key for key in needed if abs(key) <= number)))
        needed |= readings[number - 1].needed
        layer = layers[number - 1]
        if isinstance(layer, CoveredCells):
            needed |= {-s for s in layer.sources}
    return found[::-1]


def _step(cells: LayerCells, rank: int, *, needs_moving: bool) -> dict[int, int]:
    """Return how many cells there are for each number of moving units."""
    return dict(cells.histogram(rank)) if needs_moving else {0: cells.total(rank)}


def _fewer(ways: dict[tuple[int, ...], int], most: int) -> dict[tuple[int, ...], int]:
    """Return at most so many states: where they are more, larger ones stand for smaller ones."""
    while len(ways) > most:
        columns = [sorted(set(column), reverse=True) for column in zip(*ways, strict=True)]
        widest = max(map(len, columns))
        # Where a number has the most values, every other one stays, and stands for the next below.
        # All such numbers at once, so that rounds are few.
        stands = [
            dict(zip(values, _doubled(values) if len(values) == widest else values, strict=False))
            for values in columns
        ]
        merged: dict[tuple[int, ...], int] = {}
        for state, count in ways.items():
            new = tuple(stand[value] for stand, value in zip(stands, state, strict=True))
            merged[new] = merged.get(new, 0) + count
        ways = merged
    return ways


def _doubled(values: Sequence[int]) -> list[int]:
    return [value for value in values[::2] for _ in range(2)]
