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
