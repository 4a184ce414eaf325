"""Modules of PyTorch as they are: the same counts as of the network that is read from them."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.result import Guarantee
from milpcount.sections.exact import corners
from milpcount.sections.findings import Settings
from milpcount.sections.torch_program import Traced
from milpcount.sections.walk import Walk

torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional


class Everything(nn.Module):
    """Convolutions, a skip, normalisation, two kinds of pooling, and units of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.inner, self.outer = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.dense, self.slopes = nn.Linear(12, 6), nn.PReLU(6)
        self.last = nn.Linear(12, 2)
        self.norm.running_mean.uniform_(-0.2, 0.2)
        self.norm.running_var.uniform_(0.5, 2.0)

    def forward(self, x):
        h = functional.max_pool2d(functional.relu(self.norm(self.stem(x))), 2)
        h = functional.leaky_relu(h + self.outer(functional.relu(self.inner(h))), 0.1)
        v = self.dense(functional.avg_pool2d(h, 2).flatten(1))
        a, b = torch.clamp(v, -1, 1), self.slopes(0.5 - v / 2)
        return self.last(torch.cat([torch.maximum(a, b), torch.abs(a - b)], dim=1))


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(1)
    return Everything().eval()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(5).normal(size=(3, 1, 8, 8))


def test_the_same_as_the_network_read_from_it(module, images) -> None:
    before = {name: value.clone() for name, value in module.state_dict().items()}
    net = mc.Network.from_torch(module, (1, 8, 8))
    line, window = mc.Segment(*images[:2]), mc.Plane(images[0], *(images[1:] / 2))
    for domain in (line, window):
        found, right = mc.count(module, domain), mc.count(net, domain)
        assert found.guarantee is right.guarantee is Guarantee.CERTIFIED
        assert found.lower == found.upper == right.lower == right.upper > 20
        assert found.details["units"] == net.n_units
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize("certified", [True, False])
def test_torch_arrays_say_the_same_as_numpys(module, images, certified: bool) -> None:
    inputs = mc.Segment(*images[:2]).bind(64)
    traced, counts = Traced.of(module, (1, 8, 8)), []
    for on_host in (True, False):
        program = traced.program(inputs, on_host=on_host)
        walk = Walk(program, corners(inputs), Settings(digests=True))
        walk._certify = certified
        *_, found = walk.run()
        assert found.rigorous is certified
        digests = {digest for part in found.digests for digest in part}
        counts.append((found.cells, found.most, digests))
    assert counts[0] == counts[1]


def test_what_floats_leave_open_is_counted_exactly(images) -> None:
    # The same unit twice, and its negative: no bound on errors tells where they differ.
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU()).double()
    with torch.no_grad():
        module[0].weight[1], module[0].bias[1] = module[0].weight[0] * 3, module[0].bias[0] * 3
        module[2].weight[1], module[2].bias[1] = -module[2].weight[0], -module[2].bias[0]
    net = mc.Network.from_torch(module)
    line = mc.Segment([-3.0, 2.0], [3.0, -2.0])
    result = mc.count(module, line)
    assert result.is_exact and result.guarantee is Guarantee.CERTIFIED
    assert result.lower == mc.count(net, line, mc.ExactTree()).lower


def test_a_tolerance_leaves_an_interval_that_holds(images) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU()).double()
    with torch.no_grad():
        module[0].weight[1], module[0].bias[1] = module[0].weight[0], module[0].bias[0] + 1e-9
    line = mc.Segment([-3.0, 2.0], [3.0, -2.0])
    inputs = line.bind(2)
    right = mc.count(mc.Network.from_torch(module), line, mc.ExactTree()).lower
    walk = Walk(Traced.of(module, (2,)).program(inputs), corners(inputs), Settings(tolerance=1e-6))
    walk._certify = False
    *_, found = walk.run()
    assert not found.rigorous and found.uncertain
    assert found.cells <= right <= found.most


def test_other_quantities_of_a_module_are_those_of_its_network() -> None:
    torch.manual_seed(2)
    module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    net = mc.Network.from_torch(module)
    line = mc.Segment([-2.0, -2.0, 1.0], [2.0, 1.0, -2.0])
    for quantity in ("linear_regions", "affine_pieces", "activation_patterns"):
        found = mc.count(module, line, quantity=quantity)
        right = mc.count(net, line, mc.ExactTree(), quantity=quantity)
        assert (found.lower, found.upper) == (right.lower, right.upper)


def test_hooks_are_refused_and_smooth_units_too(images) -> None:
    hooked = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    hooked[0].register_forward_hook(lambda module, given, found: found * 2)
    line = mc.Segment([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(NetworkError, match="hook"):
        mc.count(hooked, line)
    smooth = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 3), nn.ReLU())
    with pytest.raises(NetworkError, match="sigmoid"):
        mc.count(smooth, line)
    with pytest.raises(NetworkError, match="from_torch"):
        mc.count(nn.Linear(2, 2), mc.Section([0.0, 0.0], [[1.0, 0.0]]))


def test_a_module_without_units_has_one_region() -> None:
    result = mc.count(nn.Linear(2, 2), mc.Segment([0.0, 0.0], [1.0, 1.0]))
    assert result.lower == result.upper == 1


def test_bounds_on_errors_hold() -> None:
    """Numbers with every kind of constant, against the network in exact arithmetic."""

    class Affine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
            self.norm.running_mean.copy_(torch.tensor([1e3, -2.0, 0.1, 5.0]))
            self.norm.bias.data = self.norm.running_mean * (1 + 1e-5) ** -0.5

        def forward(self, x):
            h = self.norm(self.inner(x))
            h = -2 * h + (0.3 - h) * 3 - 0.7
            return torch.relu((h / 3).sub(h.flip(1), alpha=-0.1) + h.mean(dim=1, keepdim=True) / -7)

    from milpcount.exact.weights import ExactRule, ExactWeights, Numbers
    from milpcount.network import propagate
    from milpcount.rationals import to_integers

    torch.manual_seed(0)
    module = Affine().eval()
    net = mc.Network.from_torch(module, (3,))
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3))
    program = Traced.of(module, (3,)).program(mc.Segment(a, b).bind(3))
    x, e = program.start(np.array([[0.0], [1.0]]))
    held, off = {"input": x}, {"input": e}
    for step in program.steps[:-1]:
        read = [held[name] for name in step.reads]
        off[step.name] = step.affine.error(read, [off[name] for name in step.reads])
        held[step.name] = step.affine(read)
    name = program.steps[-1].reads[0]
    weights = ExactWeights(net)
    for number, point in enumerate((a, b)):
        integers, q = to_integers(point)
        rule = ExactRule(weights)
        rule.activate = lambda layer, values: values  # type: ignore[method-assign]
        right = propagate(net, Numbers(integers[:, None], q), rule, to_output=False).values[0]
        for value, bound, exact in zip(
            held[name][number], off[name][number], right.values[:, 0], strict=True
        ):
            difference = abs(float(exact / right.denominator) - value)
            assert difference <= bound * 1.01 < 1e-9
