"""What bounds the rank of what a layer of a graph reads, whatever the weights.

On a region, let J_s be the linear part of the outputs of source s (the input is source 0, J_0 the
directions of the domain), and c_s a bound on its rank. Let A_l be the linear part of what the units
of layer l take: W_l times the stacked J_s of its sources. Its rank is at most

* ``rank(W_l)``;
* ``sum_s min(c_s, numbers read of s)`` over its sources: ranks of stacked matrices add up;
* ``sum_{s in K} c_s`` for every set K of sources that *determine* what it reads: the rows of
  A_l are combinations of those of J_s for s in K, since each output of a unit is, on a region, an
  affine function of what its layer reads. Where all sources of a layer are determined, so is it;
* c_s for its *dominator* s, the last layer through which all paths from the input lead: then {s}
  determines it.

The rows of J_l are those of A_l, scaled, one per unit, and zero for a unit on a constant piece:
``c_l = min(rank of A_l, moving units)`` bounds its rank. In a chain K and the dominator are the
layer before, and c_l = min(n_0, moving units of layers 1, .., l): Serra et al. (2018), Lemma (c).
A layer that reads the whole input has rank n_0 at most, and nothing smaller is
known of it but the rank of its weights.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from milpcount.network import Network


@dataclass(frozen=True)
class Reading:
    """What a layer reads.

    Attributes
    ----------
    sources : tuple of (int, int or None)
        Number of the source, and how many of its numbers are read; None is all.
    determining : tuple of int
        Sources, the whole of which determines all of them.
    dominator : int
    """

    sources: tuple[tuple[int, int | None], ...]
    determining: tuple[int, ...]
    dominator: int

    def rank(self, caps: Mapping[int, int]) -> int:
        """Return the bound on the rank for bounds on those of the sources."""
        some = sum(caps[s] if n is None else min(caps[s], n) for s, n in self.sources)
        return min(some, sum(caps[s] for s in self.determining), caps[self.dominator])

    @property
    def needed(self) -> frozenset[int]:
        """The sources whose ranks make a difference, but for the input's."""
        if self.dominator == 0 and self.determining == (0,):
            whole = dict(self.sources)[0] is None
            return frozenset() if whole else frozenset(s for s, _ in self.sources if s)
        numbers = {s for s, _ in self.sources} | set(self.determining) | {self.dominator}
        return frozenset(numbers - {0})


def readings(sources: Sequence[Sequence[tuple[int, int | None]]]) -> tuple[Reading, ...]:
    """Return what each layer reads.

    Parameters
    ----------
    sources : sequence of sequence of (int, int or None)
        For each layer, as in `Reading.sources`.
    """
    numbers = [tuple(s for s, _ in found) for found in sources]
    dominators, depths = [0], [0]
    result = []
    for found, mine in zip(sources, numbers, strict=True):
        dominator = _common(mine, dominators, depths)
        dominators.append(dominator)
        depths.append(depths[dominator] + 1)
        result.append(Reading(tuple(found), _determining(mine, numbers), dominator))
    return tuple(result)


def of_chain(depth: int) -> tuple[Reading, ...]:
    """Return the readings of a chain."""
    return tuple(Reading(((k, None),), (k,), k) for k in range(depth))


def of_graph(network: Network) -> tuple[Reading, ...]:
    """Return the readings of a network."""
    if network.is_chain:
        return of_chain(len(network.layers))
    return readings([
        [(s.number, None if s.local is None else len(s.local)) for s in found]
        for found in network.sources[: len(network.layers)]
    ])  # fmt: skip


def _common(sources: Iterable[int], dominators: Sequence[int], depths: Sequence[int]) -> int:
    """Return where the paths from some sources up the tree of dominators meet."""
    first, *rest = sources
    for other in rest:
        while first != other:
            if depths[first] >= depths[other]:
                first = dominators[first]
            else:
                other = dominators[other]
    return first


def _determining(mine: Sequence[int], numbers: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Return the sources that are not determined by those before them."""
    if len(mine) == 1:
        return tuple(mine)
    kept, known, asked = [], set[int](), set(mine)
    for number in range(max(mine) + 1):
        if number > 0 and known.issuperset(numbers[number - 1]):
            known.add(number)
        elif number in asked:
            kept.append(number)
            known.add(number)
    return tuple(kept)
