"""Small modules of every kind: as a module, as an ONNX file, by both trees, the same count."""

import copy
import warnings

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import Network

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
nn, F = torch.nn, torch.nn.functional
prune = pytest.importorskip("torch.nn.utils.prune")


class Residual(nn.Module):
    """Two convolutions with batch normalisation and a skip connection."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 1, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(2), nn.BatchNorm2d(1)])
        for norm in self.norms:
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = F.relu(self.norms[0](self.a(x)))
        return F.relu(self.norms[1](self.b(y)) + x)


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 2, 3, padding=1), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(F.relu(F.max_pool2d(self.conv(x), 2)).flatten(1))


class Shaped(nn.Module):
    """Down by a pooling, up by a transposed convolution, beside a skip."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 2, 3, padding=1), nn.ConvTranspose2d(2, 1, 2, stride=2)
        self.end = nn.Conv2d(2, 1, 1)

    def forward(self, x):
        y = F.relu(self.down(F.avg_pool2d(x, 2)))
        return F.relu(self.end(torch.cat([F.relu(self.up(y)), x], 1)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 3), nn.Linear(7, 3), nn.Linear(10, 3)])

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, torch.relu(layer(x))], dim=1)
        return x


class Grouped(nn.Module):
    """Pairs in order, as in Lipschitz networks."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 4)

    def forward(self, x):
        for layer in (self.a, self.b):
            v = layer(x)
            pairs = v.reshape(v.shape[0], v.shape[1] // 2, 2)
            low, high = torch.minimum(*pairs.unbind(2)), torch.maximum(*pairs.unbind(2))
            x = torch.stack([low, high], 2).reshape(v.shape[0], v.shape[1])
        return x


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.c(F.relu(self.b(F.relu(self.a(x)))))


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.policy, self.value = Perceptron(), nn.Linear(2, 3), nn.Linear(2, 1)

    def forward(self, x):
        h = F.leaky_relu(self.body(x), 0.25)
        return {"policy": torch.tanh(self.policy(h)), "value": self.value(h)}


class Adaptive(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(3, 2)

    def forward(self, x):
        y = F.adaptive_avg_pool2d(F.relu(self.conv(x)), 1)
        return F.relu(self.out(torch.flatten(y, 1))) - self.out.bias


def pruned():
    module = Perceptron()
    prune.l1_unstructured(module.a, "weight", 0.5)
    prune.random_structured(module.b, "weight", 1, dim=0)
    return module


def normed():
    module = Perceptron()
    nn.utils.parametrizations.weight_norm(module.a)
    nn.utils.parametrizations.spectral_norm(module.b)
    return module


def compiled():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's, about its own modules
        return torch.compile(Perceptron())


# name: (module, shape)
MODULES = {
    "residual block": (Residual, (1, 4, 4)),
    "max pooling": (Pooled, (1, 4, 4)),
    "u-shape": (Shaped, (1, 4, 4)),
    "dense block": (Dense, (4,)),
    "group sort": (Grouped, (4,)),
    "functional": (Perceptron, (4,)),
    "compiled": (compiled, (4,)),
    "data parallel": (lambda: nn.DataParallel(Dense()), (4,)),
    "pruned": (pruned, (4,)),
    "normed": (normed, (4,)),
    "adaptive": (Adaptive, (1, 4, 4)),
    "actor": (Actor, (4,)),
    "parallel in a chain": (
        lambda: nn.Sequential(nn.Linear(4, 4), nn.DataParallel(Dense()), nn.Linear(13, 2)),
        (4,),
    ),
}
OUTPUTS = {"actor": "policy"}


def plain(module):
    """Return a copy of a module without wrappers and computed weights, made by hand."""
    module = getattr(module, "_orig_mod", module)
    module = module.module if isinstance(module, nn.DataParallel) else module
    for part in module.modules():
        for name, child in list(part.named_children()):
            if isinstance(child, nn.DataParallel):
                setattr(part, name, child.module)
        if nn.utils.parametrize.is_parametrized(part):
            nn.utils.parametrize.remove_parametrizations(part.eval(), "weight")
        if prune.is_pruned(part) and "weight_orig" in part._parameters:
            prune.remove(part, "weight")
    return copy.deepcopy(module).eval()


def written(module, shape, path, output):
    """Return the network of the ONNX file that torch writes."""
    module = plain(module)
    names = ["y"] if output is None else [output, "other"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's, about its exporter
        torch.onnx.export(
            module, (torch.zeros(1, *shape),), str(path), dynamo=False, output_names=names
        )
    return Network.load(path, output=output)


def plane(shape):
    """Return a section with two free inputs, or three where there are few."""
    free = 3 if shape == (4,) else 2
    rng, size = np.random.default_rng(3), int(np.prod(shape))
    return mc.Section(rng.normal(size=size), rng.normal(size=(free, size)), mc.Box(-2, 2))


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("name", MODULES)
def test_module_and_file(name, tmp_path):
    torch.manual_seed(1)
    make, shape = MODULES[name]
    module, output = make(), OUTPUTS.get(name)
    net = Network.from_torch(module, shape, output=output)
    x = torch.randn(20, *shape, dtype=torch.float64)
    expected = plain(module).double()(x)
    if output is not None:
        expected = torch.atanh(expected[output])
    np.testing.assert_allclose(
        net(x.reshape(20, -1).numpy()),
        expected.detach().numpy().reshape(20, -1),
        rtol=1e-6,
        atol=1e-9,
    )
    domain = plane(shape)
    counts = [mc.count(net, domain, method) for method in (mc.RegionTree(), mc.ExactTree())]
    file = written(module, shape, tmp_path / "module.onnx", output)
    counts.append(mc.count(file, domain, mc.RegionTree()))
    assert all(c.lower == c.upper == counts[0].lower for c in counts)
    assert counts[0].lower > 3


def test_pairs_in_order_by_sort():
    torch.manual_seed(2)

    class Sorted(Grouped):
        def forward(self, x):
            for layer in (self.a, self.b):
                v = layer(x)
                x = v.view(v.shape[0], -1, 2).sort(-1)[0].flatten(1)
            return x

    module, reference = Sorted(), Grouped()
    reference.load_state_dict(module.state_dict())
    counts = [
        mc.count(Network.from_torch(m, (4,)), plane((4,)), mc.ExactTree())
        for m in (module, reference)
    ]
    assert counts[0].lower == counts[0].upper == counts[1].lower > 3
