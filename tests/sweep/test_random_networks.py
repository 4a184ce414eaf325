"""Random networks: the shapes are the architecture's, convolutions share their filters."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import OptionError
from milpcount.sweep.random_networks import random_network


def test_fully_connected():
    network = random_network("3-4-2-1", 0)
    assert (network.n_inputs, network.widths, network.output) == (3, (4, 2), None)
    again = random_network("3-4-2-1", 0)
    assert again.fingerprint == network.fingerprint != random_network("3-4-2-1", 1).fingerprint


def test_a_convolution_moves_with_its_input():
    network = random_network("5x4x2-conv3@2x2:relu", 3)
    affine = network.layers[0].affine
    x = np.random.default_rng(0).normal(size=(5, 4, 2))
    value = (affine.weight @ x.ravel() + affine.bias).reshape(4, 3, 3)
    moved = np.roll(x, (1, 1), axis=(0, 1))
    after = (affine.weight @ moved.ravel() + affine.bias).reshape(4, 3, 3)
    assert np.allclose(after[1:, 1:], value[:-1, :-1])


def test_strides_leave_positions_out():
    network = random_network("4x1-conv2@2/2:relu", 0)
    assert network.widths == (4,)
    weight = network.layers[0].affine.weight
    assert (weight[:2, 2:] == 0).all() and (weight[2:, :2] == 0).all()
    assert (weight[:2, :2] == weight[2:, 2:]).all()


@pytest.mark.parametrize(
    ("text", "regions"),
    [("3x1-conv1@2:relu", 4), ("3x1-conv2@2:relu", 15), ("4x1-conv2@2:relu", 55)],
)
def test_counts_of_xiong_et_al(text, regions):
    assert mc.count(random_network(text, 5), mc.Unbounded()).lower == regions


def test_units_and_weights_of_every_kind():
    steps = random_network("2-3:p3-1", 0).layers[0].activation
    assert [p.slope for p in steps.pieces] == [1.0, -1.0, 1.0, -1.0]
    assert [r.threshold for r in steps.rows] == [-1.0, 0.0, 1.0] and steps.is_continuous
    ternary = random_network("ternary:3-9-9:relu", 1)
    for layer in ternary.layers:
        assert set(np.unique(layer.affine.weight)) == {-1.0, 0.0, 1.0}
        assert set(np.unique(layer.affine.bias)) <= {-1.0, 0.0, 1.0}
    sparse = random_network("sparse0.25:40-40:relu", 0).layers[0].affine
    assert 0.2 < (sparse.weight != 0).mean() < 0.3 and (sparse.bias != 0).all()


def test_pools_read_windows_of_one_channel():
    net = random_network("4x4x2-maxpool2x2", 0)
    x = np.random.default_rng(1).normal(size=(4, 4, 2))
    largest = x.reshape(2, 2, 2, 2, 2).max(axis=(1, 3))
    np.testing.assert_array_equal(net(x.ravel()).reshape(2, 2, 2), largest)
    series = x.ravel()[:10]  # of length 5, whose last place fills no window
    means = series.reshape(5, 2)[:4].reshape(2, 2, 2).mean(axis=1).ravel()
    pooled, plain = (random_network(text, 0) for text in ("5x2-avgpool2-4:relu", "4-4:relu"))
    np.testing.assert_allclose(pooled(series), plain(means))


def test_a_bottleneck_keeps_its_rank_in_floats():
    net = random_network("3-1:id-4:relu", 0)
    assert mc.count(net, mc.Unbounded(), mc.ExactTree()).lower == 5  # lines, all parallel


def test_affine_layers_alone_are_refused():
    with pytest.raises(OptionError, match="give a layer of units"):
        random_network("3-4:id", 0)
