"""The examples with known counts: the numbers are those of an exact method."""

import pytest

import milpcount as mc
from milpcount import examples
from milpcount.counters.brute_force import BruteForce

QUESTIONS = [
    pytest.param(example, quantity, id=f"{example.name}: {quantity.title}")
    for example in examples.library()
    for quantity in example.known
    if quantity in BruteForce.quantities
]


@pytest.mark.parametrize(("example", "quantity"), QUESTIONS)
def test_known_counts_are_right(example, quantity):
    result = mc.count(example.network, example.domain, BruteForce(), quantity=quantity)
    assert result.is_exact
    assert result.lower == example.known[quantity]


def test_names_are_unique():
    names = [example.name for example in examples.library()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_tent_is_the_tent_map(depth):
    net = examples.tent(depth)
    n = 2**depth
    values = [net([[i / n]])[0, 0] for i in range(n + 1)]
    assert values == [float(i % 2) for i in range(n + 1)]


def test_folding_maps_the_cube_onto_itself():
    net = examples.folding(3, 2, 1)
    corners = [[a / 3, b / 3] for a in range(4) for b in range(4)]
    expected = [[float(a % 2), float(b % 2)] for a in range(4) for b in range(4)]
    assert net(corners).round(12).tolist() == expected


def test_nested_minimum_is_what_its_name_says():
    net = examples.nested_minimum()
    for x in (-1.5, 0.0, 2.0):
        for y in (-1.0, 0.0, 0.5):
            assert net([[x, y]])[0, 0] == max(-y, min(0, -x))
