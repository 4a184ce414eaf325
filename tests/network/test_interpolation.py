"""Interpolation by scales whose weights are no float64 numbers: they are exact all the same."""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest

from milpcount.network import Composite, Network

torch = pytest.importorskip("torch")


def weights(before, scale, after):
    """Return the weights of linear interpolation by half pixels, as fractions."""
    table = np.full((after, before), Fraction(0))
    for i in range(after):
        at = (i + Fraction(1, 2)) / Fraction(scale) - Fraction(1, 2)
        at = min(max(at, Fraction(0)), Fraction(before - 1))
        low = min(int(at), before - 1)
        table[i, low] += 1 - (at - low)
        table[i, min(low + 1, before - 1)] += at - low
    return table


def exact_weights(net):
    assert isinstance(net.output, Composite) and not net.layers
    table, q = net.output.exact()
    assert not table[:, 0].any()
    return np.array([[Fraction(int(v), q) for v in row] for row in table[:, 1:]])


class Scaled(torch.nn.Module):
    def __init__(self, scale, mode):
        super().__init__()
        self.up = torch.nn.Upsample(scale_factor=scale, mode=mode)

    def forward(self, x):
        return self.up(x)


@pytest.mark.parametrize(
    ("scale", "mode", "sizes"),
    [(1.7, "linear", (5,)), (0.7, "linear", (6,)), ((1.7, 2.3), "bilinear", (2, 3))],
)
def test_torch(scale, mode, sizes):
    module = Scaled(scale, mode)
    net = Network.from_torch(module, (1, *sizes))
    x = torch.randn(6, 1, *sizes, dtype=torch.float64)
    np.testing.assert_allclose(net(x.reshape(6, -1).numpy()), module(x).reshape(6, -1), atol=1e-12)
    scales = scale if isinstance(scale, tuple) else (scale,)
    axes = [weights(n, s, int(n * s)) for n, s in zip(sizes, scales, strict=True)]
    assert (exact_weights(net) == reduce(np.kron, axes)).all()


def test_onnx_along_three_axes(write_onnx):
    """One divisor for all of them would have 72 bits."""
    scales = np.array([1, 1, 1.7, 1.3, 2.9], dtype=np.float32)
    rows = [("Resize", "x roi scales", "y", {"mode": "linear"})]
    constants = {"roi": np.zeros(0), "scales": scales}
    net = Network.load(write_onnx(rows, constants, ["N", 1, 2, 2, 2], dtype=np.float32))
    axes = [weights(2, float(s), int(2 * s)) for s in scales[2:]]
    assert (exact_weights(net) == reduce(np.kron, axes)).all()
