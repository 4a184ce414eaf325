"""What a trace may not show is refused; hooks never run; batches, outputs, states and precision."""

import copy

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Function(nn.Module):
    """A module from a function, with two linear layers."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.function, self.a, self.b = function, nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.function(self, x)


def perceptron():
    return Function(lambda m, x: m.b(m.a(x).relu()))


class Recorder:
    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1


@pytest.mark.parametrize("kind", ["forward_hook", "forward_pre_hook"])
@pytest.mark.parametrize(("place", "title"), [("", r"the module \(Function\)"), ("a", r"a \(Lin")])
def test_hooks_that_may_change_the_function(kind, place, title):
    module, recorder = perceptron(), Recorder()
    handle = getattr(module.get_submodule(place), f"register_{kind}")(recorder)
    with pytest.raises(NetworkError, match=f"^{title}.* {kind.replace('_', ' ')} Recorder, which"):
        Network.from_torch(module, (3,))
    assert recorder.calls == 0
    handle.remove()
    assert Network.from_torch(module, (3,)).widths == (4,)


def test_modules_that_are_held_in_a_list():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(3, 3), nn.Dropout(), nn.ReLU()]

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    module, recorder = Listed(), Recorder()
    expected = Network.from_torch(nn.Sequential(*module.layers)).fingerprint
    assert Network.from_torch(module, (3,)).fingerprint == expected
    assert module.layers[1].training
    module.layers[0].register_forward_hook(recorder)
    with pytest.raises(NetworkError, match=r"a Linear that is not registered .* hook Recorder"):
        Network.from_torch(module, (3,))
    assert recorder.calls == 0


def test_hooks_that_cannot():
    module, recorder = perceptron(), Recorder()
    expected = Network.from_torch(module, (3,)).fingerprint
    for part in (module, module.a):
        part.register_full_backward_hook(recorder)
        part.register_full_backward_pre_hook(recorder)
        part.register_state_dict_post_hook(recorder)
        part.register_load_state_dict_pre_hook(recorder)
    module.a.weight.register_hook(recorder)
    state = copy.deepcopy(perceptron().state_dict())
    assert Network.from_torch(module, (3,)).fingerprint == expected
    assert Network.from_torch(module, (3,), state_dict=state).fingerprint == expected
    assert recorder.calls == 0 and len(module.a._backward_hooks) == 1


def test_the_module_is_left_as_it_was():
    module = perceptron().train()
    module.extra = (torch.ones(2, requires_grad=True) * 2,)  # not what torch would copy
    module.made = torch.ones(2, requires_grad=True) * 2
    del module.extra
    parts = dict(module.named_modules())
    Network.from_torch(module, (3,))
    assert all(part.training for part in parts.values())
    assert all(p.requires_grad for p in module.parameters())
    assert dict(module.named_modules()) == parts


def test_patched_instances():
    for name in ("forward", "_call_impl"):
        module, recorder = perceptron(), Recorder()
        vars(module.a)[name] = recorder
        with pytest.raises(NetworkError, match=rf"a \(Linear\): .*{name}"):
            Network.from_torch(module, (3,))
        assert recorder.calls == 0


class Always(nn.Module):
    def train(self, mode=True):
        return super().train(True)

    def forward(self, x):
        return F.dropout(x, training=self.training)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return (x + self.calls).relu()


class Two(nn.Module):
    def forward(self, x, y):
        return (x + y).relu()


def control(m, x):
    return m.a(x).relu() if x.sum() > 0 else m.a(x)


REFUSED = {
    "if": (Function(control), "forward of Function decides by the values of a tensor"),
    "item": (Function(lambda m, x: x[:, : int(x[0, 0])]), "decides by the values of a tensor"),
    "dropout": (
        Function(lambda m, x: F.dropout(m.a(x), training=True)),
        "random numbers are not supported, as of a dropout in training mode",
    ),
    "noise": (Function(lambda m, x: x + torch.randn(3)), "random numbers are not supported"),
    "train of its own": (Always(), r"the module \(Always\): it has a train method of its own"),
    "a counter": (Counting(), "changes its buffer 'calls' when it is called"),
    "two inputs": (Two(), "forward of Two cannot be traced"),
    "a batch that meets": (
        Function(lambda m, x: (x - x.mean(0)).relu()),
        "mixes the inputs of a b",
    ),
    "gelu": (
        Function(lambda m, x: m.b(F.gelu(m.a(x)))),
        r"node 'gelu' \(gelu\) of the module \(Function\): it is not piecewise linear, so",
    ),
    "a norm": (Function(lambda m, x: F.layer_norm(x, (3,))), "layer_norm.*not piecewise linear"),
    "a product": (Function(lambda m, x: x * m.a(x)[:, :3]), "product or quotient of two such"),
    "attention": (
        Function(lambda m, x: F.softmax(x[:, :, None] @ x[:, None], -1) @ x[:, :, None]),
        "not piecewise linear",
    ),
    "an inner softmax": (
        Function(lambda m, x: m.a(F.softmax(x, 1))),
        r"\(Softmax\): it is not piecewise linear.*; it is left out at the end of a network",
    ),
    "floor": (Function(lambda m, x: x.floor()), "piecewise linear, but not implemented"),
    "places of maxima": (Function(lambda m, x: m.a(x).max(1)[1][:, None] + x), "not their places"),
    "half precision": (Function(lambda m, x: m.a(x).half().float()), "a cast that rounds"),
    "a sum of entries that meet": (
        Function(lambda m, x: x.index_put((torch.tensor([0, 1]),), torch.ones(3), True).relu()),
        "adding up entries that meet is not implemented",
    ),
    "a scatter that adds": (
        Function(
            lambda m, x: x.scatter(1, torch.zeros(2, 1, dtype=int), torch.ones(2, 1), reduce="add")
        ),
        "adding up entries that meet|not implemented",
    ),
    "numbers as bits": (Function(lambda m, x: x.view(torch.int32).float()), "not implemented"),
    "a sum of integers": (Function(lambda m, x: x.sum(1, dtype=torch.int64)), "a cast that rounds"),
    "statistics of the batch": (
        Function(lambda m, x: F.batch_norm(x, None, None, training=True)),
        "takes its statistics from the batch",
    ),
    "no size yet": (
        nn.Sequential(Function(lambda m, x: x), nn.LazyLinear(2)),
        "its size is not known yet",
    ),
    "TorchScript": (
        torch.nn.Sequential(torch.jit.ScriptModule()),
        r"0 \(ScriptModule\): TorchScript is not implemented: give the module",
    ),
    "a comparison": (
        Function(lambda m, x: torch.where(x == 0, x, 0.1 * x)),
        r"node 'eq' \(eq\) of the module \(Function\): it is piecewise linear, but not impl",
    ),
    "no dependence": (Function(lambda m, x: torch.ones(2, 3)), "does not depend on the input"),
    "not of that shape": (Function(lambda m, x: m.b(x)), r"cannot be traced on an input of shape"),
    "not finite": (Function(lambda m, x: x + float("inf")), "every number must be finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    module, message = REFUSED[name]
    with pytest.raises(NetworkError, match=message) as caught:
        Network.from_torch(module, (3,))
    assert "\n" not in str(caught.value)


def test_a_chain_with_one_block_tells_its_shape():
    module = nn.Sequential(nn.Identity(), nn.Linear(3, 3), Function(lambda m, x: x + x.relu()))
    assert Network.from_torch(module).architecture == "3-3-3"
    odd = nn.Sequential(nn.Flatten(), Function(lambda m, x: x.relu()))
    with pytest.raises(NetworkError, match=r"1 \(Function\) does not tell the shape of the inputs"):
        Network.from_torch(odd)


def test_nothing_is_traced_where_an_example_stands_for_the_shape():
    chain = nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU(), nn.Flatten())
    by_example = Network.from_torch(chain, example_input=torch.zeros(4, 1, 5))
    assert by_example.fingerprint == Network.from_torch(chain, (1, 5)).fingerprint


def test_torch_says_nothing_of_its_own(capfd):
    for name in ("if", "not of that shape", "two inputs"):
        with pytest.raises(NetworkError):
            Network.from_torch(REFUSED[name][0], (3,))
    assert capfd.readouterr() == ("", "")


def test_outputs_by_name_and_place():
    module = Function(lambda m, x: {"a": m.a(x), "rest": (m.b(m.a(x).relu()), x.relu())})
    nets = [Network.from_torch(module, (3,), output=o) for o in ("rest.0", 1)]
    assert nets[0].fingerprint == nets[1].fingerprint
    assert nets[0].notes == ("the output 'rest.0' was chosen among ['a', 'rest.0', 'rest.1']",)
    assert Network.from_torch(module, (3,), output="a").n_units == 0
    with pytest.raises(NetworkError, match=r"has outputs \['a', 'rest.0', 'rest.1'\]: choose one"):
        Network.from_torch(module, (3,))
    for wrong in ("c", 3, -1):
        with pytest.raises(NetworkError, match=r"no output .*: it has \['a'"):
            Network.from_torch(module, (3,), output=wrong)


def test_a_smooth_head_is_left_out():
    module = Function(lambda m, x: 2 * torch.tanh(m.b(m.a(x).relu())) - 1)
    net = Network.from_torch(module, (3,))
    assert net.fingerprint == Network.from_torch(perceptron(), (3,)).fingerprint
    (note,) = net.notes
    assert note.startswith("left out at the end: Tanh, Mul")


def test_examples_in_place_of_a_shape():
    expected = Network.from_torch(perceptron(), (3,)).fingerprint
    for example in (torch.rand(1, 3), torch.rand(5, 3), torch.rand(3), (torch.rand(1, 3),)):
        assert Network.from_torch(perceptron(), example_input=example).fingerprint == expected
    for wrong in (3, np.ones(3), torch.ones(3, dtype=torch.int64)):
        with pytest.raises(NetworkError, match="example_input: "):
            Network.from_torch(perceptron(), example_input=wrong)
    with pytest.raises(NetworkError, match="cannot be traced on inputs of shapes"):
        Network.from_torch(perceptron(), example_input=(torch.ones(3), torch.ones(3)))


def test_rows_that_meet_are_parts_of_one_input():
    module = Function(lambda m, x: m.a(x.sum(0)).relu())
    assert Network.from_torch(module, example_input=torch.zeros(2, 3)).n_inputs == 6


def test_a_batch_of_one_where_rows_are_not_alike():
    scale = torch.tensor([[1.0], [2.0]])
    module = Function(lambda m, x: (x * scale[: x.shape[0]]).relu())
    net = Network.from_torch(module, (3,))
    assert net.n_inputs == 3 and any("is not proved" in note for note in net.notes)


def test_values_of_a_state_dict():
    other = perceptron()
    with torch.no_grad():
        other.a.weight *= 2
    module = perceptron()
    net = Network.from_torch(module, (3,), state_dict=other.state_dict())
    assert net.fingerprint == Network.from_torch(other, (3,)).fingerprint
    assert net.fingerprint != Network.from_torch(module, (3,)).fingerprint
    chain = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    state = {"0.weight": torch.ones(4, 3), "0.bias": torch.zeros(4)}
    assert (Network.from_torch(chain, state_dict=state).layers[0].affine.weight == 1).all()
    with pytest.raises(
        NetworkError, match=r"the state_dict does not fit the module: .*Missing key"
    ):
        Network.from_torch(chain, state_dict={})


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_weights_of_any_precision_are_exact(dtype):
    module = perceptron().to(dtype)
    net = Network.from_torch(module, (3,))
    expected = module.a.weight.detach().double().numpy()
    assert (net.layers[0].affine.weight == expected).all() and net.notes == ()


def test_masks_are_exact_and_roundings_are_said():
    mask = torch.tensor([1.0, 0.0, 1.0])
    masked = Function(lambda m, x: F.linear(x, m.a.weight * mask, m.a.bias).relu())
    net = Network.from_torch(masked, (3,))
    assert net.notes == () and (net.layers[0].affine.weight[:, 1] == 0).all()
    scaled = Function(lambda m, x: F.linear(x, m.a.weight / 3, m.a.bias).relu())
    net = Network.from_torch(scaled, (3,))
    assert net.notes == ("constants that the module computes are taken as torch rounds them",)
    rounded = (scaled.a.weight / 3).detach().double().numpy()
    assert (net.layers[0].affine.weight == rounded).all()
