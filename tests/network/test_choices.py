"""Choices by the input: where, masks and comparisons, as the units that they are."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import FileFormatError, InputError, NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn = torch.nn


class Function(nn.Module):
    """A function of three values v = W x + b, not all of whose products with 0.1 are exact."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(1)
        self.function, self.a, self.b = function, nn.Linear(2, 3), nn.Linear(2, 3)

    def forward(self, x):
        return self.function(self.a(x), self.b(x))


def filled(v, mask, value):
    found = v.clone()
    found.masked_fill_(mask, value)
    return found


# Each with the same function in operators that are units themselves.
SAME = {
    "a rectifier": (lambda v, w: torch.where(v > 0, v, 0.0), lambda v, w: v.relu()),
    "from the other side": (lambda v, w: torch.where(v <= 0, 0.0, v), lambda v, w: v.relu()),
    "leaky": (
        lambda v, w: torch.where(v > 0, v, 0.1 * v),
        lambda v, w: nn.functional.leaky_relu(v, 0.1),
    ),
    "a product with a mask": (lambda v, w: v * (v > 0), lambda v, w: v.relu()),
    "with a mask of numbers": (lambda v, w: (v >= 0).float() * v, lambda v, w: v.relu()),
    "not": (lambda v, w: v * ~(v < 0), lambda v, w: v.relu()),
    "a mask that is filled": (lambda v, w: filled(v, v < 0, 0.0), lambda v, w: v.relu()),
    "an absolute value": (lambda v, w: torch.where(v < 0, -v, v), lambda v, w: v.abs()),
    "a larger one": (lambda v, w: torch.where(v > w, v, w), lambda v, w: torch.maximum(v, w)),
    "a smaller one": (lambda v, w: torch.where(v >= w, w, v), lambda v, w: torch.minimum(v, w)),
    "by a multiple": (
        lambda v, w: torch.where(3 * v > 3 * w, v, w),
        lambda v, w: torch.maximum(v, w),
    ),
    "a threshold": (
        lambda v, w: torch.where(v > 0.1, v, -7.0),
        lambda v, w: nn.functional.threshold(v, 0.1, -7.0),
    ),
    "by one of several": (
        lambda v, w: torch.where((v > 0).unsqueeze(0).squeeze(0), v, v - v),
        lambda v, w: v.relu(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_the_unit_that_a_choice_is(name):
    net = Network.from_torch(
        Function(lambda v, w: torch.cat([f(v, w) for f in SAME[name]], 1)), (2,)
    )
    x = np.random.default_rng(0).normal(size=(50, 2)) * 3
    choice, unit = np.split(net(x), 2, axis=1)
    np.testing.assert_allclose(choice, unit, rtol=1e-12, atol=1e-12)
    # Three lines make seven regions at most: those of the choices are those of the units.
    found = mc.count(net, mc.Box(-5, 5), mc.ExactTree()).lower
    assert net.n_units == 6 and 4 <= found <= 7 and mc.count(net, mc.Box(-5, 5)).lower == found


def steps(v, w):
    return (v > 0).float() + (w > 0).float()


def per_entry(v, w):
    """Three choices in one: a unit, a maximum, and a value that is always the same one."""
    below = torch.stack([0.5 * v[:, 0], w[:, 1], v[:, 2]], 1)
    return torch.where(v > torch.stack([0 * v[:, 0], w[:, 1], v[:, 2] - 1], 1), v, below)


def jump(v, w):
    return torch.where(v > w, v + 1, w)


def rounded_slope(v, w):
    """(1 - 0.1 / 3) as a multiple is no float64; the choice is a rectifier of the difference."""
    return torch.where(v > 0, w + v - v / 3, w)


@pytest.mark.parametrize("function", [steps, per_entry, jump, rounded_slope])
def test_values_and_counts(function):
    module = Function(function).double()
    net = Network.from_torch(module, (2,))
    x = np.random.default_rng(0).normal(size=(200, 2)) * 3
    expected = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(net(x), expected, rtol=1e-12, atol=1e-12)
    found = mc.count(net, mc.Box(-5, 5), mc.ExactTree())
    assert found.is_exact and found.lower == mc.count(net, mc.Box(-5, 5)).lower


def test_units_where_there_is_a_choice_alone():
    net = Network.from_torch(Function(per_entry), (2,))
    assert net.n_units == 2  # the third choice is always the same
    assert Network.from_torch(Function(lambda v, w: torch.where(v > w, w, w)), (2,)).n_units == 0


@pytest.mark.parametrize(
    ("comparison", "at_zero"), [("gt", 2.0), ("ge", 1.0), ("lt", 2.0), ("le", 1.0)]
)
def test_the_value_at_a_jump_is_that_of_the_file(comparison, at_zero):
    class Jump(nn.Module):
        def forward(self, x):
            return torch.where(getattr(torch, comparison)(x, 0.0), 1.0, 2.0)

    net = Network.from_torch(Jump(), (1,))
    assert net(np.array([0.0])).tolist() == [at_zero]
    side = 1.0 if comparison.startswith("g") else -1.0
    assert net(np.array([[side], [-side]])).tolist() == [[1.0], [2.0]]


BAD = {
    "of another choice": (
        lambda v, w: torch.where(v > 1, 1.0, torch.where(v < -1, -1.0, v)),
        "no multiple of what is compared",
    ),
    "of different values": (lambda v, w: torch.where(v > 0, w, v), r"entry 0\) is no multiple"),
    "of one sign": (lambda v, w: w * (v > 0), "no multiple of what is compared"),
    "an inexact jump": (
        lambda v, w: torch.where(v > 0, w + v - v / 3 + 1, w),
        "no multiple of what is compared",
    ),
    "of both": (lambda v, w: torch.where((v > 0) & (w > 0), v, w), "it takes a comparison of"),
    "a comparison": (lambda v, w: v > 0, "the output is a comparison: count what it compares"),
    "equality": (lambda v, w: torch.where(v == w, v, w), r"\(eq\).*compares, which makes steps"),
    "infinite": (lambda v, w: filled(v, v < 0, float("-inf")).relu(), "it chooses -inf: every"),
    "two masks": (lambda v, w: (v > 0) * (w > 0) * v, "a product of two comparisons"),
    "an index": (lambda v, w: v[:, (v[0] > 0)], "forward|comparison"),
}


@pytest.mark.parametrize("name", BAD)
def test_choices_that_are_no_units(name):
    function, message = BAD[name]
    with pytest.raises(NetworkError, match=message) as caught:
        Network.from_torch(Function(function), (2,))
    assert "\n" not in str(caught.value)


# The same in ONNX -----------------------------------------------------------------------------

W = {"W": np.array([[1.0, -2.0], [3.0, 0.7]]), "b": np.array([0.3, -0.1]), "0": np.zeros(())}
ROWS = {
    "a rectifier": [("Greater", "v 0", "c"), ("Where", "c v 0", "y")],
    "from the other side": [("LessOrEqual", "v 0", "c"), ("Where", "c 0 v", "y")],
    "not": [("Less", "v 0", "c"), ("Not", "c", "n"), ("Where", "n v 0", "y")],
    "a mask": [("Less", "0 v", "c"), ("Cast", "c", "f", {"to": 11}), ("Mul", "f v", "y")],
    "a mask that is moved": [
        ("GreaterOrEqual", "v 0", "c"),
        ("Unsqueeze", "c axes", "u"),
        ("Squeeze", "u axes", "s"),
        ("Identity", "s", "i"),
        ("Where", "i v 0", "y"),
    ],
    "a larger one": [("Sub", "v b", "w"), ("Greater", "w nv", "c"), ("Where", "c w nv", "y")],
    "steps": [("Greater", "v 0", "c"), ("Cast", "c", "f", {"to": 11}), ("Add", "f v", "y")],
}


@pytest.fixture
def chosen(write_onnx):
    def make(rows):
        first = [("Gemm", "x W b", "v"), ("Neg", "v", "nv")]
        constants = {**W, "axes": np.array([0])}
        return write_onnx(first + rows, constants, ["N", 2])

    return make


@pytest.mark.parametrize("name", ROWS)
def test_in_onnx(chosen, name):
    reference = pytest.importorskip("onnx.reference")
    path = chosen(ROWS[name])
    net = Network.load(path)
    x = np.random.default_rng(0).normal(size=(40, 2))
    run = reference.ReferenceEvaluator(str(path))
    expected = np.concatenate([run.run(None, {"x": row[None]})[0] for row in x])
    np.testing.assert_allclose(net(x), expected, rtol=1e-12, atol=1e-12)
    assert net.n_units == 2
    assert mc.count(net, mc.Box(-1, 1), mc.ExactTree()).lower == mc.count(net, mc.Box(-1, 1)).lower


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("Greater", "v 0", "c"), ("Where", "c x v", "y")], r"node 'y' \(Where\).*no multiple of"),
        (
            [("Greater", "v 0", "c"), ("And", "c c", "d"), ("Where", "d v 0", "y")],
            r"\(And\): it ta",
        ),
        (
            [("Greater", "v 0", "c"), ("Cast", "c", "y", {"to": 11})],
            "the output 'y' is a comparison",
        ),
        ([("Equal", "v 0", "c"), ("Where", "c v 0", "y")], r"\(Equal\).*which makes steps"),
        ([("Greater", "v 0", "c"), ("Add", "c v", "y")], r"\(Add\): it takes a comparison"),
    ],
)
def test_in_onnx_what_is_no_unit(chosen, rows, message):
    with pytest.raises((FileFormatError, InputError), match=message):
        Network.load(chosen(rows))
