"""Whether two outputs decide next to each other in a region, by the region tree's own search.

In a region, where all outputs are affine, let a and b be two of the decisions that are taken on
open parts of it, S. The set where both exceed all others of S is convex and open. It holds points
of the facet between the two parts if and only if it holds points where a > b and such where b > a:
on the way from one to the other a = b. Both are questions about full-dimensional cells: is the
order a > b > others attained on an open part of the region, and b > a > others?

They are asked of a network with a further unit for each pair of outputs, whose piece says which one
is larger: the search is told the pieces of the region's units and of those pairs, and stops at the
first region that it finds.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from milpcount.domain import InputSet
from milpcount.kernel.program import compile_program
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.network.activation import maxout
from milpcount.network.composite import Composite, compose
from milpcount.network.layer import Layer
from milpcount.network.sparse import Sparse
from milpcount.tree.search import Search

MOST_DECISIONS = 24
"""Outputs whose pairs are units: more of them are slower than linear programs."""


class Orders:
    """Answers about the order of outputs in regions.

    Parameters
    ----------
    network : Network
        With its decision, a maximum over several outputs, as its last layer.
    inputs : InputSet
    decisions : sequence of int
        The outputs that will be asked about, at most `MOST_DECISIONS`.

    Attributes
    ----------
    programs : int
        Projections computed.
    """

    def __init__(self, network: Network, inputs: InputSet, decisions: Sequence[int]) -> None:
        *before, last = network.layers
        pairs = list(combinations(sorted(decisions), 2))
        gather = np.zeros((2 * len(pairs), last.affine.n_out))
        gather[np.arange(len(gather)), np.ravel(pairs)] = 1.0
        choice = Sparse(csr_array(gather), np.zeros(len(gather)))
        affine: Any = last.affine
        factors = affine.factors if isinstance(affine, Composite) else (affine,)
        layer = Layer(compose([*factors, choice]), maxout(2), last.reads)
        self._network = Network((*before, layer), inputs=network.n_inputs)
        self._inputs, self._program = inputs, compile_program(self._network, inputs)
        first = self._network.n_units - len(pairs)
        self._units = {pair: first + k for k, pair in enumerate(pairs)}
        self.programs = 0

    def share_facet(self, region: Sequence[int], a: int, b: int, others: Sequence[int]) -> bool:
        """Return whether two decisions share a facet in a region.

        Parameters
        ----------
        region : sequence of int
            Its pattern, without a decision.
        a, b : int
        others : sequence of int
            What else is decided on open parts of the region.
        """
        return self._is_attained(region, a, b, others) and self._is_attained(region, b, a, others)

    def _is_attained(
        self, region: Sequence[int], first: int, second: int, others: Sequence[int]
    ) -> bool:
        """Return whether an order of outputs is attained on an open part of a region."""
        tick()
        forced = dict(enumerate(region))
        # All others are below the second, and so below the first.
        for above, below in ((first, second), *((second, other) for other in others)):
            # Piece 1 of a maximum is where its second value is the larger one.
            forced[self._units[min(above, below), max(above, below)]] = int(above > below)
        # Which piece the other pairs are on is not asked: nothing depends on it.
        known = {unit: 0 for unit in self._units.values() if unit not in forced}
        search = Search(
            self._network, self._inputs, forced=forced, program=self._program, known=known
        )
        for _ in search.run(most=1):
            tick()
        self.programs += search.tests
        return search.found > 0
