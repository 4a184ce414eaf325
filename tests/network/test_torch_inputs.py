"""Modules with several inputs: their entries are one input of the network, in the order given."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Critic(nn.Module):
    """The value of an action in a state; the state goes through a layer of its own first."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.state, self.both, self.end = nn.Linear(2, 3), nn.Linear(4, 3), nn.Linear(3, 1)

    def forward(self, state, action):
        seen = torch.cat([self.state(state).relu(), action], 1)
        return self.end(self.both(seen).relu())


NOTE = "several inputs are one, in this order: 'state' 0 to 1, 'action' 2 to 2"


@pytest.fixture(scope="module")
def critic():
    return Critic().double()


@pytest.fixture(scope="module")
def network(critic):
    return Network.from_torch(critic, [(2,), (1,)])


def test_the_inputs_are_one(critic, network):
    assert (network.n_inputs, network.widths, network.notes) == (3, (3, 3), (NOTE,))
    x = np.random.default_rng(0).normal(size=(30, 3))
    state, action = torch.from_numpy(x[:, :2]), torch.from_numpy(x[:, 2:])
    np.testing.assert_allclose(network(x), critic(state, action).detach().numpy(), rtol=1e-12)
    count = mc.count(network, mc.Box(-3, 3)).lower
    assert count == mc.count(network, mc.Box(-3, 3), mc.ExactTree()).lower > 4


@pytest.mark.parametrize("rows", [1, 3])
def test_by_example(critic, network, rows):
    example = (torch.ones(rows, 2).double(), torch.ones(rows, 1).double())
    found = Network.from_torch(critic, example_input=example)
    assert found.fingerprint == network.fingerprint and found.notes[0] == NOTE


def test_the_same_in_a_file(critic, network, tmp_path):
    example = (torch.zeros(2, 2).double(), torch.zeros(2, 1).double())
    rows = torch.export.Dim("rows")
    program = torch.export.export(critic, example, dynamic_shapes=({0: rows}, {0: rows}))
    torch.export.save(program, tmp_path / "critic.pt2")
    found = Network.load(tmp_path / "critic.pt2")
    assert found.fingerprint == network.fingerprint and found.notes[0] == NOTE


def test_the_same_as_from_onnx(network, write_onnx):
    critic = Critic().double()
    parts = {"A": critic.state, "B": critic.both, "C": critic.end}
    rows = [("Gemm", "s A a", "v"), ("Relu", "v", "r"), ("Concat", "r t", "c", {"axis": 1})]
    rows += [("Gemm", "c B b", "w"), ("Relu", "w", "q"), ("Gemm", "q C d", "y")]
    rows = [(*row, {"transB": 1}) if row[0] == "Gemm" else row for row in rows]
    constants = {name: part.weight.detach().numpy() for name, part in parts.items()}
    constants |= {n: p.bias.detach().numpy() for n, p in zip("abd", parts.values(), strict=True)}
    path = write_onnx(rows, constants, ["N", 2], inputs=["s", "t"])
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(path))
    model.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 1
    onnx.save(model, str(path))
    assert Network.load(path).fingerprint == network.fingerprint


class Sizes(nn.Module):
    """Inputs of several ranks and sizes, with nothing that could be a batch."""

    def forward(self, image, factor):
        return (image.sum((1, 2)) + factor).relu()


def test_inputs_that_have_no_batch_in_common():
    net = Network.from_torch(Sizes(), example_input=(torch.zeros(3, 2, 2), torch.zeros(3)))
    assert net.notes == (
        "several inputs are one, in this order: 'image' 0 to 11, 'factor' 12 to 14",
    )
    np.testing.assert_array_equal(net(np.r_[np.arange(12.0), -10, 0, 5]), [0, 22, 43])


class Mixing(nn.Module):
    def forward(self, x, y):
        return (x.sum(0, keepdim=True) + y).relu()


def test_what_is_refused(critic):
    two = torch.zeros(2, 2), torch.zeros(2, 1)
    with pytest.raises(NetworkError, match="mixes the 2 rows of its inputs x, y: give example_inp"):
        Network.from_torch(Mixing(), example_input=(two[0], two[0]))
    with pytest.raises(NetworkError, match="the module mixes the inputs of a batch"):
        Network.from_torch(Mixing(), [(2,), (2,)])
    with pytest.raises(NetworkError, match=r"inputs of shapes \[\(2, 1\), \(2, 2\)\]"):
        Network.from_torch(critic, [(1,), (2,)])
    with pytest.raises(NetworkError, match=r"input_shape \(0,\): give positive integers"):
        Network.from_torch(critic, [(2,), (0,)])
    with pytest.raises(NetworkError, match=r"a tensor of torch\.int64 is not one of real numbers"):
        Network.from_torch(critic, example_input=(two[0], two[1].long()))
    for wrong in ((), {"state": two[0]}, (two[0], [two[1]]), (two[0], 1.0)):
        with pytest.raises(NetworkError, match="a tensor with its batch, or a tuple of tensors"):
            Network.from_torch(critic, example_input=wrong)
    with pytest.raises(NetworkError, match="the Sequential takes one input: give one tensor"):
        Network.from_torch(nn.Sequential(nn.Linear(2, 1)), example_input=two)


def test_a_file_with_an_input_of_integers(tmp_path):
    class Looked(nn.Module):
        def forward(self, x, at):
            return x[:, at].relu()

    program = torch.export.export(Looked(), (torch.zeros(1, 3), torch.zeros(2, dtype=torch.long)))
    torch.export.save(program, tmp_path / "net.pt2")
    with pytest.raises(
        (FileFormatError, NetworkError), match=r"'at' is not of real numbers \(torch"
    ):
        Network.load(tmp_path / "net.pt2")
