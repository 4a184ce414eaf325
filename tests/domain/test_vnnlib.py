"""The input box of VNN-LIB properties, as tools and competitions write them."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.domain_files import read_vnnlib
from milpcount.errors import DomainError, FileFormatError

DECLARED = """; a property
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
"""
X_1 = "(assert (>= X_1 -1.0)) (assert (<= X_1 2.5e-1))\n"
X_0 = "(assert (<= X_0 1)) (assert (>= X_0 0))\n"


@pytest.fixture
def box(tmp_path):
    def read(text: str, n_inputs=None):
        path = tmp_path / "property.vnnlib"
        path.write_text(text)
        found = read_vnnlib(path, n_inputs)
        return [found.lower.tolist(), found.upper.tolist()]

    return read


EXPECTED = [[0.0, -1.0], [1.0, 0.25]]
SPELLINGS = {
    "one assertion for each bound": X_0 + X_1,
    "bounds in any order, comments between": f"{X_1}; (assert (<= X_0 -7))\n{X_0}",
    "the number first": "(assert (>= 1 X_0)) (assert (<= 0 X_0))" + X_1,
    "a conjunction": "(assert (and (<= X_0 1) (>= X_0 0) (<= X_1 0.25) (>= X_1 -1)))",
    "nested conjunctions": "(assert (and (and (<= X_0 1)) (and (>= X_0 0) (and))))" + X_1,
    "strict inequalities": "(assert (< X_0 1)) (assert (> X_0 0))" + X_1,
    "the tightest of several bounds": "(assert (<= X_0 9)) (assert (>= X_0 -9))" + X_0 + X_1,
    "negation and division": X_0 + "(assert (and (>= X_1 (- 1.0)) (<= X_1 (/ 1.0 4.0))))",
    "one alternative": "(assert (or (and (<= X_0 1) (>= X_0 0))))" + X_1,
    "constraints on outputs": X_0 + X_1 + "(assert (or (<= Y_0 0) (and (>= Y_0 (* 2 Y_0)))))",
    "the same box for every output": X_1
    + "(assert (or (and (>= X_0 0) (<= X_0 1) (<= Y_0 3)) (and (<= X_0 1) (>= X_0 0) (>= Y_0 5))))",
    "commands without effect": f'(set-logic QF_LRA)(set-info :source "a ) b"){X_0}{X_1}(check-sat)',
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(box, name):
    assert box(DECLARED + SPELLINGS[name]) == EXPECTED


def test_declared_as_functions(box):
    assert box(DECLARED.replace("const X_0", "fun X_0 ()") + X_0 + X_1) == EXPECTED


def test_a_fixed_input(box):
    assert box(DECLARED + X_0 + "(assert (= X_1 0.5))") == [[0, 0.5], [1, 0.5]]


def test_deep_nesting(box):
    nested = "(<= X_0 1)"
    for _ in range(5000):
        nested = f"(and {nested} (>= X_0 0))"
    assert box(f"{DECLARED}(assert {nested})" + X_1) == EXPECTED


def test_compressed(tmp_path):
    path = tmp_path / "property.vnnlib.gz"
    content = gzip.compress((DECLARED + X_0 + X_1).encode())
    path.write_bytes(content)
    found = read_vnnlib(path)
    assert [found.lower.tolist(), found.upper.tolist()] == EXPECTED
    for length in (0, 5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match=r"property\.vnnlib\.gz"):
            read_vnnlib(path)


@given(bounds=st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(1e-3, 9)), min_size=1, max_size=5))
def test_boxes_come_back_exactly(tmp_path_factory, bounds):
    lines = [f"(declare-const X_{i} Real)" for i in range(len(bounds))]
    for i, (low, width) in enumerate(bounds):
        lines.append(f"(assert (>= X_{i} {low!r}))(assert (<= X_{i} {low + width!r}))")
    path = tmp_path_factory.mktemp("vnnlib") / "p.vnnlib"
    path.write_text("\n".join(lines))
    found = read_vnnlib(path, len(bounds))
    np.testing.assert_array_equal(found.lower, [low for low, _ in bounds])
    np.testing.assert_array_equal(found.upper, [low + width for low, width in bounds])


BAD = {
    "empty": ("", FileFormatError, r"declares inputs \[\]: X_0, X_1, .. without gaps"),
    "not VNN-LIB": ("hello", FileFormatError, "command hello is not supported"),
    "a gap": (
        DECLARED.replace("X_1", "X_2") + X_0 + X_1.replace("X_1", "X_2"),
        FileFormatError,
        r"declares inputs \[0, 2\]",
    ),
    "no upper bound": (
        DECLARED + X_0 + "(assert (>= X_1 0))",
        DomainError,
        "input X_1 has no upper bound; every input needs both",
    ),
    "no lower bound": (DECLARED + X_1 + "(assert (<= X_0 1))", DomainError, "X_0 has no lower"),
    "not declared": (DECLARED + "(assert (<= X_7 1))", FileFormatError, "X_7 is bounded but not"),
    "reversed": (
        DECLARED + X_0.replace("<= X_0 1", "<= X_0 -1") + X_1,
        DomainError,
        r"the box is reversed at input 0: \[0.0, -1.0\]",
    ),
    "a point": (DECLARED + "(assert (and (= X_0 1) (= X_1 1)))", DomainError, "a single point"),
    "two boxes": (
        DECLARED + X_1 + "(assert (or (and (>= X_0 0) (<= X_0 1)) (and (>= X_0 2) (<= X_0 3))))",
        DomainError,
        "a disjunction of 2 parts describes more than one input box: split it",
    ),
    "a box or an output": (
        DECLARED + X_0 + X_1 + "(assert (or (<= X_0 0.5) (<= Y_0 0)))",
        DomainError,
        "a disjunction of 2 parts",
    ),
    "inputs compared": (
        DECLARED + "(assert (<= X_0 X_1))",
        FileFormatError,
        "inputs may only be compared with numbers",
    ),
    "input and output compared": (DECLARED + "(assert (<= X_0 Y_0))", FileFormatError, "'Y_0' is"),
    "a sum": (DECLARED + "(assert (<= (+ X_0 X_1) 1))", FileFormatError, "inputs may only be"),
    "a negation": (DECLARED + "(assert (not (<= X_0 1)))", FileFormatError, "not supported"),
    "three sides": (DECLARED + "(assert (<= 0 X_0 1))", FileFormatError, "not supported"),
    "a number that is none": (DECLARED + "(assert (<= X_0 1,5))", FileFormatError, "'1,5' is not"),
    "nan": (DECLARED + "(assert (<= X_0 nan))", FileFormatError, "'nan' is not a number"),
    "division by zero": (DECLARED + "(assert (<= X_0 (/ 1 0)))", FileFormatError, r"\(/ 1 0\) is"),
    "infinite": (
        DECLARED + X_1 + "(assert (<= X_0 1))(assert (>= X_0 (- inf)))",
        DomainError,
        "bounds must be finite",
    ),
    "one parenthesis too many": (
        DECLARED + X_0 + ")",
        FileFormatError,
        "line 6: a parenthesis is closed that was not opened",
    ),
    "a newer standard": ("(vnnlib-version <2.0>)", FileFormatError, "vnnlib-version .* not supp"),
    "a disjunction of disjunctions of ..": (
        f"{DECLARED}(assert {'(or ' * 5000}(<= X_0 1){')' * 5000})",
        FileFormatError,
        "its constraints are nested too deeply",
    ),
    "an unknown operator around it": (
        f"{DECLARED}(assert (not {'(and ' * 5000}(<= X_0 1){')' * 5000}))",
        FileFormatError,
        "nested too deeply|not supported",
    ),
    "integers": ("(declare-const X_0 Int)", FileFormatError, "command .* is not supported"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_properties(box, name):
    text, error, message = BAD[name]
    with pytest.raises(error, match=message) as caught:
        box(text)
    assert "property.vnnlib" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_number_of_inputs(box):
    assert box(DECLARED + X_0 + X_1, 2) == EXPECTED
    with pytest.raises(DomainError, match="declares 2 inputs, but the network has 784"):
        box(DECLARED + X_0 + X_1, 784)


def test_cut_anywhere_a_file_is_refused_or_complete(box):
    text = DECLARED + X_0 + X_1 + "(assert (<= Y_0 0))"
    complete = len(DECLARED + X_0 + X_1) - 1
    for length in range(len(text)):
        if text[complete:length].strip() == "" and length >= complete:
            assert box(text[:length]) == EXPECTED  # only what says nothing of the inputs is gone
        else:
            with pytest.raises((FileFormatError, DomainError)):
                box(text[:length])


def test_paths_without_a_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"does not exist: give a \.vnnlib or"):
        read_vnnlib(tmp_path / "nowhere.vnnlib")
    with pytest.raises(FileFormatError, match="is a directory"):
        read_vnnlib(tmp_path)
