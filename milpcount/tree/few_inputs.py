"""The search for few inputs as seen from Python: cells with vertices, and what they hand over."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from milpcount.domain import InputSet
from milpcount.formulation.xor import Xor
from milpcount.kernel import vertex_search, vertex_stages
from milpcount.kernel import vertex_state as vertices
from milpcount.kernel.allocation import new_parities
from milpcount.kernel.columns import LAYER_UNIT, UNIT_PIECES
from milpcount.kernel.program import Layout, compile_program
from milpcount.kernel.state import KNOWN
from milpcount.kernel.vertex_descent import VertexWalks
from milpcount.kernel.vertex_parity import add_parity
from milpcount.kernel.vertex_state import MOST_INPUTS, Room, new_cells, tables, with_room
from milpcount.limits import OutOfTime, seconds_in_force, tick
from milpcount.network import Network
from milpcount.tree.kept_regions import KeptRegions
from milpcount.tree.open_nodes import OpenPath, path_of_vertices
from milpcount.tree.region_blocks import Source
from milpcount.tree.search import DECISIONS, Pace, Search, parity_row

_NO_LIMIT = 2**62
_PATIENCE = 2.0
"""How many times longer than usual compiling may take: of a limit, that much must be left."""
_REST_SECONDS = 0.05
_RETREAT_SECONDS = 0.5
"""Time for cells that were handed over from which on it is compared with that for the others."""


def has_few_inputs(inputs: InputSet) -> bool:
    """Return whether cells of an input set can carry their vertices: bounded, few parameters."""
    return inputs.is_boxed and inputs.dimension <= MOST_INPUTS


class VertexSearch:
    """A search of the region tree whose cells carry their vertices, advanced slice by slice.

    It is used as `tree.search.Search` is, and finds the same. Cells that it cannot decide are
    searched by one of those, each before it goes on; where they take most of the time, so is all
    that is left. Where the code for that has not been compiled yet, they wait until the end, since
    most counts do without.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    keep : bool
    forced : mapping of int to int, optional
    patterns : bool
    program : Layout, optional
    parities : bool
    on_region : callable, optional
        As for `Search`. The inputs are few: see `has_few_inputs`.
    compile_other : callable, optional
        Called before the first cell is searched otherwise, if the code for that is not compiled.

    Attributes
    ----------
    regions : KeptRegions
        Found so far, if kept.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        keep: bool = False,
        forced: Mapping[int, int] | None = None,
        patterns: bool = False,
        program: Layout | None = None,
        compile_other: Callable[[], None] | None = None,
        parities: bool = False,
        on_region: Callable[[tuple[int, ...]], None] | None = None,
    ) -> None:
        self._compile_other, self.on_region = compile_other, on_region
        self.xors = list[Xor]()
        self.network, self.inputs, self.keep, self.patterns = network, inputs, keep, patterns
        self.layout = compile_program(network, inputs) if program is None else program
        self.program, self.numbering = self.layout
        self._tables = tables(self.program)
        self.state = new_cells(self.program, self._tables, keep)
        self._systems = new_parities(self.program) if parities else None
        pieces = self.numbering.own_pieces(forced or {})
        for unit, piece in (pieces or {}).items():
            self.state.forced[unit] = piece
        if pieces is None:  # not the piece that a unit has everywhere
            self.state.control[vertices.DEPTH] = -1
        last = int(self.program.layers[-1, LAYER_UNIT])
        self.state.control[vertices.IS_FREE] = (self.state.forced[last:] == vertices.ANY).all()
        domain = self.program.domain_M.shape[0]
        self.state.path.node[0, vertices.STAGE] = (
            vertex_stages.DOMAIN if domain else vertex_stages.ENTER
        )
        self.regions = KeptRegions(Source(network, inputs))
        self._waiting = list[tuple[dict[int, int], dict[int, int]]]()
        self._other: Search | None = None
        self._found_otherwise = 0
        self._handed = 0
        self._statistics = dict[str, int]()
        self._own_seconds = self._other_seconds = 0.0

    @property
    def found(self) -> int:
        """Regions found so far, and kept if they are to be kept."""
        if self.keep:
            return len(self.regions)
        other = 0 if self._other is None else self._other.found
        return int(self.state.control[vertices.REGIONS]) + self._found_otherwise + other

    @property
    def tests(self) -> int:
        """Projections computed so far."""
        return self.statistics["projections"]

    @property
    def statistics(self) -> dict[str, int]:
        """How sides were decided, by name."""
        found = {"decided_by_vertices": self.tests_of_rows}
        found |= {"cells_handed_over": self._handed}
        other = dict.fromkeys(DECISIONS, 0) if self._other is None else self._other.statistics
        return found | {name: self._statistics.get(name, 0) + other[name] for name in DECISIONS}

    @property
    def share(self) -> float:
        """Share of the tree that is closed: every node's weight is split evenly among children."""
        s, closed, weight = self.state, 0.0, 1.0
        depth = int(s.control[vertices.DEPTH])
        if depth < 0 and not self._waiting and self._other is None:
            return 1.0
        for d in range(depth + 1):
            if s.path.node[d, vertices.STAGE] == vertex_stages.CHILDREN:
                pieces, turn = self.pieces(d), int(s.path.node[d, vertices.TURN])
                weight /= max(1, len(pieces))
                closed += weight * sum(k < turn - (d < depth) for k in pieces)
        return min(closed, 1.0 - 2.0**-53)

    def run(
        self, budget: int | None = None, most: int | None = None, seconds: float = 0.1
    ) -> Iterator[None]:
        """Search; yield after every slice; see `Search.run`."""
        s, c = self.state, self.state.control
        pace, spoke = Pace(seconds), time.perf_counter()
        while most is None or self.found < most:
            if self._is_short_of_time():
                tick()
                time.sleep(_REST_SECONDS)
                yield
                continue
            if self._must_search_otherwise():
                began = time.perf_counter()
                for _ in self._search_the_waiting(budget, most, seconds):
                    self._other_seconds += time.perf_counter() - began
                    yield
                    spoke = began = time.perf_counter()
                self._other_seconds += time.perf_counter() - began
                if self._is_better_left():
                    self._leave()
                continue
            if c[vertices.DEPTH] < 0:
                return
            c[vertices.BUDGET] = granted = pace.budget if budget is None else budget
            c[vertices.MOST_REGIONS] = _NO_LIMIT
            before = int(c[vertices.REGIONS])
            if most is not None:
                c[vertices.MOST_REGIONS] = before + most - self.found
            if self.on_region is not None:
                c[vertices.MOST_REGIONS] = before + 1
            began = time.perf_counter()
            if self._systems is None:
                wanted = vertex_search.run(self.program, self._tables, s)
            else:
                q = self._systems
                wanted = vertex_search.run_under_parities(self.program, self._tables, s, q)
            took = time.perf_counter() - began
            self._own_seconds += took
            pace.note(granted - int(c[vertices.BUDGET]), took)
            self._collect()
            told = self.on_region is not None and c[vertices.REGIONS] > before
            if self.on_region is not None and told:
                pattern = self.numbering.whole_pattern(s.pattern.tolist())
                self.on_region(tuple(int(k) for k in pattern))
            if wanted == vertex_stages.ASK_ROOM:
                self._make_room()
                s, c = self.state, self.state.control
            if told or budget is not None or time.perf_counter() - spoke >= seconds:
                yield  # after a region, too: whoever is told may have had enough
                spoke = time.perf_counter()

    def walk(self, walks: VertexWalks, budget: int) -> bool:
        """Make some more of the random walks of a batch; return whether all of them are made.

        What the search has found so far is forgotten.
        """
        self.state.control[vertices.BUDGET] = budget
        self.state.control[vertices.MOST_REGIONS] = _NO_LIMIT
        wanted = vertex_search.walk(self.program, self._tables, self.state, walks)
        if wanted == vertex_stages.ASK_ROOM:
            self._make_room()
        return bool(wanted == vertex_stages.DONE)

    @property
    def tests_of_rows(self) -> int:
        """Rows tested so far, one by one, at the vertices of a cell."""
        return int(self.state.control[vertices.TESTS])

    @property
    def budget_left(self) -> int:
        """What the last slice has left of its budget."""
        return int(self.state.control[vertices.BUDGET])

    def _make_room(self) -> None:
        """Make room for longer paths and more vertices."""
        room = Room(*(2 * size for size in Room.of(self.state)))
        self.state = with_room(self.program, self._tables, self.state, room)

    def add(self, xor: Xor) -> None:
        """Search only for regions that satisfy a parity, from now on; see `Search.add`."""
        self.xors.append(xor)
        if self._systems is None:
            raise ValueError("a search that is to have parities is made with parities=True")
        row = parity_row(xor, self._systems, self.numbering)
        add_parity(self.program, self.state, self._systems, row)
        if self._other is not None:
            self._other.add(xor)

    def left(self) -> list[dict[int, int]]:
        """Return what is left to search, as prefixes that a new search takes as `forced`."""
        other = [] if self._other is None else self._other.left()
        return [*self._own_left(), *(forced for forced, _ in self._waiting), *other]

    @property
    def can_split(self) -> bool:
        """Whether `left` can be asked now and says more than the pieces that are forced."""
        if self._other is not None and not self._other.can_split:
            return False
        return self.left() != [self.forced]

    # What is left -------------------------------------------------------------------------------

    @property
    def open_path(self) -> OpenPath | None:
        """What is left to search in cells that carry vertices."""
        return path_of_vertices(self)

    @property
    def handed(self) -> list[dict[int, int]]:
        """Pieces of cells that were handed over and are not begun, those known included.

        At an interrupt some may be named twice.
        """
        here = self.state.out.handed[: self.state.control[vertices.HANDED]].tolist()
        return [{**known, **forced} for forced, known in [*self._waiting, *map(self._told, here)]]

    @property
    def other(self) -> Search | None:
        """The search of a cell that was handed over."""
        return self._other

    @property
    def found_otherwise(self) -> int:
        """Regions of cells that were handed over and are done."""
        return self._found_otherwise

    def _told(self, row: list[int]) -> tuple[dict[int, int], dict[int, int]]:
        """Return the forced and the known pieces of a cell that was handed over."""
        told = {u: k for u, k in enumerate(row) if k != vertices.ANY}
        forced = {u: k for u, k in told.items() if k < KNOWN}
        known = {u: k - KNOWN for u, k in told.items() if k >= KNOWN}
        return self._in_network(forced), self._in_network(known)

    @property
    def forced(self) -> dict[int, int]:
        """Pieces that units have in every region of this search, by the network's numbers."""
        return self._in_network(
            {u: k for u, k in enumerate(self.state.forced) if k != vertices.ANY}
        )

    def _in_network(self, pieces: Mapping[int, int]) -> dict[int, int]:
        """Return pieces by the network's numbers of their units."""
        return {self.numbering.to_network(u): int(k) for u, k in pieces.items()}

    def pieces(self, d: int) -> list[int]:
        """Return the pieces that the node at a depth goes through."""
        unit = int(self.state.path.node[d, vertices.UNIT])
        forced = int(self.state.forced[unit])
        every = range(int(self.program.units[unit, UNIT_PIECES]))
        return [k for k in every if forced in (vertices.ANY, k)]

    def _own_left(self) -> list[dict[int, int]]:
        s, path = self.state, self.forced
        prefixes: list[dict[int, int]] = []
        depth = int(s.control[vertices.DEPTH])
        for d in range(depth + 1):
            stage = s.path.node[d, vertices.STAGE]
            if stage == vertex_stages.OVER and d == depth:
                return prefixes
            if stage == vertex_stages.CHILDREN:
                unit, turn = int(s.path.node[d, vertices.UNIT]), int(s.path.node[d, vertices.TURN])
                unit = self.numbering.to_network(unit)
                prefixes += [{**path, unit: k} for k in self.pieces(d) if k >= turn]
                if d == depth:
                    return prefixes
                path[unit] = turn - 1
            elif d == depth:
                return [*prefixes, path]
        return prefixes

    # What was handed over -----------------------------------------------------------------------

    @property
    def handed_over(self) -> int:
        """Cells that were handed over so far."""
        return self._handed

    def _is_short_of_time(self) -> bool:
        """Return whether the deadline would come before what is left could be compiled for.

        The search then waits for it: whoever runs it must not take it for complete.
        """
        if not self._waiting or self._compile_other is None or self._other is not None:
            return False
        from milpcount.tree.warm_up import KERNELS

        kernel = KERNELS["tree"]
        if self.state.control[vertices.DEPTH] >= 0 or kernel.is_compiled:
            return False
        return seconds_in_force() < _PATIENCE * kernel.seconds

    def _must_search_otherwise(self) -> bool:
        """Return whether cells that were handed over come next; see that this can be done."""
        if not self._waiting and self._other is None:
            return False
        if self._compile_other is None or self._other is not None:
            return True
        from milpcount.tree.warm_up import KERNELS

        if not KERNELS["tree"].is_compiled and self.state.control[vertices.DEPTH] >= 0:
            return False
        self._compile_other()
        self._compile_other = None
        return True

    def _collect(self) -> None:
        s, c = self.state, self.state.control
        for row in s.out.handed[: c[vertices.HANDED]].tolist():
            self._waiting.append(self._told(row))
        self._handed += int(c[vertices.HANDED])
        c[vertices.HANDED] = 0
        if self.keep and c[vertices.KEPT]:
            kept = int(c[vertices.KEPT])
            self.regions.add(self.numbering.whole(s.out.patterns[:kept]), s.out.points[:kept])
            c[vertices.KEPT] = 0

    def _search_the_waiting(
        self, budget: int | None, most: int | None, seconds: float
    ) -> Iterator[None]:
        """Search the cells that were handed over, one after the other."""
        while self._waiting or self._other is not None:
            if self._other is None:
                forced, known = self._waiting[-1]  # taken out when it is there, at any interrupt
                search = Search(
                    self.network, self.inputs, self.keep, forced, self.patterns,
                    self._systems is not None, self.on_region, self.layout, known,
                )  # fmt: skip
                for xor in self.xors:
                    search.add(xor)
                search.regions = self.regions
                self._other = search
                self._waiting.pop()
            other = self._other
            rest = None
            if most is not None:
                rest = most if self.keep else most - self.found + other.found
            yield from other.run(budget, rest, seconds)
            if most is not None and self.found >= most:
                return
            for name, count in other.statistics.items():
                self._statistics[name] = self._statistics.get(name, 0) + count
            # At once, so that an interrupt finds the regions in one of the two.
            self._found_otherwise, self._other = self._found_otherwise + other.counted, None

    def _is_better_left(self) -> bool:
        """Return whether cells that are handed over take most of the time."""
        return (
            self._other_seconds > _RETREAT_SECONDS and self._other_seconds > 4.0 * self._own_seconds
        )

    def _leave(self) -> None:
        """Hand over all that is left."""
        prefixes = self._own_left()
        self._handed += len(prefixes)
        self._waiting += [(forced, {}) for forced in prefixes[::-1]]
        self.state.control[vertices.DEPTH] = -1


def searching(
    network: Network,
    inputs: InputSet,
    keep: bool = False,
    forced: Mapping[int, int] | None = None,
    patterns: bool = False,
    program: Layout | None = None,
    compile_other: Callable[[], None] | None = None,
    parities: bool = False,
    on_region: Callable[[tuple[int, ...]], None] | None = None,
) -> Search | VertexSearch:
    """Return a search of the region tree by the means that suit its inputs; see `VertexSearch`."""
    if has_few_inputs(inputs):
        return VertexSearch(
            network, inputs, keep, forced, patterns, program, compile_other, parities, on_region
        )
    return Search(network, inputs, keep, forced, patterns, parities, on_region, program)


def hands_over(network: Network, inputs: InputSet, patterns: bool, seconds: float) -> bool:
    """Return whether a search for few inputs hands cells over before some seconds have passed."""

    def stop() -> None:
        raise OutOfTime

    search = VertexSearch(network, inputs, patterns=patterns, compile_other=stop)
    end = time.perf_counter() + seconds
    with contextlib.suppress(OutOfTime):
        for _ in search.run(seconds=seconds):
            if search.handed_over or time.perf_counter() >= end:
                break
    return search.handed_over > 0
