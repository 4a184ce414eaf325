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


def test_max_pooling_is_refused_by_name(shared_data):
    with pytest.raises(FileFormatError, match=r"conv2d_1/Identity:0_pooling' \(MaxPool\)"):
        Network.load(shared_data / "networks" / "marabou_cnn_max_mnist3.onnx")
