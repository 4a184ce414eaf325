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


def test_other_units_are_refused():
    with pytest.raises(OptionError, match="rectifiers only"):
        random_network("3-4:maxout3", 0)
