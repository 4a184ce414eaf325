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


def in_a_strip(seed: int, n: int) -> mc.Network:
    """Return a network with a thin strip of the domain, certain in floats, and rows of noise in it.

    The first layer bounds the strip ``a < x_1 < a + 2^-20`` and has ``K + x_1``, ``K - x_1``. The
    second halves the strip, certainly, and has three rows ``(K + x_1) / 2 - (K - x_1) / 2 - a + b``
    that have one sign in all of it; added to K, b is rounded away, and floats see another there.
    """
    random = np.random.default_rng([seed, n, 77])
    large, a = 2.0 ** int(random.integers(34, 40)), random.integers(-64, 64) / 128
    first = np.zeros((4, n))
    first[:, 0] = [1.0, -1.0, 1.0, -1.0]
    place = large * 2.0**-53
    b = place * random.choice([-0.3, 0.3], size=3) * random.uniform(0.3, 1.0, size=3)
    weight = np.zeros((4, 4))
    weight[0, 0], weight[1:, 2], weight[1:, 3] = 1.0, 0.5, -0.5
    return network([first, weight], [[-a, a + 2.0**-20, large, large], [-(2.0**-21), *(b - a)]])


def nearly_parallel(seed: int, *, deep: bool = False) -> mc.Network:
    """Return a network on two inputs: two lines of nearly one direction, and a third one.

    That passes where the two meet, nearly, which floats know much less well than where they are.

    Parameters
    ----------
    seed : int
    deep : bool
        Whether the third one is a unit of the second layer.
    """
    random = np.random.default_rng([seed, 78])
    angle, tilt = random.uniform(0, np.pi), 10.0 ** random.uniform(-8, -4)
    p = random.uniform(-0.5, 0.5, size=2)
    one = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-one[1], one[0]])
    rows = np.array([one, one + tilt * across, across + 0.3 * one])
    far = 10.0 ** random.uniform(-15, -9) * random.choice([-1.0, 1.0])
    bias = -rows @ p + np.array([0.0, 0.0, far])
    if not deep:
        return network([rows], [bias])
    first = np.vstack([rows[:2], np.eye(2)])
    second = np.concatenate([np.zeros(2), rows[2]])[None]
    return network([first, second], [[*bias[:2], 2.0, 2.0], [bias[2] - 2.0 * rows[2].sum()]])


def constant_of_noise(seed: int, n: int) -> mc.Network:
    """Return a network with a unit that is constant, a number that floats lose, and one beside.

    Of every third seed that number is zero.
    """
    random = np.random.default_rng([seed, n, 82])
    large = 2.0 ** int(random.integers(30, 40))
    first = np.zeros((2, n))
    first[:, 0] = 1.0
    b = random.uniform(0.05, 0.2) * large * 2.0**-52 * (1.0, -1.0, 0.0)[seed % 3]
    return network([first, [[1.0, -1.0], [1.0, 0.0]]], [[large] * 2, [b, -large]])


def through_a_point(seed: int, n: int, rows: int = 4) -> mc.Network:
    """Return a network of one layer whose hyperplanes meet in one point, exactly."""
    random = np.random.default_rng([seed, n, 79])
    weight = random.integers(-3, 4, size=(rows, n)).astype(float)
    point = random.integers(1, 16, size=n) / 8
    return network([weight], [-weight @ point])


def shifted(seed: int, n: int, depth: int) -> mc.Network:
    """Return a network of rows known to a part in 2^20 of what they add up, in general position."""
    random = np.random.default_rng([seed, n, depth, 80])
    large, weights, biases, before = 2.0**20, [], [], n
    for number in range(depth):
        weight = random.normal(size=(3, before))
        weights.append(weight - weight.mean(axis=1, keepdims=True) if number else weight)
        biases.append(
            large + random.normal(size=3) if number + 1 < depth else random.normal(size=3)
        )
        before = 3
    return network(weights, biases)


def underflowing(seed: int, n: int) -> mc.Network:
    """Return a network whose products underflow: of the rows below only exact numbers are left."""
    random = np.random.default_rng([seed, n, 81])
    small = 2.0 ** random.integers(-600, -540, size=2)
    weights = [random.normal(size=(3, n)) * small[0], random.normal(size=(3, 3)) * small[1]]
    return network(weights, [random.normal(size=3) * small[0], np.zeros(3)])


def constant_of_rounding(seed: int, n: int) -> mc.Network:
    """Return a network with a unit that is constant, of a sign that sums of floats have by chance.

    Two units of the first layer are ``w_k x_1 + B_k``; of ``w_2 h_1 - w_1 h_2 + b`` the slope is
    zero, and the constant ``w_2 B_1 - w_1 B_2 + b`` is what b lacks of being the nearest float.
    """
    random = np.random.default_rng([seed, n, 83])
    w, large = random.uniform(0.1, 1.0, size=2), random.uniform(1e5, 1e6, size=2)
    first = np.zeros((2, n))
    first[:, 0] = w
    true = Fraction(w[1]) * Fraction(large[0]) - Fraction(w[0]) * Fraction(large[1])
    return network([first, [[w[1], -w[0]], [1.0, 0.0]]], [large, [-float(true), -large[0]]])


def handed_on(seed: int, n: int) -> mc.Network:
    """Return a network whose second layer loses digits, which the third can only read."""
    random = np.random.default_rng([seed, n, 84])
    large = random.uniform(1e9, 1e10)
    first, second = random.normal(size=(3, n)), random.normal(size=(3, 3))
    second -= second.mean(axis=1, keepdims=True)
    weights = [first, second, random.normal(size=(3, 3))]
    return network(weights, [np.full(3, large), np.full(3, 100.0), -100.0 * weights[2].sum(axis=1)])
