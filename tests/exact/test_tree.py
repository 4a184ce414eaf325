import json
from fractions import Fraction
from itertools import product
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milpcount import Box, Network, Polytope, Unbounded
from milpcount.exact.evaluate import proves_region, verify_region
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.network import leaky_relu, piecewise_linear

PAIR = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)


def exact_matrix(table: Any) -> np.ndarray:
    return np.array([[Fraction(v) for v in row] for row in table], dtype=object)


def integer_network(entry: dict) -> Network:
    """Return a network with the entry's patterns and integer weights.

    A unit scaled by a positive number keeps its sign, and the next layer can undo the scale.
    """
    pairs, scale = [], None
    for weight, bias in zip(entry["W"], entry["b"], strict=True):
        weights, biases = exact_matrix(weight), exact_matrix([bias])[0]
        weights = weights if scale is None else weights / scale
        joined = np.c_[biases, weights]
        scale = np.array([Fraction(lcm(*(v.denominator for v in r))) for r in joined], dtype=object)
        whole = (joined * scale[:, None]).astype(float)
        pairs.append((whole[:, 1:], whole[:, 0]))
    weights, biases = zip(*pairs, strict=True)
    return Network.from_arrays(weights, biases, output=len(pairs) > len(entry["widths"]))


def section_network(shared_data: Path, entry: dict) -> ExactNetwork:
    with np.load(shared_data / "networks" / f"{entry['network']}.npz") as arrays:
        count = sum(name.startswith("W") for name in arrays.files)
        weights = [arrays[f"W{i}"] for i in range(count)]
        biases = [arrays[f"b{i}"] for i in range(count)]
    net = Network.from_arrays(weights, biases, output=count > len(entry["hidden"]))
    low, high = exact_matrix(entry["box"]).T
    origin, directions = exact_matrix([entry["p0"]])[0], exact_matrix(entry["directions"]).T
    return ExactNetwork(net, ExactInputs.of(origin, directions, low, high))


def entries(shared_data: Path, name: str, low: int, high: int) -> list[dict]:
    key = {"sections": "cells"}.get(name, "expected_regions")
    found = json.loads((shared_data / f"{name}.json").read_text())
    return [entry for entry in found if low < entry[key] <= high]


def tree(net: Network, low: Any = -1.0, high: Any = 1.0) -> ExactRegionTree:
    return ExactRegionTree(ExactNetwork(net, Box(low, high).bind(net.n_inputs)))


def arrangement(entry: dict) -> ExactRegionTree:
    net = Network.from_arrays([entry["W"]], [entry["b"]], output=False)
    return tree(net, entry["domain"]["lower"], entry["domain"]["upper"])


def test_known_arrangements(shared_data: Path) -> None:
    chosen = entries(shared_data, "arrangements", 0, 130)
    assert len(chosen) >= 20
    assert {e["name"]: arrangement(e).count() for e in chosen} == {
        e["name"]: e["expected_regions"] for e in chosen
    }


@pytest.mark.slow
def test_known_larger_arrangements(shared_data: Path) -> None:
    for entry in entries(shared_data, "arrangements", 130, 2000):
        assert arrangement(entry).count() == entry["expected_regions"], entry["name"]


def test_known_deep_networks(shared_data: Path) -> None:
    chosen = entries(shared_data, "deep_networks", 0, 170)
    assert len(chosen) >= 18
    for entry in chosen:
        found = tree(integer_network(entry), *zip(*entry["box"], strict=True)).count()
        assert found == entry["expected_regions"], entry["name"]


@pytest.mark.slow
def test_known_larger_deep_networks(shared_data: Path) -> None:
    for entry in entries(shared_data, "deep_networks", 170, 2000):
        found = tree(integer_network(entry), *zip(*entry["box"], strict=True)).count()
        assert found == entry["expected_regions"], entry["name"]


def test_known_sections_of_real_networks(shared_data: Path) -> None:
    chosen = entries(shared_data, "sections", 0, 100)
    assert len(chosen) >= 10
    for entry in chosen:
        found = ExactRegionTree(section_network(shared_data, entry)).count()
        assert found == entry["cells"], (entry["network"], entry["section"])


@pytest.mark.slow
def test_cells_of_relative_area_6e_13_are_found(shared_data: Path) -> None:
    for entry in entries(shared_data, "sections", 1000, 2000):
        found = ExactRegionTree(section_network(shared_data, entry)).count()
        assert found == entry["cells"], (entry["network"], entry["section"])


def test_every_leaf_has_a_witness_that_proves_it(shared_data: Path) -> None:
    for entry in entries(shared_data, "deep_networks", 30, 50):
        walked = tree(integer_network(entry), *zip(*entry["box"], strict=True))
        leaves = [cell for cell in walked.walk() if cell is not None]
        assert len({cell.pattern for cell in leaves}) == entry["expected_regions"]
        assert all(proves_region(walked.network, c.pattern, c.witness) for c in leaves)
        assert all(verify_region(walked.network, walked.region(c)) for c in leaves)
        assert walked.closed == pytest.approx(1.0)
        assert walked.lps > 0


def test_subtrees_add_up() -> None:
    rng = np.random.default_rng(4)
    net = Network.from_arrays(
        [rng.normal(size=(4, 2)), rng.normal(size=(3, 4))],
        [rng.normal(size=4) / 4, rng.normal(size=3) / 4],
        output=False,
    )
    walked = tree(net)
    whole = walked.count()
    for length in (0, 2, 4, 5, 7):
        parts = [walked.count(prefix) for prefix in product((0, 1), repeat=length)]
        assert sum(parts) == whole
    assert walked.cell((1, 1, 0)) is None or walked.count((1, 1, 0)) > 0


def test_opposite_units_have_two_regions() -> None:
    assert tree(PAIR).count() == 2
    assert tree(PAIR).cell((1, 1)) is None
    assert tree(PAIR).cell((0, 0)) is None


def test_a_unit_that_is_identically_zero_is_inactive() -> None:
    net = Network.from_arrays([[[0.0], [1.0]]], [[0.0, 0.0]], output=False)
    patterns = {cell.pattern for cell in tree(net).walk() if cell is not None}
    assert patterns == {(0, 0), (0, 1)}
    assert tree(net).cell((1,)) is None


def test_what_cancels_exactly_is_zero_and_what_nearly_cancels_is_not() -> None:
    # 0.1 x + 0.2 x - 0.3 x for x > 0: not zero with these float64 numbers, and zero with others.
    for weights, pattern in (([0.1, 0.2, -0.3], 1), ([0.125, 0.25, -0.375], 0)):
        net = Network.from_arrays(
            [[[1.0], [1.0], [1.0]], [weights]], [[0.0] * 3, [0.0]], output=False
        )
        patterns = {cell.pattern for cell in tree(net).walk() if cell is not None}
        assert patterns == {(0, 0, 0, 0), (1, 1, 1, pattern)}


def test_a_witness_too_thin_for_floats_is_rational() -> None:
    # From 1 + 2u/3 to 1 + 4u/5: between two neighbouring floats.
    u = 2.0**-52
    net = Network.from_arrays([[[3.0], [5.0]]], [[-3.0 - 2 * u, -5.0 - 4 * u]], output=False)
    walked = tree(net, 0.0, 2.0)
    regions = [walked.region(cell) for cell in walked.walk() if cell is not None]
    assert all(verify_region(walked.network, r) for r in regions)
    assert {r.witness.dtype for r in regions} == {np.dtype(float), np.dtype(object)}


@pytest.mark.parametrize(
    ("activation", "regions"),
    [
        (leaky_relu(0.1), 2),
        (piecewise_linear([-0.5, 0.5], [0.0, 1.0, 0.0], [-0.5, 0.0, 0.5]), 3),
        (piecewise_linear([-3.0, 3.0], [0.0, 1.0, 0.0], [-3.0, 0.0, 3.0]), 1),
    ],
)
def test_other_activations(activation: Any, regions: int) -> None:
    net = Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=activation)
    assert tree(net).count() == regions


def test_a_polytope_cuts_the_tree() -> None:
    net = Network.from_arrays([np.eye(2)], [np.zeros(2)], output=False)
    half = Polytope([[1.0, 1.0]], [0.0]).bind(2)
    assert ExactRegionTree(ExactNetwork(net, half)).count() == 3
    flat = Polytope([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]).bind(2)
    assert ExactRegionTree(ExactNetwork(net, flat)).count() == 0


def test_all_of_space() -> None:
    net = Network.from_arrays(
        [[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]], [[0.0, 0.0, -1e6]], output=False
    )
    assert ExactRegionTree(ExactNetwork(net, Unbounded().bind(2))).count() == 7
    assert tree(net).count() == 4


def test_the_walk_gives_signs_of_life() -> None:
    steps = list(tree(PAIR).walk())
    assert steps.count(None) >= 2
