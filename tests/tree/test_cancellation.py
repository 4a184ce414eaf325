"""Networks in which floating point gets signs wrong: every engine needs its error bounds there."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.kernel.program import compile_program
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.search import Search
from tests.cancelling import (
    cancelling,
    constant_of_noise,
    constant_of_rounding,
    in_a_strip,
    nearly_parallel,
    shifted,
    through_a_point,
    underflowing,
)
from tests.networks import patterns

SEEDS = range(4)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_few_inputs(n, depth):
    for seed in SEEDS:
        net, box = cancelling(seed, n, depth), mc.Box(-1, 1)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("n", [17, 40])
def test_many_inputs(n):
    for seed in SEEDS:
        net, box = cancelling(seed, n, 3), mc.Box(-1, 1)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("make", [cancelling, in_a_strip])
@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("engine", [VertexSearch, Search])
def test_engines_by_themselves(engine, n, make):
    for seed in SEEDS:
        net = make(seed, n)
        inputs = mc.Box(-1, 1).bind(n)
        search = engine(net, inputs, keep=True)
        list(search.run())
        assert set(search.regions.patterns()) == patterns(net, mc.Box(-1, 1), mc.ExactTree()), seed


@pytest.mark.parametrize("n", [1, 2, 4])
def test_all_of_space(n):
    for seed in SEEDS:
        net, space = cancelling(seed, n), mc.Unbounded()
        assert patterns(net, space, None) == patterns(net, space, mc.ExactTree()), seed


def test_patterns():
    for seed in SEEDS:
        given = cancelling(seed, 2), mc.Box(-1, 1)
        quantity = "activation_patterns"
        found = patterns(*given, None, quantity)
        assert found == patterns(*given, mc.ExactTree(), quantity), seed


def test_sections_with_large_origins():
    """A plane far out, in which the weights' products with the origin cancel."""
    random = np.random.default_rng(5)
    for seed in SEEDS:
        far = 2.0 ** random.integers(20, 40)
        w = random.normal(size=(3, 3))
        w -= np.outer(w @ np.ones(3), np.ones(3)) / 3  # far along (1, 1, 1) rows are small
        net = mc.Network.from_arrays([w, random.normal(size=(3, 3))], [[0.1] * 3] * 2, output=False)
        plane = mc.Section([far] * 3, [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], mc.Box(-1, 1))
        assert patterns(net, plane, None) == patterns(net, plane, mc.ExactTree()), seed


def test_boxes_of_very_different_widths():
    random = np.random.default_rng(6)
    for seed in SEEDS:
        width = 2.0 ** np.array([0.0, -30.0, 40.0])
        w = random.normal(size=(4, 3)) / width
        net = mc.Network.from_arrays([w, random.normal(size=(3, 4))], [[0.3] * 4, [0.1] * 3])
        box = mc.Box(-width, width)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("n", [1, 2, 3, 7, 17])
def test_rows_of_noise_in_a_strip(n):
    for seed in range(6 if n < 17 else 2):
        net, box = in_a_strip(seed, n), mc.Box(-1, 1)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("make", [constant_of_noise, constant_of_rounding])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 17])
def test_a_constant_that_floats_lose(n, make):
    for seed in SEEDS:
        net, box = make(seed, n), mc.Box(-1, 1)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("engine", [VertexSearch, Search])
def test_lines_of_nearly_one_direction(engine, deep):
    for seed in range(40):
        net, box = nearly_parallel(seed, deep=deep), mc.Box(-1, 1)
        search = engine(net, box.bind(2), keep=True)
        list(search.run())
        assert set(search.regions.patterns()) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("n", [2, 3, 4])
def test_hyperplanes_through_a_point(n):
    """Counted, not kept: of the last layer's units sections are made then."""
    for seed in range(8):
        net, box = through_a_point(seed, n), mc.Box(0, 3)
        assert mc.count(net, box).lower == mc.count(net, box, mc.ExactTree()).lower, seed


@pytest.mark.parametrize("make", [shifted, underflowing])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_large_and_small_numbers(make, n):
    for seed in range(4):
        net = make(seed, n, 2) if make is shifted else make(seed, n)
        box = mc.Box(-1, 1)
        assert patterns(net, box, None) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("make", [constant_of_noise, constant_of_rounding, in_a_strip, cancelling])
def test_units_that_are_composed_once_for_all(make):
    for seed in SEEDS:
        net, box = make(seed, 3), mc.Box(-1, 1)
        inputs = box.bind(3)
        layout = compile_program(net, inputs, reduce=True)
        search = Search(net, inputs, keep=True, program=layout)
        list(search.run())
        assert set(search.regions.patterns()) == patterns(net, box, mc.ExactTree()), seed


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_row_of_noise_that_is_zero_on_a_face(n):
    """``2^-20 (x_1 + 1)``, of terms of 2^40: positive inside, and not positive on the face."""
    first = np.zeros((2, n))
    first[:, 0] = 1.0, 1.0 - 2.0**-20
    net = mc.Network.from_arrays([first, [[1.0, -1.0]]], [[2.0**40] * 2, [2.0**-20]], output=False)
    for quantity, expected in (
        ("activation_regions", {(1, 1, 1)}),
        ("activation_patterns", {(1, 1, 0), (1, 1, 1)}),
    ):
        assert patterns(net, mc.Box(-1, 1), None, quantity) == expected
