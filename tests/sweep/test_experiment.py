"""Experiments as data: what is read, and what is refused in one line."""

import json

import pytest

import milpcount as mc
from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.sweep.experiment import numbers, read_experiment

GOOD = """
title = "t"
[networks]
manifest = "manifest.json"
n1 = "1,3"
seeds = "0"
[domain]
box = [0, 1]
[[methods]]
name = "tree"
seconds = 5
[[methods]]
name = "mbound"
xor_size = [2, 5]
confidence = 0.9
seed = 3
"""


@pytest.fixture
def write(tmp_path):
    entries = [
        {"file": f"{n1}-{seed}.npz", "architecture": f"2-{n1}-{4 - n1}-1", "n1": n1, "n2": 4 - n1,
         "seed": seed, "train_error": 0.1, "test_error": 0.2}
        for n1 in (1, 2, 3) for seed in (0, 1)
    ]  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps({"networks": entries}))

    def write(text):
        path = tmp_path / "experiment.toml"
        path.write_text(text)
        return path

    return write


def test_what_is_read(write, tmp_path):
    found = read_experiment(write(GOOD))
    assert [s.title for s in found.subjects] == ["2-1-3 #0", "2-3-1 #0"]
    assert found.subjects[0].path == tmp_path / "1-0.npz"
    assert found.subjects[0].tags["n2"] == 3
    assert [(m.name, m.options, m.seed, m.seconds) for m in found.methods] == [
        ("tree", {}, 0, 5.0),
        ("mbound", {"xor_size": 2, "confidence": 0.9}, 3, None),
        ("mbound", {"xor_size": 5, "confidence": 0.9}, 3, None),
    ]
    assert found.domain.title == "box [0, 1]"
    assert found.quantity is mc.Quantity.ACTIVATION_REGIONS


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "t"', "title = 3", "title = 3: give a string"),
        ('title = "t"', 'titel = "t"', "titel: no such key; there are title"),
        ("box = [0, 1]", "box = [0]", r"domain.box = \[0\]: give box = \[lower, upper\]"),
        ("box = [0, 1]", "bx = 1", "domain.bx: no such key"),
        ("seconds = 5", "seconds = -5", "methods.seconds -5.0: give a number of seconds above 0"),
        ("seconds = 5", "seconds = true", "methods.seconds = True: give a number"),
        ('name = "tree"', "", "methods.name is missing"),
        ('"1,3"', '"1;3"', "networks.n1 = '1;3': give numbers and ranges"),
        ('"1,3"', '"9"', "names no network"),
        ("manifest.json", "nothing.json", "nothing.json"),
        ("seed = 3", "seed = 3.5", "methods.seed = 3.5: give an integer"),
        ('title = "t"', "title = ", "is not TOML"),
        ('title = "t"', 'quantity = "cells"', "quantity = 'cells': give activation_regions"),
        ("[[methods]]", "[[method]]", "method: no such key"),
    ],
)
def test_what_is_refused(write, old, new, message):
    with pytest.raises((InputError, FileNotFoundError), match=message):
        read_experiment(write(GOOD.replace(old, new)))


def test_no_methods(write):
    with pytest.raises(FileFormatError, match=r"no \[\[methods\]\]"):
        read_experiment(write(GOOD.split("[[methods]]")[0]))


def test_architectures(write):
    text = """
    [networks]
    architectures = ["3-4-4-2", "5-2:relu"]
    [domain]
    unbounded = true
    [[methods]]
    name = "bounds"
    """
    found = read_experiment(write(text))
    assert [(s.title, s.path) for s in found.subjects] == [("3-4-4-2", None), ("5-2:relu", None)]


def test_ranges():
    assert numbers("0-3,7", "x") == [0, 1, 2, 3, 7]
    with pytest.raises(OptionError):
        numbers("3-1", "x")
