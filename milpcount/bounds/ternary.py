"""Weights and biases in {-1, 0, 1}: Nakahara, Kobayashi and Matsushima (2025)."""


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
