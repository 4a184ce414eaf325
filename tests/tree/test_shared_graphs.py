"""Networks of every shape, as frameworks write them, whose counts exact polygons have shown."""

import json
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import Network

pytest.importorskip("onnx")
OUTPUTS = {"skl_clf.onnx": "output_probability"}
"""Of the files with several outputs, the one that is no label."""
MOST_PATTERNS = 2**12


@pytest.mark.parametrize("folder", ["graphs", "field"])
def test_known_counts(shared_data: Path, folder: str) -> None:
    expected = json.loads((shared_data / folder / "expected.json").read_text())
    assert len(expected) == {"graphs": 18, "field": 9}[folder]
    for name, known in expected.items():
        network = Network.load(shared_data / folder / name, output=OUTPUTS.get(name))
        methods = [mc.RegionTree(), mc.ExactTree()]
        if np.prod([float(n) for y in network.layers for n in y.n_pieces]) <= MOST_PATTERNS:
            methods.append(mc.BruteForce())
        for method in methods:
            result = mc.count(network, mc.Box(*known["box"]), method, keep_regions=True)
            assert result.is_exact and result.lower == known["activation_regions"], name
            assert result.verify(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "radius", "regions"),
    [
        ("cifar_bias_field_9", 1e-4, 5),
        ("cifar_bias_field_9", 1e-3, 1526),
        ("resnet_3b2", 1e-4, 224),
    ],
)
def test_deep_networks_round_a_point(
    shared_data: Path, name: str, radius: float, regions: int
) -> None:
    """The patterns of random points are among those found, each of which comes once."""
    network = Network.load(shared_data / "networks" / f"{name}.onnx")
    centre = np.random.default_rng(0).random(network.n_inputs)
    domain = mc.Box(centre - radius, centre + radius)
    result = mc.count(network, domain, keep_regions=True)
    assert result.is_exact and result.lower == regions
    assert result.regions is not None
    found = set(result.regions.patterns())
    assert len(found) == regions
    x = np.random.default_rng(1).uniform(centre - radius, centre + radius, (8, network.n_inputs))
    assert {tuple(pattern) for pattern in network.pattern(x).tolist()} <= found
