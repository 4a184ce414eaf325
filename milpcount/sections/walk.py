"""The walk: chunks of cells through the steps of a network, depth first.

A chunk carries the numbers of its corners that later steps read. One that would grow beyond the
memory allowed is divided in two by place, and what waits is kept on a stack: parts that are further
along go first, so that few wait. On a line where no bounds on errors are kept, a layer cuts all of
a chunk at once, and its new corners get their numbers as far as memory allows (`line`).
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from milpcount.limits import OutOfTime, tick
from milpcount.sections import line
from milpcount.sections.candidates import Candidates, find
from milpcount.sections.cells import Cells, joined
from milpcount.sections.chunks import Chunk, Strip, compact, halves, strip_of
from milpcount.sections.corners import Points
from milpcount.sections.cut import Cutter
from milpcount.sections.error_forecast import bounds_may_tell
from milpcount.sections.exact import ExactSigns, Point, Vertex
from milpcount.sections.findings import Found, Settings, size_of
from milpcount.sections.pieces import pieces_of
from milpcount.sections.program import QUICK, Program, Step
from milpcount.sections.units import pieces_applied
from milpcount.types import Array

_SHARE = 6
"""A chunk may hold this part of the memory: what waits, and copies of it, take the rest."""
_LARGE = 10_000
"""Units from which on it is looked at first whether bounds on errors can tell all signs."""


class Walk:
    """A walk through a program's steps.

    Parameters
    ----------
    program : Program
    corners : list of Point
        Of the section, in order.
    settings : Settings
    exact : ExactSigns, optional
        For signs that floats do not tell.

    Attributes
    ----------
    found : Found
    """

    def __init__(
        self,
        program: Program,
        corners: list[Point],
        settings: Settings | None = None,
        exact: ExactSigns | None = None,
    ) -> None:
        self.program, self.exact = program, exact
        self.settings = settings or Settings()
        self._patterns = self.settings.regions or exact is not None
        self._kind = np.int8 if _most_pieces(program) < 128 else np.int16
        self.dimension = len(corners[0])
        self.found = Found()
        start = self._start(corners)
        # A large network is looked at first: bounds on errors may be of no use for it.
        is_open = not self._is_exact and start.points.errors is not None
        self._certify = not (is_open and program.n_units > _LARGE) or bounds_may_tell(
            program, start.points
        )
        self._stack: list[Chunk | Strip] = [start]
        self._layer_of: dict[int, int] = {}
        for number, step in enumerate(program.steps):
            if step.affine is None:
                self._layer_of[number] = len(self._layer_of)

    def _start(self, corners: list[Point]) -> Chunk:
        where = np.array([[float(v) for v in point] for point in corners])
        x, e = self.program.start(where)
        vertices = None
        if self.exact is not None:
            vertices = np.empty(len(corners), dtype=object)
            vertices[:] = [Vertex(point) for point in corners]
        points = Points(
            self.program.arrays, where, {self.program.input: x},
            None if e is None else {self.program.input: e}, vertices,
        )  # fmt: skip
        n = len(corners)
        corner = np.arange(n)
        data: dict[str, Array] = {
            "doubts": np.zeros(1, dtype=np.int64),
            "most": np.array([1], dtype=object),
        }
        patterns = None
        if self._patterns:
            data["origin"] = np.zeros(1, dtype=np.int64)
            patterns = np.zeros((1, 0), dtype=self._kind)
        if self.settings.digests:
            data["digest"] = np.array([b""], dtype=object)
        base = np.stack([corner, np.roll(corner, -1)], axis=1)
        return Chunk(0, Cells(np.array([0, n]), corner, base, data), points, patterns)

    @property
    def _is_exact(self) -> bool:
        """Whether every sign that floats leave open is computed exactly."""
        return self.exact is not None and not self.exact.is_last_resort

    def run(self) -> Iterator[Found]:
        """Yield what is found, after every chunk and every step of it."""
        with np.errstate(all="ignore"):  # what is no number has no certain sign
            while self._stack:
                chunk = self._stack.pop()
                rest = len(self._stack)
                try:
                    if isinstance(chunk, Strip):
                        self._go_on(chunk)
                    elif chunk.number == len(self.program.steps):
                        self._finish(chunk)
                    else:
                        self._advance(chunk)
                except (OutOfTime, KeyboardInterrupt):
                    if len(self._stack) == rest:  # its cells are known, though not cut
                        self._stack.append(chunk)
                    raise
                tick()
                yield self.found

    @property
    def waiting(self) -> int:
        """Number of cells on their way, each of which holds a region at least."""
        return sum(len(chunk.cells) for chunk in self._stack)

    # Steps ----------------------------------------------------------------------------------------

    def _advance(self, chunk: Chunk) -> None:
        step = self.program.steps[chunk.number]
        if not self._certify:
            chunk.points.errors = None
        if step.affine is None:
            self._through_units(chunk, step)
            return
        room = self._room()
        held = len(chunk.points) * chunk.points.numbers
        held += 0 if chunk.patterns is None else chunk.patterns.nbytes // 8
        if len(chunk.cells) > 1 and held > room:
            self._stack += halves(chunk)
            return
        points = chunk.points
        values = [points.values[name] for name in step.reads]
        if points.errors is None and self.settings.tolerance >= QUICK:
            made = step.affine.quick(values)
        else:
            made = step.affine(values)
        if points.errors is not None:
            errors = [points.errors[name] for name in step.reads]
            points.errors[step.name] = step.affine.error(values, errors)
        points.values[step.name] = made
        self._push(chunk.cells, points, chunk.number + 1, chunk.patterns)

    def _through_units(self, chunk: Chunk, step: Step) -> None:
        tolerance = 0.0
        if chunk.points.errors is None:
            size = self.program.arrays.largest(chunk.points.values[step.reads[0]])
            tolerance = self.settings.tolerance * size
            self.found.rigorous = False
        layer = self._layer_of[chunk.number]
        exact = self.exact if self._is_exact or chunk.points.errors is None else None
        cutter = Cutter(
            self.program, step, layer, chunk.points, tolerance, exact, patterns=chunk.patterns
        )
        cells, candidates = chunk.cells, chunk.candidates
        if candidates is None:
            at_once = self.dimension == 1 and chunk.points.errors is None and line.can_cut(step)
            cells, candidates = find(
                cutter, cells.rebased(), keep_open=at_once or exact is not None
            )
            if at_once:
                self._cut_at_once(chunk, step, cutter, cells, candidates)
                return
        if self._gives_up(chunk, cutter, cells):
            return
        room, begun = self._room() // max(1, chunk.points.numbers), len(chunk.points)
        done = []
        while True:
            active = cells.data["next"] < cells.data["stop"]
            if not active.all():
                done.append(cells.taken(np.flatnonzero(~active)))
                cells = cells.taken(np.flatnonzero(active))
            if not len(cells):
                break
            if cutter.growing.n > max(room, 2 * begun) and len(cells) > 1:
                break
            tick()
            cells = cutter.round(cells, candidates)
            if self._gives_up(chunk, cutter, cells):
                return
        self.found.rigorous &= cutter.rigorous
        points = cutter.growing.finished()
        self.found.points += len(points) - begun
        if len(cells):
            rest = compact(Chunk(chunk.number, cells, points, chunk.patterns, candidates))
            self._stack += halves(rest)
        if done:
            finished = joined(done)
            self._activate(chunk.number, step, finished, points, cutter, bool(len(cells)))

    def _gives_up(self, chunk: Chunk, cutter: Cutter, cells: Cells) -> bool:
        """Begin a layer again without bounds on errors, if they leave signs open that count.

        They grow from layer to layer, so those of later layers would leave most of them open.
        """
        if self._is_exact or chunk.points.errors is None:
            return False
        if cutter.rigorous and not cells.data["doubts"].any():
            return False
        self._certify, chunk.points.errors = False, None
        self._stack.append(chunk)
        return True

    def _cut_at_once(
        self, chunk: Chunk, step: Step, cutter: Cutter, cells: Cells, candidates: Candidates
    ) -> None:
        """Cut a line's cells by all units of a layer, but for what is too close together."""
        points, done, rest, left = line.cut(cutter, cells, candidates)
        self.found.points += len(points) - len(chunk.points)
        parts: list[Chunk | Strip] = []
        if len(rest):
            used, corner = np.unique(rest.corner, return_inverse=True)
            made = points.taken(used).made(step.reads[0])
            own = Cells(rest.start, corner, rest.base, rest.data).rebased()
            parts.append(Chunk(chunk.number, own, made, chunk.patterns, left))
        if len(done):
            data, patterns = self._of_layer(
                done, chunk.patterns, lambda: line.pieces_of(step, points, done)
            )
            done = Cells(done.start, done.corner, done.base, data)
            parts.append(strip_of(chunk.number, done, points, patterns))
        self._stack += parts

    def _go_on(self, strip: Strip) -> None:
        """Make the numbers of a strip's first points, as many as memory allows."""
        quick = self.settings.tolerance >= QUICK
        points, number = line.advanced(
            self.program,
            strip.number,
            strip.points,
            self._room(),
            beside=0 if strip.patterns is None else strip.patterns[:1].nbytes // 8,
            quick=quick,
        )
        ends = strip.cells.corner.reshape(-1, 2).max(axis=1)
        covered = ends < len(points)
        if not covered.all():
            rest = strip.cells.taken(np.flatnonzero(~covered))
            self._stack.append(strip_of(strip.number, rest, strip.points, strip.patterns))
        cells = strip.cells.taken(np.flatnonzero(covered)).rebased()
        self._push(cells, points, number, strip.patterns)

    def _of_layer(
        self, cells: Cells, patterns: Array | None, pieces_of_cells: Callable[[], Array]
    ) -> tuple[dict[str, Array], Array | None]:
        """Return cells' data and patterns once a layer is done with them."""
        data = {k: v for k, v in cells.data.items() if k not in ("next", "stop")}
        most = data["most"].copy()
        for i in np.flatnonzero(data["doubts"]).tolist():
            k = int(data["doubts"][i])
            # k lines leave at most so many parts.
            most[i] *= 1 + k + (k * (k - 1) // 2 if self.dimension == 2 else 0)
        data |= {"most": most, "doubts": np.zeros(len(cells), dtype=np.int64)}
        if patterns is not None or self.settings.digests:
            pieces = pieces_of_cells()
            if patterns is not None:
                before = patterns[data["origin"]]
                patterns = np.concatenate([before, pieces.astype(self._kind)], axis=1)
                data["origin"] = np.arange(len(cells))
            if self.settings.digests:
                data["digest"] = _digests(data["digest"], pieces)
        return data, patterns

    def _activate(
        self, number: int, step: Step, cells: Cells, points: Points, cutter: Cutter, partly: bool
    ) -> None:
        """Send cells on that nothing cuts any more, with what the units make of their values."""
        pieces = None
        if not step.is_continuous:
            pieces = pieces_of(cutter, cells)
        data, patterns = self._of_layer(
            cells, cutter.patterns, lambda: pieces_of(cutter, cells) if pieces is None else pieces
        )
        cells = Cells(cells.start, cells.corner, cells.base, data)
        if number + 1 == len(self.program.steps):
            points.keep_only(())
            self._push(cells, points, number + 1, patterns)
            return
        if not step.is_continuous:
            # Cells that meet in a corner have different values there: each gets one of its own.
            points = points.taken(cells.corner)
            own = np.arange(len(cells.corner))
            owner = cells.owner
            cells = Cells(cells.start, own, cells.base, data).rebased()
        elif partly:
            part = compact(Chunk(number, cells, points, patterns))
            cells, points, patterns = part.cells, part.points, part.patterns
        name = step.reads[0]
        x = points.values[name]
        e = None if points.errors is None else points.errors[name]
        if not step.is_continuous:
            assert pieces is not None
            y, r = pieces_applied(step, pieces[owner], x, e)
        else:
            y = self.program.arrays.activate(step, x)
            r = None if e is None else self.program.arrays.unit_errors(step, x, e, y)
        points.values[step.name] = y if step.shape is None else step.shape(y)
        if points.errors is not None:
            points.errors[step.name] = r
        self._push(cells, points, number + 1, patterns)

    def _push(self, cells: Cells, points: Points, number: int, patterns: Array | None) -> None:
        points.keep_only(self.program.needed(number))
        self._stack.append(Chunk(number, cells, points, patterns))

    def _finish(self, chunk: Chunk) -> None:
        found, cells = self.found, chunk.cells
        most = cells.data["most"]
        found.cells += len(cells)
        found.most += sum(most.tolist())
        found.uncertain += int(sum(v > 1 for v in most.tolist()))
        found.chunks += 1
        found.share += size_of(cells, chunk.points.where)
        if self.settings.digests:
            found.digests.append(cells.data["digest"])
        if self.settings.regions and chunk.points.vertices is not None:
            assert chunk.patterns is not None
            patterns = chunk.patterns[cells.data["origin"]]
            found.regions.append((patterns, cells, chunk.points.vertices))
        if self.settings.polygons:
            found.polygons.append((cells, chunk.points.where))

    def _room(self) -> int:
        return self.settings.memory // (8 * _SHARE)


def _most_pieces(program: Program) -> int:
    groups = (group for step in program.steps for group in step.groups)
    return max((group.activation.n_pieces for group in groups), default=1)


def _digests(before: Array, pieces: Array) -> Array:
    """Return digests of patterns, for those of the layers before and the pieces of this one."""
    found = np.empty(len(pieces), dtype=object)
    rows = pieces.astype("<u2")
    found[:] = [
        hashlib.blake2b(old + row.tobytes(), digest_size=16).digest()
        for old, row in zip(before.tolist(), rows, strict=True)
    ]
    return found
