"""What is of the wrong type is refused in one line that says what to write instead."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount import arguments
from milpcount.bounds.theorem import BOUNDED
from milpcount.errors import DomainError, InputError, NetworkError, OptionError
from milpcount.limits import Deadline
from milpcount.methods import METHODS, make
from milpcount.quantities import Quantity
from tests.networks import random_network

BOX = mc.Box(-1, 1)
NET = random_network(0, 2, (3,))


def refusal(kind, verb, *given, **named):
    """Return the one line that a call is refused with."""
    with pytest.raises(kind) as caught:
        verb(*given, **named)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("verb", [mc.count, mc.bound, mc.compare, mc.formulate])
@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (Path("net.npz"), "mc.Network.load('net.npz')"),
        (np.eye(2), "mc.Network.from_arrays(weights, biases)"),
        ([np.eye(2)], "mc.Network.from_arrays(weights, biases)"),
        (None, "None: give a milpcount.Network"),
        (mc.Network, "the class Network: give a milpcount.Network"),
        (BOX, "type Box: give a milpcount.Network"),
    ],
)
def test_network(verb, value, instead):
    assert instead in refusal(NetworkError, verb, value, BOX)


@pytest.mark.parametrize("verb", [mc.count, mc.compare, mc.formulate])
def test_a_name_of_a_file(verb):
    assert "give mc.Network.load('a.onnx')" in refusal(NetworkError, verb, "a.onnx", BOX)


def test_models_of_other_libraries():
    neural_network = pytest.importorskip("sklearn.neural_network")
    torch = pytest.importorskip("torch")
    onnx = pytest.importorskip("onnx")
    for model, instead in [
        (neural_network.MLPRegressor(), "give mc.Network.from_sklearn(model)"),
        (torch.nn.Linear(1, 1), "give mc.Network.from_torch(module, input_shape=..)"),
        (onnx.ModelProto(), "mc.Network.load('net.onnx')"),
    ]:
        assert instead in refusal(NetworkError, mc.count, model, BOX)


@pytest.mark.parametrize("verb", [mc.count, mc.bound, mc.compare, mc.formulate])
@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ((-1, 1), "the tuple (-1, 1): give mc.Box(-1, 1)"),
        ([0.0, 2.5], "the list [0.0, 2.5]: give mc.Box(0.0, 2.5)"),
        ((np.zeros(2), np.ones(2)), "give mc.Box(lower, upper)"),
        (np.zeros((2, 2)), "give mc.Box(lower, upper)"),
        (1, "the number 1: give mc.Box(-1, 1), mc.Polytope(A, b)"),
        ("-1 1", "the string '-1 1': give mc.Box(-1, 1)"),
        (mc.Box, "the class Box: give mc.Box(-1, 1)"),
    ],
)
def test_domain(verb, value, instead):
    assert instead in refusal(DomainError, verb, NET, value)


def test_no_domain():
    assert "the count depends on it" in refusal(DomainError, mc.count, NET, None)


def test_the_box_of_a_section():
    section = mc.Section([0, 0], [[1, 1]], (0, 1))
    assert "give mc.Box(lower, upper)" in refusal(DomainError, mc.count, NET, section)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ("probe", "the string 'probe': give mc.Probing(), one of mc.RegionTree(), "),
        ("cplex", "the string 'cplex': give one of mc.RegionTree(), mc.SolutionPool()"),
        (mc.ExactTree, "the class ExactTree: give mc.ExactTree(), with parentheses"),
        (3, "the number 3: give one of mc.RegionTree()"),
        (mc.Limits(), "type Limits: give one of mc.RegionTree()"),
    ],
)
def test_method(value, instead):
    assert instead in refusal(OptionError, mc.count, NET, BOX, value)


@pytest.mark.parametrize(
    ("option", "value", "instead"),
    [
        ("limits", 60, "give mc.Limits(seconds=60)"),
        ("limits", {"seconds": 3}, "type dict: give mc.Limits(seconds=60)"),
        ("quantity", "regions", "give one of activation_regions, activation_patterns"),
        ("quantity", 3, "quantity 3 is not known"),
        ("seed", -1, "seed -1: give an integer of at least 0"),
        ("seed", 1.0, "seed 1.0: give an integer"),
        ("seed", "7", "seed '7': give an integer"),
        ("seed", True, "seed True: give an integer"),
        ("seed", None, "seed None: give an integer"),
        ("listener", True, "the listener is True: give a function"),
        ("executor", 4, "ProcessPoolExecutor(4)"),
        ("executor", ThreadPoolExecutor, "the class ThreadPoolExecutor"),
        ("keep_regions", "no", "keep_regions='no': give True or False"),
    ],
)
def test_options_of_count(option, value, instead):
    assert instead in refusal(OptionError, mc.count, NET, BOX, **{option: value})


@pytest.mark.parametrize(
    ("verb", "option", "value", "instead"),
    [
        (mc.bound, "limits", 3, "give mc.Limits(seconds=3)"),
        (mc.bound, "quantity", "x", "linear_regions, closed_linear_regions, affine_pieces"),
        (mc.bound, "tighten", 3, "give one of interval, lp, milp"),
        (mc.bound, "family", 3, "there are any_network, arrangements"),
        (mc.compare, "quantity", "x", "give one of activation_regions"),
        (mc.compare, "listener", 3, "give a function"),
        (mc.compare, "candidates", (mc.RegionTree(),), "e.g. Candidate('tree', mc.RegionTree)"),
        (mc.formulate, "quantity", "x", "one of activation_regions, activation_patterns"),
        (mc.formulate, "deadline", 3, "Deadline(60)"),
        (mc.formulate, "form", 3, "give one of one_sided, two_sided"),
        (mc.formulate, "tighten", 3, "give one of interval, lp, milp"),
    ],
)
def test_options_of_the_others(verb, option, value, instead):
    assert instead in refusal(OptionError, verb, NET, BOX, **{option: value})


def test_what_is_right_passes_as_it_is():
    with ThreadPoolExecutor(1) as pool:
        assert arguments.executor(pool) is pool
    assert arguments.flag(np.bool_(True), "keep_regions") is True
    assert arguments.quantity("grid_patterns") is Quantity.GRID_PATTERNS
    assert arguments.limits(None) is arguments.executor(None) is arguments.deadline(None) is None
    deadline = Deadline(1)
    assert arguments.deadline(deadline) is deadline


def test_what_this_method_does_not_count():
    line = refusal(OptionError, mc.count, NET, BOX, mc.Probing(), quantity="activation_patterns")
    assert line == "method 'probe' cannot count activation_patterns; it counts activation_regions"


def test_names_are_those_of_the_methods():
    made = {name: make(name) for name in METHODS}
    assert {name: method.name for name, method in made.items()} == {name: name for name in METHODS}
    counted = set().union(*(method.quantities for method in made.values()))
    assert counted == set(Quantity)


@pytest.mark.parametrize("name", BOUNDED)
def test_what_the_shell_offers_to_bound_has_bounds(name):
    assert mc.bound("2-3-1", quantity=name.value).upper >= 7
    assert mc.bound(NET, BOX, quantity=name.value).to_record()["upper"] is not None
