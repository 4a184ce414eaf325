"""Regions that look alike modulo a prime and are not: exact arithmetic has the last word."""

import numpy as np

import milpcount as mc
from milpcount.exact.geometry import Rows
from milpcount.exact.rows import ExactNetwork
from milpcount.partitions.classes import MapClasses, is_same


def test_equal_residues_are_compared_exactly():
    net = mc.Network.from_arrays([[[1.0], [1.0]], [[1.0, 1.0]]], [[0.0, -0.5], [0.0]])
    inputs = mc.Box(-1, 1).bind(1)
    classes = MapClasses(net, inputs)
    classes.add([(0, 0), (1, 0), (1, 1)])  # 0, x and 2 x - 1/2
    assert classes.lower == 3 and classes.shared() == []
    together = [np.array([0, 1, 2])]  # as if all had the same residue
    assert list(classes.exactly(ExactNetwork(net, inputs), together)) == []


def test_equal_maps_are_one_class():
    net = mc.Network.from_arrays([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.0, 0.0], [0.0]])
    inputs = mc.Box(-1, 1).bind(1)
    classes = MapClasses(net, inputs)
    classes.add([(0, 0), (1, 1)])
    (shared,) = classes.shared()
    (found,) = classes.exactly(ExactNetwork(net, inputs), [shared])
    assert found.tolist() == [0, 1]


def test_maps_are_compared_with_their_denominators():
    integers = np.array([[1, 2], [3, 4]], dtype=object)
    one, half = Rows(integers, (1, 1)), Rows(integers, (1, 2))
    assert is_same(one, one) and not is_same(one, half)
    assert is_same(half, Rows(np.array([[2, 4], [3, 4]], dtype=object), (2, 2)))
