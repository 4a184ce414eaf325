"""Units that have one piece on the whole domain, composed once for all.

A deep network round a data point has thousands of units, and a handful that split the domain. A
unit with one piece on all of it is an affine function of what it reads, wherever the search is:
composed into what reads it, it is gone. What is left is a graph of the *live* units alone, whose
value v is ::

    f_v(y) = F_v(y) + sum_j C_vj out_j(y)

with F_v affine in the domain's parameters (scaled to ``y`` in the unit cube), and j over the live
units of earlier layers. That is an identity between real functions on the domain, so the cells of
the reduced graph are those of the network, and the search below composes a few rows where it
composed all of a layer.

**What settles a unit.** The range of f_v is that of F_v over the cube, plus that of every out_j by
itself: what live units give out is bounded, the rest is kept as a function, so that nothing is lost
but how the live outputs depend on the inputs. It is much tighter than intervals from layer to
layer, which lose how all outputs do.

**Rounding.** With u the roundoff and ``g_k = 1.01 (k + 4) u``, a sum of k products is off by at
most g_k times the sum of their computed magnitudes, however it is added up: that bound is
``k u / (1 - k u)`` times the exact sum of magnitudes (Higham 2002, section 3.1), the rest makes up
for the rounding of the sum and of what is made of it, while k is below 10^13. So the walk keeps a
bound e_v on the error of F_v anywhere on the cube, and h_vj on that of C_vj, from the numbers that
it computes, not from all that they are made of: ``|F|_v`` is the sum of the magnitudes of the
coefficients of F_v and its constant. For a map with weights w, k of them in a row at most, that
reads outputs o, and for a settled unit's slope ::

    e_v  = sum |w_vo| e_o + g_k (sum |w_vo| |F|_o + |b_v|)
    h_vj = sum |w_vo| (h_oj + g_k |C_oj|)

Errors grow by the magnitudes of the weights from layer to layer; what is added to them grows as the
forms do, which cancel. `rows` has bounds of the form "all roundings times all magnitudes": the
program states these in its terms. Let, for a layer whose live units read k live units before them,
``K = K' + k + 8`` with K' that of the live layer before, from `_ROUNDINGS` on, and ::

    sigma_v = |F|_v + e_v / (u K)        mu_vj = |C_vj| + h_vj / (u K)

The kernel composes ``F_v + sum_j C_vj out_j``. If its form of out_j is off by ``u K' sigma_j`` and
no larger than sigma_j, it is off by at most ::

    e_v + sum_j (h_vj sigma_j + |C_vj| u K' sigma_j) + (k + 4) u (|F|_v + sum_j |C_vj| sigma_j)
        <= u K (sigma_v + sum_j mu_vj sigma_j)

which is u K times the majorant that it computes; slope and intercept of the unit, and what is of
second order, are among the eight. The kernel grants some roundings more, for what it makes of its
forms: as K begins with as many, that does not raise the bounds much. A majorant says nothing of
powers of two here: no sum counts as exact.

Underflow takes 2^-1075 at most from a product: `SMALLEST`, times one more than the parameters of a
form, goes into the bounds of all that has a term. Where a number is too large for `rows`, the
network is left as it is.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.kernel.composed_forms import (
    SPARSE,
    Forms,
    gamma,
    input_forms,
    most_in_a_row,
    numbers,
    parts,
    product,
    scaled,
    signed_sums,
)
from milpcount.kernel.image_space import SMALLEST
from milpcount.kernel.rows import LARGE
from milpcount.kernel.unit_numbering import LIVE, ranges
from milpcount.network import Network, values_of
from milpcount.preactivation import settled_pieces
from milpcount.preactivation.intervals import Intervals
from milpcount.preactivation.outputs import output_range
from milpcount.preactivation.ranges import Box, Range, start_of
from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW
from milpcount.types import Array

LEAST_UNITS = 256
"""Units below which composing a layer anew costs nothing worth saving."""
_ROUNDINGS = 8192
"""What K begins with, see above. Another value costs precision, never truth: a smaller one raises
the errors that were carried here, a larger one those of the last sums."""
_MOST_LIVE = 8192
"""Live units above which their weights on each other take more than the network's own."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A network on a domain, in its live units.

    Attributes
    ----------
    settled : ndarray of int, shape (units,)
        The piece of every unit that has one, or `LIVE`.
    slopes, constant : ndarray, shape (values, n) and (values,)
        ``F_v`` on the unit cube, for the values of the live units.
    majorant : ndarray, shape (values,)
        Its sigma.
    weights, sizes : tuple of ndarray
        For each layer ``C_vj`` and ``mu_vj``, shape (its live values, live units before it).
    roundings : ndarray, shape (layers,)
        That a form of each layer counts as having seen.
    """

    settled: Array
    slopes: Array
    constant: Array
    majorant: Array
    weights: tuple[Array, ...]
    sizes: tuple[Array, ...]
    roundings: Array

    @property
    def entries(self) -> int:
        """Weights that live units have on each other."""
        return sum(int((size > 0).sum()) for size in self.sizes)


def reduced(network: Network, inputs: InputSet, *, always: bool = False) -> Reduction | None:
    """Return a network in its live units, None where that saves nothing.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    always : bool
        Reduce whatever it saves; unbounded domains, and numbers that are too large, are left.

    Raises
    ------
    OutOfTime
        If the deadline in force comes first.
    """
    if not inputs.is_boxed or not (always or network.n_units >= LEAST_UNITS):
        return None
    with np.errstate(all="ignore"):
        walk = _Walk(network, inputs)
        for number in range(len(network.layers)):
            if not walk.layer(number):
                return None
            if not always and not walk.is_worthwhile:
                return None
        found = walk.result()
    given = sum(np.count_nonzero(numbers(layer.affine.matrix)) for layer in network.layers)
    return found if always or 2 * found.entries < given else None


class _Walk:
    """The walk through the network's layers, with what it has met."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self._network, self._inputs = network, inputs
        self._intervals = Intervals(network)
        self._tiny = SMALLEST * (1.0 + inputs.dimension)
        self._outputs = [input_forms(inputs, self._tiny)]
        self._ranges: list[Range] = [start_of(inputs)]
        self._low, self._high = np.zeros(0), np.zeros(0)
        self._pieces: list[Array] = []
        self._kept: list[Forms] = []
        self._roundings, self._seen = list[float](), float(_ROUNDINGS)
        last = len(network.layers)
        sources = network.sources[:last]
        self._read = {source.number for found in sources for source in found}

    @property
    def is_worthwhile(self) -> bool:
        """Whether few enough units are live so far."""
        seen, live = sum(map(len, self._pieces)), len(self._low)
        return live <= _MOST_LIVE and (seen < LEAST_UNITS or 2 * live < seen)

    def layer(self, number: int) -> bool:
        """Walk through a layer; return whether its numbers are small enough."""
        layer = self._network.layers[number]
        values = np.arange(layer.affine.n_out)
        low, high, first = np.zeros(values.size), np.zeros(values.size), 0
        is_last = number + 1 == len(self._network.layers)
        if number + 1 not in self._read:
            # Nothing is made of its outputs: of units that intervals from what it reads settle, no
            # form is needed at all.
            box = values_of(self._network, number, self._ranges.__getitem__, self._intervals)
            assert isinstance(box, Box)
            low, high = box.low, box.high
            open_units = np.flatnonzero(settled_pieces(layer, low, high) == LIVE)
            if not open_units.size:
                open_units = np.zeros(1, dtype=np.int64)
            first, values = int(open_units[0]), ranges(layer.value_starts, open_units)
        forms = self._composed(number, values)
        found = self._bounds(forms)
        if found is None:
            return False
        low, high = low.copy(), high.copy()
        low[values], high[values] = found
        pieces = settled_pieces(layer, low, high)
        if is_last and not self._low.size and not (pieces == LIVE).any():
            pieces[first] = LIVE  # a tree decides one unit at least
        self._pieces.append(pieces)
        live = np.flatnonzero(pieces == LIVE)
        place = np.full(layer.affine.n_out, -1)
        place[values] = np.arange(values.size)
        self._kept.append(forms.take(place[ranges(layer.value_starts, live)]))
        if live.size:
            self._seen += len(self._low) + 8
        self._roundings.append(self._seen)
        least, greatest = output_range(layer, low, high)
        self._ranges.append(Box(least, greatest))
        if number + 1 in self._read:
            self._outputs.append(self._given_out(number, forms, pieces, live))
        else:
            self._outputs.append(forms)  # read by nobody
        self._low = np.concatenate([self._low, least[live]])
        self._high = np.concatenate([self._high, greatest[live]])
        return True

    def result(self) -> Reduction:
        """Return what the walk has made."""
        kept, n = self._kept, self._inputs.dimension
        units = [ROUNDOFF * seen for seen in self._roundings]
        weights = tuple(forms.weights.toarray() for forms in kept)
        doubts = [forms.doubts.toarray() for forms in kept]
        majorants = [f.size + f.error / unit for f, unit in zip(kept, units, strict=True)]
        return Reduction(
            np.concatenate(self._pieces),
            np.concatenate([forms.slopes.toarray().reshape(-1, n) for forms in kept]),
            np.concatenate([forms.constant for forms in kept]),
            np.concatenate(majorants), weights,
            tuple(np.abs(w) + h / unit for w, h, unit in zip(weights, doubts, units, strict=True)),
            np.array(self._roundings),
        )  # fmt: skip

    def _composed(self, number: int, values: Array) -> Forms:
        """Return some values of a layer."""
        affine, live = self._network.layers[number].affine, len(self._low)
        matrix = affine.matrix if values.size == affine.n_out else affine.matrix[values]
        if isinstance(matrix, np.ndarray) and np.count_nonzero(matrix) < SPARSE * matrix.size:
            matrix = sparse.csr_array(matrix)
        # A product for every weight, the sums over sources among them; the bias, and the rounding
        # of weights that are not the map's own.
        roundings, total = gamma(most_in_a_row(affine.matrix) + 2), None
        for source in self._network.sources[number]:
            read = self._outputs[source.number]
            read = (read if source.local is None else read.take(source.local)).widened(live)
            part = product(matrix[:, source.columns], read, roundings, self._tiny)
            total = part if total is None else total.plus(part)
        assert total is not None
        bias = affine.bias[values]
        error = total.error + roundings * np.abs(bias) * (total.error > 0)
        return total._replace(constant=total.constant + bias, error=error)

    def _bounds(self, forms: Forms) -> tuple[Array, Array] | None:
        """Return the ranges of forms over the cube, rounded outward; None if they are too large."""
        low, high = self._low, self._high
        below, above = signed_sums(forms.slopes)
        negative, positive = parts(forms.weights)
        reach = np.maximum(np.abs(low), np.abs(high))
        size = np.abs(forms.constant) + above - below + (positive - negative) @ reach
        error = forms.error + forms.doubts @ reach
        if not (size + error / (ROUNDOFF * _ROUNDINGS) < LARGE).all():
            return None
        # The sums below have a term for every coordinate, every live output and the constant.
        terms = forms.slopes.shape[1] + low.size + 8
        error = np.where(forms.has_terms > 0, 2 * error + gamma(terms) * size + UNDERFLOW, 0.0)
        return (
            forms.constant + below + positive @ low + negative @ high - error,
            forms.constant + above + positive @ high + negative @ low + error,
        )

    def _given_out(self, number: int, forms: Forms, pieces: Array, live: Array) -> Forms:
        """Return the outputs of a layer's units: settled ones composed, live ones by themselves."""
        table, before = self._network.layers[number].table, len(self._low)
        kinds = table.kind + np.maximum(pieces, 0)
        settled = pieces != LIVE
        slope = np.where(settled, table.slope[kinds], 0.0)
        intercept = np.where(settled, table.intercept[kinds], 0.0)
        unit = np.flatnonzero(slope)
        value = (table.start + table.value[kinds])[unit]
        out = scaled(forms.take(value), slope[unit], self._tiny).placed(unit, pieces.size)
        error = out.error + gamma(2) * np.abs(intercept) * (out.error > 0)
        out = out._replace(constant=out.constant + intercept, error=error)
        out = out.widened(before + live.size)
        own = before + np.arange(live.size)
        shape = pieces.size, before + live.size
        ones = sparse.csr_array((np.ones(live.size), (live, own)), shape=shape)
        return out._replace(weights=out.weights + ones)
