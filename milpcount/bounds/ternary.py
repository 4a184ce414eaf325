"""Weights and biases in {-1, 0, 1}: Nakahara, Kobayashi and Matsushima (2025)."""

from dataclasses import dataclass


def nakahara_theorem_1(n_inputs: int, width: int, depth: int) -> int:
    """Return ``q^{n_0 (L'-1) / 2}``: a lower bound on the best ternary rectifier network.

    ``q = floor(n / (2 (n_0 + 1)))`` and L' is the largest odd number up to L. It counts linear
    regions on [0, 1]^{n_0}; on all of space the network has more. Odd layers are identities there;
    on the cube their values are not negative, so that rectifiers do the same. The bound is 0 for
    n < 2 (n_0 + 1), where every network has a region, so that 1 is returned.

    In (13) and (15), ``sum_{k=1}^{2(i-1)} (-1)`` must read ``sum_k (-1) x_{2 q n_0 + k}``, a sum
    over the nodes that are constantly 1; otherwise the bias is not ternary. Lemma 1 is false as
    stated, without consequence for the construction.

    Parameters
    ----------
    n_inputs : int
        n_0.
    width : int
        n, the least of the hidden widths.
    depth : int
        L, the linear output layer included.
    """
    folds = width // (2 * (n_inputs + 1))
    odd = depth - (depth % 2 == 0)
    return max(1, int(folds ** (n_inputs * (odd - 1) // 2)))


@dataclass(frozen=True)
class Exchange:
    """Sizes of a ternary network that is known to reach as many regions as one of any weights.

    Attributes
    ----------
    name : str
    width, layers : int
        Of hidden layers; layers with the affine output.
    regions : int
        On [0, 1]^{n_0}: of the network of any weights the number by Montúfar et al. (2014) with a
        linear output, of ternary ones that of Theorem 1.
    """

    name: str
    width: int
    layers: int
    regions: int


def nakahara_remark_1(n_inputs: int, folds: int, layers: int) -> list[Exchange]:
    """Return what ternary weights cost: Nakahara et al. (2025), Remark 1.

    L layers of width ``n_0 p`` reach ``p^{n_0 (L - 1)}`` regions with any weights. Ternary ones
    reach as many with ``2 L - 1`` layers of width ``2 (n_0 + 1) p`` (double the depth), or, for
    odd L, with L layers of width ``2 (n_0 + 1) p^2`` (square the width).

    Parameters
    ----------
    n_inputs : int
        n_0.
    folds : int
        p.
    layers : int
        L, the output included.

    Returns
    -------
    list of Exchange
        Any weights, double depth, squared width; the last for odd L only.
    """
    ternary_width = 2 * (n_inputs + 1)
    sizes = [("double the depth", ternary_width * folds, 2 * layers - 1)]
    if layers % 2:
        sizes.append(("square the width", ternary_width * folds**2, layers))
    found = [Exchange("any weights", n_inputs * folds, layers, folds ** (n_inputs * (layers - 1)))]
    return found + [
        Exchange(name, n, depth, nakahara_theorem_1(n_inputs, n, depth)) for name, n, depth in sizes
    ]
