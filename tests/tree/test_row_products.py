"""Products of rows that are kept from one projection to the next: those that are formed afresh."""

from types import SimpleNamespace

import numpy as np
import pytest

from milpcount.kernel.row_products import products_of_rows
from milpcount.kernel.state import KeptProducts
from tests.interpreted import interpreted

INPUTS, ROWS = 40, 14


def formed_afresh(inputs: np.ndarray, z: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    rows = inputs[chosen][:, abs(z) < 0.5]
    return rows @ rows.T


@pytest.mark.parametrize("seed", range(8))
def test_whatever_has_come_before(seed: int) -> None:
    """Inputs cross a side, few or many; rows are replaced, leave, and come back."""
    rng = np.random.default_rng(seed)
    multiply = interpreted(products_of_rows)
    inputs, number = rng.normal(size=(ROWS, INPUTS)), np.arange(ROWS)
    cell = SimpleNamespace(inputs=inputs, number=number)
    work = SimpleNamespace(
        products=KeptProducts(
            np.zeros((ROWS, ROWS)), np.full(ROWS, -1), np.zeros(INPUTS, dtype=np.bool_)
        ),
        where=np.zeros(INPUTS, dtype=np.int64),
        columns=np.zeros((ROWS + 2, INPUTS)),
    )
    z, Q, last = rng.normal(size=INPUTS), np.zeros((ROWS, ROWS)), ROWS
    for _ in range(60):
        z = z + rng.choice([0.0, 0.02, 0.1, 2.0]) * rng.normal(size=INPUTS)
        z *= 0.8
        for row in np.flatnonzero(rng.random(ROWS) < rng.choice([0.0, 0.1, 0.6])):
            inputs[row], number[row], last = rng.normal(size=INPUTS), last, last + 1
        chosen = np.flatnonzero(rng.random(ROWS) < rng.choice([0.2, 0.7, 1.0]))
        multiply(cell, z, chosen, chosen.size, work, Q)
        expected = formed_afresh(inputs, z, chosen)
        assert np.allclose(Q[: chosen.size, : chosen.size], expected, rtol=0.0, atol=1e-12)


def test_a_row_that_was_not_there_when_another_came() -> None:
    """Two rows that were chosen in turn, while no input moved, were never multiplied."""
    multiply = interpreted(products_of_rows)
    inputs = np.arange(1.0, 9.0).reshape(2, 4)
    work = SimpleNamespace(
        products=KeptProducts(np.zeros((2, 2)), np.full(2, -1), np.zeros(4, dtype=np.bool_)),
        where=np.zeros(4, dtype=np.int64),
        columns=np.zeros((4, 4)),
    )
    cell, z, Q = SimpleNamespace(inputs=inputs, number=np.arange(2)), np.zeros(4), np.zeros((2, 2))
    for chosen in ([0], [1], [0, 1]):
        multiply(cell, z, np.array(chosen), len(chosen), work, Q)
    assert np.array_equal(Q, inputs @ inputs.T)
