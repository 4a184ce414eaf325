"""Affine maps in a row are the exact product, whatever float64 would make of it."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.network import Composite, Dense, Elementwise, Layer, Network, compose, relu
from milpcount.network.error_free import product_is_exact, quotient_is_exact, sum_is_exact
from milpcount.network.files import load
from milpcount.network.nearest_product import nearest_product
from milpcount.network.products import Product
from milpcount.rationals import root

RNG = np.random.default_rng(5)
METHODS = (mc.RegionTree(), mc.ExactTree(), mc.BruteForce(), mc.SolutionPool())


def apply(factor: Dense | Elementwise, x: list[Fraction]) -> list[Fraction]:
    if isinstance(factor, Elementwise):
        rows = zip(factor.factor, factor.shift, factor.divisor, x, strict=True)
        return [(Fraction(f) * v + Fraction(s)) / Fraction(d) for f, s, d, v in rows]
    return [
        sum((Fraction(w) * v for w, v in zip(row, x, strict=True)), Fraction(b))
        for row, b in zip(factor.weight.tolist(), factor.bias.tolist(), strict=True)
    ]


def elementwise(n: int) -> Elementwise:
    return Elementwise(RNG.normal(size=n), RNG.normal(size=n), RNG.uniform(0.3, 3, n))


def dense(n_out: int, n_in: int) -> Dense:
    return Dense(RNG.normal(size=(n_out, n_in)), RNG.normal(size=n_out))


CHAINS = {
    "normalised": lambda: [elementwise(3), dense(2, 3)],
    "batch normalised": lambda: [dense(3, 2), elementwise(3)],
    "two matrices": lambda: [dense(3, 2), dense(2, 3)],
    "scaled twice": lambda: [elementwise(2), elementwise(2)],
    "all": lambda: [elementwise(3), dense(4, 3), elementwise(4), dense(2, 4), elementwise(2)],
}


@pytest.mark.parametrize("name", CHAINS)
def test_product_is_that_of_fractions(name):
    factors = CHAINS[name]()
    product = compose(factors)
    assert isinstance(product, Composite)
    integers, q = product.exact()
    x = [Fraction(v) for v in RNG.normal(size=product.n_in).tolist()]
    expected = x
    for factor in factors:
        expected = apply(factor, expected)
    found = [
        Fraction(int(row[0]), q)
        + sum(Fraction(int(c), q) * v for c, v in zip(row[1:], x, strict=True))
        for row in integers
    ]
    assert found == expected
    nearest = [[int(c) / q for c in row] for row in integers]
    np.testing.assert_array_equal(np.c_[product.bias, product.weight], nearest)
    again = pickle.loads(pickle.dumps(product))
    np.testing.assert_array_equal(again.weight, product.weight)


def test_product_of_integers_is_dense():
    product = compose([Dense([[1, 2], [3, 4]], [1, 2]), Elementwise([2, 4], [1, 1], [8, 2])])
    assert isinstance(product, Dense)
    np.testing.assert_array_equal(product.weight, [[0.25, 0.5], [6, 8]])
    np.testing.assert_array_equal(product.bias, [0.375, 4.5])


def test_what_float64_cannot_hold_is_refused():
    tiny = Dense([[1e-200]], [0.0])
    with pytest.raises(NetworkError, match="below the range of float64"):
        compose([tiny, tiny])
    large = Dense([[1e200]], [0.0])
    with pytest.raises(NetworkError, match="weight of affine maps in a row holds inf"):
        compose([large, large])
    with pytest.raises(NetworkError, match="1 outputs is followed by one with 2 inputs"):
        compose([tiny, dense(1, 2)])
    with pytest.raises(NetworkError, match="divisor is zero"):
        Elementwise([1.0], [0.0], [0.0])


def test_products_that_take_too_long_are_refused(monkeypatch):
    monkeypatch.setattr("milpcount.network.nearest_product.LARGEST", 10**5)
    with pytest.raises(NetworkError, match=r"50 to 50 to 50, take more than .* merged into one"):
        compose([dense(50, 50), dense(50, 50)])
    monkeypatch.setattr("milpcount.network.integer_matrix.LARGEST", 10**5)
    with pytest.raises(NetworkError, match=r"two affine maps in a row, .* merged into one"):
        Product.of([dense(50, 50), dense(50, 50)])


def test_file_holds_the_factors(tmp_path):
    hidden = compose([elementwise(2), dense(3, 2)])
    net = Network((Layer(hidden, relu()),), dense(1, 3), ("a note",))
    net.save(tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    assert again.fingerprint == net.fingerprint
    assert again.notes == ("a note",)
    assert again.layers[0].affine.exact()[1] == hidden.exact()[1]
    rounded = Network((Layer(Dense(hidden.weight, hidden.bias), relu()),), net.output)
    assert rounded.fingerprint != net.fingerprint
    assert mc.count(again, mc.Box(-1, 1)).details["notes"] == ["a note"]


@pytest.mark.parametrize("seed", range(20))
def test_two_units_that_vanish_together(seed):
    # (x - m) / r with weights 1, 3 and biases 1, 3: both units are zero at x = m - r, and nowhere
    # else, whatever m and r are in float64; rounded, they vanish at two points.
    rng = np.random.default_rng(seed)
    mean, spread = rng.uniform(0.1, 1.3), rng.uniform(0.3, 3)
    scale = Elementwise([1.0], [-mean], [spread])
    net = Network((Layer(compose([scale, Dense([[1], [3]], [1, 3])]), relu()),))
    for method in METHODS:
        assert mc.count(net, mc.Box(-10, 10), method).lower == 2, method.name


def test_methods_agree_on_random_composites():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, h = int(rng.integers(1, 4)), int(rng.integers(2, 5))
        w = rng.integers(-2, 3, size=(h, n)).astype(float)
        b = rng.integers(-1, 2, size=h).astype(float)
        scale = Elementwise(np.ones(n), -rng.normal(size=n), rng.uniform(0.3, 3, n))
        after = Elementwise(rng.uniform(0.5, 2, h), np.zeros(h), rng.uniform(0.5, 2, h))
        first = compose([scale, Dense(w, b), after])
        second = compose([Dense(rng.integers(-2, 3, size=(2, h)), [0.0, 1.0]), elementwise(2)])
        net = Network((Layer(first, relu()), Layer(second, relu())))
        for quantity in ("activation_regions", "activation_patterns"):
            found = {
                m.name: mc.count(net, mc.Box(-2, 2), m, quantity=quantity).lower
                for m in (mc.RegionTree(), mc.ExactTree(), mc.BruteForce())
            }
            assert len(set(found.values())) == 1, (seed, quantity, found)


numbers = st.floats(-1e6, 1e6) | st.integers(-8, 8).map(float)


@given(numbers, numbers)
@settings(max_examples=300)
def test_exactness_of_single_operations(a, b):
    x, y = np.array([a]), np.array([b])
    total, product = x + y, x * y
    assert sum_is_exact(x, y, total) == (Fraction(a) + Fraction(b) == Fraction(total[0]))
    known = Fraction(a) * Fraction(b) == Fraction(product[0])
    # Below the normal numbers the answer may be no where it is yes.
    if known is False or a * b == 0 or abs(a * b) > 1e-300:
        assert product_is_exact(x, y, product) == known
    if b and abs(a / b) < 1e300:
        exact = Fraction(a) / Fraction(b) == Fraction(a / b)
        assert not quotient_is_exact(x, y, x / y) or exact


@given(st.fractions(Fraction(1, 10**6), 10**6))
@settings(max_examples=300)
def test_root_is_the_nearest(value):
    found = Fraction(root(value))
    for other in (np.nextafter(float(found), 0), np.nextafter(float(found), 1e9)):
        # |found - sqrt v| <= |other - sqrt v| iff sqrt v is on found's side of their middle
        middle = (found + Fraction(float(other))) / 2
        assert (middle**2 >= value) if other > found else (middle**2 <= value)


NUMBERS = st.one_of(
    st.floats(-1e6, 1e6, width=32),
    st.floats(1e-100, 1e100),
    st.integers(1, 2**53).map(float),
    st.sampled_from([1 / 3, 3.0, 0.1, 1 + 2.0**-52, 1 - 2.0**-53, 2.0**53 - 1]),
)


def rounds_like_the_exact_product(factors) -> bool:
    """Check the nearest numbers against the exact ones; return whether there was an answer."""
    found, product = nearest_product(factors), Product.of(factors)
    if found is None:
        return False
    nearest, is_rounded = found
    assert is_rounded != product.is_float
    np.testing.assert_array_equal(nearest.weight, product.matrix.toarray())
    np.testing.assert_array_equal(nearest.bias, product.bias)
    return True


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_scaled_rows_are_rounded_to_nearest(rows):
    w, b, f, s, d = np.array(rows).T
    scale = Elementwise(f, s, np.where(d, d, 1.0))
    rounds_like_the_exact_product([Dense(np.c_[w, 3 * w, np.ones(len(w))], b), scale])


@pytest.mark.parametrize("divisor", [1.0, 3.0, 1 + 2.0**-51])
@pytest.mark.parametrize("factor", [2.0**52 + 1, 2.0**52 + 3, 2.0**53 - 1])
def test_products_in_the_middle_of_two_floats(factor, divisor):
    # 3 (2^52 + 1) has 54 bits and is odd: it is a tie, or next to one once it is divided.
    weights = [[3.0, 5.0, -3.0, 3 * divisor, 5 * divisor]]
    scale = Elementwise([factor], [0.3], [divisor])
    assert rounds_like_the_exact_product([Dense(weights, [0.1]), scale])


@pytest.mark.parametrize("bits", [11, 24, 53])
@pytest.mark.parametrize("seed", range(20))
def test_sums_that_cancel(seed, bits):
    # Of x - x, (x + y) - x and the like nothing, or next to nothing, is left.
    rng = np.random.default_rng(seed)
    w = np.round(rng.normal(size=(4, 3)) * 2.0**bits) / 2.0**bits
    one = Dense(np.r_[w, w, -w, w + 2.0**-bits], np.r_[np.arange(12.0), np.full(4, 0.1)])
    mix = Dense(np.kron(rng.choice([-1.0, 0.0, 1.0, 1 / 3], size=(5, 4)), np.eye(4)), np.ones(20))
    last = Dense(rng.choice([-3.0, 0.0, 1.0, 0.1], size=(4, 20)), np.zeros(4))
    scale = Elementwise(np.full(20, 3.0), np.full(20, 0.1), rng.choice([1.0, 3.0, 2.0], 20))
    for factors in ([one, mix], [one, mix, last], [one, mix, scale], [one, mix, scale, last]):
        rounds_like_the_exact_product(factors)
    assert rounds_like_the_exact_product([one, mix, last])


def test_factors_of_integers_are_the_product_itself():
    rng = np.random.default_rng(0)
    factors = [Dense(rng.integers(-9, 9, size=(5, 5)), rng.integers(-9, 9, 5)) for _ in range(4)]
    nearest, is_rounded = nearest_product(factors)
    assert not is_rounded
    np.testing.assert_array_equal(nearest.weight, Product.of(factors).matrix.toarray())


def test_what_is_left_to_exact_arithmetic():
    scale = Elementwise([0.3], [0.1], [0.7])
    assert nearest_product([Dense([[1e-200]], [0.0]), scale]) is None
    # (1 / 3) 3 is a float64, which no bound on an error can say.
    assert nearest_product([Dense([[3.0]], [6.0]), Elementwise([1.0], [0.0], [3.0])]) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_rows_that_are_scaled_moved_and_added(seed, normalised, first_scaled):
    """A block and its skip: rows of one matrix, scaled, some of them added to others."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    first = Dense(rng.choice([0, 0, 0.1, 3, -1 / 3, 5], size=(2 * n, 4)), rng.normal(size=2 * n))
    both = np.c_[np.eye(n), np.eye(n)[rng.permutation(n)] * rng.choice([1.0, -1.0, 0.7])]
    scales = rng.choice([0.3, 1.0, 2.0, 0.0], size=(2, 2 * n))
    factors = [first, Elementwise(scales[0], scales[1], np.where(scales[1], scales[1], 7.0))]
    factors += [Dense(np.diag(rng.choice([1.0, 0.9], size=2 * n)), rng.normal(size=2 * n))]
    factors += [Dense(both, rng.normal(size=n))]
    factors += [Elementwise([0.7] * n, [0.1] * n, [0.3] * n)] if normalised else []
    rounds_like_the_exact_product([*([elementwise(4)] if first_scaled else []), *factors])


def test_large_products_are_as_exact_as_small_ones(monkeypatch):
    rng = np.random.default_rng(1)
    factors = [elementwise(20), dense(30, 20), elementwise(30), dense(25, 30)]
    small = compose(factors)
    assert "product" in vars(small)
    monkeypatch.setattr("milpcount.network.composite._QUICK", 0)
    large = compose(factors)
    assert "product" not in vars(large)
    np.testing.assert_array_equal(large.weight, small.weight)
    np.testing.assert_array_equal(large.bias, small.bias)
    assert (large.exact()[0] == small.exact()[0]).all()
    whole = [Dense(rng.integers(-9, 9, size=(5, 5)), rng.integers(-9, 9, 5)) for _ in range(3)]
    assert isinstance(compose(whole), Dense)
