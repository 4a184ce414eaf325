"""Projections onto cells of many rows around a point that is known to be inside."""

import numpy as np
import pytest

from milpcount import Box, Network
from milpcount.kernel.box_projection import box_project
from milpcount.kernel.compiled import entry
from milpcount.kernel.projection import FULL
from milpcount.kernel.state import Cell, Trial
from milpcount.kernel.warm_starts import follow
from milpcount.tree.search import Search

project = entry(box_project.py_func)  # in the kernel it is a part of others
keep_up = entry(follow.py_func)
INPUTS, ROWS, MARGIN = 60, 300, 2.0**-30


@pytest.mark.parametrize("seed", range(6))
def test_far_more_rows_than_inputs_near_a_corner(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = Network.from_arrays(
        [rng.normal(size=(ROWS, INPUTS))], [rng.normal(size=ROWS)], output=False
    )
    search = Search(network, Box(0, 1).bind(INPUTS))
    image = search.program.V
    rows = rng.normal(size=(ROWS, image.shape[0]))
    rows /= np.linalg.norm(rows @ image, axis=1)[:, None]
    inside = np.clip(rng.normal(0.5, 1.0, size=INPUTS), 0.001, 0.999)
    offset = 10.0 ** rng.uniform(-7.0, -2.0, size=ROWS) - rows @ image @ inside

    none = np.zeros(0)
    cell = Cell(
        none, none, rows, none, np.ascontiguousarray(rows @ image), none,
        np.zeros(ROWS, dtype=np.int64), offset,
        np.full(ROWS, MARGIN), none,
    )  # fmt: skip
    trial = Trial(np.zeros(ROWS), np.zeros(INPUTS), np.zeros(image.shape[0]))
    starts, of_image = search.state.starts, search.program.VT
    verdict = project(cell, trial, starts, 0, ROWS, image, of_image, search.scratch, np.int64(40))

    assert verdict == FULL
    assert (rows @ image @ trial.x + offset > 0).all()
    assert trial.lam.sum() < 1e3  # steps along flat models once drove the multipliers to 1e12


def test_what_is_kept_of_the_columns() -> None:
    rng = np.random.default_rng(0)
    network = Network.from_arrays([rng.normal(size=(5, 300))], [np.zeros(5)], output=False)
    search = Search(network, Box(-1, 1).bind(300))
    starts, program = search.state.starts, search.program
    starts.hessian[1], y = program.H, np.zeros(5)
    for size in (0.01, 0.1, 1.0, 0.1, 10.0, 0.05):
        y = y * 0.5 + rng.normal(size=5) * size
        z = program.V.T @ y
        keep_up(program.VT, z, starts, 1, search.scratch)
        inside = abs(z) < 0.5
        held = np.where(inside, 0.0, 0.5 * np.sign(z))
        expected = (program.V * inside) @ program.V.T
        assert np.allclose(starts.hessian[1], expected, atol=1e-10 * abs(program.H).max())
        assert np.allclose(starts.shift[1], program.V @ held, atol=1e-10)
        # So that V x is had from them: a step in the projection.
        x = np.clip(0.5 + z, 0.0, 1.0)
        assert np.allclose(starts.centre + starts.shift[1] + expected @ y, program.V @ x, atol=1e-9)
