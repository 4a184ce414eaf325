"""Makes the arrays of a proof from the regions that were found."""

import io
from collections.abc import Sequence
from itertools import chain

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import ContradictionError
from milpcount.exact.evaluate import point_of
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.proof import check, check_linear
from milpcount.proof.archive import Archive
from milpcount.proof.blocks import Block
from milpcount.proof.clauses import ExactClauses
from milpcount.proof.header import header_of, number_text
from milpcount.proof.linear_regions import Further
from milpcount.quantities import Quantity
from milpcount.result import Region, patterns_of
from milpcount.tree.kept_regions import KeptRegions
from milpcount.tree.refutations import Projections
from milpcount.types import Array

_BLOCK_NUMBERS = 1 << 22
"""Numbers of the rows of the cells of a block, which the checker holds at a time, at most."""
_LONGEST = 4096
"""Beginnings of patterns in a block, if it has several cells."""


class Writer:
    """The arrays of a proof, block by block.

    Parameters
    ----------
    content : bytes
        Of the network's file.
    network : Network
    inputs : InputSet
    quantity : Quantity
    regions : sequence of Region
    """

    def __init__(
        self,
        content: bytes,
        network: Network,
        inputs: InputSet,
        quantity: Quantity,
        regions: Sequence[Region],
    ) -> None:
        self._network, self._regions = network, regions
        self._closed = quantity is Quantity.ACTIVATION_PATTERNS
        self._exact_inputs = ExactInputs.from_inputs(inputs)
        self._exact = ExactNetwork(network, self._exact_inputs)
        self._projections = Projections(network, inputs, self._closed)
        self.header = header_of(content, inputs, quantity, self._projections.seeded)
        with np.errstate(all="ignore"):
            self._subject = check.Subject(io.BytesIO(content), self.header)
        self._clauses = ExactClauses(self._exact, self._closed)
        kind = np.min_scalar_type(max(int(layer.n_pieces.max()) for layer in network.layers))
        kind = np.dtype(np.uint32) if kind.itemsize > 4 else kind
        flat = np.fromiter(chain.from_iterable(patterns_of(regions)), dtype=kind)
        table = flat.reshape(-1, network.n_units)
        self._all = np.lexsort(table.T[::-1]), table
        self.total = len(table)
        self.cut(self.total)

    def cut(self, most: int) -> None:
        """Let a proof be of the first regions only, in the order of their patterns."""
        order, table = self._all
        self._order = order[:most]
        self._patterns = table[self._order]
        differ = self._patterns[1:] != self._patterns[:-1]
        self._at = np.append(-1, differ.argmax(axis=1))

    def write(self, archive: Archive) -> tuple[int, int]:
        """Write all that is to be checked; return the bounds that it proves.

        Raises
        ------
        OutOfTime
            If the deadline in force has come.
        """
        archive.put("patterns", self._patterns)
        with np.errstate(all="ignore"):
            points, exact = self._witnesses()
            archive.put_floats("points", points)
            archive.put_text("exact_points", exact)
            left = sum(self._layer(archive, k) for k in range(len(self._network.layers)))
            count, units = len(self._patterns), len(self._subject.pieces)
            if left:
                whole = self._subject.bounds(np.full((1, units), -1))[0]
                left = min(left, whole - count)
            return count, count + left

    def further(
        self, archive: Archive, quantity: Quantity, found: int, upper: int
    ) -> tuple[int, int]:
        """Write the section of linear regions or the like; return the bounds that it proves.

        Parameters
        ----------
        archive : Archive
        quantity : Quantity
        found, upper : int
            The bounds on the activation regions that have been proved.
        """
        with np.errstate(all="ignore"):
            labels = check_linear.labels(self._subject, self._patterns)
            maps = len(np.unique(labels))
            if found < upper:
                return maps, upper
            if quantity is Quantity.AFFINE_PIECES:
                return maps, maps
            closed = quantity is Quantity.CLOSED_LINEAR_REGIONS
            section = Further(self._subject, self._exact_inputs, self._patterns, closed).section(
                labels
            )
        archive.put_text("further", section)
        count = found - len(section["joined"])
        return count, count

    # Sides ---------------------------------------------------------------------------------------

    def _layer(self, archive: Archive, layer: int) -> int:
        """Write the blocks of a layer; return a bound on what they leave open."""
        s, left = self._subject, 0
        start, stop = s.unit0[layer : layer + 2]
        here = np.flatnonzero(self._at < stop)
        heads = np.flatnonzero(self._at[here] < start)
        ends = np.append(heads, here.size)
        most = max(1, _BLOCK_NUMBERS // (int(s.row0[layer + 1]) * (1 + s.d)))
        done, number = 0, 0
        while done < heads.size:
            tick()
            full = int(np.searchsorted(ends, ends[done] + _LONGEST, side="right")) - 1
            more = max(1, min(most, full - done, heads.size - done))
            rows = here[ends[done] : ends[done + more]]
            unit, leaves, piece = check.sides(self._patterns, self._at, rows, s.pieces, start, stop)
            block = Block(
                s, self._projections, self._clauses, layer, self._patterns[rows].astype(np.int64),
                heads[done : done + more] - ends[done],
                (np.searchsorted(rows, leaves), unit, piece),
            )  # fmt: skip
            left += block.write(archive, f"{layer}/{number}/")
            done, number = done + more, number + 1
        return left

    # Witnesses -----------------------------------------------------------------------------------

    def _witnesses(self) -> tuple[Array, dict[int, list[str]]]:
        """Return witnesses, and exact ones by their place where floats do not prove them."""
        P, s = self._patterns, self._subject
        n = max(1, (1 << 20) // (1 + s.d))
        exact, sure = dict[int, list[str]](), np.zeros(len(P), dtype=bool)
        if self._projections.seeded:
            some = (P[k : k + n].astype(np.int64) for k in range(0, len(P), n))
            points, sure = map(np.concatenate, zip(*map(self._seeds, some), strict=True))
        else:
            points, exact = self._given_points()
        rest = np.flatnonzero(~sure)
        for first in range(0, len(rest), n):
            tick()
            own = rest[first : first + n]
            given = points[own]
            short = given.astype(np.float32).astype(float)  # is packed more densely
            fine = s.attained(P[own], s.points(short))
            points[own] = np.where(fine[:, None], short, given)
            own = own[~fine]
            fine = s.attained(P[own], s.points(points[own]))
            for j in own[~fine].tolist():
                tick()
                t = check.exactly(s.points(points[j : j + 1]))
                if j not in exact and not s.attained(P[j : j + 1], t, exact=True)[0]:
                    exact[j] = self._exact_point(j)
        return points, exact

    def _seeds(self, patterns: Array) -> tuple[Array, Array]:
        tick()
        return self._projections.seeds(patterns)

    def _given_points(self) -> tuple[Array, dict[int, list[str]]]:
        """Return the parameters of kept witnesses, and exact ones by their place in the order."""
        exact: dict[int, list[str]] = {}
        table = np.zeros((self._order.size, self._exact_inputs.dimension))
        selected, place = self._exact_inputs.selected, np.argsort(self._order)
        wanted = self._order[place].tolist()
        own = self._regions
        # In their order, those that are kept as patterns are read much faster.
        some = own.taken(wanted) if isinstance(own, KeptRegions) else (own[i] for i in wanted)
        for at, region in zip(place.tolist(), some, strict=True):
            tick()
            given = region.witness[selected] if region.parameters is None else region.parameters
            if given.dtype == object:
                exact[at] = [number_text(v) for v in given]
            else:
                table[at] = given
        return table, exact

    def _exact_point(self, at: int) -> list[str]:
        """Return the parameters of a region's witness, exactly."""
        region = self._regions[int(self._order[at])]
        found = point_of(self._exact_inputs, region)
        if found is None:
            tree = ExactRegionTree(self._exact, patterns=self._closed)
            cell = tree.cell(region.pattern)
            if cell is None:
                raise ContradictionError(
                    f"pattern {region.pattern} was counted and has no point: please report this"
                )
            found = cell.witness
        return [number_text(v) for v in found.fractions()]
