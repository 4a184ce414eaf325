"""Every value that is known from elsewhere, by name."""

import json
import re
import time

import pytest

from milpcount.bounds import (
    arrangements,
    convolutional,
    convolutional_best,
    expected,
    maxout,
    piecewise,
    rectifier,
    rectifier_best,
    ternary,
)
from milpcount.bounds.architecture import parse


def test_zaslavsky(known):
    for key, value in known["zaslavsky"].items():
        m, d = map(int, key.split(","))
        assert arrangements.zaslavsky_regions(m, d) == value


@pytest.mark.parametrize("m", range(1, 8))
@pytest.mark.parametrize("d", range(1, 6))
def test_bounded_and_unbounded_regions_add_up(m, d):
    regions, bounded = (f(m, d) for f in (arrangements.zaslavsky_regions,
                                          arrangements.zaslavsky_bounded))  # fmt: skip
    assert arrangements.zaslavsky_unbounded(m, d) == regions - bounded
    assert arrangements.hu_zhang_lemma_2(m, d) == regions - bounded
    assert arrangements.central_regions(m, d) == 2 * arrangements.zaslavsky_regions(m - 1, d - 1)


def test_hu_zhang_theorem_1(known):
    for key, value in known["hu_zhang_theorem_1"].items():
        n0, n1, p = map(int, re.findall(r"=(\d+)", key))
        assert piecewise.hu_zhang_theorem_1(n0, n1, p) == value, key


def test_hu_zhang_theorem_1_where_print_is_wrong():
    assert piecewise.hu_zhang_theorem_1(2, 1, 2) == 3  # printed: (p+1)^{n_0} = 9
    assert piecewise.hu_zhang_theorem_1(1, 50, 40) == 1 + 40 * 50  # no Theta(p + n_1)


NAMES = {
    "montufar2017": rectifier.montufar_2017,
    "serra": rectifier.serra_2018,
    "hz_thm3": rectifier.hu_zhang_theorem_3,
    "hinz_safe": rectifier.hinz_van_de_geer,
    "hz_thm2_p2": lambda n0, w: piecewise.hu_zhang_theorem_2(n0, w, [2] * len(w)),
    "hz_thm2_p3": lambda n0, w: piecewise.hu_zhang_theorem_2(n0, w, [3] * len(w)),
}


@pytest.mark.parametrize("name", NAMES)
def test_architectures(known, name):
    for key, values in known["architectures"].items():
        n0, *widths = json.loads(key)
        assert NAMES[name](n0, widths) == values[name], key


@pytest.mark.parametrize("name", ["montufar2017", "serra", "hz_thm3"])
def test_mnist_networks_of_22_units(known, name):
    assert len(known["mnist22"]) == 21
    for key, values in known["mnist22"].items():
        widths = list(map(int, key.split(";")))
        assert NAMES[name](784, widths) == values[name], key
        assert rectifier.naive(widths) == 4194304


def test_serra_with_a_third_layer_and_monotone_in_the_first():
    assert rectifier.serra_2018(784, (11, 11)) == 2449868
    assert rectifier.serra_2018(784, (11, 11, 10)) == 1690286436
    values = [rectifier.serra_2018(784, (n, 22 - n)) for n in range(1, 22)]
    assert values == sorted(set(values))


def test_serra_with_ranks():
    assert rectifier.serra_2018(3, (3, 3), ranks=(3, 3)) == 42
    assert rectifier.serra_2018(3, (3, 3), ranks=(1, 3)) == 4 * 4
    assert rectifier.serra_2018(3, (3, 3), ranks=(0, 0)) == 1
    assert rectifier.serra_2018(3, (3, 3), ranks=(3, 1)) == 4 * (1 + 3 + 3) + 1


@pytest.mark.parametrize(
    ("n0", "widths", "value"),
    [(8, (8, 8, 8), 5803702), (3, (4, 4, 4), 1595), (2, (4, 4), 115), (3, (5, 5), 566),
     (4, (8, 8), 25463), (2, (8, 8), 1369), (784, (11, 11), 2449868)],
)  # fmt: skip
def test_hinz_with_provable_gammas(n0, widths, value):
    assert rectifier.hinz_van_de_geer(n0, widths) == value
    assert value <= rectifier.serra_2018(n0, widths) <= rectifier.montufar_2017(n0, widths)


@pytest.mark.parametrize(
    ("n0", "widths", "value"),
    [(2, (4, 4), 109), (3, (5, 5), 556), (4, (8, 8), 24651), (3, (4, 4, 4), 1559),
     (8, (8, 8, 8), 5730398)],
)  # fmt: skip
def test_hinz_2021(n0, widths, value):
    assert rectifier.hinz_2021(n0, widths) == value


def test_hinz_of_wide_networks_is_left_out():
    assert rectifier.hinz_van_de_geer(784, (2000, 2000)) is None


@pytest.mark.parametrize(
    ("n0", "widths"), [(784, (512, 512, 512, 512)), (3072, (4096,) * 8)], ids=["512x4", "4096x8"]
)
def test_wide_networks_take_less_than_a_second(n0, widths):
    began = time.process_time()
    value = rectifier.serra_2018(n0, widths)
    assert time.process_time() - began < 2.0  # a second, with room for a busy machine
    assert value <= rectifier.montufar_2017(n0, widths) <= rectifier.naive(widths)


def test_one_input():
    assert rectifier.serra_2018_one_input((3, 3)) == 16
    assert rectifier.serra_2018_one_input((3, 3, 3)) == 64
    assert rectifier.serra_2018_one_input((3, 2)) is None
    assert [rectifier.one_two_n(n) for n in (1, 2, 3)] == [5, 7, 9]


def test_best_rectifier_networks():
    assert rectifier_best.serra_2018_lower(2, (6, 2)) == 64
    assert rectifier_best.serra_2018_lower(2, (5, 6)) is None
    assert rectifier_best.serra_2018_lower(2, (6, 6)) == 16 * 22
    assert rectifier_best.montufar_2014(2, (6, 2)) == 36
    assert rectifier_best.pascanu_2013(2, (6, 2)) == 12
    assert rectifier_best.montufar_2014_linear_output(2, 6, 3) == 3**4
    assert rectifier_best.montufar_2014(3, (2, 5)) is None
    # Two units cannot fold three times: beyond two layers the printed w >= 2 is not enough.
    assert rectifier_best.serra_2018_zonotope(1, (2, 2)) == 6
    assert rectifier_best.serra_2018_zonotope(1, (2, 2, 2)) is None
    assert rectifier_best.arora_2018(1, (2, 2, 2)) == 8
    assert rectifier_best.arora_2018(2, (6, 3)) == 2 * 3 * 3
    assert rectifier_best.serra_2018_zonotope(2, (6, 3)) == 2 * 3 * 4


def test_hu_zhang_lemma_4_is_false_and_its_replacement_is_not():
    assert piecewise.hu_zhang_theorem_1(1, 4, 3) == 13 > 3 - 1 + 2.7182818285 * 4
    from math import log

    for p in range(1, 12):
        for n in range(1, 16):
            for d in range(1, n + 1):
                regions = piecewise.hu_zhang_theorem_1(d, n, p)
                assert log(regions) <= piecewise.layer_log_bound(d, n, p) + 1e-12


def test_hu_zhang_proposition_2_ratio():
    assert piecewise.hu_zhang_proposition_2(1, 3, 2, 1) == pytest.approx(16 / 7)
    wide = [float(piecewise.hu_zhang_proposition_2(n, 2, 3, 1)) for n in (2, 6, 12)]
    assert wide == [64 / 22, 1.0, 1.0]


@pytest.mark.parametrize(
    ("n0", "widths", "sharp", "serra"),
    [(2, (2,), 9, 22), (2, (3,), 19, 46), (3, (3,), 27, 130), (2, (2, 2), 81, 484)],
)
def test_maxout_of_rank_3(n0, widths, sharp, serra):
    ranks = [3] * len(widths)
    assert maxout.serra_2018_maxout(n0, widths, ranks) == serra
    assert piecewise.hu_zhang_theorem_2(n0, widths, [2] * len(widths)) == sharp
    if len(widths) == 1:
        assert maxout.montufar_ren_zhang(n0, [3] * widths[0]) == sharp


def test_maxout_of_unequal_ranks_and_the_best_network():
    assert maxout.montufar_ren_zhang(2, [2, 3, 4]) == 1 + (1 + 2 + 3) + (2 + 3 + 6)
    assert maxout.montufar_2014_maxout(2, (2, 2), 3) == 3 * 9
    assert maxout.montufar_2014_maxout(3, (2, 2), 3) is None


def conv(text, layer=0):
    return parse(text).layers[layer].convolution


def test_xiong_on_one_row(known):
    for key, value in known["xiong_one_row"].items():
        w, k, s, d = map(int, re.findall(r"=(\d+)", key))
        assert convolutional.xiong_theorem_2(conv(f"{w}x1-conv{d}@{k}/{s}")) == value, key
        assert convolutional.xiong_theorem_2(conv(f"1x{w}x1-conv{d}@1x{k}/{s}")) == value, key


@pytest.mark.parametrize(
    ("text", "value"),
    [("3x1-conv10@2", 1111), ("4x1-conv4@2", 611), ("5x1-conv2@2", 200), ("5x1-conv2@3", 63),
     ("3x3x1-conv1@2x2", 16), ("3x3x1-conv2@2x2", 256), ("3x3x1-conv3@2x2", 4013)],
)  # fmt: skip
def test_xiong_theorem_2(text, value):
    assert convolutional.xiong_theorem_2(conv(text)) == value


@pytest.mark.parametrize(
    ("text", "p", "value"),
    [("3x1-conv1@2", 2, 9), ("3x1-conv2@2", 2, 65), ("2x1-conv2@2", 3, 16),
     ("3x1-conv1@2", 3, 16), ("3x1-conv2@2", 3, 175)],
)  # fmt: skip
def test_piecewise_linear_convolutions(text, p, value):
    assert convolutional.xiong_theorem_2(conv(text), p) == value


@pytest.mark.parametrize(
    ("d2", "lower", "upper"), [(1, 32, 220), (2, 120, 880), (3, 320, 3135), (4, 680, 8965)]
)
def test_xiong_theorem_5(d2, lower, upper):
    layers = [y.convolution for y in parse(f"4x1-conv2@2-conv{d2}@2").layers]
    assert convolutional_best.xiong_theorem_5_lower(layers) == lower
    assert convolutional.xiong_theorem_5_upper(layers) == upper


def test_a_fully_connected_layer_has_more():
    dense = [arrangements.zaslavsky_regions(n, d) for n, d in ((6, 3), (8, 3), (6, 4))]
    assert dense == [42, 93, 57]
    found = [convolutional.xiong_theorem_2(conv(t)) for t in
             ("3x1-conv3@2", "3x1-conv4@2", "4x1-conv2@2")]  # fmt: skip
    assert found == [40, 85, 55]


@pytest.mark.parametrize(
    "text", ["3x3x1-conv3@2x2", "5x1-conv3@2", "6x1-conv3@3/2", "2x4x2-conv2@2x2"]
)
def test_the_two_ways_to_sum_over_k_agree(text):
    shape = conv(text)
    fields = [convolutional._field(shape, at) for at in convolutional._positions(shape)]
    weights = arrangements_row(shape.channels_out)
    assert convolutional._on_a_set(fields, weights) == convolutional.xiong_theorem_2(shape)


def arrangements_row(n):
    from math import comb

    return [comb(n, t) for t in range(n + 1)]


def test_nakahara_theorem_1():
    for q in range(1, 5):
        for depth, power in ((3, 1), (4, 1), (5, 2), (7, 3)):
            assert ternary.nakahara_theorem_1(1, 4 * q, depth) == q**power
    assert ternary.nakahara_theorem_1(2, 12, 5) == 2**4
    assert ternary.nakahara_theorem_1(2, 5, 5) == 1


def test_expected_numbers():
    assert expected.hanin_rolnick_volume(10, 1) == 20
    assert expected.hanin_rolnick_volume(10, 2, volume=3) == 45 * 4 * 3
    assert expected.hanin_rolnick_regions(5, 2) == (32 * 5) ** 2 // 2
    assert expected.hanin_rolnick_regions(3, 5) == 8
    # The values of the authors' own code for c_bias = c_grad = 1, K = 3, N = 4, n_in = 2.
    assert expected.tseran_montufar_regions(4, 3, 2, volume=4) == (32 * 12) ** 2 * 15 * 4 / 2
    assert expected.tseran_montufar_decision(4, 3, 2, volume=4) == 16**2 * 24 * 3 * 4


def test_telgarsky_and_raghu():
    assert piecewise.telgarsky_2015((2, 2), (2, 2)) == 16
    assert rectifier.raghu_2017(1, 1, 1) == 1  # and one rectifier has two regions
