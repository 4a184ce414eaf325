"""Readers compose affine operators without rounding: the function counted is the file's."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import Network
from milpcount.network.files import load
from milpcount.network.onnx_reader import read_onnx
from milpcount.rationals import root

METHODS = (mc.RegionTree(), mc.ExactTree(), mc.BruteForce())
SEEDS = range(24)


def counts(net: Network) -> set[int]:
    return {mc.count(net, mc.Box(-50, 50), method).lower for method in METHODS}


def exact_map(affine) -> list[list[Fraction]]:
    """Return rows of an affine map, the bias first."""
    integers, q = affine.exact()
    return [[Fraction(int(v), q) for v in row] for row in integers]


@pytest.mark.parametrize("seed", SEEDS)
def test_nnet_normalisation(tmp_path, seed):
    # Two units with weights 1, 3 and biases 1, 3 vanish at the same point: two regions.
    rng = np.random.default_rng(seed)
    mean, spread = rng.uniform(0.1, 1.3), rng.uniform(0.3, 3)
    path = tmp_path / "net.nnet"
    lines = ["// two units", "2,1,1,2,", "1,2,1,", "0,", "-50.0,", "50.0,"]
    lines += [f"{mean!r},0.25,", f"{spread!r},3.0,", "1.0,", "3.0,", "1.0,", "3.0,"]
    path.write_text("\n".join([*lines, "1.0,1.0,", "0.0,"]) + "\n")
    net = load(path)
    assert counts(net) == {2}
    assert exact_map(net.layers[0].affine)[1] == [
        3 - 3 * Fraction(mean) / Fraction(spread),
        3 / Fraction(spread),
    ]
    # outputs are stretched back: 3 y + 0.25
    assert exact_map(net.output) == [[Fraction(1, 4), Fraction(3), Fraction(3)]]


@pytest.mark.parametrize("seed", SEEDS)
def test_onnx_normalisation(write_onnx, seed):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(seed)
    constants = {
        "mean": np.array([rng.uniform(0.1, 1.3)]),
        "range": np.array([rng.uniform(0.3, 3)]),
        "w": np.array([[1.0, 3.0]]),
        "b": np.array([1.0, 3.0]),
    }
    rows = [
        ("Sub", "x mean", "centred"),
        ("Div", "centred range", "scaled"),
        ("Gemm", "scaled w b", "v"),
        ("Relu", "v", "y"),
    ]
    assert counts(read_onnx(write_onnx(rows, constants, ["N", 1]))) == {2}


def test_onnx_gemm_after_gemm_and_its_scalars(write_onnx):
    pytest.importorskip("onnx")
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    b1, b2 = rng.normal(size=3), rng.normal(size=2)
    rows = [
        ("Gemm", "x w1 b1", "t", {"alpha": 0.3, "beta": 0.7}),
        ("Gemm", "t w2 b2", "v"),
        ("Relu", "v", "y"),
    ]
    net = read_onnx(write_onnx(rows, {"w1": one, "b1": b1, "w2": two, "b2": b2}, ["N", 2]))
    alpha, beta = (Fraction(float(np.float32(s))) for s in (0.3, 0.7))
    for k, row in enumerate(exact_map(net.layers[0].affine)):
        bias = Fraction(b2[k]) + sum(beta * Fraction(b1[j]) * Fraction(two[j, k]) for j in range(3))
        weights = [
            sum(alpha * Fraction(one[i, j]) * Fraction(two[j, k]) for j in range(3))
            for i in range(2)
        ]
        assert row == [bias, *weights]


def test_onnx_tensors_that_were_scaled_in_different_ways_meet(write_onnx):
    pytest.importorskip("onnx")
    constants = {"a": np.array([0.3]), "b": np.array([0.7]), "c": np.array([0.1]),
                 "w": np.array([[1.0], [3.0]])}  # fmt: skip
    rows = [
        ("Div", "x a", "p"),
        ("Mul", "p c", "q"),
        ("Sub", "x b", "r"),
        ("Add", "q r", "s"),
        ("Add", "s x", "t"),
        ("Concat", "t p", "u", {"axis": 1}),
        ("MatMul", "u w", "v"),
        ("Relu", "v", "y"),
    ]
    net = read_onnx(write_onnx(rows, constants, ["N", 1]))
    a, b, c = Fraction(0.3), Fraction(0.7), Fraction(0.1)
    assert exact_map(net.layers[0].affine) == [[-b, c / a + 2 + 3 / a]]


def test_onnx_sums_of_tensors_do_not_round(write_onnx):
    pytest.importorskip("onnx")
    w1, w2 = np.array([[1.0]]), np.array([[2.0**-60]])
    rows = [
        ("MatMul", "x w1", "p"),
        ("MatMul", "x w2", "q"),
        ("Add", "p q", "v"),
        ("Relu", "v", "y"),
    ]
    net = read_onnx(write_onnx(rows, {"w1": w1, "w2": w2}, ["N", 1]))
    assert exact_map(net.layers[0].affine) == [[0, 1 + Fraction(1, 2**60)]]


@pytest.mark.parametrize("kind", ["AveragePool", "ReduceMean", "GlobalAveragePool"])
def test_onnx_means_are_quotients(write_onnx, kind):
    pytest.importorskip("onnx")
    attributes = {
        "AveragePool": {"kernel_shape": [1, 3]},
        "ReduceMean": {"axes": [2, 3]},
        "GlobalAveragePool": {},
    }[kind]
    rows = [(kind, "x", "v", attributes), ("Relu", "v", "y")]
    net = read_onnx(write_onnx(rows, {}, ["N", 1, 1, 3]))
    assert exact_map(net.layers[0].affine) == [[0, *[Fraction(1, 3)] * 3]]


def test_onnx_convolution_after_a_mean(write_onnx):
    pytest.importorskip("onnx")
    kernel = np.array([[[0.1, 0.7]]])
    rows = [
        ("AveragePool", "x", "m", {"kernel_shape": [2]}),
        ("Conv", "m k", "v"),
        ("Relu", "v", "y"),
    ]
    net = read_onnx(write_onnx(rows, {"k": kernel}, ["N", 1, 3]))
    a, b = Fraction(0.1) / 2, Fraction(0.7) / 2
    assert exact_map(net.layers[0].affine) == [[0, a, a + b, b]]


def test_onnx_batch_normalisation(write_onnx):
    pytest.importorskip("onnx")
    scale, shift, mean, variance = ([0.3, -1.7], [0.1, 0.2], [0.7, -0.1], [0.9, 2.1])
    constants = {"s": scale, "b": shift, "m": mean, "v": variance}
    rows = [("BatchNormalization", "x s b m v", "n", {"epsilon": 1e-3}), ("Relu", "n", "y")]
    net = read_onnx(write_onnx(rows, {k: np.array(v) for k, v in constants.items()}, ["N", 2]))
    epsilon = Fraction(float(np.float32(1e-3)))
    roots = [Fraction(root(Fraction(v) + epsilon)) for v in variance]
    slopes = [Fraction(s) / r for s, r in zip(scale, roots, strict=True)]
    offsets = [Fraction(b) - k * Fraction(m) for b, k, m in zip(shift, slopes, mean, strict=True)]
    expected = [[offsets[0], slopes[0], 0], [offsets[1], 0, slopes[1]]]
    assert exact_map(net.layers[0].affine) == expected
    result = mc.count(net, mc.Box(-1, 1))
    assert "roots of batch normalisation" in result.details["notes"][0]
    assert "roots of batch normalisation" in str(result)


def test_torch_chains_of_affine_layers():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Linear(2, 3), nn.Linear(3, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 1)
    ).eval()
    with torch.no_grad():
        module[2].running_mean += 0.3
        module[2].running_var += 0.7
    net = Network.from_torch(module)
    numbers = {k: v.double().numpy() for k, v in module.state_dict().items()}
    first, second = numbers["0.weight"], numbers["1.weight"]
    for k, row in enumerate(exact_map(net.layers[0].affine)):
        size = Fraction(root(Fraction(numbers["2.running_var"][k]) + Fraction(module[2].eps)))
        size = Fraction(numbers["2.weight"][k]) / size
        bias = Fraction(numbers["1.bias"][k]) - Fraction(numbers["2.running_mean"][k])
        bias += sum(Fraction(second[k, j]) * Fraction(numbers["0.bias"][j]) for j in range(3))
        weights = [
            size * sum(Fraction(second[k, j]) * Fraction(first[j, i]) for j in range(3))
            for i in range(2)
        ]
        assert row == [size * bias + Fraction(numbers["2.bias"][k]), *weights]
    assert net.notes


def test_torch_means_and_padding_with_copies():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    net = Network.from_torch(nn.Sequential(nn.AvgPool1d(3), nn.ReLU()), (1, 3))
    assert exact_map(net.layers[0].affine) == [[0, *[Fraction(1, 3)] * 3]]
    conv = nn.Conv1d(1, 1, 3, padding=1, padding_mode="replicate", bias=False)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([[[0.1, 0.2, 1e8]]])
    net = Network.from_torch(nn.Sequential(conv, nn.ReLU()), (1, 1))
    taps = [Fraction(v) for v in conv.weight.detach().double().numpy().ravel()]
    assert exact_map(net.layers[0].affine) == [[0, sum(taps)]]
