"""Whether products were exact, where their significands fill float64 to the last bit."""

from fractions import Fraction

import numpy as np

from milpcount.network.error_free import product_is_exact, sum_is_exact


def test_products_of_odd_integers_of_every_length():
    random = np.random.default_rng(0)
    for bits in range(45, 60):
        for _ in range(60):
            m = (int(random.integers(2**25, 2**26)) | 1) << 0
            n = (2**bits // m) | 1
            a, b = np.array([float(m)]), np.array([float(n)])
            product = a * b
            right = Fraction(float(product[0])) == m * n
            assert product_is_exact(a, b, product) == right


def test_sums_of_every_distance():
    for shift in range(40, 60):
        a, b = np.array([2.0**shift + 1.0]), np.array([1.0 + 2.0**-5])
        total = a + b
        right = Fraction(float(total[0])) == Fraction(float(a[0])) + Fraction(float(b[0]))
        assert sum_is_exact(a, b, total) == right
