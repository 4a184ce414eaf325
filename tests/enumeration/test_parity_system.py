"""The GF(2) system of a tree that decides units in order, against all 0/1 points."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.enumeration.parity_system import ParitySystem

N = 6
PARITIES = st.lists(st.tuples(st.sets(st.integers(0, N - 1)), st.booleans()), max_size=8)


@settings(deadline=None, derandomize=True)
@given(PARITIES)
def test_what_is_implied_is_what_all_solutions_share(parities):
    system = ParitySystem()
    for units, odd in parities:
        system.add(units, odd)
    solutions = {
        bits
        for bits in product((0, 1), repeat=N)
        if all(sum(bits[u] for u in units) % 2 == odd for units, odd in parities)
    }
    assert system.is_contradictory == (not solutions)
    for depth in range(N):
        for prefix in product((0, 1), repeat=depth):
            bits = np.array([*prefix, *[-1] * (N - depth)])
            left = {point for point in solutions if point[:depth] == prefix}
            assert system.allow(bits, depth) == bool(left)
            if left:
                states = {point[depth] for point in left}
                implied = system.implied(depth, bits)
                assert states == ({0, 1} if implied is None else {implied})
