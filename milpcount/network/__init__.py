"""Networks: affine maps, activations, layers, and the readers of files and modules."""

from milpcount.network.activation import Activation, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.affine import Affine, Dense
from milpcount.network.network import Layer, Network

__all__ = [
    "Activation",
    "Affine",
    "Dense",
    "Layer",
    "Network",
    "leaky_relu",
    "maxout",
    "piecewise_linear",
    "relu",
]
