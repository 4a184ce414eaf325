"""The search as seen from Python: slices of the kernel, and exact answers to what it asks."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.conditions import Conditions
from milpcount.exact.geometry import Point
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import Cell, ExactRegionTree
from milpcount.formulation.xor import Xor
from milpcount.kernel import depth_first, stages
from milpcount.kernel import rows as kinds
from milpcount.kernel.allocation import Room, new_scratch, new_state, with_room
from milpcount.kernel.cell import COUNTED, NO_VERDICT, add_row
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.layer_entry import has_room
from milpcount.kernel.parity import add_parity
from milpcount.kernel.polygon import DRIFT, clip
from milpcount.kernel.program import Layout, compile_program
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.state import (
    ASKED,
    BUDGET,
    CLAUSE_HITS,
    CLAUSES,
    CLOSED,
    COUNT,
    DEPTH,
    FLOAT_EMPTY,
    INTEGER_EMPTY,
    KEPT,
    KNOWN,
    MOST_REGIONS,
    POLYGON,
    POOL,
    POOL_HITS,
    REGIONS,
    TESTS,
    VERDICT,
    Parities,
)
from milpcount.kernel.unit_numbering import Numbering
from milpcount.network import Network
from milpcount.tree.exact_fallback import ExactAnswers
from milpcount.tree.kept_regions import KeptRegions
from milpcount.tree.open_nodes import OpenPath, path_of
from milpcount.tree.region_blocks import Source, knows_points
from milpcount.types import Array

_NO_LIMIT = 2**62
_FIRST_BUDGET = 500
"""Of a slice whose speed is not known yet: some milliseconds, of a network of any size."""
_SLACK = 300.0
"""Roundings granted for the cell's own sums, beyond those counted by its sizes."""


DECISIONS = (
    "projections", "empty_by_farkas_multipliers", "empty_by_integer_multipliers",
    "empty_by_learned_conflict", "full_by_known_point", "decided_by_polygon",
    "decided_in_exact_arithmetic", "regions_found_in_exact_arithmetic",
)  # fmt: skip
"""How sides are decided, by name; see `Search.statistics`."""


class Pace:
    """The budget of the next slice, so that it takes a wanted time.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.budget = _FIRST_BUDGET

    def note(self, spent: int, seconds: float) -> None:
        """Learn from a slice what it has spent, and how long that took."""
        wanted = spent * self._seconds / max(seconds, 1e-9)
        if wanted < self.budget or 2 * spent > self.budget:  # a short slice says little of speed
            self.budget = int(min(max(1.0, wanted), 4.0 * self.budget, 1e9))


def parity_row(xor: Xor, parities: Parities, numbering: Numbering) -> Array:
    """Return an XOR as the kernel has it, uint64, shape (words + 1,); see `kernel.parity`."""
    row, odd = np.zeros(parities.work.shape[1], dtype=np.uint64), xor.odd
    for unit, piece in xor.terms:
        own = numbering.own(unit)
        if own is None:
            odd ^= numbering.has(unit, piece)
            continue
        v = int(parities.first[own]) + piece - 1
        row[v >> 6] ^= np.uint64(1 << (v & 63))
    row[-1] = np.uint64(odd)
    return row


class Search:
    """A depth-first search of the region tree that can be advanced slice by slice.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    keep : bool
        Whether regions are kept in `regions`.
    forced : mapping of int to int, optional
        Pieces of some units: only regions with these are searched. A prefix that `left` has
        returned makes a search of that part of the tree.
    patterns : bool
        Search for all patterns attained in the closed domain. Those that have interior points are
        found as regions are; a side that is neither full-dimensional nor certainly without any
        point is searched in exact arithmetic.
    parities : bool
        Whether `add` will be called.
    on_region : callable, optional
        Called with the pattern of every region, right when it is found; it may call `add`.
    program : Layout, optional
        What `compile_program` returned for the network and the inputs. The search decides the units
        that it has; whoever uses the search knows all of the network's by their numbers there.

    Attributes
    ----------
    regions : KeptRegions
        Found so far, if kept.
    exact_cells, exact_rows : int
        Questions that floating point left open and exact arithmetic decided.
    thin_regions : int
        Regions, or patterns without interior points, that only exact arithmetic could find.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        keep: bool = False,
        forced: Mapping[int, int] | None = None,
        patterns: bool = False,
        parities: bool = False,
        on_region: Callable[[tuple[int, ...]], None] | None = None,
        program: Layout | None = None,
        known: Mapping[int, int] | None = None,
    ) -> None:
        self.network, self.inputs, self.keep = network, inputs, keep
        self.patterns = patterns
        layout = compile_program(network, inputs) if program is None else program
        self.program, self.numbering = layout
        self._parities = parities
        self.state = new_state(self.program, keep, parities=parities)
        self.state.control[CLOSED] = patterns
        self.on_region, self.xors = on_region, list[Xor]()
        self._at: int | None = None
        self.scratch = new_scratch(self.program, Room.of(self.state))
        self._forced, self._known = dict(forced or {}), dict(known or {})
        self._force()
        p = self.program
        # Points of a pool are mixed from earlier ones, three roundings each time, at most as often
        # as the pools have room; with few parameters none are mixed.
        mixed = 0.0 if p.small else 3.0 * POOL * p.layers.shape[0]
        rows = p.row_values.shape[0] + p.domain_M.shape[0]  # that a certificate may add up
        self.rounding = 3.0 * rows + sum(p.V.shape) + mixed + _SLACK
        self.regions = KeptRegions(Source(network, inputs))
        self.exact_cells = self.exact_rows = self.thin_regions = 0
        self._answers = ExactAnswers(network, inputs, layout, patterns)
        self._in_exact_cell = False

    @property
    def found(self) -> int:
        """Regions found so far, and kept if they are to be kept."""
        if self.keep:
            return len(self.regions)
        return self.counted

    @property
    def counted(self) -> int:
        """Regions found so far; of those to be kept, some may still be in the kernel's hands."""
        return int(self.state.control[REGIONS]) + self.thin_regions

    @property
    def forced(self) -> dict[int, int]:
        """Pieces that units have in every region of this search, by the network's numbers."""
        return self._known | self._forced

    @property
    def open_path(self) -> OpenPath | None:
        """What is left to search; None while the regions of a cell are counted exactly."""
        return None if self._in_exact_cell else path_of(self)

    @property
    def tests(self) -> int:
        """Projections computed so far."""
        return int(self.state.control[TESTS])

    @property
    def share(self) -> float:
        """Share of the tree that is closed: every node's weight is split evenly among children."""
        s, closed, weight = self.state, 0.0, 1.0
        depth = int(s.control[DEPTH])
        if depth < 0:
            return 1.0
        for d in range(depth):
            unit = s.opened.unit[s.path.layer[d], s.path.place[d]]
            full = s.sides.verdict[d, : self.program.units[unit, UNIT_PIECES]] == FULL
            weight /= max(1, int(full.sum()))
            closed += weight * int(full[: s.path.turn[d] - 1].sum())
        return closed

    @property
    def statistics(self) -> dict[str, int]:
        """How sides were decided, by name."""
        c = self.state.control
        exact = self.exact_cells + self.exact_rows
        counts = (c[TESTS], c[FLOAT_EMPTY], c[INTEGER_EMPTY], c[CLAUSE_HITS], c[POOL_HITS],
                  c[POLYGON], exact, self.thin_regions)  # fmt: skip
        return dict(zip(DECISIONS, map(int, counts), strict=True))

    def run(
        self, budget: int | None = None, most: int | None = None, seconds: float = 0.1
    ) -> Iterator[None]:
        """Search; yield after every slice.

        Parameters
        ----------
        budget : int, optional
            Work done in a slice: the tests of so many small cells, or of fewer large ones. By
            default as much as takes about `seconds`.
        most : int, optional
            Stop once so many regions are found.
        seconds : float
            To be gone by at most between two yields, but for a single test or exact answer.

        Raises
        ------
        DomainError
            If the domain has no interior.
        OutOfTime
            If the deadline in force has come in exact arithmetic. What was found stays.
        """
        p, s, c = self.program, self.state, self.state.control
        pace = Pace(seconds)
        self._start()
        spoke = time.perf_counter()
        while most is None or self.found < most:
            c[BUDGET] = granted = pace.budget if budget is None else budget
            c[MOST_REGIONS] = _NO_LIMIT
            if most is not None:
                c[MOST_REGIONS] = min(_NO_LIMIT, most - self.thin_regions)
            before = int(c[REGIONS])
            if self.on_region is not None:
                c[MOST_REGIONS] = before + 1
            began = time.perf_counter()
            wanted = depth_first.run(p, s, self.scratch, self.rounding)
            pace.note(granted - int(c[BUDGET]), time.perf_counter() - began)
            self._collect()
            if self.on_region is not None and c[REGIONS] > before:
                pattern = self.numbering.whole_pattern(s.pattern.tolist())
                self._tell(pattern, int(c[DEPTH]) + 1)
            if wanted == stages.DONE:
                return
            if wanted == stages.ASK_DOMAIN:
                self._in_exact_cell = True
                yield from self._count_root()
                self._in_exact_cell = False
                return
            if wanted == stages.ASK_ROOM:
                self.make_room()
                s = self.state
            elif wanted == stages.ASK_ROW:
                self.answer_row(int(c[ASKED]))
            elif wanted == stages.ASK_SIDE:
                self._in_exact_cell = True
                yield from self._answer_side()
                self._in_exact_cell = False
            if wanted == stages.PAUSED or time.perf_counter() - spoke >= seconds:
                yield
                spoke = time.perf_counter()

    def add(self, xor: Xor) -> None:
        """Search only for regions that satisfy a parity, from now on.

        It may be called before the search and by `on_region`.
        """
        s, row = self.state, parity_row(xor, self.state.parities, self.numbering)
        self.xors.append(xor)
        at = int(s.control[DEPTH]) if self._at is None else self._at
        if at >= 0:
            entered = int(s.path.layer[at]) + (s.path.stage[at] in (stages.TEST, stages.DESCEND))
            at = int(add_parity(self.program, s, row, at, entered))
            s.control[DEPTH] = min(at, int(s.control[DEPTH]))
            self._at = None if self._at is None else at

    def _tell(self, pattern: Sequence[int], depth: int) -> None:
        """Call `on_region`; `depth` is where parities that it adds find the path."""
        assert self.on_region is not None
        self._at = depth
        self.on_region(tuple(int(k) for k in pattern))
        self._at = None

    def begin(self) -> None:
        """Forget the search so far and put it at the root."""
        xors = self.xors
        room = Room.of(self.state)
        self.state = new_state(self.program, self.keep, parities=self._parities, room=room)
        self.scratch.products.number[:] = -1  # rows are numbered from the first again
        self.state.control[CLOSED] = self.patterns
        self._force()
        self._start()
        self.xors = []
        for xor in xors:
            self.add(xor)

    def left(self) -> list[dict[int, int]]:
        """Return what is left to search, as prefixes that a new search takes as `forced`.

        Returns
        -------
        list of dict
            Disjoint: the regions found so far and those below the prefixes are all regions. Empty
            when the search is done.

        Raises
        ------
        RuntimeError
            While the regions of one cell are being counted in exact arithmetic: see `can_split`.
        """
        if self._in_exact_cell:
            raise RuntimeError("a search cannot be split while it counts a cell exactly")
        s, depth = self.state, int(self.state.control[DEPTH])
        path = self._forced_here()
        prefixes: list[dict[int, int]] = []
        for d in range(depth + 1):
            if d == depth and s.path.stage[d] in (stages.ROOT, stages.COMPOSE):
                return [*prefixes, path]
            own = int(s.opened.unit[s.path.layer[d], s.path.place[d]])
            unit = self.numbering.to_network(own)
            full = s.sides.verdict[d, : self.program.units[own, UNIT_PIECES]].tolist()
            if s.path.stage[d] == stages.DESCEND:
                open_pieces = [k for k in range(int(s.path.turn[d]), len(full)) if full[k] == FULL]
            else:
                open_pieces = [k for k in range(len(full)) if full[k] not in (EMPTY, COUNTED)]
                open_pieces = [k for k in open_pieces if path.get(unit, k) == k]
            prefixes += [{**path, unit: k} for k in open_pieces]
            path[unit] = int(s.pattern[own])
        return prefixes

    @property
    def can_split(self) -> bool:
        """Whether `left` can be asked now and says more than the pieces that are forced.

        Whoever hands on what is left may wait for this, so that every slice adds to the whole.
        """
        if self._in_exact_cell:
            return False
        return self.left() != [self._forced_here()]

    def _force(self) -> None:
        """Hand forced pieces to the kernel; end the search if one is not a settled unit's."""
        pieces = self.numbering.own_pieces(self._forced)
        known = self.numbering.own_pieces(self._known)
        for unit, piece in (pieces or {}).items():
            self.state.forced[unit] = piece
        for unit, piece in (known or {}).items():
            self.state.forced[unit] = KNOWN + piece
        if pieces is None:
            self.state.control[DEPTH] = -1

    def _forced_here(self) -> dict[int, int]:
        """Return the pieces that are forced on units that the search decides."""
        return {u: k for u, k in self._forced.items() if self.numbering.own(u) is not None}

    def make_room(self) -> None:
        """Make room for longer paths, or cells of more rows, as the kernel asks."""
        p, depth = self.program, int(self.state.control[DEPTH])
        while not has_room.py_func(p, self.state, depth):
            room = Room.of(self.state)
            self.state = with_room(p, self.state, Room(2 * room.depth, 2 * room.rows))
        self.scratch = new_scratch(p, Room.of(self.state))

    def _start(self) -> None:
        """Set up the root: the domain's rows, and the square of two parameters cut by them."""
        p, s = self.program, self.state
        count = 2 * p.V.shape[1] if p.small else 0
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        for r in range(p.row_values.shape[0], s.rows.b.size):
            i = r - p.row_values.shape[0]
            s.rows.M[r], s.rows.b[r] = p.domain_M[i], p.domain_beta[i]
            s.rows.s[r] = p.domain_majorant[i]
            unknown = kinds.classify(p, r, p.ops[0], p.quantum[0], self.rounding, s.rows)
            if unknown:
                s.rows.kind[r] = self._answers.kind_of_domain_row(i)
            if s.rows.kind[r] == kinds.NEGATIVE:
                self.reject_domain()
            # Rows that are constant and not negative restrict nothing: the domain is closed.
            if s.rows.kind[r] in (kinds.NORMAL, kinds.TINY):
                add_row(s, count, r, 1)
                if p.V.shape[1] == 2:
                    a, b = s.cell.rows[count]
                    cut = np.zeros((len(corners) + 3, 2))
                    slack = s.cell.error[count] + DRIFT
                    kept = clip(corners, len(corners), a, b, s.cell.offset[count], slack, cut)
                    corners = cut[:kept]
                count += 1
        s.path.size[0] = count
        s.control[VERDICT] = NO_VERDICT
        if p.V.shape[1] == 2:
            s.path.corners[0] = len(corners)
            s.path.polygon[0, : len(corners)] = corners

    # Exact answers ------------------------------------------------------------------------------

    @property
    def exact(self) -> ExactNetwork:
        """The network in exact arithmetic; built when first needed."""
        return self._answers.network

    def answer_row(self, r: int) -> None:
        """Name the kind of a row whose coefficients are lost in rounding, where the kernel asks."""
        s = self.state
        s.rows.kind[r] = self._answers.kind_of_row(r, s.pattern.tolist())
        self.exact_rows += 1

    def _answer_side(self) -> Iterator[None]:
        """Decide the cell the kernel could not, and count what is in it if it is not empty."""
        s, c = self.state, self.state.control
        depth = int(c[DEPTH])
        first = 2 * self.program.V.shape[1] if self.program.small else 0
        self.exact_cells += 1
        answer = self._answers.decide(s, first, int(c[COUNT]))
        if answer.witness is not None:
            yield from self._count_exactly(depth, int(c[ASKED]), answer.cell, answer.witness)
        elif answer.support is not None:
            self._learn(depth, *answer.support)
        # Not as a verdict for the kernel to take up: parities that came with a region of the cell
        # may have forbidden this side, and it would be taken for that of the next one.
        s.sides.verdict[depth, int(c[ASKED])] = EMPTY if answer.witness is None else COUNTED

    def _count_exactly(
        self, depth: int, piece: int, cell: Conditions, witness: Point
    ) -> Iterator[None]:
        """Count what is in piece `piece` of the unit that the node at a depth has to decide."""
        tree = ExactRegionTree(self.exact, patterns=self.patterns)
        pattern = self.numbering.whole_pattern(self.state.pattern.tolist())
        above = tuple(pattern[: self.numbering.first_unit(int(self.state.path.layer[depth]))])
        root = Cell(above, cell, witness, 1.0)
        yield from self._take(tree, tree.below(root, self._known_at(depth, piece)), depth)

    def _count_root(self) -> Iterator[None]:
        """Count the whole domain, of which floating point finds no point."""
        if not self.exact.inputs.has_interior:
            self.reject_domain()
        tree = ExactRegionTree(self.exact, patterns=self.patterns)
        self.exact_cells += 1
        yield from self._take(tree, tree.walk(), 0)
        self.state.control[DEPTH] = -1

    def _take(
        self, tree: ExactRegionTree, leaves: Iterator[Cell | None], depth: int
    ) -> Iterator[None]:
        """Take the regions that an exact tree finds below the node at a depth."""
        for leaf in leaves:
            if leaf is not None and self._is_wanted(leaf.pattern):
                self.thin_regions += 1
                if self.keep:
                    self.regions.add_own(tree.region(leaf))
                if self.on_region is not None:
                    self._tell(leaf.pattern, depth)
            yield

    def _known_at(self, depth: int, piece: int) -> dict[int, int]:
        """Return the pieces that units of the layer have on piece `piece` of a node's unit."""
        s, layer = self.state, int(self.state.path.layer[depth])
        number, place = self.numbering, int(s.path.place[depth])
        first, count = number.first_unit(layer), number.width(layer)
        later = {
            number.to_network(int(u))
            for u in s.opened.unit[layer, place + 1 : s.opened.number[layer]]
        }
        pattern = number.whole_pattern(s.pattern.tolist())
        known = {u: pattern[u] for u in range(first, first + count) if u not in later}
        return known | {number.to_network(int(s.opened.unit[layer, place])): piece}

    def _is_wanted(self, pattern: tuple[int, ...]) -> bool:
        fits = all(pattern[unit] == piece for unit, piece in self._forced.items())
        return fits and all(xor.holds(pattern) for xor in self.xors)

    def _learn(self, depth: int, ids: Array, signs: Array) -> None:
        """Hand a conflict proved exactly, rows and their signs, to the kernel."""
        s, layer = self.state, int(self.state.path.layer[depth])
        bits = s.conflicts.bits[layer, s.conflicts.number[layer] % CLAUSES]
        bits[:] = 0
        base, count = self.program.layers[layer, 4:6].tolist()
        for r, sign in zip((ids - base).tolist(), signs.tolist(), strict=True):
            if 0 <= r < count:
                bits[0 if sign > 0 else 1, r >> 6] |= np.uint64(1) << np.uint64(r & 63)
        s.conflicts.number[layer] += 1

    def reject_domain(self) -> NoReturn:
        """Raise `DomainError`: say why the root's cell could not be entered."""
        self._answers.reject_domain()

    # Kept regions -------------------------------------------------------------------------------

    def _collect(self) -> None:
        s, n = self.state, int(self.state.control[KEPT])
        if not self.keep or n == 0:
            return
        points = s.kept.points[:n] if knows_points(self.program) else None
        self.regions.add(self.numbering.whole(s.kept.patterns[:n]), points)
        s.control[KEPT] = 0
