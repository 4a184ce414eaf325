"""Modules with a forward of their own: known numbers, and the functions that modules compute."""

import copy

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Function(nn.Module):
    """A module from a function; what is given by name is a part of it."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def read(module, shape, **options) -> Network:
    """Return the network of a module after comparing it with the module at random points."""
    state = copy.deepcopy(module.state_dict())
    net = Network.from_torch(module, shape, **options)
    for name, value in module.state_dict().items():
        assert torch.equal(value, state[name])
    x = torch.randn(20, *shape, dtype=torch.float64)
    found = copy.deepcopy(module).double().eval()(x)
    if "output" in options:
        found = found[options["output"]]
    expected = found.detach().numpy().reshape(20, -1)
    np.testing.assert_allclose(net(x.reshape(20, -1).numpy()), expected, rtol=1e-6, atol=1e-9)
    return net


def test_a_residual_block_is_the_network_of_its_layers():
    first, last = nn.Linear(2, 2), nn.Linear(2, 1)
    module = Function(lambda m, x: m.last(F.relu(x + F.relu(m.first(x)))), first=first, last=last)
    (w, b), (v, c) = ((p.weight.detach().numpy(), p.bias.detach().numpy()) for p in (first, last))
    from milpcount.network import relu

    eye, zero = np.eye(2), np.zeros(2)
    expected = Network.from_layers(
        2, [({0: w}, b, relu()), ({0: eye, 1: eye}, zero, relu())], ({2: v}, c)
    )
    assert read(module, (2,)).fingerprint == expected.fingerprint


def test_a_function_of_known_layers_is_the_chain_of_them():
    layers = [nn.Linear(3, 4), nn.Linear(4, 2)]
    chain = nn.Sequential(layers[0], nn.ReLU(), nn.Dropout(), layers[1])
    module = Function(
        lambda m, x: m.b(F.dropout(m.a(x).relu(), training=m.training)), a=layers[0], b=layers[1]
    )
    assert read(module, (3,)).fingerprint == Network.from_torch(chain).fingerprint


def like(x, values):
    """Return a constant of the precision of x."""
    return torch.tensor(values, dtype=x.dtype)


def image(function, **parts):
    return Function(function, conv=nn.Conv2d(1, 2, 3, padding=1), **parts)


MOVING = {
    "cat": lambda m, x: torch.cat([x, x.relu(), torch.ones(x.shape[0], 1, 6, 6)], 1),
    "stack": lambda m, x: torch.stack([x, 2 * x], 1),
    "split": lambda m, x: (lambda a, b: a - b)(*torch.chunk(m.conv(x), 2, 1)),
    "transposes": lambda m, x: x.transpose(1, 3).permute(0, 2, 1, 3).flip(1),
    "slices": lambda m, x: x[:, :, 1:5:2, [0, 2]] + x[:, :, -1:, :1],
    "pads": lambda m, x: F.pad(x, (1, 2, 0, 1), value=0.5) + 0.0,
    "reflection": lambda m, x: F.pad(x, (1, 2, 2, 1), mode="reflect"),
    "replication": lambda m, x: F.pad(x, (1, 2, 2, 1), mode="replicate"),
    "circular": lambda m, x: F.pad(x, (1, 2, 2, 1), mode="circular"),
    "pixel shuffle": lambda m, x: F.pixel_shuffle(F.pixel_unshuffle(x, 2).relu(), 2),
    "unfold": lambda m, x: F.unfold(x, 2, stride=2),
    "nearest": lambda m, x: F.interpolate(x, scale_factor=2, mode="nearest"),
    "nearest of a size": lambda m, x: F.interpolate(x, size=(4, 9)),
    "where with a mask": lambda m, x: torch.where(torch.eye(6) > 0, x, -x),
    "masked": lambda m, x: x.masked_fill(torch.eye(6) > 0, 0.25).tril(),
    "in place": lambda m, x: _in_place(x),
    "expand": lambda m, x: x.mean(2, keepdim=True).expand(-1, -1, 3, -1).repeat(1, 2, 1, 1),
}
LINEAR = {
    "mean and sum": lambda m, x: x.mean((2, 3)) + x.sum((1, 2, 3))[:, None] - x.mean(dim=1)[:, 0],
    "scalars": lambda m, x: 3 - 2 * x / 7 + x.sub(x, alpha=0.5) + torch.add(x, 1, alpha=3),
    "matmul": lambda m, x: like(x, np.ones((3, 6))) @ x @ like(x, np.arange(12).reshape(6, 2)),
    "einsum": lambda m, x: torch.einsum("bchw,wk->bkc", x, like(x, np.arange(18).reshape(6, 3))),
    "cumsum": lambda m, x: x.cumsum(2),
    "adaptive average": lambda m, x: F.adaptive_avg_pool2d(m.conv(x), (4, 1)),
    "adaptive average of one": lambda m, x: F.adaptive_avg_pool2d(x, 1),
    "average": lambda m, x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
    "average of a line": lambda m, x: F.avg_pool1d(x[:, 0], 2),
    "transposed": lambda m, x: F.conv_transpose2d(
        x, like(x, np.arange(18).reshape(1, 2, 3, 3)), like(x, [1, 2]), 2, 1, 1
    ),
    "dilated": lambda m, x: F.conv2d(
        x, like(x, np.arange(18).reshape(2, 1, 3, 3)), padding=2, dilation=2
    ),
    "bilinear": lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "bilinear of odd scales": lambda m, x: F.interpolate(
        x, scale_factor=(1.5, 0.75), mode="bilinear"
    ),
    "trilinear": lambda m, x: F.interpolate(x[:, None], scale_factor=2, mode="trilinear"),
    "bilinear of a size": lambda m, x: F.interpolate(x, size=(4, 7), mode="bilinear"),
    "bilinear with corners": lambda m, x: F.interpolate(
        x, size=(4, 11), mode="bilinear", align_corners=True
    ),
    "linear": lambda m, x: F.interpolate(x[:, 0], size=5, mode="linear"),
    "without gradients": lambda m, x: _without_gradients(x),
}
UNITS = {
    "rectifiers": lambda m, x: x.relu() + F.leaky_relu(x, 0.3) + F.relu6(3 * x) + abs(x),
    "slopes": lambda m, x: F.prelu(m.conv(x), like(x, [0.5, -2.0])),
    "clipping": lambda m, x: x.clamp(-0.5, 1) + F.hardtanh(x) + x.clamp(min=0.25),
    "hard sigmoid": lambda m, x: F.hardsigmoid(4 * x),
    "shrinking": lambda m, x: F.softshrink(x) + F.hardshrink(x, 0.7) + F.threshold(x, 0.2, 0.1),
    "two values": lambda m, x: torch.maximum(x, -2 * x) - torch.minimum(x, 0.5 * x),
    "two values of a row": lambda m, x: (
        torch.max(x[:, 0, 0], x[:, 0, 1]) - torch.min(x[:, 0, 0], x[:, 0, 2])
    ),
    "a constant": lambda m, x: torch.maximum(x, torch.linspace(-1, 1, 6)),
    "over an axis": lambda m, x: (
        x.max(3).values + x.min(2).values + x.amax((1, 2), keepdim=True)[:, 0]
    ),
    "max pooling": lambda m, x: F.max_pool2d(m.conv(x), 3, 2, 1, ceil_mode=True),
    "max pooling of a line": lambda m, x: F.max_pool1d(x[:, 0], 2),
    "adaptive maximum": lambda m, x: F.adaptive_max_pool2d(x, (4, 1)),
    "sorting": lambda m, x: x.reshape(-1, 18, 2).sort(-1).values,
    "sorting three": lambda m, x: x.reshape(-1, 3, 12).sort(1, descending=True)[0],
}


def _in_place(x):
    y = x.clone()
    y[:, :, 0] = 2.0
    y[:, :, 1] += 1
    return F.relu_(y)


def _without_gradients(x):
    with torch.no_grad():
        y = x * 2
    return y + x


@pytest.mark.parametrize("name", {**MOVING, **LINEAR, **UNITS})
def test_operators(name):
    function = {**MOVING, **LINEAR, **UNITS}[name]
    read(image(function), (1, 6, 6))


def sawtooth(m, x):
    for _ in range(3):
        x = 1 - abs(2 * x - 1)
    return x


def corner(m, x):
    first, second = x[:, :1], x[:, 1:]
    return torch.cat([torch.maximum(first, second), F.relu(first - second)], 1)


KNOWN = {
    "a sawtooth": (sawtooth, 1, mc.Box(0, 1), 8),
    "two values in order": (lambda m, x: x.sort(1).values, 2, mc.Box(-1, 1), 2),
    "three values in order": (lambda m, x: x.sort(1).values, 3, mc.Box(-1, 1), 6),
    "the largest of three": (lambda m, x: x.max(1).values, 3, mc.Box(-1, 1), 3),
    "one boundary twice": (corner, 2, mc.Box(-1, 1), 2),
    "a clipped cube": (lambda m, x: F.hardtanh(x), 3, mc.Box(-2, 2), 27),
    "a skip over a fold": (lambda m, x: (x + x.abs()).relu(), 2, mc.Box(-1, 1), 4),
    "softshrink": (lambda m, x: F.softshrink(x), 1, mc.Box(-1, 1), 3),
    "hardshrink": (lambda m, x: F.hardshrink(x), 1, mc.Box(-1, 1), 3),
    "a third that is not rounded": (
        lambda m, x: torch.cat([(x / 3 + 1).relu(), (x / 3 * 3 + 3).relu()], 1), 1,
        mc.Box(-10, 10), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("method", [mc.RegionTree(), mc.ExactTree()], ids=["tree", "exact"])
def test_known_counts(name, method):
    function, size, box, expected = KNOWN[name]
    found = mc.count(Network.from_torch(Function(function), (size,)), box, method)
    assert (found.lower, found.upper) == (expected, expected)
