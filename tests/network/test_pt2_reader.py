"""Exported programs in files: read like the module, and never run."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec:FutureWarning")


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.relu(self.body(x))
        return {"a": self.a(h), "b": self.b(h)}


def saved(module, batch, path: Path, **options) -> Path:
    program = torch.export.export(module.eval(), (torch.zeros(batch, 3),), **options)
    torch.export.save(program, str(path))
    return path


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_program_is_the_module(batch, tmp_path):
    torch.manual_seed(0)
    module = Heads()
    path = saved(module, batch, tmp_path / "heads.pt2")
    net = Network.load(path, output="b")
    assert net.fingerprint == Network.from_torch(module, (3,), output="b").fingerprint
    x = np.random.default_rng(0).normal(size=(9, 3))
    expected = module.double()(torch.from_numpy(x))["b"].detach().numpy()
    np.testing.assert_allclose(net(x), expected, rtol=1e-12, atol=1e-12)


def test_a_batch_of_any_size(tmp_path):
    module = Heads()
    sizes = {"x": {0: torch.export.Dim("batch")}}
    path = saved(module, 4, tmp_path / "heads.pt2", dynamic_shapes=sizes)
    net = Network.load(path, output="a")
    assert net.fingerprint == Network.from_torch(module, (3,), output="a").fingerprint


def test_outputs_by_name(tmp_path):
    path = saved(Heads(), 1, tmp_path / "heads.pt2")
    with pytest.raises(NetworkError, match=r"has outputs \['a', 'b'\]: choose one by output="):
        Network.load(path)
    with pytest.raises(NetworkError, match=r"no output 'c': it has \['a', 'b'\]"):
        Network.load(path, output="c")


class Bomb:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (os.environ["BOMB"],)


@pytest.fixture
def bomb(tmp_path, monkeypatch):
    target = tmp_path / "exploded"
    monkeypatch.setenv("BOMB", str(target))
    return target


def changed(path: Path, change) -> Path:
    """Write a program anew, each part as `change` of its name and bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = {i.filename: archive.read(i) for i in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(name, data))
    return path


def test_pickles_are_not_loaded(tmp_path, bomb):
    path = saved(Heads(), 1, tmp_path / "heads.pt2")
    stream = io.BytesIO()
    torch.save(Bomb(), stream)
    changed(path, lambda n, d: stream.getvalue() if n.endswith(".pt") else d)
    with pytest.raises(FileFormatError, match="loading it would run code"):
        Network.load(path, output="a")
    assert not bomb.exists()


def test_weights_as_pickles_are_not_loaded(tmp_path, bomb):
    path = saved(Heads(), 1, tmp_path / "heads.pt2")
    changed(path, lambda n, d: d.replace(b'"use_pickle": false', b'"use_pickle": true '))
    with pytest.raises(FileFormatError, match="asks for a pickle"):
        Network.load(path, output="a")


def test_objects_are_not_loaded(tmp_path):
    path = saved(Heads(), 1, tmp_path / "heads.pt2")
    changed(
        path, lambda n, d: d.replace(b'"path_name": "weight_0"', b'"path_name": "opaque_obj_0"')
    )
    with pytest.raises(FileFormatError, match="the object 'opaque_obj_0', which is no tensor"):
        Network.load(path, output="a")


def test_sizes_are_not_evaluated(tmp_path):
    sizes = {"x": {0: torch.export.Dim("batch")}}
    path = saved(Heads(), 4, tmp_path / "heads.pt2", dynamic_shapes=sizes)
    changed(path, lambda n, d: d.replace(b"Symbol('s", b"open('s"))
    with pytest.raises(FileFormatError, match=r"holds the size .*, which is not read"):
        Network.load(path, output="a")


@pytest.mark.parametrize("call", ["torch.load", "torch.hub.load", "math.exp"])
def test_calls_of_anything_else_are_refused(call, tmp_path):
    path = saved(Heads(), 1, tmp_path / "heads.pt2")
    changed(path, lambda n, d: d.replace(b"torch.ops.aten.relu.default", call.encode()))
    with pytest.raises(FileFormatError, match=f"calls '{call}'"):
        Network.load(path, output="a")


def test_files_that_are_no_programs(tmp_path):
    path = tmp_path / "net.pt2"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(FileFormatError, match="may be truncated"):
        Network.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/hello.txt", "hello")
    with pytest.raises(FileFormatError, match="torch cannot load it as an exported program"):
        Network.load(path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".pkl", ".joblib"])
def test_pickles(suffix, tmp_path, bomb):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FileFormatError, match="is a pickle, which would run code") as caught:
        Network.load(path)
    assert not bomb.exists() and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "how"),
    [
        (".keras", r"model.export\('net.onnx', format='onnx'\)"),
        (".h5", r"model.export\('net.onnx', format='onnx'\)"),
        (".pb", "python -m tf2onnx.convert"),
        (".tflite", "tf2onnx.convert --tflite"),
        (".mat", "exportONNXNetwork"),
        (".safetensors", r"Network.from_torch\(module\)"),
        (".gz", "unpack it first"),
    ],
)
def test_other_formats_say_how_to_export(suffix, how, tmp_path):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"")
    with pytest.raises(FileFormatError, match=how) as caught:
        Network.load(path)
    assert "\n" not in str(caught.value)
