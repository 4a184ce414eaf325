"""Networks: affine maps, activations, layers, and the readers of files and modules."""

from milpcount.network.activation import Activation, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite, compose
from milpcount.network.layer import Group, Layer
from milpcount.network.network import Network
from milpcount.network.propagate import Part, Propagation, Rule, Source, propagate, values_of
from milpcount.network.sparse import Sparse
from milpcount.network.unit_table import UnitTable

__all__ = [
    "Activation",
    "Affine",
    "Composite",
    "Dense",
    "Elementwise",
    "Group",
    "Layer",
    "Network",
    "Part",
    "Propagation",
    "Rule",
    "Source",
    "Sparse",
    "UnitTable",
    "compose",
    "leaky_relu",
    "maxout",
    "piecewise_linear",
    "propagate",
    "relu",
    "values_of",
]
