"""Counts over a training."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import NetworkError, OptionError

torch = pytest.importorskip("torch")
pytest.importorskip("pandas")
LINE = mc.Segment([-1.0, -1.0], [1.0, 1.0])
DOMAINS = {"line": LINE, "window": mc.Plane([-1.0, -1.0], [2.0, 0.0], [0.0, 2.0])}


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))


def changed(module, step: int):
    """Shift the first layer's breakpoints."""
    with torch.no_grad():
        module[0].bias += 0.5 * step
    return module


def test_a_live_module_is_followed() -> None:
    module, tracker, right = model(), mc.Tracker(DOMAINS), []
    for step in range(4):
        changed(module, step)
        tracker(step, module, loss=float(step))
        net = mc.Network.from_torch(module)
        right += [mc.count(net, domain, mc.ExactTree()).lower for domain in DOMAINS.values()]
    frame = tracker.frame()
    assert frame.lower.tolist() == frame.upper.tolist() == right
    assert len(set(right[::2])) > 1  # it does change
    assert frame.loss.tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert len(tracker._traced) == 1  # traced once for all steps and domains of one shape


def test_numbers_that_are_no_parameters_are_not_stale() -> None:
    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.shift = torch.nn.Linear(2, 3), torch.zeros(3)

        def forward(self, x):
            return torch.relu(self.inner(x) + self.shift)

    module, tracker = Scaled(), mc.Tracker({"line": LINE})
    module.inner.weight.data = torch.eye(3)[:, :2] * 1.0
    module.inner.bias.data = torch.zeros(3)
    tracker(0, module)
    module.shift = torch.tensor([0.5, 0.0, 0.0])
    tracker(1, module)
    assert [row["lower"] for row in tracker.rows] == [2, 3]


def test_saved_states(tmp_path) -> None:
    module = model()
    states, tracker = {}, mc.Tracker(DOMAINS)
    for step in range(3):
        changed(module, step)
        tracker(step, module)
        path = tmp_path / f"{step}.pt"
        torch.save(module.state_dict(), path)
        states[step] = path
    frame = mc.track(states, DOMAINS, model=model())
    assert frame.lower.tolist() == tracker.frame().lower.tolist()
    nets = {k: mc.Network.from_torch(changed(model(), 1)) for k in range(2)}
    assert mc.track(nets, {"box": mc.Box(-1, 1)}).domain.tolist() == ["box", "box"]


def test_refusals(tmp_path) -> None:
    with pytest.raises(OptionError, match="by name"):
        mc.Tracker([LINE])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="model="):
        mc.track({0: model().state_dict()}, DOMAINS)
    wrong = torch.nn.Linear(3, 3).state_dict()
    with pytest.raises(NetworkError, match="checkpoint 7 does not fit"):
        mc.track({7: wrong}, DOMAINS, model=model())
    path = tmp_path / "whole.pt"
    torch.save(model(), path)
    with pytest.raises(NetworkError, match=r"save model\.state_dict"):
        mc.track({0: path}, DOMAINS, model=model())


def test_measured_columns_may_come_late() -> None:
    tracker = mc.Tracker({"line": LINE})
    tracker(0, mc.Network.from_torch(model()))
    tracker(1, model(), accuracy=0.5)
    frame = tracker.frame()
    assert np.isnan(frame.accuracy[0]) and frame.accuracy[1] == 0.5
