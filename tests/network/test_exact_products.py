"""Whether products were exact, where their significands fill float64 to the last bit."""

from fractions import Fraction

import numpy as np

from milpcount.network.affine import Dense, Elementwise
from milpcount.network.composite import compose
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


def test_products_that_underflow_are_not_exact():
    for power in range(-530, -545, -1):
        a, b = np.array([(1 + 2.0**-8) * 2.0**power]), np.array([(1 + 2.0**-9) * 2.0**power])
        product = a * b
        if Fraction(float(product[0])) != Fraction(float(a[0])) * Fraction(float(b[0])):
            assert not product_is_exact(a, b, product)


def test_a_product_of_maps_says_that_its_numbers_are_rounded():
    for divisor in (2.0, 3.0):
        scaled = Elementwise(np.ones(2), np.ones(2), np.full(2, divisor))
        found = compose([scaled, Dense(np.eye(2) + 1.0, np.zeros(2))])
        integers, q = found.exact()
        same = all(
            Fraction(float(w)) == Fraction(int(n), q)
            for row, exact in zip(found.weight, integers[:, 1:], strict=True)
            for w, n in zip(row, exact, strict=True)
        )
        assert found.is_rounded != same
        assert same == (divisor == 2.0)
