"""Writes a proof: of the regions that a count has found, and that there are no others.

Whatever method found the regions, the proof is made anew from their patterns. What lies between two
neighbours in lexicographic order is a list of *sides* (see `milpcount.proof.check`), and each is
refuted by multipliers: compiled projections find most of them, exact arithmetic the rest. A side
that turns out to hold a region is left open; of a complete count that would be a fault.
"""

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
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
from milpcount.proof import check
from milpcount.proof.clauses import Clauses, ExactClauses
from milpcount.proof.header import header_of, network_bytes, number_text
from milpcount.result import CountResult, Guarantee, Quantity, Region, patterns_of
from milpcount.tree.refutations import Projections

Array = np.ndarray

_BLOCK_NUMBERS = 1 << 22
"""Numbers of the rows of one layer that the checker holds at a time, at most."""
_LONGEST, _SHORTEST = 2048, 64
"""Patterns of a block."""

COVERED = (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS)
"""Quantities that have proofs."""


def check_covered(network: Network, domain: Domain, quantity: Quantity) -> None:
    """Refuse a proof that could not be written, before anything is counted.

    Raises
    ------
    OptionError
        If the quantity, the domain or a unit of the network is not covered.
    """
    if quantity not in COVERED:
        names = " and ".join(kind.value for kind in COVERED)
        raise OptionError(f"proof: {quantity.value} has no proofs; {names} have")
    if isinstance(domain, Union):
        raise OptionError("proof: a union has no proof of its own; prove its parts one by one")
    if not network.n_units:
        raise OptionError("proof: the network has no units, so there is nothing to prove")
    for layer in network.layers:
        for kind in layer.activations:
            if kind.rank > 1 and not kind.is_maxout:
                raise OptionError(
                    f"proof: activation {kind.name!r} takes several values and is no maximum; "
                    "units of one value and maxima are covered"
                )


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
    inputs = domain.bind(network.n_inputs)
    writer = _Writer(content, network, inputs, result.quantity, result.regions)
    with tempfile.TemporaryFile() as draft:
        with gzip.GzipFile(fileobj=draft, mode="wb", compresslevel=6, mtime=0) as packed:
            lower, upper = writer.write(packed)
        if result.is_exact and (lower, upper) != (result.lower, result.upper):
            raise ContradictionError(
                f"the count says {result.lower}, its proof {lower} to {upper}: please report this"
            )
        head = {"lower": str(lower), "upper": str(upper), **writer.header}
        if source:
            head["source"] = source
        front = gzip.compress(check.MAGIC + json.dumps(head).encode() + b"\n", mtime=0)

        def deliver(stream: BinaryIO) -> None:
            # Members of a gzip file follow each other: the claim is known last and stands first.
            stream.write(front)
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


class _Writer:
    """The blocks of a proof, one after the other."""

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
        given = inputs.exact or inputs
        self._domain_ids = [
            len_ + i
            for len_ in [self._clauses.row_base[-1]]
            for i, (row, b) in enumerate(zip(given.rows, given.rhs, strict=True))
            if b < 0 or any(v != 0 for v in row)
        ]
        flat = (p for pattern in patterns_of(regions) for p in pattern)
        kind = np.min_scalar_type(max(int(layer.n_pieces.max()) for layer in network.layers))
        kind = np.dtype(np.uint32) if kind.itemsize > 4 else kind
        table = np.fromiter(flat, dtype=kind).reshape(-1, network.n_units)
        self._order = np.lexsort(table.T[::-1])
        self._patterns = table[self._order]
        self._points: tuple[Array, dict[int, list[str]]] | None = None
        if not self._projections.seeded:
            self._points = self._given_points()

    def write(self, stream: Any) -> tuple[int, int]:
        """Write all blocks; return the bounds that they prove."""
        widest = max(int(layer.row_starts[-1]) for layer in self._network.layers)
        numbers = widest * (1 + self._exact_inputs.dimension)
        length = min(_LONGEST, max(_SHORTEST, _BLOCK_NUMBERS // numbers))
        count, upper = len(self._patterns), len(self._patterns)
        for start in range(0, count, length):
            tick()
            with np.errstate(all="ignore"):
                block, more = self._block(start, min(count, start + length))
            upper += more
            stream.write(block)
        return count, upper

    # One block -----------------------------------------------------------------------------------

    def _block(self, start: int, stop: int) -> tuple[bytes, int]:
        first, last = start == 0, stop == len(self._patterns)
        skip = 0 if first else 1
        patterns = self._patterns[start - skip : stop]
        P = patterns.astype(np.int64)
        i, u, k = check.sides(P, self._subject.pieces, first, last)
        clauses = Clauses()
        refs = self._projections.refute(P, i, u, k, clauses.add, 0)
        self._exactly(P, i, u, k, refs, clauses)
        made = self._assembled(patterns, clauses, refs, last)
        made = self._mended(made, P, (i, u, k), refs, clauses)
        self._witnesses(made, start, stop, skip)
        more = sum(self._subject.most(int(v)) for v in u[refs < 0])
        return _packed(made), more

    def _exactly(
        self, P: Array, i: Array, u: Array, k: Array, refs: Array, clauses: Clauses
    ) -> None:
        """Decide the sides that have no clause yet; those that hold a pattern get -1."""
        known: dict[tuple[int, bytes], list[tuple[set[int], int]]] = {}
        for side in np.flatnonzero(refs < -1).tolist():
            tick()
            row, unit, piece = int(i[side]), int(u[side]), int(k[side])
            path = [*P[row, :unit].tolist(), piece]
            layer = self._clauses.layer_of(unit)
            cell = known.setdefault((layer, P[row, : self._exact.starts[layer]].tobytes()), [])
            has = self._signs(path)
            refs[side] = next((c for literals, c in cell if literals <= has), -2)
            if refs[side] >= 0:
                continue
            found = self._clauses.side(path[:-1], unit, piece, self._domain_ids)
            if found is None:
                refs[side] = -1
                continue
            refs[side] = clauses.add(layer, row, *found)
            rows = {v for v in found[0] if v >> 1 < self._subject.n_rows}
            cell.append((rows, int(refs[side])))

    def _signs(self, path: Sequence[int]) -> set[int]:
        """Return the literals of the pieces of the first units."""
        s = self._subject
        rows = np.flatnonzero(s.unit_of < len(path))
        asked = s.asked(rows, np.array(path)[s.unit_of[rows]])
        return set((2 * rows + (asked < 0))[asked != 0].tolist())

    def _mended(
        self,
        made: SimpleNamespace,
        P: Array,
        sides: tuple[Array, Array, Array],
        refs: Array,
        clauses: Clauses,
    ) -> SimpleNamespace:
        """Return the block with exact multipliers where float ones do not prove a clause."""
        block = check.Block(self._subject, made)
        start, redo = block.start, list[int]()
        for c in np.flatnonzero(~block.refuted()).tolist():
            tick()
            if block.refuted_exactly(c):
                continue
            e = slice(int(start[c]), int(start[c]) + clauses.size[c])
            found = self._clauses.repaired(
                P[clauses.row[c]].tolist(), clauses.literals[e], clauses.multipliers[e]
            )
            if found is None:
                redo.append(c)
            else:
                clauses.replace(int(start[c]), found)
        if redo:
            refs[np.isin(refs, redo)] = -2
            self._exactly(P, *sides, refs, clauses)
            kept = np.unique(refs[refs >= 0])
            clauses, new = _taken(clauses, kept)
            refs[refs >= 0] = new[refs[refs >= 0]]
        return self._assembled(made.patterns, clauses, refs, made.last)

    def _assembled(
        self, patterns: Array, clauses: Clauses, refs: Array, last: bool
    ) -> SimpleNamespace:
        layer = np.array(clauses.layer, dtype=np.int64)
        row = np.array(clauses.row, dtype=np.int64)
        at = (patterns[1:] != patterns[:-1]).argmax(axis=1)
        first = np.array(self._exact.starts[:-1])
        runs = np.concatenate(
            [np.zeros((1, first.size), dtype=np.int64), (at[:, None] < first).cumsum(axis=0)]
        )
        return SimpleNamespace(
            patterns=patterns, refs=refs.astype("<i4"), layer=layer.astype("<i4"),
            run=runs[row, layer].astype("<i4"), size=np.array(clauses.size, dtype="<i4"),
            literals=np.array(clauses.literals, dtype="<i4"),
            multipliers=np.array(clauses.multipliers, dtype="<f8"),
            exact_multipliers=clauses.texts(), last=last,
        )  # fmt: skip

    # Witnesses -----------------------------------------------------------------------------------

    def _witnesses(self, made: SimpleNamespace, start: int, stop: int, skip: int) -> None:
        """Put witnesses into a block, exact ones where floats do not prove them."""
        made.exact_points = {}
        if self._points is None:
            made.points = self._projections.seeds(made.patterns[skip:].astype(np.int64))
        else:
            table, exact = self._points
            made.points = table[start:stop]
            made.exact_points = {str(j - start): exact[j] for j in range(start, stop) if j in exact}
        block = check.Block(self._subject, made)
        fine = block.attained(skip, block.points(slice(None)))
        fine[[int(j) for j in made.exact_points]] = False
        for j in np.flatnonzero(~fine).tolist():
            tick()
            if not block.witnessed(j + skip, skip):
                made.exact_points[str(j)] = self._exact_point(start + j)

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


def _taken(clauses: Clauses, kept: Array) -> tuple[Clauses, Array]:
    """Return some of the clauses, and the new number of each by its old one."""
    out, new = Clauses(), np.full(len(clauses.size), -1)
    start = np.cumsum([0, *clauses.size])
    for c in kept.tolist():
        e = range(int(start[c]), int(start[c + 1]))
        new[c] = out.add(
            clauses.layer[c], clauses.row[c], clauses.literals[e.start : e.stop],
            [clauses.exact.get(at, clauses.multipliers[at]) for at in e],
        )  # fmt: skip
    return out, new


def _packed(block: SimpleNamespace) -> bytes:
    """Return a block as the format has it."""
    parts: list[Array] = []
    names: list[list[Any]] = []
    for name in ("patterns", "points", "refs", "layer", "run", "size", "literals", "multipliers"):
        array = np.ascontiguousarray(getattr(block, name))
        array = array.astype(array.dtype.newbyteorder("<"))
        names.append([name, array.dtype.str, list(array.shape)])
        parts.append(array)
    head = {"arrays": names, "last": block.last, "exact_points": block.exact_points,
            "exact_multipliers": block.exact_multipliers}  # fmt: skip
    return json.dumps(head).encode() + b"\n" + b"".join(part.tobytes() for part in parts)
