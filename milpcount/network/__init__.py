"""Networks: affine maps, activations, layers, and the readers of files and modules."""

from milpcount.network.activation import Activation, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite, compose
from milpcount.network.network import Layer, Network

__all__ = [
    "Activation",
    "Affine",
    "Composite",
    "Dense",
    "Elementwise",
    "Layer",
    "Network",
    "compose",
    "leaky_relu",
    "maxout",
    "piecewise_linear",
    "relu",
]
