"""The largest of several values: topk of torch and TopK of ONNX, values only."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")


class Largest(torch.nn.Module):
    def __init__(self, k, size, **options):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.k, self.options = torch.nn.Linear(2, size), k, options

    def forward(self, x):
        return torch.topk(self.first(x), self.k, **self.options).values


@pytest.mark.parametrize(
    ("k", "size", "options", "units"),
    [
        (1, 4, {}, 1),
        (2, 4, {}, 3 + 2),
        (3, 4, {"largest": False}, 3 + 2 + 1),
        (4, 4, {"sorted": False}, 3 + 2 + 1),
        (2, 61, {"dim": 1}, 60 + 59),
    ],
)
def test_values(k, size, options, units):
    module = Largest(k, size, **options).double()
    net = Network.from_torch(module, (2,))
    x = torch.randn(40, 2, dtype=torch.float64)
    expected = module(x).sort(-1, descending=options.get("largest", True)).values
    np.testing.assert_allclose(net(x.numpy()), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    assert net.n_units == units
    if size == 4:
        found = mc.count(net, mc.Box(-9, 9), mc.ExactTree()).lower
        assert found == mc.count(net, mc.Box(-9, 9)).lower > 1


def test_along_another_axis():
    class Columns(torch.nn.Module):
        def forward(self, x):
            return x.topk(2, dim=1).values

    net = Network.from_torch(Columns(), (3, 2))
    x = np.random.default_rng(0).normal(size=(5, 3, 2))
    expected = -np.sort(-x, axis=1)[:, :2]
    np.testing.assert_allclose(net(x.reshape(5, 6)).reshape(5, 2, 2), expected, rtol=1e-12)


@pytest.mark.parametrize("largest", [0, 1])
def test_in_onnx(write_onnx, largest):
    rows = [("TopK", "x k", "y i", {"axis": -2, "largest": largest})]
    path = write_onnx(rows, {"k": np.array([2])}, ["N", 3, 2], outputs=["y"])
    x = np.random.default_rng(0).normal(size=(5, 3, 2))
    sign = -1 if largest else 1
    expected = sign * np.sort(sign * x, axis=1)[:, :2]
    found = Network.load(path)(x.reshape(5, 6))
    np.testing.assert_allclose(found, expected.reshape(5, 4), rtol=1e-12)


def test_refused(write_onnx):
    with pytest.raises(
        NetworkError, match="the 3 largest of 61 values take 177 exchanges: at most"
    ):
        Network.from_torch(Largest(3, 61), (2,))
    rows = [("TopK", "x k", "v i"), ("Gather", "x i", "y")]
    with pytest.raises(FileFormatError, match="its input 'i' is not defined"):
        Network.load(write_onnx(rows, {"k": np.array([1])}, ["N", 3]))
    rows = [("TopK", "x k", "y i")]
    with pytest.raises((FileFormatError, NetworkError), match="the 4 largest of 3 values"):
        Network.load(write_onnx(rows, {"k": np.array([4])}, ["N", 3], outputs=["y"]))
