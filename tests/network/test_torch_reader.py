"""PyTorch modules: the network computes what the module does, in float64."""

import copy

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.network import Network, leaky_relu, relu
from milpcount.network.activation import clip

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def agrees(module, shape: tuple[int, ...], **options) -> Network:
    """Return the network of a module after comparing it with the module at random points."""
    net = Network.from_torch(module, **options)
    x = torch.randn(20, *shape, dtype=torch.float64)
    expected = copy.deepcopy(module).double().eval()(x).detach().numpy().reshape(20, -1)
    np.testing.assert_allclose(net(x.reshape(20, -1).numpy()), expected, rtol=1e-12, atol=1e-12)
    return net


def trained(norm):
    """Give a batch normalisation statistics and weights that are not trivial."""
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def test_linear_layers_keep_their_weights_exactly():
    first, last = nn.Linear(3, 4), nn.Linear(4, 2)
    net = agrees(nn.Sequential(first, nn.ReLU(), last), (3,))
    arrays = [[m.weight.detach().numpy() for m in (first, last)]]
    arrays.append([m.bias.detach().numpy() for m in (first, last)])
    assert net.fingerprint == Network.from_arrays(*arrays).fingerprint


def test_sequentials_of_sequentials():
    inner = nn.Sequential(nn.Identity(), nn.Linear(4, 5), nn.Sequential(nn.ReLU(), nn.Dropout()))
    net = agrees(nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), inner), (3,))
    assert net.widths == (4, 5)


def test_a_module_used_twice_is_two_layers():
    unit, square = nn.ReLU(), nn.Linear(3, 3)
    assert agrees(nn.Sequential(square, unit, square, unit, nn.Linear(3, 1)), (3,)).widths == (3, 3)


def test_affine_layers_in_a_row_are_merged():
    norm = trained(nn.BatchNorm1d(6))
    module = nn.Sequential(nn.Linear(3, 6), norm, nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    net = agrees(module, (3,))
    assert net.architecture == "3-4-2"


def test_batch_normalisation_before_the_first_layer():
    agrees(nn.Sequential(trained(nn.BatchNorm1d(3)), nn.Linear(3, 4), nn.ReLU()), (3,))


def test_relu_at_the_end_makes_a_hidden_layer():
    net = agrees(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), (3,))
    assert net.widths == (4,)
    assert net.output is None


@pytest.mark.parametrize(
    "end", [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Sigmoid(), nn.Tanh()], ids=str
)
def test_softmax_at_the_end_is_left_out(end):
    plain = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    ended = nn.Sequential(plain, end)
    net = Network.from_torch(ended)
    assert net.fingerprint == Network.from_torch(plain).fingerprint
    assert net.notes == (
        f"left out at the end: {type(end).__name__}; counted is what comes before",
    )


UNITS = [
    (nn.ReLU(), relu()),
    (nn.LeakyReLU(0.25), leaky_relu(0.25)),
    (nn.PReLU(init=0.5), leaky_relu(0.5)),
    (nn.Hardtanh(-0.5, 1.0), clip(-0.5, 1.0)),
    (nn.ReLU6(), clip(0.0, 6.0)),
]


@pytest.mark.parametrize(("unit", "expected"), UNITS, ids=lambda u: type(u).__name__)
def test_units(unit, expected):
    net = agrees(nn.Sequential(nn.Linear(3, 8), unit, nn.Linear(8, 2)), (3,))
    assert net.layers[0].activation == expected


def test_a_leaky_unit_of_slope_one_is_no_unit():
    module = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(1.0), nn.Linear(4, 2), nn.ReLU())
    assert agrees(module, (3,)).widths == (2,)


def test_convolutions_are_dense_maps():
    module = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1),
        trained(nn.BatchNorm2d(3)),
        nn.ReLU(),
        nn.AvgPool2d(2, padding=1),
        nn.Flatten(),
        nn.Linear(27, 4),
        nn.ReLU(),
    )
    assert agrees(module, (1, 8, 8), input_shape=(1, 8, 8)).widths == (48, 4)
    unflattened = nn.Sequential(nn.Unflatten(1, (1, 8, 8)), *module)
    assert agrees(unflattened, (64,)).architecture == "64-48-4"


def test_the_module_is_left_as_it_was():
    module = nn.Sequential(trained(nn.BatchNorm1d(3)), nn.Linear(3, 2), nn.ReLU(), nn.Dropout())
    module.train()
    before = copy.deepcopy(module.state_dict())
    Network.from_torch(module)
    assert module.training and module[0].training
    for name, value in module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])


POOLS = [
    nn.MaxPool1d(3, stride=2, padding=1),
    nn.MaxPool1d(2, dilation=2, ceil_mode=True, stride=3),
    nn.MaxPool1d(1),
    nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True),
    nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
]


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_pooling(pool):
    agrees(nn.Sequential(nn.ReLU(), pool), (2, 8), input_shape=(2, 8))


def test_pooling_of_images():
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.MaxPool2d((2, 3), padding=(1, 0)), nn.ReLU(), nn.Flatten()
    )
    net = agrees(module, (1, 7, 8), input_shape=(1, 7, 8))
    # Windows at the border are smaller: the padding is no value.
    ranks = {kind.rank for kind in net.layers[0].activations}
    assert ranks == {3, 6}


def test_slopes_of_channels():
    unit = nn.PReLU(3)
    with torch.no_grad():
        unit.weight[:] = torch.tensor([0.5, 1.0, -2.0])
    net = agrees(nn.Sequential(nn.Conv1d(1, 3, 2), unit, nn.Flatten()), (1, 3), input_shape=(1, 3))
    assert [kind.name for kind in net.layers[0].units] == ["leaky_relu(0.5)"] * 2 + [
        "leaky_relu(-2.0)"
    ] * 2


class Skip(nn.Module):
    def forward(self, x):
        return x + x.relu()


LINEAR = nn.Linear(3, 3)
REFUSED = {
    "a module with a forward method": (
        Skip(),
        "the Skip does not tell the shape of its inputs: give input_shape",
    ),
    "a smooth unit": (
        nn.Sequential(LINEAR, nn.Tanh(), LINEAR),
        r"1 \(Tanh\): it is not piecewise linear, so .* no linear regions to count; it is left",
    ),
    "a smooth unit at the end": (
        nn.Sequential(LINEAR, nn.ReLU(), nn.GELU()),
        r"2 \(GELU\): it is not piecewise linear: leave it out, as it comes last",
    ),
    "a norm of the input": (nn.Sequential(LINEAR, nn.LayerNorm(3)), "not piecewise linear"),
    "softmax before the end": (
        nn.Sequential(LINEAR, nn.Softmax(1), nn.ReLU()),
        r"1 \(Softmax\): it is not piecewise linear, .*; it is left out at the end of a network",
    ),
    "shapes that do not chain": (
        nn.Sequential(LINEAR, nn.ReLU(), nn.Linear(4, 1)),
        r"2 \(Linear\): it cannot take an input of shape \(3,\)",
    ),
    "slopes that differ": (
        nn.Sequential(LINEAR, nn.PReLU(2)),
        r"1 \(PReLU\): 2 slopes do not fit an input of shape \(3,\)",
    ),
    "statistics of the batch": (
        nn.Sequential(LINEAR, nn.BatchNorm1d(3, track_running_stats=False), nn.ReLU()),
        r"1 \(BatchNorm1d\): ",
    ),
    "a layer not yet of any size": (
        nn.Sequential(LINEAR, nn.LazyLinear(2), nn.ReLU()),
        r"1 \(LazyLinear\): .*uninitialized parameter",
    ),
    "the first layer not yet of any size": (
        nn.Sequential(nn.LazyLinear(2), nn.ReLU()),
        r"0 \(LazyLinear\): .*uninitialized parameter",
    ),
    "a batch that is flattened": (
        nn.Sequential(LINEAR, nn.Flatten(0), nn.ReLU()),
        r"1 \(Flatten\): it mixes the inputs of a batch",
    ),
    "a convolution of unknown size": (
        nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()),
        r"0 \(Conv2d\) does not tell the shape .*: give input_shape",
    ),
    "no layers": (nn.Sequential(), "the module has no layers"),
    "no module": (3, "a int is not a torch.nn.Module"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    module, message = REFUSED[name]
    with pytest.raises(NetworkError, match=message) as caught:
        Network.from_torch(module)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("module", [LINEAR, nn.Sequential(LINEAR, nn.Identity())])
def test_an_affine_module_is_a_network_without_units(module):
    net = Network.from_torch(module)
    assert net.n_units == 0
    np.testing.assert_array_equal(net.output.weight, LINEAR.weight.detach().numpy())


@pytest.mark.parametrize("wrong", [3, (), (0,), (2.5,), "abc"])
def test_input_shapes_that_are_none(wrong):
    with pytest.raises(NetworkError, match="give positive integers, without the batch"):
        Network.from_torch(nn.Sequential(LINEAR, nn.ReLU()), input_shape=wrong)


def test_weights_that_are_not_finite():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight[1, 2] = float("nan")
    with pytest.raises(NetworkError, match=r"0 \(Linear\): weight holds nan"):
        Network.from_torch(nn.Sequential(layer, nn.ReLU()))
