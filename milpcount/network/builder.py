"""The network that a reader's affine expressions add up to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from milpcount.network.activation import Activation, maxout
from milpcount.network.affine import Affine, Elementwise
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.alignment import joined, scattered
from milpcount.network.by_rows import canonical, selection, used_columns
from milpcount.network.composite import compose
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.sparse import Factor
from milpcount.network.stacked import held
from milpcount.types import Array


@dataclass
class NetworkBuilder:
    """Collects layers while a reader walks through a model from its input to its output.

    Attributes
    ----------
    inputs : int
        Number of inputs.
    layers : list of Layer
    notes : list of str
    """

    inputs: int
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def activate(
        self, tensor: AffineTensor, units: Activation | Sequence[Activation | None]
    ) -> AffineTensor:
        """Add a layer of units on the entries of a tensor; return their outputs in its shape.

        Parameters
        ----------
        tensor : AffineTensor
        units : Activation, or sequence of Activation or None
            Scalar ones, of all entries or one for each; None leaves an entry as it is.

        Raises
        ------
        NetworkError
            If a number is not finite.
        """
        if isinstance(units, Activation):
            return self._layer(tensor, units).reshaped(tensor.shape)
        kinds = [kind for kind in units if kind is not None]
        if not kinds:
            return tensor
        bent = np.array([kind is not None for kind in units])
        found = self._layer(tensor.taken(np.flatnonzero(bent)), kinds)
        return _merged(tensor, bent, found).reshaped(tensor.shape)

    def maximum(
        self, tensor: AffineTensor, groups: Sequence[Array], shape: tuple[int, ...]
    ) -> AffineTensor:
        """Add a layer of maxima; return them in a shape.

        Parameters
        ----------
        tensor : AffineTensor
        groups : sequence of ndarray of int
            The entries of which each maximum is taken, at least one: of one alone it is that entry.
            Of equal values the first one counts.
        shape : tuple of int
            Of the result.
        """
        sizes = np.array([len(group) for group in groups])
        several = sizes > 1
        alone = tensor.taken(np.array([group[0] for group in groups]))
        if not several.any():
            return alone.reshaped(shape)
        of_rank = {int(rank): maxout(int(rank)) for rank in np.unique(sizes[several])}
        places = np.concatenate([g for g, s in zip(groups, several, strict=True) if s])
        kinds = [of_rank[int(rank)] for rank in sizes[several]]
        found = self._layer(tensor.taken(places), kinds)
        return _merged(alone, several, found).reshaped(shape)

    def note(self, text: str) -> None:
        """Keep a sentence about what was left out or rounded, once."""
        if text not in self.notes:
            self.notes.append(text)

    def finish(self, tensor: AffineTensor) -> Network:
        """Return the network whose output is `tensor`.

        An output that is the last layer of units unchanged adds no output layer.

        Raises
        ------
        NetworkError
            If a number is not finite.
        """
        start, end = self._before()
        bare = self.layers and not tensor.factors and tensor.size == end - start
        if bare and tensor.first_column == start:
            found = Network(tuple(self.layers), notes=tuple(self.notes), inputs=self.inputs)
        else:
            affine, reads = self._affine(tensor)
            found = Network(tuple(self.layers), affine, tuple(self.notes), reads, self.inputs)
        return found.identified()

    def _layer(
        self, tensor: AffineTensor, units: Activation | Sequence[Activation]
    ) -> AffineTensor:
        """Add a layer; return the outputs of its units in one row."""
        affine, reads = self._affine(tensor)
        self.layers.append(Layer(affine, units, reads))
        return AffineTensor.of_columns((self.layers[-1].width,), self._before()[0])

    def _before(self) -> tuple[int, int]:
        """Return the first and one past the last column of what is before the next layer."""
        widths = [self.inputs, *(layer.width for layer in self.layers)]
        return sum(widths[:-1]), sum(widths)

    def _affine(self, tensor: AffineTensor) -> tuple[Affine, Array | None]:
        """Return the map to a tensor's entries, and the columns that it reads.

        A map that reads nothing but the layer before reads all of it, as in a chain.
        """
        columns, factors = tensor.chain()
        if not factors:
            factors = (held(selection(np.arange(tensor.size), tensor.size), np.zeros(tensor.size)),)
        columns, factors = _narrowed(columns, factors)
        start, end = self._before()
        if columns.size and (columns[0] < start or columns[-1] >= end):
            return compose(factors), columns
        if columns.size < end - start:
            first, width = factors[0], end - start
            if isinstance(first, Elementwise):
                chosen = selection(columns - start, width)
                factors = (held(chosen, np.zeros(columns.size)), *factors)
            elif not columns.size:
                nothing = sparse.csr_array((first.n_out, width))
                factors = (held(nothing, first.bias), *factors[1:])
            else:
                factors = (scattered(first, columns - start, width), *factors[1:])
        return compose(factors), None


def _narrowed(columns: Array, factors: tuple[Factor, ...]) -> tuple[Array, tuple[Factor, ...]]:
    """Return the columns with a weight, and the map of them."""
    first = factors[0]
    if isinstance(first, Elementwise):
        return columns, factors
    matrix = canonical(first.matrix)
    if not matrix.nnz:  # a constant: it may stand over any columns
        return np.zeros(0, dtype=np.int64), factors
    used = used_columns(matrix)
    if used.size == columns.size:
        return columns, factors
    return columns[used], (held(canonical(matrix[:, used]), first.bias), *factors[1:])


def _merged(tensor: AffineTensor, bent: Array, found: AffineTensor) -> AffineTensor:
    """Return a row of entries, those that are bent replaced by the units' outputs in order."""
    if bent.all():
        return found
    rest = tensor.taken(np.flatnonzero(~bent))
    places = np.empty(bent.size, dtype=np.int64)
    places[~bent] = np.arange(rest.size)
    places[bent] = rest.size + np.arange(found.size)
    return joined([rest, found]).taken(places)
