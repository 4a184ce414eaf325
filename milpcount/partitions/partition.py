"""The partition of a domain by a network, as an object."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.domain import Domain, InputSet
from milpcount.errors import OptionError
from milpcount.exact.evaluate import point_of
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network
from milpcount.network.decision import n_outputs, with_decision
from milpcount.partitions import notebook_view, piecewise_affine_law
from milpcount.partitions.adjacency import Neighbours, neighbours
from milpcount.partitions.boundary import BoundaryFinder, DecisionBoundary
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.counting import RegionClasses, check_continuous
from milpcount.partitions.location import Locator
from milpcount.partitions.polytopes import Halfspaces, Polytopes
from milpcount.printable import rich_table
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Region, patterns_of
from milpcount.types import Array


class Partition:
    """All activation regions of a network on a domain.

    Made by `milpcount.partition`. A region is its index, from 0, in the order in which they were
    found. What is asked for is computed then. Geometry is in the domain's parameters t: the inputs
    themselves in a polytope, in all of space and in a box without fixed inputs; ``x = origin +
    directions t`` with ``inputs.to_inputs(t)`` elsewhere.

    Parameters
    ----------
    network : Network
    domain : Domain
    result : CountResult
        Of activation regions, complete, with its regions kept.
    count : callable, optional
        Counts the activation regions of another network on the domain, and keeps them: takes
        ``(network, domain)`` and returns a CountResult. It saves linear programs.

    Attributes
    ----------
    inputs : InputSet
        The domain, bound to the network.

    Raises
    ------
    OptionError
        If the count is not complete.
    """

    def __init__(
        self,
        network: Network,
        domain: Domain,
        result: CountResult,
        count: Callable[[Network, Domain], CountResult] | None = None,
    ) -> None:
        if result.quantity is not Quantity.ACTIVATION_REGIONS or result.regions is None:
            raise OptionError("a partition is made of kept activation regions")
        if not result.is_exact:
            raise OptionError(
                f"the count is not complete ({result.status.value}): a partition is all regions; "
                "give more time, or milpcount.regions for those that can be found"
            )
        self.network, self.domain, self.result = network, domain, result
        self._count = count
        self.inputs: InputSet = domain.bind(network.n_inputs)
        self._regions = result.regions
        self._store = PatternStore(network)
        every = np.array(list(patterns_of(self._regions)), dtype=np.int64)
        self._store.add(every.reshape(len(self._regions), network.n_units))

    # The regions ----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[Region]:
        return iter(self._regions)

    def __getitem__(self, index: int) -> Region:
        return self._regions[self._checked(index)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Partition):
            return NotImplemented
        return (
            self.network.fingerprint == other.network.fingerprint
            and np.array_equal(self._store.packed, other._store.packed)
            and all(_is_same(a, b) for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<partition of the {self.domain.title} into {len(self):,} regions>"

    def _repr_html_(self) -> str:
        return notebook_view.html(self)

    def __rich__(self) -> Any:
        return rich_table(notebook_view.rows(self))

    @property
    def patterns(self) -> Array:
        """The piece of every unit in every region, shape (regions, units)."""
        return self._store.take(np.arange(len(self)))

    def pattern(self, index: int) -> tuple[int, ...]:
        """Return the pattern of a region."""
        return self._store.tuples(np.array([self._checked(index)]))[0]

    def point(self, index: int) -> Array:
        """Return an interior point of a region, in input space; see `Region.witness`."""
        return self[index].witness

    def point_in_parameters(self, index: int) -> Array:
        """Return an interior point of a region in the domain's parameters, in float64."""
        point = point_of(self._cells.exact.inputs, self[index])
        assert point is not None
        return point.floats()

    @property
    def active_units(self) -> Array:
        """How many units are on another piece than their first, in each region; ReLUs: active."""
        return np.asarray((self.patterns != 0).sum(axis=1))

    @property
    def histogram(self) -> Array:
        """How many regions have k active units, shape (units + 1,)."""
        return np.bincount(self.active_units, minlength=self.network.n_units + 1)

    # Geometry -------------------------------------------------------------------------------------

    @cached_property
    def _cells(self) -> Cells:
        return Cells(ExactNetwork(self.network, self.inputs))

    @cached_property
    def _polytopes(self) -> Polytopes:
        return Polytopes(self._cells)

    def rows(self, index: int, *, irredundant: bool = True, exact: bool = False) -> Halfspaces:
        """Return the closure of a region as ``A t <= b``, with the units that vanish on each row.

        Parameters
        ----------
        index : int
        irredundant : bool
            Only rows that have a facet, decided exactly; a linear program for each.
        exact : bool
            Integers in arrays of dtype object instead of float64.
        """
        return self._polytopes.halfspaces(self.pattern(index), irredundant=irredundant, exact=exact)

    def affine_map(self, index: int, *, exact: bool = False) -> tuple[Array, Array]:
        """Return the network's map on a region, ``y = C t + d``, as (C, d).

        Float64, each entry rounded once, or fractions in arrays of dtype object.
        """
        rows = self._cells.exact.affine_map(self.pattern(index))
        if exact:
            from fractions import Fraction

            table = np.array(
                [
                    [Fraction(int(v), q) for v in values]
                    for values, q in zip(rows.values.tolist(), rows.denominators, strict=True)
                ],
                dtype=object,
            )
        else:
            table = rows.floats()
        return table[:, 1:], table[:, 0]

    def is_bounded(self, index: int) -> bool:
        """Return whether a region is bounded, decided exactly."""
        return self._polytopes.is_bounded(self.pattern(index))

    @cached_property
    def bounded(self) -> Array:
        """Which regions are bounded, shape (regions,); 2 d linear programs each if not all are."""
        if self._polytopes.box.is_finite:
            return np.ones(len(self), dtype=bool)
        return np.array([self.is_bounded(i) for i in range(len(self))], dtype=bool)

    def ball(self, index: int) -> tuple[Array, float]:
        """Return centre and radius (the inradius) of a largest ball in a region, in float64."""
        return self._polytopes.ball(self.pattern(index))

    def vertices(self, index: int) -> Array:
        """Return the vertices of a bounded region, for few parameters; see `Polytopes.vertices`."""
        return self._polytopes.vertices(self.pattern(index))

    def volume(self, index: int) -> float:
        """Return the volume of a region in the parameters, in float64, for few of them."""
        return self._polytopes.volume(self.pattern(index))

    # The set --------------------------------------------------------------------------------------

    @cached_property
    def _locator(self) -> Locator:
        check_continuous(self.network)
        return Locator(self._cells, self.inputs, self._store)

    def locate(self, points: Any) -> Array:
        """Return the index of the region of each point, -1 outside of the domain.

        Parameters
        ----------
        points : array_like, shape (..., n_inputs)
            Taken exactly. A point on a boundary is given a region whose closure holds it.
        """
        given = np.asarray(points, dtype=np.float64)
        if given.ndim == 0 or given.shape[-1] != self.network.n_inputs:
            raise OptionError(
                f"points of shape {given.shape}: the last axis must have the network's "
                f"{self.network.n_inputs} inputs"
            )
        if not np.isfinite(given).all():
            raise OptionError("a point holds a number that is not finite")
        flat = self._locator.locate(given.reshape(-1, self.network.n_inputs))
        return flat.reshape(given.shape[:-1])

    @cached_property
    def _neighbours(self) -> Neighbours:
        return self._some_neighbours(None)

    def _some_neighbours(self, wanted: Callable[[Array], Array] | None) -> Neighbours:
        check_continuous(self.network)
        if not self.network.n_units:
            return Neighbours(1, np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64))
        finder = CandidateFinder(self.network, self.inputs)
        return neighbours(self._cells, self._store, self._regions, finder, wanted)

    def neighbours(self) -> Neighbours:
        """Return which regions share a facet, proved."""
        return self._neighbours

    def labels(self, quantity: Quantity | str = Quantity.LINEAR_REGIONS) -> Array:
        """Return for each region a number of its linear region, 0 to their number less one.

        Parameters
        ----------
        quantity : Quantity or str
            ``linear_regions``, ``closed_linear_regions`` or ``affine_pieces``.
        """
        kind = Quantity(quantity)
        if kind is Quantity.ACTIVATION_REGIONS:
            return np.arange(len(self))
        classes = RegionClasses(self.network, self.inputs, kind)
        classes.take(patterns_of(self._regions))
        for _ in classes.run(self._regions):
            pass
        assert classes.labels is not None
        return np.unique(classes.labels, return_inverse=True)[1]

    def linear_regions(self) -> Array:
        """Return for each activation region the number of its linear region."""
        return self.labels(Quantity.LINEAR_REGIONS)

    def decision_boundary(self, threshold: float = 0.0) -> DecisionBoundary:
        """Return where the decision of the network, as a classifier, changes; decided exactly.

        Parameters
        ----------
        threshold : float
            What a single output is compared with; of several outputs the largest decides.

        Raises
        ------
        OptionError
            If a unit is not continuous, or a threshold does not fit.
        """
        decided = with_decision(self.network, threshold)
        check_continuous(self.network)
        finder = BoundaryFinder(self._cells, threshold)
        every = self._store.tuples(np.arange(len(self)))
        known: list[tuple[int, ...]] | None = None
        if self._count is not None:
            found = self._count(decided, self.domain)
            if found.is_exact and found.regions is not None:
                of: dict[tuple[int, ...], list[int]] = {}
                for *pattern, decision in patterns_of(found.regions):
                    of.setdefault(tuple(pattern), []).append(decision)
                if all(pattern in of for pattern in every):  # they may come from a file
                    known = [tuple(sorted(of[pattern])) for pattern in every]
        if known is None:
            known = finder.decisions(every)
        pairs = self._some_neighbours(finder.wanted(known)).pairs
        return finder.find(every, pairs, known)

    def where(self, A: Any, b: Any, *, on: str = "inputs") -> Array:
        """Return the regions whose closures meet ``A v <= b``, decided exactly.

        Parameters
        ----------
        A : array_like, shape (m, n)
        b : array_like, shape (m,)
        on : {"inputs", "outputs"}
            What v is.

        Returns
        -------
        ndarray of int
            Indices.
        """
        from milpcount.exact.geometry import Rows

        if on not in ("inputs", "outputs"):
            raise OptionError(f"on={on!r}: give 'inputs' or 'outputs'")
        table, rhs = np.atleast_2d(np.asarray(A, dtype=np.float64)), np.ravel(b)
        sizes = {"inputs": self.network.n_inputs, "outputs": n_outputs(self.network)}
        if table.shape != (len(rhs), sizes[on]):
            raise OptionError(
                f"A of shape {table.shape} and b of length {len(rhs)}: A must have shape "
                f"({len(rhs)}, {sizes[on]}), a column for each of the {on}"
            )
        condition = Rows.of(np.c_[np.asarray(rhs, dtype=np.float64), -table])
        cells, found = self._cells, []
        inputs = cells.exact.inputs
        for i in range(len(self)):
            pattern = self.pattern(i)
            if on == "inputs":
                values, q = inputs.rows_of(), inputs.denominator
            else:
                maps = cells.exact.affine_map(pattern)
                values, q = maps.values, maps.denominators[0]
            rows = condition.values[:, 1:] @ values
            rows[:, 0] += condition.values[:, 0] * q
            asked = [tuple(row) for row in rows.tolist()]
            if any(not any(row[1:]) and row[0] < 0 for row in asked):
                continue
            if cells.touch([row for row in asked if any(row[1:])], cells.prefix_rows(pattern)):
                found.append(i)
        return np.array(found, dtype=np.int64)

    # Files ----------------------------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Return a pandas table: a region a row, with pattern, active units and a point."""
        from milpcount.partitions.frames import frame

        return frame(self)

    def export(self, path: str | Path) -> None:
        """Write the explicit piecewise affine law, ``y = C t + d`` where ``A t <= b``.

        Parameters
        ----------
        path : str or Path
            A ``.mat`` file, with cell arrays A, b, C, d, or a ``.json`` one.
        """
        target = Path(path)
        writers = {".mat": piecewise_affine_law.write_mat, ".json": piecewise_affine_law.write_json}
        if target.suffix not in writers:
            raise OptionError(f"{target}: the law is written as .mat or .json, give such a name")
        writers[target.suffix](self, target)

    def _checked(self, index: int) -> int:
        try:
            return range(len(self))[index]
        except IndexError:
            raise IndexError(f"region {index}: there are {len(self)}") from None


def _is_same(one: Region, other: Region) -> bool:
    pairs: Sequence[tuple[Any, Any]] = (
        (one.witness, other.witness), (one.parameters, other.parameters)
    )  # fmt: skip
    return all((a is None) == (b is None) and (a is None or np.array_equal(a, b)) for a, b in pairs)
