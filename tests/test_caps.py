"""Caps: what is above is refused in a line that says the value, the cap and what to do."""

import ast
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount import caps, examples
from milpcount.errors import DomainError, FileFormatError, OptionError


@pytest.mark.parametrize(
    "cap", [cap for cap in vars(caps).values() if isinstance(cap, caps.Cap)], ids=lambda c: c.unit
)
def test_every_cap_refuses_what_is_above_it_and_nothing_else(cap):
    cap.check(cap.most, "x")
    with pytest.raises(FileFormatError, match=f"^x: .* {cap.unit}, and .* are the most: ") as found:
        cap.check(cap.most + 1, "x")
    assert str(found.value).endswith(f": {cap.why}; {cap.remedy}")
    with pytest.raises(DomainError):
        cap.check(10**5000, "x", DomainError)


def test_numbers_of_numpy_become_plain_ones():
    result = mc.count(
        mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False),
        mc.Box(-1, 1),
        mc.ExactTree(),
        seed=np.int64(3),
        limits=mc.Limits(np.float32(5), np.int64(7)),
    )
    assert json.loads(result.to_json())["seed"] == 3
    options = mc.Probing(np.float32(0.5), np.int32(9), gap=np.float64(1)).options()
    assert json.loads(json.dumps(options)) == options
    options = mc.MBound(runs=np.int64(30), hybrid=np.int8(4)).options()
    assert json.loads(json.dumps(options)) == options


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 0, -1, float("nan"), [1]])
def test_integers_that_are_none(value):
    with pytest.raises(OptionError, match=r"^name .*: give an integer of at least 1"):
        caps.check_integer("name", value, cap=caps.REGIONS)


def test_integers_too_long_to_be_printed():
    with pytest.raises(
        OptionError, match=r"name: ~1\.0·10\^5000 regions, and ~4\.6·10\^18|and 4,6"
    ):
        caps.check_integer("name", 10**5000, cap=caps.REGIONS)
    with pytest.raises(OptionError, match=r"name -~1\.0·10\^5000: give an integer of at least 1"):
        caps.check_integer("name", -(10**5000), cap=caps.REGIONS)


@pytest.mark.parametrize("value", [True, "1", None, 0, -1, float("nan"), float("inf"), 10**400])
def test_times_that_are_none(value):
    with pytest.raises(OptionError, match=r"^name .*: give a number of seconds|^name: .* seconds"):
        caps.check_seconds("name", value)


def test_no_name_of_a_cap_is_given_twice():
    tree = ast.parse(Path(caps.__file__).read_text())
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(names) == sorted(set(names))


def test_kept_regions_have_a_cap_of_bytes(tmp_path, monkeypatch):
    result = mc.count(examples.tent(3), mc.Box(0, 1), keep_regions=True)
    path = tmp_path / "kept.npz"
    mc.save_regions(result, path)
    small = dataclasses.replace(caps.KEPT_REGIONS, most=100)
    monkeypatch.setattr(caps, "KEPT_REGIONS", small)
    with pytest.raises(FileFormatError, match="bytes of kept regions, and 100 are the most"):
        mc.load_regions(path)
