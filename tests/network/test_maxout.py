"""Maxout units: what they compute, and which of several equal values is the piece."""

from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.network import maxout
from milpcount.network.activation import parse_activation


def layer(weights: object, biases: object, rank: int) -> mc.Network:
    return mc.Network.from_arrays([weights], [biases], output=False, activation=maxout(rank))


def test_the_largest_value_is_taken() -> None:
    net = layer([[-1.0], [0.0], [1.0], [2.0], [3.0], [4.0]], [-1.0, 0.0, -1.0, 0.0, 0.0, 0.0], 3)
    x = np.array([[-2.0], [0.5], [3.0]])
    np.testing.assert_array_equal(net(x), [[1.0, -4.0], [0.0, 2.0], [2.0, 12.0]])
    np.testing.assert_array_equal(net.pattern(x), [[0, 0], [1, 2], [2, 2]])


def test_of_equal_values_the_first_is_the_piece() -> None:
    # |x|, with the value x three times: the units differ in nothing but the order.
    weights = [[1.0], [-1.0], [1.0], [1.0], [-1.0], [1.0], [1.0], [1.0]]
    net = layer(weights, [0.0] * 8, 4)
    np.testing.assert_array_equal(
        net.pattern(np.array([[0.0], [2.0], [-1.0]])), [[0, 0], [0, 1], [1, 0]]
    )
    for method in (mc.RegionTree(), mc.BruteForce(), mc.ExactTree()):
        assert mc.count(net, mc.Box(-1, 1), method).lower == 2


@pytest.mark.parametrize("rank", [2, 3, 5])
def test_every_point_has_one_piece(rank: int) -> None:
    unit = maxout(rank)
    values = np.random.default_rng(rank).integers(-1, 2, (200, rank)).astype(float)
    for v, chosen in zip(values, unit.pieces_at(values)[:, 0], strict=True):
        signs = [v[row.a] - v[row.b] - row.threshold > 0 for row in unit.rows]
        holds = [all(signs[r] == (s > 0) for r, s in piece.literals) for piece in unit.pieces]
        assert holds == [k == chosen for k in range(rank)]


def test_name_and_file(tmp_path: Path) -> None:
    assert parse_activation("maxout(3)") == maxout(3)
    net = layer(np.arange(6.0).reshape(6, 1), np.zeros(6), 3)
    net.save(tmp_path / "net.npz")
    assert mc.Network.load(tmp_path / "net.npz").fingerprint == net.fingerprint


@pytest.mark.parametrize("rank", [1, 0, 2.0, True, "3"])
def test_rank(rank: object) -> None:
    with pytest.raises(NetworkError, match="at least 2"):
        maxout(rank)  # type: ignore[arg-type]


def test_width_of_the_affine_map() -> None:
    with pytest.raises(NetworkError, match="4 pre-activations do not divide into units of rank 3"):
        layer(np.ones((4, 1)), np.ones(4), 3)
