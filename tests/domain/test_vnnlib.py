"""The input set of VNN-LIB properties, as tools and competitions write them."""

import gzip
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import milpcount as mc
from milpcount import caps
from milpcount.domain_files import read_vnnlib
from milpcount.errors import DomainError, FileFormatError, OptionError

DECLARED = """; a property
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
"""
X_1 = "(assert (>= X_1 -1.0)) (assert (<= X_1 2.5e-1))\n"
X_0 = "(assert (<= X_0 1)) (assert (>= X_0 0))\n"


@pytest.fixture
def domain(tmp_path):
    def read(text: str, **options):
        path = tmp_path / "property.vnnlib"
        path.write_text(text)
        return read_vnnlib(path, **options)

    return read


@pytest.fixture
def box(tmp_path):
    def read(text: str, n_inputs=None, **options):
        path = tmp_path / "property.vnnlib"
        path.write_text(text)
        found = read_vnnlib(path, n_inputs, **options)
        assert isinstance(found, mc.Box)
        return [found.lower.tolist(), found.upper.tolist()]

    return read


EXPECTED = [[0.0, -1.0], [1.0, 0.25]]
SPELLINGS = {
    "one assertion for each bound": X_0 + X_1,
    "bounds in any order, comments between": f"{X_1}; (assert (<= X_0 -7))\n{X_0}",
    "the number first": "(assert (>= 1 X_0)) (assert (<= 0 X_0))" + X_1,
    "a conjunction": "(assert (and (<= X_0 1) (>= X_0 0) (<= X_1 0.25) (>= X_1 -1)))",
    "nested conjunctions": "(assert (and (and (<= X_0 1)) (and (>= X_0 0) (and))))" + X_1,
    "a chain": "(assert (<= 0 X_0 1))(assert (>= 0.25 X_1 -1))",
    "multiples": "(assert (<= (* 2 X_0) 2))(assert (<= (* -0.5 X_0) 0))" + X_1,
    "on both sides": "(assert (<= (- (* 2 X_0) 1) X_0))(assert (>= (+ X_0 X_1 3) (+ X_1 3)))" + X_1,
    "the tightest of several bounds": "(assert (<= X_0 9)) (assert (>= X_0 -9))" + X_0 + X_1,
    "negation and division": X_0 + "(assert (and (>= X_1 (- 1.0)) (<= X_1 (/ 1.0 4.0))))",
    "one alternative": "(assert (or (and (<= X_0 1) (>= X_0 0))))" + X_1,
    "the same box twice": X_1
    + "(assert (or (and (>= X_0 0) (<= X_0 1)) (and (<= X_0 1) (>= X_0 0))))",
    "commands without effect": f'(set-logic QF_LRA)(set-info :source "a ) b"){X_0}{X_1}(check-sat)',
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(box, name):
    assert box(DECLARED + SPELLINGS[name]) == EXPECTED


ON_OUTPUTS = {
    "by themselves": X_0 + X_1 + "(assert (or (<= Y_0 0) (and (>= Y_0 (* 2 Y_0)))))",
    "strict": X_0 + X_1 + "(assert (< Y_0 0))",
    "in every part": X_1
    + "(assert (or (and (>= X_0 0) (<= X_0 1) (<= Y_0 3)) (and (<= X_0 1) (>= X_0 0) (>= Y_0 5))))",
}


@pytest.mark.parametrize("name", ON_OUTPUTS)
def test_constraints_on_outputs_are_refused_unless_the_input_set_is_wanted(box, name):
    message = r"Y_0 .* is on outputs, .* outputs='ignore', in the shell --vnnlib-inputs-only"
    with pytest.raises(FileFormatError, match=message):
        box(DECLARED + ON_OUTPUTS[name])
    assert box(DECLARED + ON_OUTPUTS[name], outputs="ignore") == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "(assert (<= X_0 Y_0))",
        "(assert (<= (+ X_0 Y_0) 1))",
        "(assert (or (<= X_0 0.5) (<= Y_0 0)))",
        "(assert (or (and (<= X_0 0.5) (>= Y_0 0)) (and (<= Y_0 0))))",
    ],
)
def test_constraints_that_mix_inputs_and_outputs_are_always_refused(box, text):
    with pytest.raises(FileFormatError, match="mixes inputs and outputs"):
        box(DECLARED + X_0 + X_1 + text, outputs="ignore")
    with pytest.raises(FileFormatError, match="outputs"):
        box(DECLARED + X_0 + X_1 + text)


def test_what_to_do_with_outputs_is_one_of_two(box):
    with pytest.raises(OptionError, match="outputs='drop': give 'refuse' or 'ignore'"):
        box(DECLARED + X_0 + X_1, outputs="drop")


def bounds_of(union):
    return sorted((p.lower.tolist(), p.upper.tolist()) for p in union.parts)


def test_a_disjunction_of_boxes(domain):
    found = domain(
        DECLARED + X_1 + "(assert (or (and (>= X_0 0) (<= X_0 1)) (and (>= X_0 2) (<= X_0 3))))"
    )
    assert found.title == "union of 2 boxes"
    assert bounds_of(found) == [([0, -1], [1, 0.25]), ([2, -1], [3, 0.25])]


def test_disjunctions_multiply_and_what_has_nothing_in_common_is_no_part(domain):
    text = (
        "(assert (or (<= X_0 0.25) (>= X_0 0.75)))(assert (or (<= X_0 0.5) (>= X_1 0)))"
        "(assert (or (<= X_0 0.5) (<= X_0 0.25)))"
    )
    found = domain(DECLARED + X_0 + X_1 + text)
    assert bounds_of(found) == [([0, -1], [0.25, 0.25]), ([0, 0], [0.25, 0.25])]


def test_a_polytope(domain):
    text = "(assert (<= X_0 X_1))(assert (>= (+ (* 2.0 X_0) (- (* 0.5 X_1)) 1) 0))"
    found = domain(DECLARED + X_0 + X_1 + text)
    assert isinstance(found, mc.Polytope)
    assert (found.lower.tolist(), found.upper.tolist()) == (EXPECTED[0], EXPECTED[1])
    assert np.c_[found.A, found.b].tolist() == [[1, -1, 0], [-1, 0.25, 0.5]]


def test_decimal_coefficients_become_integers_so_that_rows_are_exact(domain):
    found = domain(DECLARED + X_0 + X_1 + "(assert (<= (+ (* 0.1 X_0) (* 0.3 X_1)) 0.7))")
    assert np.c_[found.A, found.b].tolist() == [[1, 3, 7]]


def test_coefficients_that_no_factor_makes_float64_are_the_nearest(domain):
    found = domain(
        DECLARED + X_0 + X_1 + "(assert (<= (+ X_0 (* 0.12345678901234567890123 X_1)) 0.7))"
    )
    assert np.c_[found.A, found.b].tolist() == [[1, 0.12345678901234567890123, 0.7]]


def test_the_same_row_at_another_scale_is_kept_once(domain):
    found = domain(
        DECLARED + X_0 + X_1 + "(assert (<= (* 3 X_0) (* 3 X_1)))(assert (<= X_0 (+ X_1 1)))"
    )
    assert np.c_[found.A, found.b].tolist() == [[1, -1, 0]]


def test_a_union_of_polytopes(domain):
    text = "(assert (or (<= X_0 X_1) (>= (- X_0 X_1) 1)))"
    found = domain(DECLARED + X_0 + X_1 + text)
    assert found.title == "union of 2 parts"
    assert [np.c_[p.A, p.b].tolist() for p in found.parts] == [[[1, -1, 0]], [[-1, 1, -1]]]


def test_declared_as_functions(box):
    assert box(DECLARED.replace("const X_0", "fun X_0 ()") + X_0 + X_1) == EXPECTED


def test_a_fixed_input(box):
    assert box(DECLARED + X_0 + "(assert (= X_1 0.5))") == [[0, 0.5], [1, 0.5]]


def test_deep_nesting(box):
    depth = 5_000
    nested = f"{'(or ' * depth}{'(and ' * depth}(<= X_0 1){' (>= X_0 0))' * depth}{')' * depth}"
    assert box(f"{DECLARED}(assert {nested})" + X_1) == EXPECTED
    deep = f"{'(- ' * depth}X_0{')' * depth}"
    assert box(f"{DECLARED}(assert (<= 0 {deep} 1))" + X_1) == EXPECTED


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
    "a negation": (DECLARED + "(assert (not (<= X_0 1)))", FileFormatError, "not supported"),
    "one side": (DECLARED + "(assert (<= X_0))", FileFormatError, "at least two terms"),
    "a number that is none": (DECLARED + "(assert (<= X_0 1,5))", FileFormatError, "'1,5' is not"),
    "nan": (DECLARED + "(assert (<= X_0 nan))", FileFormatError, "'nan' is not a number"),
    "division by zero": (
        DECLARED + "(assert (<= X_0 (/ 1 0)))",
        FileFormatError,
        r"\(/ 1 0\): '/' of 2 terms is not",
    ),
    "infinite": (
        DECLARED + X_1 + "(assert (<= X_0 1))(assert (>= X_0 (- inf)))",
        FileFormatError,
        "'inf' is not a number",
    ),
    "above the largest float64": (
        DECLARED + X_1 + "(assert (<= X_0 1e400))(assert (>= X_0 0))",
        DomainError,
        "bounds must be finite",
    ),
    "an endless exponent": (
        DECLARED + "(assert (<= X_0 1e999999999999))",
        FileFormatError,
        "digits or decimal places, and 1,000 are the most",
    ),
    "numbers that grow": (
        DECLARED + f"(assert (<= {'(* 1e900 ' * 20}X_0{')' * 20} 1))",
        FileFormatError,
        "its numbers grow too long",
    ),
    "a product of inputs": (
        DECLARED + "(assert (<= (* X_0 X_1) 1))",
        FileFormatError,
        r"\(\* X_0 X_1\): a product of two variables is not linear",
    ),
    "a strict inequality": (
        DECLARED + "(assert (< X_0 1))",
        FileFormatError,
        r"\(< X_0 1\) is strict, and domains are closed: write <=, which changes no region",
    ),
    "an equation of inputs": (
        DECLARED + "(assert (= X_0 X_1))",
        FileFormatError,
        "makes the set flat; describe it as a section",
    ),
    "numbers compared": (DECLARED + "(assert (<= 1 2))", FileFormatError, "compares numbers only"),
    "what cancels": (
        DECLARED + "(assert (<= (- X_0 X_0) -1))",
        DomainError,
        "holds for no input, as its variables cancel",
    ),
    "a name of its own": ("(declare-const eps Real)", FileFormatError, "only inputs X_0, X_1, .."),
    "an unknown name": (DECLARED + "(assert (<= X_0 eps))", FileFormatError, "'eps' is not a num"),
    "a definition": (
        DECLARED + "(define-fun eps () Real 0.1)",
        FileFormatError,
        "definitions of names are not supported; write out what they stand for",
    ),
    "a local definition": (
        DECLARED + "(assert (let ((e 0.1)) (<= X_0 e)))",
        FileFormatError,
        "definitions of names are not supported",
    ),
    "an operation without a name": (
        DECLARED + "(assert ((<= X_0 1)))",
        FileFormatError,
        "does not begin with the name of an operation",
    ),
    "a disjunction of no parts": (DECLARED + "(assert (or))", DomainError, "holds for no input"),
    "a part that is reversed": (
        DECLARED + X_0 + X_1 + "(assert (or (<= X_0 0.5) (and (>= X_0 3) (<= X_0 2))))",
        DomainError,
        "alternative 2 of a disjunction is reversed",
    ),
    "parts without anything in common": (
        DECLARED + X_0 + X_1 + "(assert (or (<= X_0 -1) (>= X_0 2)))",
        DomainError,
        "no input satisfies all constraints",
    ),
    "parts of several dimensions": (
        DECLARED + X_1 + "(assert (or (and (>= X_0 0) (<= X_0 1)) (= X_0 2)))",
        DomainError,
        "part 2 has dimension 1 and the first 2",
    ),
    "too many parts": (
        DECLARED
        + X_0
        + X_1
        + "".join(f"(assert (or (<= X_0 0.{k}) (>= X_1 0.{k})))" for k in range(1, 30)),
        FileFormatError,
        "boxes or polytopes, and 10,000 are the most: each is counted by itself; split the file",
    ),
    "one parenthesis too many": (
        DECLARED + X_0 + ")",
        FileFormatError,
        "line 6: a parenthesis is closed that was not opened",
    ),
    "a newer standard": (
        DECLARED + "(vnnlib-version <2.0>)",
        FileFormatError,
        r"\(vnnlib-version <2.0>\) is one of VNN-LIB 2.0, whose files begin with",
    ),
    "a newer standard without its version": (
        "(declare-network f (declare-input X real [1]) (declare-output Y real [1]))",
        FileFormatError,
        "is one of VNN-LIB 2.0, whose files begin with",
    ),
    "a flat set left out": (
        DECLARED + "(assert (!= X_0 X_1))",
        FileFormatError,
        r"\(!= X_0 X_1\) leaves out a flat set only, and domains are closed: leave the",
    ),
    "an unknown operator around it": (
        f"{DECLARED}(assert (not {'(and ' * 5000}(<= X_0 1){')' * 5000}))",
        FileFormatError,
        "not supported",
    ),
    "a command nested deeply": (
        f"{'(' * 100_000}{')' * 100_000}",
        FileFormatError,
        r"command \(\(\(.*\.\.\. is not supported",
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
    text = DECLARED + X_0 + X_1 + "(check-sat)"
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


def test_a_file_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(caps, "TEXT", replace(caps.TEXT, most=10**6))
    path = tmp_path / "property.vnnlib.gz"
    path.write_bytes(gzip.compress(b" " * 10**7))
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="1,000,001 bytes of text, and 1,000,000 are the mo"):
        read_vnnlib(path)
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    tracemalloc.stop()


def test_a_command_without_end_is_not_read_to_it(box, monkeypatch):
    monkeypatch.setattr(caps, "WORDS", replace(caps.WORDS, most=1000))
    with pytest.raises(FileFormatError, match="line 6: 1,001 words and parentheses in one command"):
        box(DECLARED + "(assert (and\n" + "(<= X_0 1)" * 1000)
    assert box(DECLARED + (X_0 + X_1) * 100) == EXPECTED  # it is a cap on each command
