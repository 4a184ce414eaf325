"""Writes a proof: of the regions that a count has found, and that there are no others.

Whatever method found the regions, the proof is made anew from their patterns. What they leave is a
list of *sides* (see `milpcount.proof.check`), and each is refuted by multipliers: compiled
projections find most of them, exact arithmetic the rest. A side that turns out to hold a region is
left open; of a complete count that would be a fault.
"""

import io
import shutil
import tempfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from milpcount.counters.warming import compile_kernel
from milpcount.domain import Domain, InputSet, Union
from milpcount.errors import ContradictionError, OptionError
from milpcount.events import Listener, Notice, Waiting, log
from milpcount.exact.evaluate import point_of
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.network.paths import write_atomically
from milpcount.partitions.counting import check_continuous
from milpcount.proof import check, check_linear
from milpcount.proof.archive import Archive
from milpcount.proof.blocks import Block
from milpcount.proof.clauses import ExactClauses
from milpcount.proof.further import Further
from milpcount.proof.header import header_of, network_bytes, number_text, without_idle_rows
from milpcount.result import CountResult, Guarantee, Quantity, Region, patterns_of
from milpcount.tree.refutations import Projections

Array = np.ndarray

_BLOCK_NUMBERS = 1 << 22
"""Numbers of the rows of the cells of a block, which the checker holds at a time, at most."""
_LONGEST = 4096
"""Beginnings of patterns in a block, if it has several cells."""

FURTHER = (Quantity.LINEAR_REGIONS, Quantity.CLOSED_LINEAR_REGIONS, Quantity.AFFINE_PIECES)
"""Quantities whose proofs are those of activation regions, and a section that is theirs."""
COVERED = (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS, *FURTHER)
"""Quantities that have proofs."""


def check_covered(network: Network, domain: Domain, quantity: Quantity) -> None:
    """Refuse a proof that could not be written, before anything is counted.

    Raises
    ------
    OptionError
        If the quantity, the domain or a unit of the network is not covered.
    """
    if quantity not in COVERED:
        names = ", ".join(kind.value for kind in COVERED)
        raise OptionError(f"proof: {quantity.value} has no proofs; these have: {names}")
    if isinstance(domain, Union):
        raise OptionError("proof: a union has no proof of its own; prove its parts one by one")
    if not network.n_units:
        raise OptionError("proof: the network has no units, so there is nothing to prove")
    if quantity in FURTHER:
        check_continuous(network)


def check_method(method: Any) -> None:
    """Refuse a method that keeps no regions.

    Raises
    ------
    OptionError
        If its lower bound rests on chance.
    """
    if method.guarantee is Guarantee.PROBABILISTIC or method.name == "section":
        raise OptionError(
            f"proof: method {method.name!r} keeps no regions that it could prove; use 'tree'"
        )


def write_proof(
    path: str | Path,
    network: Network,
    domain: Domain,
    result: CountResult,
    source: dict[str, str] | None = None,
    listener: Listener = log,
) -> tuple[int, int]:
    """Write a proof of a count, and the network that it is about beside it (``PATH.npz``).

    Parameters
    ----------
    path : str or Path
    network : Network
    domain : Domain
    result : CountResult
        With its regions.
    source : dict of str, optional
        What is known of the file that the network was read from, for the header.
    listener : callable
        Receives notices, e.g. of compiling.

    Returns
    -------
    (int, int)
        The bounds that the proof proves.

    Raises
    ------
    OptionError
        If what was counted is not covered, or the result has no regions.
    ContradictionError
        If exact arithmetic finds a region that a complete count has missed, or does not find one
        that it has.
    FileFormatError
        If the files cannot be written.
    """
    path = Path(path)
    check_covered(network, domain, result.quantity)
    if not result.regions:
        raise OptionError("proof: the result has no regions; count with keep_regions=True")
    compile_kernel(
        "proof",
        lambda text: listener(Notice(text)),
        lambda text, seconds: listener(Waiting(text, seconds)),
    )
    content = network_bytes(network)
    inputs = without_idle_rows(domain.bind(network.n_inputs))
    quantity = Quantity.ACTIVATION_REGIONS if result.quantity in FURTHER else result.quantity
    writer = _Writer(content, network, inputs, quantity, result.regions)
    with tempfile.TemporaryFile() as draft:
        with Archive(draft) as archive:
            lower, upper = writer.write(archive)
            head = {"lower": str(lower), "upper": str(upper), **writer.header}
            if result.quantity in FURTHER:
                lower, upper = writer.further(archive, result.quantity, lower, upper)
                head["further"] = {
                    "quantity": result.quantity.value, "lower": str(lower), "upper": str(upper)
                }  # fmt: skip
            if result.is_exact and (lower, upper) != (result.lower, result.upper):
                raise ContradictionError(
                    f"the count says {result.lower}, its proof {lower} to {upper}: "
                    "please report this"
                )
            archive.put_text("header", head | ({"source": source} if source else {}))

        def deliver(stream: BinaryIO) -> None:
            draft.seek(0)
            shutil.copyfileobj(draft, stream)

        write_atomically(network_beside(path), lambda stream: _put(stream, content))
        write_atomically(path, deliver)
    return lower, upper


def network_beside(path: Path) -> Path:
    """Return the name of the network's file that is written beside a proof."""
    return path.with_name(f"{path.name}.npz")


def _put(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)


def _shortest(numbers: Array) -> Array:
    """Return numbers in single precision, if all are of that."""
    short = numbers.astype(np.float32)
    return short if (short == numbers).all() else numbers


class _Writer:
    """The arrays of a proof, block by block."""

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
        self._order = np.lexsort(table.T[::-1])
        self._patterns = table[self._order]
        differ = self._patterns[1:] != self._patterns[:-1]
        self._at = np.append(-1, differ.argmax(axis=1))

    def write(self, archive: Archive) -> tuple[int, int]:
        """Write all that is to be checked; return the bounds that it proves."""
        archive.put("patterns", self._patterns)
        with np.errstate(all="ignore"):
            points, exact = self._witnesses()
            archive.put("points", points)
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
            points, sure = map(
                np.concatenate, zip(*(self._projections.seeds(x) for x in some), strict=True)
            )
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
        return _shortest(points), exact

    def _given_points(self) -> tuple[Array, dict[int, list[str]]]:
        """Return the parameters of kept witnesses, and exact ones by their place in the order."""
        place = np.empty_like(self._order)
        place[self._order] = np.arange(place.size)
        exact: dict[int, list[str]] = {}
        table = np.zeros((place.size, self._exact_inputs.dimension))
        selected = self._exact_inputs.selected
        for at, region in zip(place.tolist(), self._regions, strict=True):
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
