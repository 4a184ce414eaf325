"""The recursion over the layers of any graph of any units: Serra et al. (2018) beyond chains.

After some layers, a *state* holds for each layer s that later ones still depend on a bound c_s on
the rank of its outputs (`milpcount.bounds.wiring`). With r the rank that the state allows layer l
and (m, h) the worst histogram of its cells (`milpcount.bounds.cells`),

    G(l, c) = sum_{(m, h)} h G(l+1, c with c_l = min(r, m)),      G(L+1, .) = 1,

is no less than the number of regions in a region that has reached state c. *Proof*, from the last
layer on: G(l+1, .) bounds what each cell becomes, and is non-decreasing in each c_s, since a larger
c_s lets r grow, with r the total of the histogram and each min(r, m), and G(l+2, .) is
non-decreasing by the same argument. So it is non-decreasing in m, the worst histogram is the one
that fills many moving units first, and a larger state may stand for a smaller one, which keeps
states few where many layers are depended on.

On a chain of rectifiers this is Theorem 1 of Serra et al., on one of units without constant pieces
Theorem 2 of Hu and Zhang (2018), of maxout units the product of the maxima of Montúfar, Ren and
Zhang (2022); on a chain of units with both sorts of pieces it is smaller than that product.
"""

from collections.abc import Sequence
from math import prod

from milpcount.bounds.cells import LayerCells
from milpcount.bounds.wiring import Reading

MOST_STATES = 1_000
_MOST_STEPS = 20_000


def most_states(dimension: int) -> int:
    """Return how many states can be told apart quickly, each with a step for every rank."""
    return max(1, min(MOST_STATES, _MOST_STEPS // (dimension + 1)))


def count_cells(
    dimension: int,
    layers: Sequence[LayerCells],
    readings: Sequence[Reading],
    ranks: Sequence[int] | None = None,
    most_states: int = MOST_STATES,
) -> int:
    """Return G(1, .), an upper bound on the activation regions.

    Parameters
    ----------
    dimension : int
        Of the domain.
    layers : sequence of LayerCells
    readings : sequence of Reading
    ranks : sequence of int, optional
        Upper bounds on the ranks of the layers' weights.
    most_states : int
        So many states are told apart.
    """
    live: tuple[int, ...] = ()
    ways: dict[tuple[int, ...], int] = {(): 1}
    following = _live(readings)
    limits = [dimension] * len(layers) if ranks is None else [min(dimension, r) for r in ranks]
    for number, (cells, reading) in enumerate(zip(layers, readings, strict=True), 1):
        after: dict[tuple[int, ...], int] = {}
        steps: dict[int, dict[int, int]] = {}
        kept = following[number - 1]
        for state, count in ways.items():
            caps = dict(zip(live, state, strict=True))
            caps[0] = dimension
            rank = min(limits[number - 1], reading.rank(_Missing(caps, dimension)))
            if rank not in steps:
                steps[rank] = _step(cells, rank, needs_moving=number in kept)
            for cap, ways_on in steps[rank].items():
                caps[number] = cap
                new = tuple(caps[s] for s in kept)
                after[new] = after.get(new, 0) + count * ways_on
        ways, live = _fewer(after, most_states), kept
    return sum(ways.values())


class _Missing(dict[int, int]):
    """Bounds on ranks; of a source that makes no difference, the dimension."""

    def __init__(self, caps: dict[int, int], dimension: int) -> None:
        super().__init__(caps)
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


def _live(readings: Sequence[Reading]) -> list[tuple[int, ...]]:
    """Return, for each layer, what later layers depend on of it and of those before it."""
    needed: set[int] = set()
    found = []
    for number in range(len(readings), 0, -1):
        found.append(tuple(sorted(s for s in needed if s <= number)))
        needed |= readings[number - 1].needed
    return found[::-1]


def _step(cells: LayerCells, rank: int, *, needs_moving: bool) -> dict[int, int]:
    """Return how many cells there are for each bound on the rank of the layer's outputs."""
    if not needs_moving:
        return {0: cells.total(rank)}
    found: dict[int, int] = {}
    for moving, count in cells.histogram(rank):
        cap = min(rank, moving)
        found[cap] = found.get(cap, 0) + count
    return found


def _fewer(ways: dict[tuple[int, ...], int], most: int) -> dict[tuple[int, ...], int]:
    """Return at most so many states: where they are more, larger ones stand for smaller ones."""
    while len(ways) > most:
        values = [sorted(set(column)) for column in zip(*ways, strict=True)]
        widest = max(range(len(values)), key=lambda i: len(values[i]))
        # Every other value from the largest on stays, and stands for the one below it.
        stands = dict(zip(values[widest][::-1], _doubled(values[widest][::-1]), strict=False))
        merged: dict[tuple[int, ...], int] = {}
        for state, count in ways.items():
            new = (*state[:widest], stands[state[widest]], *state[widest + 1 :])
            merged[new] = merged.get(new, 0) + count
        ways = merged
    return ways


def _doubled(values: Sequence[int]) -> list[int]:
    return [value for value in values[::2] for _ in range(2)]
