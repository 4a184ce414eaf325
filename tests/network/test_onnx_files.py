"""How models are stored: packed, with weights beside them, and whatever may be wrong with that."""

import gzip

import numpy as np
import pytest
from typer.testing import CliRunner

from milpcount import caps
from milpcount.cli.app import app
from milpcount.errors import FileFormatError
from milpcount.network import Network

onnx = pytest.importorskip("onnx")
ROWS = [("Gemm", "x W b", "v", {"transB": 1}), ("Relu", "v", "y")]
CONSTANTS = {"W": np.arange(6.0).reshape(2, 3), "b": np.array([1.0, -1.0])}


@pytest.fixture
def plain(write_onnx):
    return write_onnx(ROWS, CONSTANTS, ["N", 3])


def outside(plain, location="weights.bin", offset=None, length=None, name="W"):
    """Move a constant into a file beside the model."""
    model = onnx.load(str(plain))
    for tensor in model.graph.initializer:
        if tensor.name == name:
            content = bytes(tensor.raw_data)
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", location), ("offset", offset), ("length", length)):
                if value is not None:
                    tensor.external_data.add(key=key, value=str(value))
    path = plain.with_name("outside.onnx")
    path.write_bytes(model.SerializeToString())
    return path, content


def test_packed(plain, tmp_path):
    packed = tmp_path / "model.onnx.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert Network.load(packed).fingerprint == Network.load(plain).fingerprint
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-20])
    with pytest.raises(FileFormatError, match="not a readable ONNX model, it may be truncated"):
        Network.load(packed)
    packed.write_bytes(b"no gzip at all")
    with pytest.raises(FileFormatError, match="not a readable ONNX model"):
        Network.load(packed)


def test_a_small_packed_file_that_is_huge(tmp_path, monkeypatch):
    monkeypatch.setattr(caps, "ARRAYS", caps.Cap(1000, "bytes of arrays", "why", "remedy"))
    packed = tmp_path / "model.onnx.gz"
    packed.write_bytes(gzip.compress(bytes(100_000)))
    with pytest.raises(FileFormatError, match=r"1,?001 bytes of arrays"):
        Network.load(packed)


def test_weights_beside_the_model(plain, tmp_path):
    path, content = outside(plain)
    (tmp_path / "weights.bin").write_bytes(content)
    assert Network.load(path).fingerprint == Network.load(plain).fingerprint
    (tmp_path / "below").mkdir()
    path, content = outside(plain, "below/w", offset=16, length=len(content))
    (tmp_path / "below" / "w").write_bytes(bytes(16) + content + b"more")
    assert Network.load(path).fingerprint == Network.load(plain).fingerprint


@pytest.mark.parametrize("place", ["../w.bin", "/etc/hostname", "a/../../w", "C:\\w", "", "a\\b"])
def test_weights_elsewhere_are_not_read(plain, place):
    path, _ = outside(plain, place)
    with pytest.raises(FileFormatError, match=r"constant 'W' lies in .* only files beside the mod"):
        Network.load(path)


def test_links_to_elsewhere_are_not_followed(plain, tmp_path, tmp_path_factory):
    path, content = outside(plain)
    secret = tmp_path_factory.mktemp("elsewhere") / "w.bin"
    secret.write_bytes(content)
    (tmp_path / "weights.bin").symlink_to(secret)
    with pytest.raises(FileFormatError, match="a link to outside the model's folder"):
        Network.load(path)


@pytest.mark.parametrize(
    "offset, length, message",
    [
        (None, None, "cannot be read: No such file"),
        (0, 10**15, r"up to byte 10+, and the file has 48: it may be truncated"),
        (10**9, None, "the file has 48: it may be truncated"),
        (-4, None, "at a negative place"),
        ("x", None, "at a place that is no number"),
        (0, 40, "not a readable ONNX model, it may be truncated: constant 'W'"),
    ],
)
def test_weights_that_are_not_there(plain, tmp_path, offset, length, message):
    path, content = outside(plain, "weights.bin", offset, length)
    if offset is not None:
        (tmp_path / "weights.bin").write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        Network.load(path)
    assert "\n" not in str(caught.value)


def test_weights_above_the_cap(plain, tmp_path, monkeypatch):
    path, content = outside(plain)
    (tmp_path / "weights.bin").write_bytes(content)
    size = path.stat().st_size
    monkeypatch.setattr(caps, "ARRAYS", caps.Cap(size, "bytes of arrays", "why", "remedy"))
    with pytest.raises(FileFormatError, match="constant 'W' with what is before it"):
        Network.load(path)


def test_malformed_files_in_the_shell(plain, tmp_path):
    wrong = {
        "cut.onnx": plain.read_bytes()[:-9],
        "empty.onnx": b"",
        "text.onnx": b"this is no protobuf\n",
        "bytes.onnx": bytes(range(256)),
        "cut.onnx.gz": gzip.compress(plain.read_bytes())[:40],
    }
    for name, content in wrong.items():
        path = tmp_path / name
        path.write_bytes(content)
        done = CliRunner().invoke(app, ["count", str(path), "--box", "-1", "1"])
        assert done.exit_code == 2 and not done.stdout, name
        assert f"{name}: not a readable ONNX model" in " ".join(done.stderr.split()), done.stderr
