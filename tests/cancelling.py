"""Networks whose rows cancel: floating point gets signs wrong though every number is ordinary."""

from fractions import Fraction

import numpy as np

import milpcount as mc
from tests.networks import network

Array = np.ndarray


def cancelling(seed: int, n: int, depth: int = 2) -> mc.Network:
    """Return a network whose last two units part the domain where floats cannot see it.

    Units of the first layer are ``x_i + K`` and ``x_j + K`` (``K - x_i`` of a single input), with K
    a power of two from 2^34 to 2^40; layers in between hand them on, one of two times as large.
    The last two are ``x_i - x_j + b`` and ``m (x_j - x_i) + c``, for a small odd m. They are
    positive together iff ``b + c / m > 0``. Added to multiples of K, which cancel, b and c are
    rounded to multiples of its last place, and what is left says the opposite.

    Parameters
    ----------
    seed : int
        Even: there are no such points, but floats see some; odd: the other way round.
    n : int
        Inputs.
    depth : int
        Layers, at least 2.
    """
    random = np.random.default_rng([seed, n, depth])
    large = 2.0 ** int(random.integers(34, 41))
    i, j = (0, 0) if n == 1 else random.choice(n, size=2, replace=False)
    first = np.zeros((2, n))
    first[0, i], first[1, j] = 1.0, 1.0 if n > 1 else -1.0
    weights, biases, factors = [first], [np.full(2, large)], np.ones(2)
    for _ in range(depth - 2):
        scale = 2.0 ** random.integers(0, 2, size=2)
        weights.append(np.diag(scale))
        biases.append(np.zeros(2))
        factors = factors * scale
    m = float(random.choice([3, 5, 7, 11]))
    b, c = _offsets(random, large, m, seeing=seed % 2 == 0)
    weights.append(np.array([[1.0, -1.0], [-m, m]]) / factors)
    biases.append(np.array([b, c]))
    return network(weights, biases)


def _offsets(random: np.random.Generator, large: float, m: float, *, seeing: bool) -> tuple:
    place = large * 2.0**-52
    while True:
        b, c = (random.uniform(-8, 8, size=2) * np.array([1.0, m]) * place).tolist()
        c = -m * b + random.uniform(-1, 1) * place if random.random() < 0.5 else c
        seen = ((b + large) - large) + ((c - m * large) + m * large) / m
        true = Fraction(b) + Fraction(c) / Fraction(m)
        if seeing and true < 0 and seen > 0.5 * place:
            return b, c
        if not seeing and true > 0 and seen < -0.5 * place:
            return b, c
