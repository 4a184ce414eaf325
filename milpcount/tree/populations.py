"""Random walks side by side: a population, whose walks replace each other on the way down.

Walks of wide networks differ by tens of bits, and the mean of a few of them is far below what most
of the mean is made of. So M walks advance together, in stages of some choices each. Between two
stages every walk has a score: its weight so far times what is likely to come below it (the
*potential*, learned from earlier walks). Where the scores differ much, walks are drawn anew by
them, and a walk that is expected to be drawn n times goes on with an n-th of its weight. It is
divided by what was expected, not by what was drawn, so that the expectation of the mean weight at
the end is the number of regions, whatever the potential is and whenever walks are drawn anew
(sequential Monte Carlo; Del Moral, Feynman-Kac Formulae, 2004, theorem 7.4.2). The population's
estimate is that mean.
"""

import numpy as np

from milpcount.kernel.columns import LAYER_UNIT, LAYER_UNITS, UNIT_PIECES
from milpcount.kernel.descent_state import BELOW, CHOICES, REACH, WALK, Walks
from milpcount.kernel.program import Program
from milpcount.kernel.state import DEPTH
from milpcount.tree.population_nodes import Node, bytes_of
from milpcount.tree.search import Search
from milpcount.types import Array

_EVEN = 0.5
"""Share of a population that its scores must amount to; below it walks are drawn anew."""
_STAGES = 16
"""Stages in which a layer is decided, about."""
_FEWEST = 4
"""Choices in a stage, at least."""
TRANSITION = 13
"""Numbers that a transition has."""
_ROOM = 2**29
"""Bytes that the nodes of waiting walks may take, about."""


def affordable(program: Program, wanted: int) -> int:
    """Return how many walks of a population have room, two at least."""
    return max(2, min(wanted, _ROOM // bytes_of(program)))


def log_mean(log_weight: Array) -> float:
    """Return the logarithm of the mean of weights given by their logarithms."""
    return float(np.logaddexp.reduce(log_weight) - np.log(log_weight.size))


class Population:
    """The walks of one estimate.

    Parameters
    ----------
    search : Search
    made : Walks
        The arrays of as many walks, made in stages.
    potential : ndarray, shape (layers, 5)
        Coefficients of `Node.features`: natural logarithms of what is likely to come below.
    random : numpy.random.Generator
        Draws walks anew.

    Attributes
    ----------
    transitions : list of ndarray, shape (13,)
        Of every stage of a walk: the layer that it began in and the node's features; the layer that
        it ended in, -1 at the walk's end, and the features there; and the logarithm of the weight
        that it gained.
    """

    def __init__(
        self, search: Search, made: Walks, potential: Array, random: np.random.Generator
    ) -> None:
        self._search, self._made, self._potential, self._random = search, made, potential, random
        self._number = made.log_size.size
        self._nodes: list[Node | None] = [None] * self._number
        self._is_done = np.zeros(self._number, dtype=bool)
        self._log_expected = np.zeros(self._number)
        self.transitions: list[Array] = []
        self._before = np.zeros(self._number)
        p = search.program
        own = np.zeros(p.layers.shape[0])
        for number, (first, units) in enumerate(p.layers[:, [LAYER_UNIT, LAYER_UNITS]].tolist()):
            own[number] = np.log(p.units[first : first + units, UNIT_PIECES]).sum()
        self._most = np.cumsum(own[::-1])[::-1]

    @property
    def is_done(self) -> bool:
        """Whether all walks have ended."""
        return bool(self._is_done.all())

    @property
    def log_weight(self) -> Array:
        """Natural logarithms of the walks' weights."""
        return np.asarray(self._made.log_size - self._log_expected)

    def waiting(self) -> list[int]:
        """Return the walks that have not ended."""
        return np.flatnonzero(~self._is_done).tolist()

    def stop(self) -> tuple[int, int]:
        """Return the layer, and the place in it, at which walks wait for each other next."""
        stops = [(0, 0)]
        for i in self.waiting():
            node = self._nodes[i]
            if node is None:  # at the root
                return 0, 0
            units = int(self._search.program.layers[node.layer, LAYER_UNITS])
            step = max(_FEWEST, -(-units // _STAGES))
            place = (node.place // step + 1) * step
            inside = place < node.place + node.left
            stops.append((node.layer, place) if inside else (node.layer + 1, 0))
        return min(stops[1:])

    def is_ahead(self, i: int, stop: tuple[int, int]) -> bool:
        """Return whether a walk has come to a stop already."""
        node = self._nodes[i]
        return node is not None and (node.layer, node.place) >= stop

    def take_up(self, i: int) -> None:
        """Make a walk the current one."""
        self._made.control[WALK] = i
        made, node = self._made, self._nodes[i]
        made.control[CHOICES] = 0
        self._before[i] = made.log_size[i]
        if node is not None:
            node.put(self._search, made)
        else:
            self._search.state.control[DEPTH] = 0
            made.place[REACH] = made.own_square[0]

    def put_down(self, i: int, *, is_done: bool) -> None:
        """Note where the current walk has come, and what its choices on the way have come to.

        That is the weight gained after a choice and the potential here. What the walk comes to in
        the end would tell more, but of walks that were drawn for it only: it would seem that
        unlikely choices, which gain weight, pay.
        """
        self._is_done[i] = is_done
        made, before = self._made, self._nodes[i]
        node = self._nodes[i] = None if is_done else Node.of(self._search, made)
        came_to = float(made.log_size[i]) + (0.0 if node is None else self._ahead(node))
        if not np.isfinite(came_to):
            return
        if before is not None:
            gained = float(made.log_size[i] - self._before[i])
            self.transitions.append(np.array([*_known(before), *_known(node), gained]))
        choice = made.choice[: int(made.control[CHOICES])]
        choice[:, BELOW] = came_to - choice[:, BELOW]
        layers = made.choice_layer[: len(choice)]
        for number in np.unique(layers).tolist():
            own = choice[layers == number]
            made.moments[number] += own.T @ own

    def _ahead(self, node: Node) -> float:
        """Return the potential of a node, between none and all of the pieces that are left."""
        potential = float(self._potential[node.layer] @ node.features())
        return min(max(0.0, potential), float(self._most[node.layer]))

    def draw(self) -> None:
        """Draw walks anew if their scores differ much."""
        score = self.log_weight
        for i in self.waiting():
            node = self._nodes[i]
            assert node is not None
            score[i] += self._ahead(node)
        if not np.isfinite(score).any():
            return
        share = np.exp(score - score.max())
        share /= share.sum()
        if 1.0 / (share**2).sum() >= _EVEN * self._number:
            return
        # Systematic sampling: each walk is drawn as often as expected, but for less than once.
        ends = np.cumsum(share)
        points = (np.arange(self._number) + self._random.uniform()) / self._number * ends[-1]
        chosen = np.searchsorted(ends[:-1], points, side="right")
        self._log_expected = self._log_expected[chosen] + np.log(self._number * share[chosen])
        self._nodes = [self._nodes[a] for a in chosen]
        self._is_done = self._is_done[chosen]
        self._made.log_size[:] = self._made.log_size[chosen]
        self._made.taken[:] = self._made.taken[chosen]


def _known(node: Node | None) -> Array:
    """Return the layer and the features of a node, -1 and zeros at a walk's end."""
    return np.append(-1.0, np.zeros(5)) if node is None else np.append(node.layer, node.features())
