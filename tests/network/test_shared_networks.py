"""Third-party networks, each in its original format and as arrays in raw input coordinates."""

import json
from pathlib import Path

import numpy as np
import pytest

from milpcount.domain_files import read_box
from milpcount.errors import FileFormatError
from milpcount.network import Network

NNET = [
    *("coav_0", "hcas_pra0_tau00", "marabou_mnist10x10"),
    *("nv_cartpole_16x3", "nv_spiky_1d", "twin_5in_2L_5w"),
]
ONNX = [
    *("marabou_fc1_abs_sq", "marabou_fc_2-2-3", "marabou_mnist2x10", "marabou_mnist5x20_leaky"),
    *("marabou_mnist_5_5_dropout", "marabou_tinytaxinet_conv", "omlt_conv_7x7"),
    *("omlt_convx1_gemmx1", "omlt_linear_131_relu", "omlt_mnist_75_75"),
]
FILES = [f"{name}.nnet" for name in NNET] + [f"{name}.onnx" for name in ONNX]


def described(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.json").read_text())


def points(record: dict) -> np.ndarray:
    box = record["boxes"][0]
    rng = np.random.default_rng(0)
    return rng.uniform(box["lower"], box["upper"], (64, record["n_inputs"]))


def outputs_of_arrays(path: Path, x: np.ndarray) -> np.ndarray:
    """Evaluate the arrays with nothing of the package."""
    with np.load(path) as arrays:
        last = sum(key.startswith("W") for key in arrays.files) - 1
        for i in range(last + 1):
            x = x @ arrays[f"W{i}"].T + arrays[f"b{i}"]
            slope = arrays["leaky_alpha"][i] if "leaky_alpha" in arrays and i < last else 0.0
            x = x if i == last else np.where(x > 0, x, slope * x)
    return x


@pytest.mark.parametrize("file", FILES)
def test_original_file_computes_what_the_arrays_do(shared_data, file):
    folder = shared_data / "networks"
    record = described(folder, file.rpartition(".")[0])
    net = Network.load(folder / file)
    assert list(net.widths) == record["hidden_widths"]
    assert net.n_inputs == record["n_inputs"]
    x = points(record)
    expected = outputs_of_arrays(folder / record["npz"], x)
    np.testing.assert_allclose(net(x), expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("name", NNET + ONNX)
def test_arrays_load(shared_data, name):
    folder = shared_data / "networks"
    record = described(folder, name)
    net = Network.load(folder / f"{name}.npz")
    assert list(net.widths) == record["hidden_widths"]
    x = points(record)
    np.testing.assert_array_equal(net(x), outputs_of_arrays(folder / f"{name}.npz", x))


@pytest.mark.parametrize("name", ["coav_0", "hcas_pra0_tau00", "twin_5in_2L_5w"])
def test_header_box(shared_data, name):
    folder = shared_data / "networks"
    (stated,) = (b for b in described(folder, name)["boxes"] if "header" in b["source"])
    box = read_box(folder / f"{name}.nnet")
    assert (list(box.lower), list(box.upper)) == (stated["lower"], stated["upper"])


def test_header_without_a_box(shared_data):
    with pytest.raises(FileFormatError, match=r"bounds no box.*give the box yourself"):
        read_box(shared_data / "networks" / "nv_cartpole_16x3.nnet")


GRAPHS = {
    "conv_mp1": "192-512-128-32-5",
    "marabou_cnn_max_mnist3": "784-1250-288-64-32-10",
    "pensieve_small_simple": "48-128-128-128-128-128-128-6",
    "resnet_3b2": "3072-4096-2048-2048-1024-1024-512-512-100-10",
    "tiny_yolo": "8112-43264-43264-43264-10816-10816-5408-10816-21125",
}
LARGE = {"tiny_yolo"}
"""Half a minute each: two convolutions in a row take a billion products."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in GRAPHS]
)
def test_convolutions_pooling_and_skips(shared_data, name):
    reference = pytest.importorskip("onnx.reference")
    path = shared_data / "networks" / f"{name}.onnx"
    net = Network.load(path)
    assert net.architecture == GRAPHS[name]
    session = reference.ReferenceEvaluator(str(path))
    (given,) = session.input_types_[:1]
    shape = [max(1, d.dim_value) for d in given.tensor_type.shape.dim]
    x = np.random.default_rng(0).uniform(-1, 1, size=shape).astype(np.float32)
    (expected,) = session.run(None, {session.input_names[0]: x})
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(
        net(x.ravel().astype(float)), expected.ravel(), rtol=0, atol=1e-6 * scale
    )
