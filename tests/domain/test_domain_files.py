"""Boxes and sections in JSON."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.domain_files import read_box, read_section
from milpcount.errors import DomainError, FileFormatError


@pytest.fixture
def write(tmp_path):
    def to_file(content):
        path = tmp_path / "domain.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return to_file


def test_one_number_for_all_inputs(write):
    inputs = read_box(write({"lower": 0, "upper": 0.5})).bind(3)
    assert (inputs.lower.tolist(), inputs.upper.tolist()) == ([0, 0, 0], [0.5, 0.5, 0.5])


def test_a_number_for_each_input(write):
    inputs = read_box(write({"lower": [0, -1], "upper": ["1/3", 2], "source": "me"})).bind(2)
    assert (inputs.lower.tolist(), inputs.upper.tolist()) == ([0, -1], [1 / 3, 2])


@given(numbers=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=4))
def test_boxes_come_back_exactly(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("box") / "box.json"
    path.write_text(json.dumps({"lower": numbers, "upper": [x + 1 for x in numbers]}))
    np.testing.assert_array_equal(read_box(path).lower, numbers)


@given(numerator=st.integers(-(10**40), 10**40), denominator=st.integers(1, 10**40))
def test_fractions_are_kept(tmp_path_factory, numerator, denominator):
    path = tmp_path_factory.mktemp("box") / "box.json"
    value = f"{numerator}/{denominator}"
    path.write_text(json.dumps({"lower": [value, 0], "upper": [value, 1]}))
    assert read_box(path).lower[0] == Fraction(numerator, denominator)


SECTION = {"p0": [1, "1/2"], "directions": [[0, "1/4"]], "box": [[-1, 3]], "cells": 7}


def test_section(write):
    inputs = read_section(write(SECTION)).bind(2)
    ends = [inputs.to_inputs(t).tolist() for t in (inputs.lower, inputs.upper)]
    assert ends == [[1, 0.25], [1, 1.25]]


def test_sections_with_known_counts(shared_data, write):
    for record in json.loads((shared_data / "sections.json").read_text()):
        inputs = read_section(write(record)).bind(len(record["p0"]))
        assert inputs.lower.tolist() == [low for low, _ in record["box"]]
        origin = [float(Fraction(v)) for v in record["p0"]]
        np.testing.assert_array_equal(inputs.to_inputs(np.zeros(inputs.dimension)), origin)


BAD_BOXES = {
    "truncated": ('{"lower": [0, 1], "upper": [1,', FileFormatError, "is not JSON, it may be trun"),
    "empty": ("", FileFormatError, "is not JSON"),
    "a list": ([0, 1], FileFormatError, "holds list: an object with keys"),
    "other keys": (
        {"lo": 0, "hi": 1},
        FileFormatError,
        r"holds \['hi', 'lo'\]: an object with key",
    ),
    "text": ({"lower": 0, "upper": "one"}, FileFormatError, "'one' is not a number: give one like"),
    "null": ({"lower": 0, "upper": None}, FileFormatError, "None is not a number"),
    "a truth value": ({"lower": False, "upper": 1}, FileFormatError, "False is not a number"),
    "division by zero": ({"lower": 0, "upper": "1/0"}, FileFormatError, "'1/0' is not a number"),
    "nan": ('{"lower": NaN, "upper": 1}', FileFormatError, "nan is not a number"),
    "infinite": ('{"lower": 0, "upper": Infinity}', DomainError, "bounds must be finite"),
    "reversed": ({"lower": [0, 2], "upper": 1}, DomainError, r"reversed at input 1: \[2.0, 1.0\]"),
    "a point": ({"lower": [1], "upper": [1]}, DomainError, "a single point"),
    "no inputs": ({"lower": [], "upper": []}, DomainError, "a single point"),
    "two lengths": ({"lower": [0, 0], "upper": [1, 1, 1]}, DomainError, r"shape \(2,\), but .* 3"),
    "nested": ({"lower": [[0]], "upper": 1}, DomainError, r"shape \(1, 1\)"),
}


@pytest.mark.parametrize("name", BAD_BOXES)
def test_bad_boxes(write, name):
    content, error, message = BAD_BOXES[name]
    with pytest.raises(error, match=message) as caught:
        read_box(write(content))
    assert "domain.json" in str(caught.value)
    assert "\n" not in str(caught.value)


BAD_SECTIONS = {
    "a key is missing": ({"p0": [0], "box": []}, FileFormatError, "'directions'"),
    "a box of numbers": (SECTION | {"box": [0, 1]}, FileFormatError, r"pairs \[lower, upper\]"),
    "a box that is none": (SECTION | {"box": 3}, FileFormatError, "box 3: give a list of pairs"),
    "triples": (SECTION | {"box": [[0, 1, 2]]}, FileFormatError, "give a list of pairs"),
    "a bad fraction": (SECTION | {"p0": [0, "1:2"]}, FileFormatError, "'1:2' is not a number"),
    "a box too many": (SECTION | {"box": [[0, 1]] * 2}, DomainError, "there are 1 inputs"),
    "a reversed box": (SECTION | {"box": [[1, 0]]}, DomainError, "reversed at input 0"),
    "another dimension": (SECTION | {"p0": [0]}, DomainError, r"shape \(1, 2\), but .* 1 inputs"),
    "dependent": (
        SECTION | {"directions": [[1, 1], [2, 2]], "box": [[0, 1]] * 2},
        DomainError,
        "linearly dependent",
    ),
    "ragged": (
        SECTION | {"directions": [[1, 1], [2]], "box": [[0, 1]] * 2},
        DomainError,
        "numbers are needed",
    ),
}


@pytest.mark.parametrize("name", BAD_SECTIONS)
def test_bad_sections(write, name):
    content, error, message = BAD_SECTIONS[name]
    with pytest.raises(error, match=message) as caught:
        read_section(write(content))
    assert "domain.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_box, read_section])
def test_paths_without_a_file(tmp_path, read):
    with pytest.raises(FileFormatError, match=r"nowhere\.json does not exist: give a"):
        read(tmp_path / "nowhere.json")
    with pytest.raises(FileFormatError, match="is a directory: give a"):
        read(tmp_path)
