"""The upper bound of Serra and Ramalingam (AAAI 2020), from the weights of one rectifier network.

A_l(k) bounds the active units of layer l when k units of the layer before are active, and I_l(k)
those that are unstable. With S the active set of layer l-1, whose outputs are positive on S and
zero elsewhere, unit i can be active only if ``b_i > 0`` or some j in S has ``W_ij > 0``, and
inactive only if ``b_i <= 0`` or some j in S has ``W_ij < 0``. Both numbers are therefore maximum
coverages.
Bounds on pre-activations that hold on the whole domain tighten them: stable units are no
candidates, and units of the layer before that are stably active belong to every S.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from milpcount.bounds.binomials import binomials
from milpcount.bounds.coverage import maximum_coverage
from milpcount.network import Network
from milpcount.network.chains import require_chain
from milpcount.network.sparse import LARGEST_DENSE
from milpcount.preactivation import PreActivationBounds
from milpcount.types import Array

_MOST_STEPS = 2_000_000
"""Products of the recursion over (k, d) up to which it is made in full."""


@dataclass(frozen=True)
class LayerCounts:
    """A_l(k) and I_l(k) of one layer, for k = 0, .., n_{l-1}; for the first layer k is not used.

    Attributes
    ----------
    active, unstable : tuple of int
        Non-decreasing.
    """

    active: tuple[int, ...]
    unstable: tuple[int, ...]


def serra_ramalingam_2020(n_inputs: int, counts: Sequence[LayerCounts]) -> int:
    """Return ``sum_{j in J} prod_l C(I_l(k_{l-1}), j_l)``, the empirical bound.

    ``J = {j : 0 <= j_l <= min(n_0, k_1, .., k_{l-1}, I_l(k_{l-1}))}``, ``k_0 = n_0``, and
    ``k_l = A_l(k_{l-1}) - j_l``. The poster prints ``j_{l-1}`` there, which is a misprint: j_0 is
    not defined, and with A = I = n the printed index gives 16 for 2-2-2, while ``j_l`` gives
    Theorem 1's 11. Networks too wide for a recursion over all (k, d) get
    the same sum with k replaced by the width, which is larger.

    Parameters
    ----------
    n_inputs : int
        n_0, or the dimension of the domain.
    counts : sequence of LayerCounts
    """
    if not _affordable(counts):
        counts = [counts[0], *map(_flat, counts[1:])]
    alike = [len(set(zip(c.active, c.unstable, strict=True))) == 1 for c in counts]

    # Ways to reach (k, d) after the layers so far.
    ways = {(0, n_inputs): 1}
    for layer, same in zip(counts, [*alike[1:], True], strict=True):
        after: dict[tuple[int, int], int] = {}
        for (k, dimension), count in ways.items():
            active, unstable = layer.active[k], layer.unstable[k]
            for j, choices in enumerate(binomials(unstable, min(dimension, unstable))):
                # Where the next layer makes no difference between k, one entry is enough.
                state = 0 if same else active - j, min(dimension, active - j)
                after[state] = after.get(state, 0) + count * choices
        ways = after
    return sum(ways.values())


def _affordable(counts: Sequence[LayerCounts]) -> bool:
    sizes = [max(c.active) for c in counts]
    return sum(k**2 * n // 2 for k, n in pairwise(sizes)) <= _MOST_STEPS


def _flat(counts: LayerCounts) -> LayerCounts:
    n = len(counts.active)
    return LayerCounts((max(counts.active),) * n, (max(counts.unstable),) * n)


def is_written_out(network: Network) -> bool:
    """Whether no map is too large to be a matrix."""
    return all(map_.n_in * map_.n_out <= LARGEST_DENSE for map_ in network.maps)


def layer_counts(
    network: Network, ranges: PreActivationBounds | None = None
) -> list[LayerCounts] | None:
    """Return A_l(k) and I_l(k) of every layer.

    Parameters
    ----------
    network : Network
    ranges : PreActivationBounds, optional
        Bounds on the pre-activations over the domain; without them, those of all of space.

    Returns
    -------
    list of LayerCounts or None
        None unless all units are rectifiers, and the weights can be written out.

    Raises
    ------
    NetworkError
        If the network is no chain.
    """
    require_chain(network, "the empirical bound")
    if not all(layer.activation.is_relu for layer in network.layers):
        return None
    if not is_written_out(network):
        return None
    stable = [stable_units(ranges, number, n) for number, n in enumerate(network.widths)]
    on, off = stable[0]
    found = [LayerCounts((int((~off).sum()),), (int((~on & ~off).sum()),))]
    for layer, before, here in zip(network.layers[1:], stable, stable[1:], strict=False):
        found.append(_layer(layer.affine.weight, layer.affine.bias, before, here))
    return found


def stable_units(
    ranges: PreActivationBounds | None, number: int, width: int
) -> tuple[Array, Array]:
    """Return the masks of the units that are active everywhere, and nowhere."""
    if ranges is None:
        return np.zeros(width, bool), np.zeros(width, bool)
    return ranges.lower[number] > 0, ranges.upper[number] <= 0


def _layer(
    weight: Array, bias: Array, before: tuple[Array, Array], here: tuple[Array, Array]
) -> LayerCounts:
    return counts_of(weight, bias, before, here, np.zeros(len(bias), bool))


def counts_of(
    weight: Array,
    bias: Array,
    before: tuple[Array, Array],
    here: tuple[Array, Array],
    moved: Array,
) -> LayerCounts:
    """Return A_l(k) and I_l(k) of rectifiers that read k active rectifiers, and perhaps more.

    Parameters
    ----------
    weight : ndarray
        Of the rectifiers that are read.
    bias : ndarray
    before, here : (ndarray, ndarray) of bool
        Units that are active everywhere, and nowhere, of those that are read and of the layer.
    moved : ndarray of bool
        Units that read anything else: numbers of any sign, so that they may be active or not
        whatever the k are.
    """
    always, never = before
    on, off = here
    positive = bias > 0
    raises, lowers = weight > 0, weight < 0
    # What turns a unit active is there from the start (bias, units always on) or is a coverage.
    can_be_active = _counts(positive | on | moved, raises, always, never, ~off)
    turned = np.where(positive[:, None], lowers, raises)
    unstable = _counts(moved, turned, always, never, ~on & ~off)
    return LayerCounts(can_be_active, unstable)


def _counts(
    given: Array, meets: Array, always: Array, never: Array, candidates: Array
) -> tuple[int, ...]:
    """Return, for every k, how many candidates are given or met by k active units at most."""
    start = (given | meets[:, always].any(axis=1)) & candidates
    free = meets[candidates & ~start][:, ~always & ~never]
    cover = maximum_coverage(free)
    forced = int(always.sum())
    steps = [min(max(k - forced, 0), len(cover) - 1) for k in range(len(always) + 1)]
    return tuple(int(start.sum()) + cover[s] for s in steps)


def empirical_bound(
    network: Network, dimension: int, ranges: PreActivationBounds | None = None
) -> int | None:
    """Return the bound of `serra_ramalingam_2020` for a network, None unless it is a rectifier's.

    Parameters
    ----------
    network : Network
    dimension : int
        Of the domain.
    ranges : PreActivationBounds, optional
        Bounds on the pre-activations over the domain.

    Raises
    ------
    NetworkError
        If the network is no chain.
    """
    counts = layer_counts(network, ranges)
    return None if counts is None else serra_ramalingam_2020(dimension, counts)
