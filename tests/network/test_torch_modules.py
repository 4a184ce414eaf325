"""Hooks and methods of the user's: refused where they may change the function, never called."""

import copy
from contextlib import ExitStack

import pytest

from milpcount.errors import NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn = torch.nn
prune = pytest.importorskip("torch.nn.utils.prune")
state = torch.nn.modules.module


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Recorder:
    """A hook that counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1


def chain():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))


def read_unchanged(module) -> Network:
    """Read a module, which must be left as it was."""
    before, mode = copy.deepcopy(module.state_dict()), [m.training for m in module.modules()]
    grads = [p.requires_grad for p in module.parameters()]
    net = Network.from_torch(module)
    assert [m.training for m in module.modules()] == mode
    assert [p.requires_grad for p in module.parameters()] == grads
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]) and value.dtype == before[name].dtype
    return net


@pytest.mark.parametrize("kind", ["forward_hook", "forward_pre_hook"])
@pytest.mark.parametrize(
    ("place", "title"),
    [
        ("", r"the module \(Sequential\)"),
        ("0", r"0 \(Linear\)"),
        ("1", r"1 \(ReLU\)"),
        ("2", r"2 \(Sequential\)"),
        ("2.0", r"2\.0 \(Linear\)"),
    ],
)
def test_hooks_on_what_a_module_computes(kind, place, title):
    module, recorder = chain(), Recorder()
    handle = getattr(module.get_submodule(place), f"register_{kind}")(recorder)
    named = f"^{title}: it has the {kind.replace('_', ' ')} Recorder, which may change what it "
    with pytest.raises(NetworkError, match=named) as caught:
        Network.from_torch(module)
    assert f"remove it with the remove() of the handle that register_{kind}" in str(caught.value)
    assert recorder.calls == 0 and "\n" not in str(caught.value)
    handle.remove()
    assert read_unchanged(module).widths == (4,)


def test_a_hook_that_would_change_the_count():
    module = chain()
    module[0].register_forward_pre_hook(lambda m, x: (x[0] / 100,))
    with pytest.raises(NetworkError, match=r"pre hook .*<lambda>, which may change what"):
        Network.from_torch(module)


@pytest.mark.parametrize(
    "register", [state.register_module_forward_hook, state.register_module_forward_pre_hook]
)
def test_global_hooks_on_what_modules_compute(register):
    recorder = Recorder()
    handle = register(recorder)
    try:
        with pytest.raises(NetworkError, match=f"global hook Recorder .*{register.__name__} retur"):
            Network.from_torch(chain())
    finally:
        handle.remove()
    assert recorder.calls == 0
    assert Network.from_torch(chain()).widths == (4,)


def test_hooks_on_gradients_and_states_do_not_matter():
    module, recorder = chain(), Recorder()
    expected = read_unchanged(module).fingerprint
    for part in (module, module[0], module[1]):
        part.register_full_backward_hook(recorder)
        part.register_full_backward_pre_hook(recorder)
        part.register_state_dict_post_hook(recorder)
        part.register_state_dict_pre_hook(recorder)
        part.register_load_state_dict_pre_hook(recorder)
        part.register_load_state_dict_post_hook(recorder)
    module[0].weight.register_hook(recorder)
    with ExitStack() as stack:
        for register in (
            state.register_module_full_backward_hook,
            state.register_module_full_backward_pre_hook,
            state.register_module_buffer_registration_hook,
            state.register_module_module_registration_hook,
            state.register_module_parameter_registration_hook,
        ):
            stack.callback(register(recorder).remove)
        assert Network.from_torch(module).fingerprint == expected
    assert recorder.calls == 0
    assert len(module[0]._backward_hooks) == 1  # the caller's own are still there


OLD = {
    "weight norm": (nn.utils.weight_norm, nn.utils.remove_weight_norm),
    "spectral norm": (nn.utils.spectral_norm, nn.utils.remove_spectral_norm),
    "pruning": (
        lambda m: prune.l1_unstructured(m, "weight", 3),
        lambda m: prune.remove(m, "weight"),
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")
@pytest.mark.parametrize("name", OLD)
def test_weights_that_hooks_of_torch_compute(name):
    add, remove = OLD[name]
    module = chain()
    add(module[0])
    net = read_unchanged(module)
    assert len(module[0]._forward_pre_hooks) == 1  # the caller's own is still there
    rounds = "computed weights of 0 (Linear) are taken as torch rounds them"
    assert net.notes == (() if name == "pruning" else (rounds,))
    remove(module[0].eval())
    assert net.fingerprint == read_unchanged(module).fingerprint


def test_a_users_hook_beside_one_of_torchs():
    module, recorder = chain(), Recorder()
    prune.l1_unstructured(module[0], "weight", 3)
    module[0].register_forward_hook(recorder)
    with pytest.raises(NetworkError, match=r"^0 \(Linear\): it has the forward hook Recorder"):
        Network.from_torch(module)
    assert recorder.calls == 0


def test_a_pruned_layer_whose_hook_is_gone_keeps_what_it_computes():
    module = chain()
    prune.l1_unstructured(module[0], "weight", 3)
    module[0]._forward_pre_hooks.clear()  # its weight is now a plain attribute
    net = Network.from_torch(module)
    assert (net.layers[0].affine.weight == module[0].weight.detach().double().numpy()).all()
    assert (net.layers[0].affine.weight == 0).sum() == 3


PARAMETRISATIONS = {
    "weight norm": nn.utils.parametrizations.weight_norm,
    "spectral norm": nn.utils.parametrizations.spectral_norm,
    "orthogonal": nn.utils.parametrizations.orthogonal,
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_parametrised_weights_are_those_that_remain(name, training):
    module = chain().train(training)
    PARAMETRISATIONS[name](module[0])
    net = read_unchanged(module)
    fixed = copy.deepcopy(module).eval()
    nn.utils.parametrize.remove_parametrizations(fixed[0], "weight")
    assert net.fingerprint == Network.from_torch(fixed).fingerprint
    assert net.fingerprint != Network.from_torch(chain()).fingerprint


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x


def test_parametrisations_of_the_users():
    module = chain()
    nn.utils.parametrize.register_parametrization(module[0], "weight", Doubled())
    with pytest.raises(NetworkError, match=r"weight is parametrised by a Doubled .*: fix its val"):
        Network.from_torch(module)
    nn.utils.parametrize.remove_parametrizations(module[0], "weight")
    assert Network.from_torch(module).widths == (4,)


@pytest.mark.parametrize("inner", [False, True])
def test_hooks_on_parametrisations(inner):
    module, recorder = chain(), Recorder()
    parts = nn.utils.parametrizations.weight_norm(module[0]).parametrizations["weight"]
    (parts[0] if inner else parts).register_forward_hook(recorder)
    with pytest.raises(NetworkError, match=r"0 \(\w+\): it has the forward hook Recorder"):
        Network.from_torch(module)
    assert recorder.calls == 0


class Calling(nn.ReLU):
    def __call__(self, x):
        return x


class Convolving(nn.Conv1d):
    def _conv_forward(self, *args):
        return super()._conv_forward(*args).abs()


class Scaled(nn.Linear):
    @property
    def weight(self):
        return 3 * self.raw


class Always(nn.Dropout):
    def train(self, mode=True):
        return super().train(True)


class Last(nn.Sequential):
    def __iter__(self):
        return iter([list(self._modules.values())[-1]])


class Silent(nn.Softmax):
    def forward(self, x):
        return x.relu()


class Mixin(nn.Module):
    def __call__(self, x):
        return -x


class Mixed(nn.ReLU, Mixin):
    pass


class Named(nn.Linear):
    """A layer with additions that do not matter."""

    limit = 3

    def __init__(self, size: int):
        super().__init__(size, size)
        self.history = []

    def extra_repr(self):
        return "named"

    def norm(self):
        return self.weight.norm()


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (nn.Sequential(nn.Linear(3, 3), Calling()), r"1 \(Calling\): it has a __call__ method"),
        (
            nn.Sequential(nn.Linear(3, 3), nn.ReLU(), Always()),
            r"2 \(Always\): it has a train method",
        ),
        (nn.Sequential(nn.Linear(3, 3), Mixed()), r"1 \(Mixed\): it has a __call__ method"),
    ],
)
def test_methods_of_the_users(module, named):
    with pytest.raises(NetworkError, match=named + " .*of its own, so it need not compute"):
        Network.from_torch(module)


@pytest.mark.parametrize(
    ("module", "plain", "shape"),
    [
        (
            nn.Sequential(nn.Linear(3, 3), Silent(1)),
            lambda m: nn.Sequential(m[0], nn.ReLU()),
            (3,),
        ),
        (
            Last(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 2), nn.ReLU())),
            lambda m: m._modules["1"],
            (3,),
        ),
    ],
)
def test_overridden_methods_are_traced(module, plain, shape):
    traced = Network.from_torch(module, input_shape=shape)
    assert traced.fingerprint == Network.from_torch(plain(module)).fingerprint


def test_an_overridden_convolution_is_traced():
    module = nn.Sequential(Convolving(1, 1, 2))
    net = Network.from_torch(module, input_shape=(1, 4))
    x = torch.randn(6, 1, 4, dtype=torch.float64)
    expected = copy.deepcopy(module).double()(x).detach().numpy().reshape(6, -1)
    assert abs(net(x.reshape(6, -1).numpy()) - expected).max() < 1e-12


def test_a_weight_that_is_a_property():
    layer = Scaled.__new__(Scaled)
    nn.Module.__init__(layer)
    layer.in_features, layer.out_features = 3, 3
    layer.raw, layer.bias = nn.Parameter(torch.eye(3)), nn.Parameter(torch.zeros(3))
    with pytest.raises(NetworkError, match=r"0 \(Scaled\): it has a weight attribute of its own"):
        Network.from_torch(nn.Sequential(layer, nn.ReLU()))


@pytest.mark.parametrize(("place", "name"), [(0, "forward"), (1, "forward"), (0, "_call_impl")])
def test_patched_instances(place, name):
    module, recorder = chain(), Recorder()
    vars(module[place])[name] = recorder
    with pytest.raises(NetworkError, match=rf"{place} \(\w+\): it has a {name} method of its own"):
        Network.from_torch(module)
    assert recorder.calls == 0


def test_what_does_not_matter_is_left_out():
    layer = Named(3)
    net = read_unchanged(nn.Sequential(layer, nn.ReLU()))
    plain = nn.Linear(3, 3)
    plain.load_state_dict(layer.state_dict())
    assert net.fingerprint == Network.from_torch(nn.Sequential(plain, nn.ReLU())).fingerprint


def test_values_that_are_no_plain_numbers():
    for weight, message in (
        (torch.eye(3, dtype=torch.complex64), "weight holds complex numbers"),
        (torch.empty(3, 3, device="meta"), r"weight has no values \(device meta\)"),
        (torch.eye(3).to_sparse(), "weight is a Parameter of torch.sparse_coo"),
    ):
        layer = nn.Linear(3, 3)
        layer.weight = nn.Parameter(weight)
        with pytest.raises(NetworkError, match=rf"0 \(Linear\): {message}"):
            Network.from_torch(nn.Sequential(layer, nn.ReLU()))


def test_quantised_modules():
    quantised = nn.quantized.FloatFunctional() if hasattr(nn, "quantized") else None
    module = torch.ao.nn.qat.Linear(3, 3, qconfig=torch.ao.quantization.default_qat_qconfig)
    with pytest.raises(NetworkError, match=r"0 \(Linear\): "):
        Network.from_torch(nn.Sequential(module, nn.ReLU()))
    if quantised is not None:
        with pytest.raises(NetworkError, match="quantised modules round"):
            Network.from_torch(nn.Sequential(quantised, nn.ReLU()))
