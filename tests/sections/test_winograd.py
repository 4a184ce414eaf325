"""Convolutions in Winograd's form, against torch's, and where they are used."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.sections import winograd

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("height, width", [(1, 1), (1, 4), (2, 2), (3, 5), (4, 4), (5, 9), (8, 6)])
def test_the_same_numbers(height: int, width: int, bias: bool, monkeypatch) -> None:
    monkeypatch.setattr(winograd, "_SCRATCH", 5000)  # several blocks
    torch.manual_seed(0)
    x = torch.randn(7, 8, height, width, dtype=torch.float64)
    weight = torch.randn(9, 8, 3, 3, dtype=torch.float64)
    shift = torch.randn(9, dtype=torch.float64) if bias else None
    right = torch.nn.functional.conv2d(x, weight, shift, padding=1).reshape(7, -1)
    found = winograd.FastConvolution(weight, shift, height, width)(x.reshape(7, -1))
    assert (found - right).abs().max() <= 1e-13 * right.abs().max()


@pytest.mark.parametrize(
    "options", [{"stride": 2}, {"padding": 0}, {"dilation": 2, "padding": 2}, {"groups": 2}]
)
def test_other_convolutions_stay_torchs(options) -> None:
    module = torch.nn.Conv2d(8, 8, 3, **{"padding": 1, **options})
    given = {
        "weight": module.weight.detach().double(),
        "bias": None,
        "stride": list(module.stride),
        "padding": list(module.padding),
        "dilation": list(module.dilation),
        "transposed": False,
        "groups": module.groups,
    }
    assert winograd.FastConvolution.of(given, (1, 8, 6, 6)) is None
    plain = given | {"stride": [1, 1], "padding": [1, 1], "dilation": [1, 1], "groups": 1}
    plain["weight"] = torch.zeros(8, 8, 3, 3, dtype=torch.float64)
    assert winograd.FastConvolution.of(plain, (1, 8, 6, 6)) is not None


def test_it_is_used_where_no_errors_are_bounded(monkeypatch) -> None:
    """And the count is that with torch's convolutions."""
    from milpcount.sections.walk import Walk

    used = []
    call = winograd.FastConvolution.__call__
    monkeypatch.setattr(
        winograd.FastConvolution, "__call__", lambda self, x: used.append(1) or call(self, x)
    )
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(n, 8, 3, padding=1) for n in (1, 8, 8)]
    module = torch.nn.Sequential(*(p for layer in layers for p in (layer, torch.nn.ReLU())))
    line = mc.Segment(*np.random.default_rng(0).normal(size=(2, 1, 5, 5)))
    right = mc.count(module, line)
    assert right.is_exact and not used
    given_up = property(lambda self: False, lambda self, value: None)
    monkeypatch.setattr(Walk, "_certify", given_up, raising=False)
    from milpcount.counters import section_runs

    monkeypatch.setattr(section_runs, "SMALL", 0)
    found = mc.count(module, line)
    assert used and found.guarantee.name == "TOLERANCE"
    assert (found.lower, found.upper) == (right.lower, right.upper)
    used.clear()
    assert mc.count(module, line, mc.SectionWalk(tolerance=1e-13)).lower == right.lower
    assert not used
