import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.exact import arithmetic
from milpcount.exact.arithmetic import reduced, solve, use_flint
from milpcount.rationals import to_float, to_integers

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=6))
def test_floats_become_integers_without_rounding(values: list[float]) -> None:
    integers, q = to_integers(np.array(values))
    assert [Fraction(n, q) for n in integers] == [Fraction(v) for v in values]
    assert q & (q - 1) == 0


@pytest.mark.parametrize("value", [5e-324, -5e-324, 2.0**-1074, 1.7e308, 0.0, -0.0, 1e-40, 3.0])
def test_the_extreme_floats_are_exact(value: float) -> None:
    integers, q = to_integers([[value]])
    assert integers.shape == (1, 1)
    assert Fraction(integers[0, 0], q) == Fraction(value)


def test_whole_numbers_keep_the_denominator_one() -> None:
    assert to_integers([3.0, -12.0, 0.0])[1] == 1


def test_fractions_get_their_least_common_denominator() -> None:
    integers, q = to_integers(np.array([Fraction(1, 6), Fraction(3, 4), 2], dtype=object))
    assert (integers.tolist(), q) == ([2, 9, 24], 12)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_without_an_exact_value_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_integers([1.0, value])


def test_an_empty_array_stays_empty() -> None:
    assert to_integers(np.zeros((0, 3)))[0].shape == (0, 3)


def test_quotients_beyond_the_range_become_infinite() -> None:
    assert to_float(10**400, 1) == math.inf
    assert to_float(-(10**400), 3) == -math.inf
    assert to_float(1, 10**400) == 0.0


def test_a_common_divisor_is_taken_out() -> None:
    assert reduced([6, 0, 9]) == [2, 0, 3]
    assert reduced([0, 0]) == [0, 0]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_solutions_satisfy_their_system(engine: str, size: int) -> None:
    rng = random.Random(size)
    matrix = [[rng.randint(-(10**6), 10**6) for _ in range(size)] for _ in range(size)]
    rhs = [[rng.randint(-9, 9), rng.getrandbits(80)] for _ in range(size)]
    solved = solve(matrix, rhs)
    assert solved is not None
    x, q = solved
    assert q > 0
    for row, right in zip(matrix, rhs, strict=True):
        for m in range(2):
            assert sum(a * v[m] for a, v in zip(row, x, strict=True)) == q * right[m]


def test_a_zero_pivot_is_exchanged(engine: str) -> None:
    solved = solve([[0, 1], [2, 0]], [[3], [5]])
    assert solved is not None
    assert [Fraction(v[0], solved[1]) for v in solved[0]] == [Fraction(5, 2), 3]


@pytest.mark.parametrize("size", [2, 5])
def test_a_singular_system_has_no_solution(engine: str, size: int) -> None:
    assert solve([[1] * size] * size, [[1]] * size) is None


def test_the_engine_can_be_switched() -> None:
    before = use_flint(False)
    try:
        assert not arithmetic._use_flint
    finally:
        use_flint(before)


SMALLEST, TINY, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308


@pytest.mark.parametrize(
    "numbers",
    [
        [SMALLEST, -SMALLEST],
        [TINY, TINY - SMALLEST, 3 * SMALLEST],
        [LARGEST, -LARGEST],
        [LARGEST, SMALLEST, 0.0, -0.0],
        [2.0**1023, 2.0**-1074, 1.0],
    ],
)
def test_the_ends_of_the_range_are_exact(numbers: list[float]) -> None:
    integers, q = to_integers(np.array(numbers))
    assert [Fraction(int(n), q) for n in integers] == [Fraction(v) for v in numbers]
    assert [to_float(int(n), q) for n in integers] == numbers


def test_any_bits_of_a_float64_are_exact() -> None:
    bits = np.random.default_rng(0).integers(0, 2**63, 2000, dtype=np.uint64)
    values = bits.view(np.float64)
    values = values[np.isfinite(values)]
    integers, q = to_integers(values)
    assert [Fraction(int(n), q) for n in integers] == [Fraction(float(v)) for v in values]
