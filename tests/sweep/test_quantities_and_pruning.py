"""Methods that count another quantity, networks without small weights, and figures as data."""

import numpy as np
import pytest
from typer.testing import CliRunner

import milpcount as mc
from milpcount.cli import app
from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.plots.experiment import draw, features_of
from milpcount.store import Store, decoded
from milpcount.sweep.experiment import read_experiment
from milpcount.sweep.pruning import pruned
from milpcount.sweep.random_networks import random_network

TEXT = """
title = "t"
[networks]
random = ["2-3:relu", "3x1-conv2@2-conv2@2:relu", "sparse0.5:2-3-3:relu"]
seeds = "0-1"
[domain]
unbounded = true
[[methods]]
name = "tree"
[[methods]]
name = "tree"
quantity = "linear_regions"
[[methods]]
name = "bounds"
[figure]
x = "layers"
split = "kind"
lines = ["activation_regions", "linear_regions", "serra2018", "cai2023"]
per_parameter = true
"""


def main(arguments):
    """Run the command; return its exit code."""
    return CliRunner().invoke(app, arguments).exit_code


@pytest.fixture
def done(tmp_path):
    path = tmp_path / "e.toml"
    path.write_text(TEXT)
    assert main(["sweep", str(path), "--quiet"]) == 0
    return path, Store(tmp_path / "results" / "e.jsonl")


def test_every_quantity_is_counted_as_itself(done):
    _, store = done
    lines = [decoded(record) for record in store.records.values()]
    for line in lines:
        if line["method"] == "tree":
            network = random_network(line["architecture"], line["network_seed"])
            expected = mc.count(network, mc.Unbounded(), quantity=line["quantity"]).lower
            assert line["lower"] == expected, line["subject"]
    counts = {}
    for line in lines:
        if line["method"] == "tree":
            counts.setdefault(line["subject"], set()).add(line["lower"])
    assert any(len(found) == 2 for found in counts.values())  # regions that were joined


def test_expectations_are_kept_as_the_next_whole_number(done):
    _, store = done
    found = [decoded(r) for r in store.records.values() if "cai2023" in r.get("other_bounds", {})]
    exact = mc.bound("sparse0.5:2-3-3:relu")["cai2023"].value
    assert found and all(0 <= line["cai2023"] - exact < 1 for line in found)


def test_the_figure_is_drawn(done, tmp_path):
    path, store = done
    axes = draw(read_experiment(path), store).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert "convolutions, rectifiers: activation regions, counted" in labels
    assert "fully connected, rectifiers: Serra et al. 2018, Theorem 1" in labels
    assert axes.get_ylabel() == "number, per parameter, all of space"
    target = tmp_path / "figure.png"
    assert main(["plot", "experiment", str(path), "-o", str(target)]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


def test_no_figure_without_one_or_without_results(tmp_path):
    path = tmp_path / "e.toml"
    path.write_text(TEXT)
    with pytest.raises(InputError, match="no results for the figure: run the sweep"):
        draw(read_experiment(path), Store(tmp_path / "none.jsonl"))
    path.write_text(TEXT[: TEXT.index("[figure]")])
    with pytest.raises(FileFormatError, match=r"has no \[figure\]"):
        draw(read_experiment(path), Store(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('x = "layers"', 'x = "depth"', "figure.x = 'depth': give inputs, layers"),
        ('split = "kind"', 'split = "colour"', "figure.split = 'colour': give inputs"),
        ("per_parameter = true", "bars = true", "figure.bars: no such key; there are x, split"),
        ('quantity = "linear_regions"', 'quantity = "cells"', "methods.quantity = 'cells': give"),
        ('seeds = "0-1"', 'seeds = "0"\nprune = [2]', r"networks.prune = \[2\]: give shares"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, old, new, message):
    path = tmp_path / "e.toml"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(FileFormatError, match=message):
        read_experiment(path)


def test_pruning_takes_the_smallest_weights_of_every_layer():
    network = random_network("4-5-3:relu", 0)
    less = pruned(network, 0.5)
    for before, after in zip(network.layers, less.layers, strict=True):
        old, new = before.affine.weight, after.affine.weight
        assert (new == 0).sum() == old.size // 2 and (before.affine.bias == after.affine.bias).all()
        kept = new != 0
        assert (new[kept] == old[kept]).all() and abs(old[~kept]).max() <= abs(old[kept]).min()
    assert pruned(network, 0).fingerprint == network.fingerprint
    assert mc.count(pruned(network, 1), mc.Unbounded()).lower == 1
    with pytest.raises(OptionError, match="a share of the weights"):
        pruned(network, 1.5)


def test_files_are_pruned(tmp_path):
    random_network("2-4-4:relu", 1).save(tmp_path / "n.npz")
    text = TEXT.replace('random = ["2-3:relu", "3x1-conv2@2-conv2@2:relu", '
                        '"sparse0.5:2-3-3:relu"]\nseeds = "0-1"',
                        'files = ["n.npz"]\nprune = [0, 0.75]')  # fmt: skip
    path = tmp_path / "e.toml"
    path.write_text(text.replace('x = "layers"\nsplit = "kind"', 'x = "pruned"'))
    subjects = read_experiment(path).subjects
    assert [s.title for s in subjects] == ["n, 0 % pruned", "n, 75 % pruned"]
    assert main(["sweep", str(path), "--quiet", "--only", "tree"]) == 0
    lines = [decoded(r) for r in Store(tmp_path / "results" / "e.jsonl").records.values()]
    regions = {line["pruned"]: line["lower"] for line in lines
               if line["quantity"] == "activation_regions"}  # fmt: skip
    network = mc.Network.load(tmp_path / "n.npz")
    assert regions[0.0] == mc.count(network, mc.Unbounded()).lower > regions[0.75]


def test_features():
    line = {"architecture": "ternary:3-5:id-4:p2-2:p2-1"}
    found = features_of(line)
    assert (found["layers"], found["units"], found["breakpoints"], found["first"]) == (2, 6, 2, 4)
    assert found["kind"] == "ternary, p = 2"
    assert features_of({"n1": 3, "n2": 19, "pruned": 0.5}) == {
        "first": 3, "units": 22, "pruned": 0.5,
    }  # fmt: skip
    assert np.isclose(features_of({"architecture": "sparse0.25:2-3:relu"})["density"], 0.25)
