"""What the papers state beyond the classical bounds: values, counterexamples, attained numbers."""

from fractions import Fraction
from math import comb, e

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples as ex
from milpcount.bounds.architecture import parse
from milpcount.bounds.arrangements import hu_zhang_lemma_2, unbounded_by_active
from milpcount.bounds.convolutional_best import pieces_of_folds, xiong_theorem_5_lower
from milpcount.bounds.piecewise import (
    hu_zhang_after_layers,
    hu_zhang_per_parameter,
    hu_zhang_theorem_1,
)
from milpcount.bounds.registry import THEOREMS
from milpcount.bounds.sparse import cai_2023, expected_sparse, rows_not_zero, sampled_ranks
from milpcount.bounds.theorem import Standing
from milpcount.errors import OptionError
from tests.bounds.paper_rows import CHECKS, sparse_average, violations


@pytest.mark.parametrize("name", CHECKS)
def test_no_violation(name):
    assert not violations(name, 12)


def test_standings():
    standings = {row.key: row.standing for row in THEOREMS}
    assert standings["serra2018"] is Standing.PROVED
    for row in THEOREMS:
        assert bool(row.counterexample) == (row.standing is Standing.CORRECTED), row.key
    assert {k for k, s in standings.items() if s is Standing.CORRECTED} == {
        "hu-zhang-1", "hu-zhang-3", "hu-zhang-prop2", "one-two-n", "serra2018-zonotope",
        "serra2020", "xiong2020-2-plane",
    }  # fmt: skip


def test_proposition_1_names_the_count_of_this_network():
    net = mc.Network.from_arrays([[[1.0, 2.0], [2.0, 1.0]]], [[0.0, 1.0]], output=False)
    assert mc.bound(net)["hu-zhang-prop1"].value == 4 == mc.count(net, mc.Unbounded()).lower
    assert "exact, of this network" in str(mc.bound(net))
    with pytest.raises(KeyError):  # a box need not meet all of them
        mc.bound(net, mc.Box(5, 6))["hu-zhang-prop1"]
    assert mc.count(net, mc.Box(5, 6)).lower == 1
    twice = mc.Network.from_arrays([[[1.0, 2.0], [2.0, 4.0]]], [[0.0, 1.0]], output=False)
    assert mc.bound(twice)["hu-zhang-prop1-fewer"].value == 3
    assert mc.count(twice, mc.Unbounded()).lower == 3


def test_theorem_1_as_printed_is_not_reached():
    unit = mc.network.piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    net = mc.Network.from_arrays([[[1.0, 1.0]]], [[0.0]], output=False, activation=unit)
    assert mc.count(net, mc.Unbounded()).lower == 3 == hu_zhang_theorem_1(2, 1, 2)  # printed 9


def test_lemma_4_as_printed_fails_from_three_breakpoints_on():
    def printed(p, d, n):
        return (p - 1 + e * (n - d + 1)) ** d

    assert hu_zhang_theorem_1(1, 4, 3) == 13 > printed(3, 1, 4)
    wrong = [(p, d, n) for p in range(1, 12) for n in range(1, 16) for d in range(1, n + 1)
             if hu_zhang_theorem_1(d, n, p) > printed(p, d, n)]  # fmt: skip
    assert len(wrong) == 433 and min(p for p, _, _ in wrong) == 3
    assert all(hu_zhang_theorem_1(d, n, p) <= (e * n * p / d) ** d * (1 + 1e-12)
               for p, d, n in wrong)  # fmt: skip


def test_equation_11_and_regions_per_parameter():
    assert hu_zhang_after_layers(2, (3, 3), (2, 1)) == [19, 133]
    assert hu_zhang_per_parameter(2, (3, 3), (2, 1)) == Fraction(133, 9 + 12)
    assert parse("2-3:p2-3:relu").n_parameters == 21
    deep = [hu_zhang_per_parameter(1, [4] * depth, [1] * depth) for depth in (1, 2, 3)]
    assert deep == [Fraction(5, 8), Fraction(25, 28), Fraction(125, 48)]
    shallow = hu_zhang_per_parameter(1, [12], [1])
    assert deep[-1] > shallow == Fraction(13, 24)


def test_parameters_of_filters_are_shared():
    assert parse("4x1-conv2@2-conv3@2:relu").n_parameters == 2 * 3 + 3 * 5
    assert parse("4x4x1-maxpool2x2-2:maxout3").n_parameters == 6 * 5


def test_lemma_3_needs_cones_with_an_interior():
    strip = mc.Network.from_arrays(
        [[[1.0, 0.0], [-1.0, 0.0]]], [[0.0, 1.0]], output=False
    )  # parallel lines, oriented towards each other
    found = mc.partition(strip, mc.Unbounded())
    assert unbounded_by_active(found) == [0, 2, 1]
    assert sum(unbounded_by_active(found)) < hu_zhang_lemma_2(2, 2)


def test_live_regions_are_what_theorem_3_bounds():
    one = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False)
    assert mc.bound(one, quantity="live_regions").upper == 1
    assert mc.count(one, mc.Unbounded(), quantity="live_regions").lower == 1
    assert mc.count(one, mc.Unbounded()).lower == 2


# Architecture, the number, and what was counted for linear regions and affine pieces.
ZIGZAGS = [
    ("3x1-conv1@2:p1-conv1@2:p1", 8, 8, 8),
    ("3x1-conv1@2:p2-conv1@2:p2", 27, 27, 27),
    ("3x1-conv2@2:p1-conv1@2:p1", 18, 18, 18),
    ("3x1-conv2@2:p2-conv2@2:p2", 225, 225, 225),
    ("3x1-conv3@2:p2-conv1@2:p1", 98, 98, 98),
    ("3x1-conv2@2-conv2@2:relu", 16, 14, 11),
    ("3x1-conv3@2-conv2@2:relu", 64, 50, 37),
    ("4x1-conv1@2:p2-conv1@2:p2-conv1@2:p1", 486, 162, 138),
    ("2x2-conv2@1:p1-conv2@2:p1", 64, 64, 64),
    ("2x2x1-conv1@1x1:p2-conv2@2x2:p1", 324, 324, 324),
]


@pytest.mark.parametrize(("text", "regions", "linear", "pieces"), ZIGZAGS)
def test_zigzag_convolutions_attain_their_number(text, regions, linear, pieces):
    example = ex.piecewise_convolutions(text)
    assert mc.bound(text)["xiong2024-lower"].value == regions <= mc.bound(text).upper
    counted = [mc.count(example.network, example.domain, quantity=q).lower
               for q in ("activation_regions", "linear_regions", "affine_pieces")]  # fmt: skip
    assert counted == [regions, linear, pieces]


def test_rectifiers_fold_no_less_than_in_theorem_5():
    for text in ("4x1-conv2@2-conv3@2:relu", "5x1-conv4@2-conv3@2-conv2@2:relu"):
        layers = [layer.convolution for layer in parse(text).layers]
        assert mc.bound(text)["xiong2024-lower"].value >= xiong_theorem_5_lower(layers)
    assert [pieces_of_folds(t, 1, is_rectifier=True) for t in (1, 2, 3, 4)] == [1, 2, 4, 5]
    assert [pieces_of_folds(2, p, is_rectifier=False) for p in (1, 2, 3)] == [3, 5, 7]


def test_zigzag_convolutions_refuse_what_they_cannot_make():
    for text in ("4x1-conv2@2:relu", "4x1-conv2@2-3:relu"):
        with pytest.raises(OptionError, match="two convolutions or more"):
            ex.piecewise_convolutions(text)
    with pytest.raises(OptionError, match="as many channels as the input"):
        ex.piecewise_convolutions("4x2-conv1@2-conv1@2:relu")


def test_rows_that_are_not_zero():
    rows = rows_not_zero(3, 2, Fraction(1, 2))
    for k, probability in enumerate(rows):
        exact = Fraction(comb(3, k) * 3**k, 64)
        assert abs(probability - exact) < Fraction(1, 2**240)
    assert sum(rows) == 1
    tail = sum(rows_not_zero(4, 9, Fraction(1, 3))[1:])
    assert tail >= 1 - Fraction(2, 3) ** 36


def test_sparse_networks():
    dense = [[Fraction(k == n) for k in range(n + 1)] for n in (2, 2)]
    assert cai_2023(2, (2, 2), dense) == 11 == mc.bound("2-2-2:relu")["serra2018"].value
    assert expected_sparse(2, (2, 2), Fraction(1)) == 11
    assert mc.bound("sparse1:2-2-2:relu")["cai2023"].value == 11
    half = [sampled_ranks(2, 2, 0.5, 4000, seed) for seed in (0, 1)]
    # Of the 16 supports 1 has rank 0 and 7 have rank 2.
    assert abs(float(half[0][0]) - 1 / 16) < 0.02 and abs(float(half[0][2]) - 7 / 16) < 0.03
    rows = [rows_not_zero(2, 2, Fraction(1, 2))] * 2
    assert expected_sparse(2, (2, 2), Fraction(1, 2)) <= cai_2023(2, (2, 2), rows) < 11
    assert cai_2023(2, (2, 2), half) < cai_2023(2, (2, 2), rows)
    mean, bound = sparse_average(30)
    assert 1 < mean <= bound


def test_layers_without_units():
    table = mc.bound("ternary:1-8:id-8-8:id-8-1")
    assert table["nakahara-1"].value == 4 and table.upper == 81
    assert mc.bound("3-5:id-4-1").upper == mc.bound("3-4-1").upper == 15
    assert mc.bound("3-1:id-4-1").upper == 5  # one number is left of the three
    with pytest.raises(KeyError):  # rectifiers are needed in even places
        mc.bound("ternary:1-8-8:id-8-8-1")["nakahara-1"]


def test_pooling_takes_its_maxima_anywhere():
    pool = mc.network.maxout(2)
    layer = mc.Network.from_arrays([np.eye(4)], [np.zeros(4)], output=False, activation=pool)
    for domain in (mc.Unbounded(), mc.Box(0, 1)):
        assert mc.count(layer, domain).lower == mc.bound("4x1-maxpool2")["pooling-1"].value == 4
