"""Every construction attains what it says, and says what the literature says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples as ex
from milpcount.errors import OptionError
from milpcount.exact.verify import verify
from milpcount.examples import Example
from tests.examples.pieces import Pieces

REGIONS, PATTERNS = mc.Quantity.ACTIVATION_REGIONS, mc.Quantity.ACTIVATION_PATTERNS
LINEAR, AFFINE = mc.Quantity.LINEAR_REGIONS, mc.Quantity.AFFINE_PIECES

# The construction, its parameters, and its number of activation regions as others print it.
ATTAINED: list[tuple[Callable[..., Example], tuple[Any, ...], int]] = [
    *((ex.braid_arrangement, (n,), count) for n, count in ((2, 2), (3, 6), (5, 120))),
    *((ex.type_b_arrangement, (n,), count) for n, count in ((1, 2), (2, 8), (3, 48))),
    *((ex.threshold_arrangement, (n,), count) for n, count in ((1, 4), (2, 14), (3, 104))),
    *((ex.resonance_arrangement, (n,), count) for n, count in ((1, 2), (2, 6), (3, 32), (4, 370))),
    *((ex.shi_arrangement, (n,), count) for n, count in ((2, 3), (3, 16), (4, 125))),
    *((ex.catalan_arrangement, (n,), count) for n, count in ((2, 4), (3, 30), (4, 336))),
    (ex.general_position, (5, 1), 6),
    (ex.general_position, (2, 3), 4),
    (ex.general_position, (7, 2), 29),
    (ex.general_position, (9, 3), 130),
    (ex.general_position, (12, 4), 794),
    (ex.central_general_position, (1, 2), 2),
    (ex.central_general_position, (4, 1), 2),
    (ex.central_general_position, (5, 3), 22),
    (ex.central_general_position, (9, 4), 186),
    *((ex.telgarsky_2015, (depth,), 2**depth) for depth in (1, 2, 3, 10)),
    (ex.montufar_2014, (1, 1, 2), 1),
    (ex.montufar_2014, (1, 2, 3), 8),
    (ex.montufar_2014, (1, 3, 3), 27),
    (ex.montufar_2014, (1, 4, 3), 64),
    (ex.montufar_2014, (2, 2, 2), 16),
    (ex.montufar_2014, (2, 3, 2), 81),
    (ex.montufar_2014, (3, 3, 2), 729),
    (ex.montufar_2014, (1, 2, 2, 3), 16),
    (ex.montufar_2014, (2, 2, 2, 5), 256),
    (ex.montufar_2014, (2, 3, 1, 1), 18),
    (ex.montufar_2014, (3, 2, 1, 4), 120),
    (ex.nakahara_ternary, (1, 4, 3), 1),
    (ex.nakahara_ternary, (1, 8, 3), 2),
    (ex.nakahara_ternary, (1, 9, 5), 4),
    (ex.nakahara_ternary, (1, 12, 6), 9),
    (ex.nakahara_ternary, (2, 12, 3), 4),
    (ex.nakahara_ternary, (2, 18, 3), 9),
    (ex.nakahara_ternary, (2, 12, 5), 16),
    (ex.nakahara_ternary, (3, 16, 5), 64),
    (ex.serra_2018_line, ([3],), 4),
    (ex.serra_2018_line, ([4],), 5),
    (ex.serra_2018_line, ([3, 3],), 16),
    (ex.serra_2018_line, ([3, 3, 3],), 64),
    (ex.serra_2018_line, ([5, 4],), 30),
    (ex.serra_2018_line, ([7, 8, 6],), 504),
    (ex.serra_2018, (2, [5]), 16),
    (ex.serra_2018, (1, [3, 2]), 12),
    (ex.serra_2018, (2, [6, 2]), 64),
    (ex.serra_2018, (2, [7, 3]), 140),
    (ex.serra_2018, (3, [9, 2]), 256),
    (ex.arora_2018, (1, 2, [3, 3]), 32),
    (ex.arora_2018, (2, 3), 6),
    (ex.arora_2018, (2, 2, [3]), 16),
    (ex.arora_2018, (2, 4, [4]), 40),
    (ex.arora_2018, (3, 2), 4),
    (ex.arora_2018, (3, 4, [3]), 56),
    (ex.maxout_layer, (1, [2]), 2),
    (ex.maxout_layer, (1, [3, 4]), 6),
    (ex.maxout_layer, (2, [3, 3]), 9),
    (ex.maxout_layer, (2, [3, 3, 3]), 19),
    (ex.maxout_layer, (3, [3, 3, 3]), 27),
    (ex.maxout_layer, (2, [2, 4, 3]), 18),
    (ex.convolution, ((1, 2, 1), (1, 2), 3), 7),
    *((ex.convolution, ((1, 3, 1), (1, 2), d), n) for d, n in ((1, 4), (2, 15), (3, 40), (4, 85))),
    (ex.convolution, ((1, 4, 1), (1, 2), 2, 2), 16),
    (ex.convolution, ((1, 4, 1), (1, 3), 2), 16),
    (ex.convolution, ((1, 4, 1), (1, 2), 1), 8),
    (ex.convolution, ((1, 4, 1), (1, 2), 2), 55),
    (ex.convolution, ((3, 3, 1), (2, 2), 1), 16),
    (ex.convolution, ((3, 3, 1), (2, 2), 2), 255),
    (ex.convolution, ((1, 2, 3), (1, 1), 2), 16),
    (ex.stargalla_2025, (), 5),
    (ex.opposite_units, (), 2),
]


def name(construction: Callable[..., Example], parameters: tuple[Any, ...]) -> str:
    return f"{construction.__name__}{parameters}".replace(",)", ")")


ALL = [pytest.param(make(*given), count, id=name(make, given)) for make, given, count in ATTAINED]


@pytest.mark.parametrize(("example", "count"), ALL)
def test_activation_regions(example: Example, count: int) -> None:
    assert example.known[REGIONS] == count
    result = mc.count(example.network, example.domain, keep_regions=True)
    assert (result.lower, result.upper) == (count, count)
    if count <= 200:
        inputs = example.domain.bind(example.network.n_inputs)
        assert verify(result, example.network, inputs).is_proved


@pytest.mark.parametrize(("example", "count"), [p for p in ALL if p.values[1] <= 40])
def test_activation_regions_in_exact_arithmetic(example: Example, count: int) -> None:
    assert mc.count(example.network, example.domain, mc.ExactTree()).lower == count


def n_patterns(example: Example) -> int:
    layers = example.network.layers
    return int(np.prod([float(y.activation.n_pieces) ** y.width for y in layers]))


FEW_PATTERNS = [p for p in ALL if n_patterns(p.values[0]) <= 600]


@pytest.mark.parametrize(("example", "count"), FEW_PATTERNS)
def test_regions_and_patterns_by_brute_force(example: Example, count: int) -> None:
    for quantity in (REGIONS, PATTERNS):
        if quantity in example.known:
            result = mc.count(example.network, example.domain, mc.BruteForce(), quantity=quantity)
            assert result.lower == example.known[quantity], quantity


MORE_PATTERNS = [
    p
    for p in ALL
    if PATTERNS in p.values[0].known
    and isinstance(p.values[0].domain, mc.Box)
    and n_patterns(p.values[0]) > 600
    and p.values[0].known[PATTERNS] <= 130
]


@pytest.mark.parametrize(("example", "count"), MORE_PATTERNS)
def test_patterns_by_enumeration(example: Example, count: int) -> None:
    result = mc.count(example.network, example.domain, mc.SolutionPool(), quantity=PATTERNS)
    assert result.lower == result.upper == example.known[PATTERNS]


PIECES = [p for p in ALL if AFFINE in p.values[0].known and p.values[1] <= 600]


@pytest.mark.parametrize(("example", "count"), PIECES)
def test_linear_regions_and_affine_pieces(example: Example, count: int) -> None:
    pieces = Pieces(example.network, example.domain)
    assert pieces.affine_pieces == example.known[AFFINE]
    if pieces.affine_pieces == count:
        # Every region has a map of its own: there is nothing to merge.
        assert example.known[LINEAR] == count
    elif example.network.n_inputs <= 2:
        assert pieces.linear_regions == example.known[LINEAR]


# Nakahara et al. with two inputs, N pieces along each: the affine pieces are fewer than N^2.
@pytest.mark.parametrize(
    ("width", "layers", "cells", "maps"),
    [(12, 3, 2, 4), (18, 3, 3, 8), (24, 3, 4, 12), (36, 3, 6, 20), (12, 7, 8, 28), (18, 5, 9, 32)],
)
def test_maps_that_regions_share(width: int, layers: int, cells: int, maps: int) -> None:
    counts = ex.nakahara_ternary(2, width, layers).known
    assert (counts[REGIONS], counts[LINEAR], counts[AFFINE]) == (cells**2, cells**2, maps)


@pytest.mark.parametrize("width", [12, 18, 20])
def test_ternary_networks_are_ternary_and_fold(width: int) -> None:
    net = ex.nakahara_ternary(2, width, 5).network
    maps = [*(layer.affine for layer in net.layers), net.output]
    for affine in maps:
        assert affine is not None
        assert set(np.unique(affine.weight)) | set(np.unique(affine.bias)) <= {-1.0, 0.0, 1.0}
    x = np.random.default_rng(0).random((50, 2))
    folded = ex.folding(width // 6, 2, 2)(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net(x), folded, atol=1e-12)


@pytest.mark.parametrize(
    ("folds", "patterns"), [(2, [3, 6, 11]), (3, [4, 11, 32]), (4, [5, 19, 73])]
)
def test_patterns_of_folding(folds: int, patterns: list[int]) -> None:
    assert [ex.patterns_of_folding(folds, depth) for depth in (1, 2, 3)] == patterns
    assert [ex.montufar_2014(1, folds, d).known[PATTERNS] for d in (1, 2, 3)] == patterns


@pytest.mark.parametrize(
    ("folds", "regions"), [(2, [3, 6, 10]), (3, [4, 10, 28]), (4, [5, 18, 66])]
)
def test_folding_beyond_the_cube(folds: int, regions: list[int]) -> None:
    whole = [ex.folding(folds, 1, depth) for depth in (1, 2, 3)]
    assert [mc.count(net, mc.Unbounded()).lower for net in whole] == regions
    assert mc.count(ex.folding(folds, 2, 1), mc.Unbounded()).lower == regions[0] ** 2


@pytest.mark.parametrize("widths", [[3], [3, 3, 3], [5, 4], [6, 3]])
def test_the_most_on_a_line_is_attained_on_all_of_it(widths: list[int]) -> None:
    example = ex.serra_2018_line(widths)
    assert mc.count(example.network, mc.Unbounded()).lower == example.known[REGIONS]


@pytest.mark.parametrize("example", [ex.catalan_arrangement(3), ex.shi_arrangement(4),
                                     ex.general_position(7, 3)])  # fmt: skip
def test_the_box_meets_every_region(example: Example) -> None:
    assert mc.count(example.network, mc.Unbounded()).lower == example.known[REGIONS]


def test_stargalla_in_all_definitions() -> None:
    example = ex.stargalla_2025()
    assert example.known == {PATTERNS: 7, REGIONS: 5, LINEAR: 3, AFFINE: 3}
    pieces = Pieces(example.network, example.domain)
    assert (pieces.linear_regions, pieces.affine_pieces) == (3, 3)


def test_regions_that_share_a_map_and_touch_are_one() -> None:
    # |x| + |y| clipped below at 1 is constant on four regions around 0, and on those only.
    net = mc.Network.from_arrays(
        [[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1]]], [[0] * 4, [-1]], output=False
    )
    pieces = Pieces(net, mc.Box(-1, 1))
    assert (len(pieces.maps), pieces.linear_regions, pieces.affine_pieces) == (8, 5, 5)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (((1, 2, 1), (1, 2), 3), 7),
        *((((1, 3, 1), (1, 2), d), n) for d, n in ((1, 4), (2, 15), (3, 40), (4, 85), (5, 156))),
        (((1, 3, 1), (1, 2), 10), 1111),
        (((1, 4, 1), (1, 2), 2, 2), 16),
        (((1, 4, 1), (1, 3), 2), 16),
        *((((1, 4, 1), (1, 2), d), n) for d, n in ((1, 8), (2, 55), (3, 217), (4, 611))),
        (((1, 5, 1), (1, 2), 2), 200),
        (((1, 5, 1), (1, 3), 2), 63),
        (((3, 3, 1), (2, 2), 1), 16),
        (((3, 3, 1), (2, 2), 2), 256),
        (((3, 3, 1), (2, 2), 3), 4013),
    ],
)
def test_formula_of_convolutions(arguments: tuple[Any, ...], count: int) -> None:
    assert ex.xiong_2020(*arguments) == count


def planes(example: Example) -> np.ndarray:
    (layer,) = example.network.layers
    return np.c_[layer.affine.weight, layer.affine.bias]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [((1, 3, 2), (1, 2), 3), ((1, 4, 1), (1, 2), 3),
                                   ((2, 2, 2), (2, 1), 3), ((1, 5, 1), (1, 3), 2)])  # fmt: skip
def test_filters_along_a_line_attain_theorem_2(shape: Any, seed: int) -> None:
    example = ex.convolution(*shape, seed=seed)
    assert example.known[REGIONS] == ex.xiong_2020(*shape)
    assert mc.count(example.network, example.domain).lower == example.known[REGIONS]


@pytest.mark.parametrize(
    ("shape", "count", "formula"),
    [
        (((3, 3, 1), (2, 2), 2), 255, 256),
        (((3, 3, 1), (2, 2), 3), 3998, 4013),
        (((3, 4, 1), (2, 2), 2), 4061, 4096),
    ],
)
def test_filters_in_the_plane_do_not_attain_theorem_2(shape: Any, count: int, formula: int) -> None:
    for seed in range(3):
        example = ex.convolution(*shape, seed=seed)
        assert example.known[REGIONS] == count < ex.xiong_2020(*shape) == formula
        assert mc.count(example.network, example.domain).lower == count


def test_why_filters_in_the_plane_do_not_attain_theorem_2() -> None:
    example = ex.convolution((3, 3, 1), (2, 2), 2)
    # f * g = g * f: the rows of one filter, weighted with the other, give the same.
    rows = planes(example)[:, :-1].reshape(4, 2, 9)
    f, g = (rows[0, k].reshape(3, 3)[:2, :2].ravel() for k in (0, 1))
    np.testing.assert_array_equal(g @ rows[:, 0], f @ rows[:, 1])


ARRANGEMENTS = [p for p in ALL if len(p.values[0].network.layers) == 1
                and p.values[0].network.output is None and p.values[1] <= 130
                and p.values[0].network.layers[0].activation.is_relu
                and p.values[0].network.n_units <= 12]  # fmt: skip


@pytest.mark.parametrize(("example", "count"), ARRANGEMENTS)
def test_arrangements_by_whitney(example: Example, count: int) -> None:
    assert ex.whitney(planes(example)) == count


IMPOSSIBLE: dict[str, tuple[Callable[[], Any], str]] = {
    "one coordinate to compare": (lambda: ex.braid_arrangement(1), "n=1: give an integer.*2"),
    "half a dimension": (lambda: ex.shi_arrangement(2.5), "n=2.5: give an integer"),  # type: ignore[arg-type]
    "more than is known": (lambda: ex.threshold_arrangement(7), "n=7: the count is given.*up to 6"),
    "no hyperplane": (lambda: ex.general_position(0, 2), "hyperplanes=0"),
    "no layer": (lambda: ex.telgarsky_2015(0), "depth=0"),
    "no fold": (lambda: ex.montufar_2014(2, 0, 1), "folds=0"),
    "less than no hyperplane": (lambda: ex.montufar_2014(1, 2, 1, -1), "last=-1"),
    "too narrow to copy": (lambda: ex.nakahara_ternary(2, 5, 3), "width=5.*at least 6"),
    "no layer between": (lambda: ex.nakahara_ternary(1, 8, 2), "layers=2.*at least 3"),
    "two units in a layer": (lambda: ex.serra_2018_line([3, 2]), "entry of widths=2.*at least 3"),
    "no widths": (lambda: ex.serra_2018_line([]), r"widths=\[\].*for every layer"),
    "one width": (lambda: ex.serra_2018_line(3), "widths=3: give one integer"),  # type: ignore[arg-type]
    "five units for two inputs": (lambda: ex.serra_2018(2, [5, 2]), "6 units in every layer but"),
    "no generator": (lambda: ex.arora_2018(2, 0), "generators=0"),
    "two units on a line": (lambda: ex.arora_2018(2, 2, [2]), "entry of widths=2.*at least 3"),
    "rank one": (lambda: ex.maxout_layer(2, [3, 1]), "entry of ranks=1.*at least 2"),
    "a filter too large": (lambda: ex.convolution((1, 3, 1), (2, 2), 1), "2×2 does not fit.*1×3×1"),
    "no channels": (lambda: ex.convolution((1, 3), (1, 2), 1), "give height, width and channels"),  # type: ignore[arg-type]
    "many positions": (lambda: ex.convolution((9, 9, 1), (2, 2), 1), "64 positions.*at most 9"),
}


@pytest.mark.parametrize(("make", "message"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_parameters(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make()
