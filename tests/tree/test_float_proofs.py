"""What the kernel's certificates claim of numbers, one by one, against exact arithmetic.

The numbers are made so that floating point without its error bounds says the wrong thing.
"""

from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from milpcount.kernel import certify, polygon, rows
from milpcount.kernel.state import CLOSED
from tests.interpreted import interpreted

is_interior = interpreted(certify.is_interior)
is_empty = interpreted(certify.is_empty)
is_empty_in_integers = interpreted(certify.is_empty_in_integers)
classify = interpreted(rows.classify)
clip = interpreted(polygon.clip)
is_below = interpreted(polygon.is_below)
U = Fraction(1, 2**53)


def exactly(row, offset, point):
    terms = (Fraction(float(a)) * Fraction(float(x)) for a, x in zip(row, point, strict=True))
    return Fraction(float(offset)) + sum(terms)


class TestInteriorPoints:
    def test_a_value_that_rounding_makes_positive_proves_nothing(self):
        """Of 400 rows that are not positive, floats find dozens to be, and the bound spares all."""
        random, wrong = np.random.default_rng(0), 0
        for _ in range(400):
            n = int(random.integers(2, 7))
            row, g = random.normal(size=n), random.uniform(size=n)
            row /= np.linalg.norm(row)
            offset = -float(row @ g)
            exact = exactly(row, offset, g)
            while exact > 0:
                offset = float(np.nextafter(offset, -np.inf))
                exact = exactly(row, offset, g)
            error = np.array([float(4 * (n + 2) * U)])
            given = row[None], np.array([offset]), error, 0, 1, g
            assert not is_interior(*given)
            assert is_interior(*given[:1], given[1] + 2 * error, *given[2:])
            wrong += is_interior(*given[:2], 0.0 * error, *given[3:])
        assert wrong > 40

    def test_every_row_counts_and_no_other(self):
        cell, offset = np.eye(3), np.array([-0.5, 0.25, -2.0])
        error, g = np.full(3, 1e-9), np.array([1.0, 0.5, 1.0])
        assert is_interior(cell, offset, error, 0, 2, g)
        assert not is_interior(cell, offset, error, 0, 3, g)
        assert not is_interior(cell, offset, error, 2, 3, g)

    @pytest.mark.parametrize("bad", [np.inf, np.nan])
    def test_numbers_that_are_not_finite_prove_nothing(self, bad):
        given = np.ones((1, 1)), np.array([bad]), np.array([0.0]), 0, 1, np.array([0.5])
        assert not is_interior(*given)


class TestFarkas:
    def claimed(self, cell, offset, error, lam, V=None):
        V = np.eye(cell.shape[1]) if V is None else V
        given = (np.array(v, dtype=float) for v in (cell, offset, error, lam))
        return is_empty(*given, 0, len(lam), V, np.zeros(V.shape[0]), np.zeros(V.shape[1]))

    def test_what_is_not_refuted_by_more_than_the_errors_is_not(self):
        """Rows that are off by their errors may have a point: the true maximum is then positive."""
        cell = np.array([[1.0, 0.0], [-1.0, 0.0]])
        for gap, error in ((1e-9, 1e-9), (1e-9, 0.51e-9), (1e-15, 1e-15)):
            assert not self.claimed(cell, [-0.5, 0.5 - gap], [error] * 2, [1.0, 1.0])
        assert self.claimed(cell, [-0.5, 0.5 - 1e-9], [0.49e-9] * 2, [1.0, 1.0])
        assert not self.claimed(cell, [-0.5, 0.5], [0.0] * 2, [1.0, 1.0])

    def test_the_maximum_is_over_the_whole_cube(self):
        corners = list(product((0, 1), repeat=3))
        random, claims = np.random.default_rng(1), 0
        for _ in range(300):
            k = int(random.integers(1, 5))
            cell = random.integers(-3, 4, size=(k, 3)).astype(float)
            offset, lam = random.integers(-3, 1, size=k) / 2, random.integers(0, 3, size=k) / 1.0
            z = lam @ cell
            highest = max(exactly(z, lam @ offset, corner) for corner in corners)
            claims += self.claimed(cell, offset, [1e-12] * k, lam)
            assert self.claimed(cell, offset, [1e-12] * k, lam) == (highest < 0)
        assert claims > 30

    def test_the_image_is_that_of_the_cube(self):
        V = np.array([[3.0, 0.0, -1.0]])
        for offset in (-2.0, -3.0, -3.5):  # the image is [-1, 3]
            assert self.claimed(np.array([[1.0]]), [offset], [0.0], [1.0], V) == (offset < -3)
            assert self.claimed(np.array([[-1.0]]), [offset + 2], [0.0], [1.0], V) == (offset < -3)

    @pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200])
    def test_multipliers_that_lose_digits_prove_nothing(self, scale):
        cell = np.array([[1.0, 0.0], [-1.0, 0.0]])
        assert self.claimed(cell, [-0.5, 0.25], [0.0] * 2, [1.0, 1.0])
        assert not self.claimed(cell, [-0.5, 0.25], [0.0] * 2, [scale, scale])

    def test_numbers_that_are_not_finite_prove_nothing(self):
        cell = np.array([[1.0, np.nan]])
        assert not self.claimed(cell, [-9.0], [0.0], [1.0])
        assert not self.claimed(np.array([[1.0, 0.0]]), [-np.inf], [0.0], [1.0])


class TestIntegers:
    """Sums of rows that are exactly zero, and what they refute."""

    def claimed(self, M, b, lam, *, sign=None, closed=0, quantum=0, s=None, domain=0):
        M = np.array(M, dtype=float)
        k, n = M.shape
        count = k - domain  # rows of units come before those of the domain
        found = SimpleNamespace(V=np.eye(n), row_values=np.zeros((count, 2)))
        norm = 1.0 / np.linalg.norm(M, axis=1)
        signs = np.ones(k, dtype=int) if sign is None else np.array(sign)
        control = np.zeros(30, dtype=int)
        control[CLOSED] = closed
        size = np.abs(M).sum(axis=1) + np.abs(b) if s is None else np.array(s)
        state = SimpleNamespace(
            trial=SimpleNamespace(lam=np.array(lam, dtype=float)),
            cell=SimpleNamespace(id=np.arange(k), sign=signs),
            rows=SimpleNamespace(norm=norm, s=size, b=np.array(b, dtype=float), M=M),
            control=control,
        )
        work = np.zeros(k), np.zeros(n), np.zeros(n)
        return bool(is_empty_in_integers(found, state, quantum, 0, k, *work))

    def lam(self, M, weights):
        """Return the multipliers of unit rows for weights of the rows as they are."""
        return np.array(weights) * np.linalg.norm(np.array(M, dtype=float), axis=1)

    def test_rows_that_add_up_to_nothing(self):
        M = [[1, 2], [-3, 1], [2, -3]]
        for b in ([0, 0, 0], [1, -1, 0], [0, 0, -1], [0, 0, 1]):
            assert self.claimed(M, b, self.lam(M, [1, 1, 1])) == (sum(b) <= 0)

    def test_the_multipliers_are_those_of_the_rows_themselves(self):
        M = [[3, 0], [-2, 0]]
        assert self.claimed(M, [0, 0], self.lam(M, [2, 3]))
        assert not self.claimed(M, [0, 0], self.lam(M, [1, 1]))
        assert self.claimed(M, [0, 0], self.lam(M, [2 + 1e-10, 3]))

    def test_negative_signs_turn_rows_round(self):
        M = [[1, 1], [1, 1]]
        assert self.claimed(M, [0, 0], self.lam(M, [1, 1]), sign=[1, -1])
        assert not self.claimed(M, [0, 0], self.lam(M, [1, 1]))

    def test_of_patterns_a_row_has_to_be_positive(self):
        M = [[1, 1], [-1, -1]]
        lam = self.lam(M, [1, 1])
        assert self.claimed(M, [0, 0], lam, sign=[1, 1], closed=1)
        assert not self.claimed([[1, 1], [1, 1]], [0, 0], lam, sign=[-1, -1], closed=1)
        # Two rows of the domain, which is closed, share the face between them.
        assert not self.claimed(M, [0, 0], lam, sign=[1, 1], closed=1, domain=2)
        assert self.claimed(M, [0, 0], lam, sign=[1, 1], closed=1, domain=1)
        assert not self.claimed([[-1, -1], [1, 1]], [0, 0], lam, sign=[-1, -1], closed=1, domain=1)

    def test_what_floats_may_have_rounded_is_not_exact(self):
        M = [[1, 1], [-1, -1]]
        lam, size = self.lam(M, [1, 1]), [2.0**51, 2.0**51]
        assert self.claimed(M, [0, 0], lam, quantum=0, s=[2.0**50, 2.0**50])
        assert not self.claimed(M, [0, 0], lam, quantum=0, s=size)
        assert not self.claimed(M, [0, 0], lam, quantum=2, s=[2.0**50, 2.0**50])
        assert not self.claimed(M, [0, 0], lam, quantum=-1)

    def test_a_part_of_the_cube_may_be_left(self):
        M = [[1, -2]]  # at most 1 on the square
        for b in (-0.5, -1.0, -1.5):
            assert self.claimed(M, [b], self.lam(M, [1]), quantum=1) == (b <= -1)


def row(M, b, s, *, S=None, quantum=-1, ops=8, rounding=8):
    """Classify a row; return it."""
    M = np.array([M], dtype=float)
    n = M.shape[1]
    S = np.ones(n) if S is None else np.array(S, dtype=float)
    program = SimpleNamespace(V=np.eye(n), S=S, H=np.eye(n))
    made = SimpleNamespace(
        M=M, b=np.array([b], dtype=float), s=np.array([s], dtype=float), norm=np.zeros(1),
        error=np.zeros(1), kind=np.full(1, -1),
    )  # fmt: skip
    classify(program, 0, ops, quantum, rounding, made)
    return made


class TestKindsOfRows:
    def test_an_error_is_roundings_times_roundoff_times_majorant(self):
        made = row([3.0, 4.0], 0.5, 1000.0, ops=10, rounding=6)
        assert made.kind[0] == rows.NORMAL
        assert made.norm[0] == pytest.approx(0.2)
        assert made.error[0] == pytest.approx(16 * 2.0**-53 * 1000 / 5, rel=1e-9)

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_a_constant_exceeds_what_the_rest_and_the_rounding_reach(self, sign):
        error = 16 * 2.0**-53 * 2.0**40
        kind = rows.POSITIVE if sign > 0 else rows.NEGATIVE
        reach = 0.5
        assert row([0.25, -0.25], sign * (reach + 0.9 * error), 2.0**40).kind[0] == rows.NORMAL
        assert row([0.25, -0.25], sign * (reach + 1.1 * error), 2.0**40).kind[0] == kind
        assert row([0.0, 0.0], sign * 0.9 * error, 2.0**40).kind[0] == rows.UNKNOWN
        assert row([0.0, 0.0], sign * 1.1 * error, 2.0**40).kind[0] == kind

    def test_sizes_of_the_image_count(self):
        assert row([1.0, 0.0], -1.5, 2.5, S=[2.0, 1.0]).kind[0] == rows.NORMAL
        assert row([1.0, 0.0], -2.5, 3.5, S=[2.0, 1.0]).kind[0] == rows.NEGATIVE

    def test_sums_of_powers_of_two_are_exact_while_they_are_few(self):
        assert row([0.0], 0.0, 2.0**40, quantum=11).kind[0] == rows.ZERO
        assert row([0.0], 0.0, 2.0**41, quantum=11).kind[0] == rows.UNKNOWN
        assert row([0.0], 0.0, 2.0**40, quantum=12).kind[0] == rows.UNKNOWN
        assert row([0.0], 0.0, 2.0**40, quantum=-1).kind[0] == rows.UNKNOWN
        assert row([0.0], 2.0**-11, 2.0**40, quantum=11).kind[0] == rows.POSITIVE

    def test_nothing_but_noise_is_unknown(self):
        error = 16 * 2.0**-53 * 2.0**40
        assert row([0.9 * error, 0.0], 0.0, 2.0**40).kind[0] == rows.UNKNOWN
        made = row([1.1 * error, 0.0], 0.0, 2.0**40)
        assert made.kind[0] == rows.NORMAL and made.error[0] < 1

    def test_what_may_have_overflowed_is_lost(self):
        for made in (row([1.0], 0.5, 1e151), row([1e200], 0.5, 1.0), row([np.nan], 0.0, 1.0)):
            assert made.kind[0] == rows.UNKNOWN
            assert made.s[0] == rows.LOST and not made.M.any() and made.b[0] == 0.0

    def test_rows_whose_squares_underflow_are_lost(self):
        made = row([1e-160], 0.0, 1e-160)
        assert made.kind[0] == rows.UNKNOWN and made.s[0] == rows.LOST


class TestPolygons:
    """A polygon holds its cell, whatever the cuts have rounded."""

    def test_cuts_at_random_leave_the_cells_points_inside(self):
        random = np.random.default_rng(3)
        for _ in range(40):
            point = random.uniform(0.1, 0.9, size=2)
            corners, cuts = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), []
            count = 4
            for _ in range(12):
                angle = random.uniform(0, 2 * np.pi)
                a, b = float(np.cos(angle)), float(np.sin(angle))
                offset = -(a * point[0] + b * point[1]) + random.choice([0.0, 1e-16, 0.05])
                out = np.zeros((count + 3, 2))
                count = clip(corners, count, a, b, offset, polygon.DRIFT, out)
                corners = out
                cuts.append((a, b, offset))
                if count:
                    assert not is_below(corners, count, a, b, offset, -polygon.DRIFT)
            inside = all(exactly((a, b), offset, point) >= 0 for a, b, offset in cuts)
            assert count > 0 or not inside

    def test_slack_is_kept_outside(self):
        square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
        out = np.zeros((7, 2))
        assert clip(square, 4, 1.0, 0.0, -0.5, 0.25, out) == 4
        assert sorted(set(out[:4, 0])) == [0.25, 1.0]
        assert clip(square, 4, 1.0, 0.0, -1.5, 0.25, out) == 0
        assert clip(square, 4, 1.0, 0.0, -1.25, 0.25, out) > 0  # it touches
        assert clip(square, 4, 1.0, 0.0, 0.0, 0.0, out) == 4  # from outside
        assert clip(square, 4, np.nan, 0.0, 0.0, 0.0, out) == -1
        assert clip(square, 4, 1.0, 1.0, -1.0, 0.0, np.zeros((3, 2))) == -1

    def test_below_means_below_at_every_corner(self):
        square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
        assert is_below(square, 4, 1.0, 1.0, -2.1, 0.0)
        assert not is_below(square, 4, 1.0, 1.0, -1.9, 0.0)
        assert not is_below(square, 4, 1.0, 1.0, -2.0, 0.0)
        assert is_below(square, 4, 1.0, 1.0, -2.0, 1e-12)
        assert not is_below(square, 4, 1.0, 1.0, -np.inf, 0.0)
