"""VNN-LIB 2.0, which the package vnnlib parses: the same domains as from files of version 1.0."""

import gzip
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import milpcount as mc
from milpcount.domain_files import read_vnnlib
from milpcount.errors import DomainError, FileFormatError, NotInstalledError

pytest.importorskip("vnnlib")

VERSION = "(vnnlib-version <2.0>) ; a property\n"
NETWORK = "(declare-network f (declare-input X float32 [1,2]) (declare-output Y float32 [2]))\n"
X_1 = "(assert (>= X[0,1] -1.0)) (assert (<= X[0,1] 0.25))\n"
X_0 = "(assert (<= X[0,0] 1.0)) (assert (>= X[0,0] 0.0))\n"
EXPECTED = [[0.0, -1.0], [1.0, 0.25]]


@pytest.fixture
def domain(tmp_path):
    def read(text: str, n_inputs=None, *, declared=VERSION + NETWORK, **options):
        path = tmp_path / "property.vnnlib"
        path.write_text(declared + text)
        return read_vnnlib(path, n_inputs, **options)

    return read


def ends(box):
    assert isinstance(box, mc.Box)
    return [box.lower.tolist(), box.upper.tolist()]


SPELLINGS = {
    "one assertion for each bound": X_0 + X_1,
    "the number first": "(assert (>= 1.0 X[0,0])) (assert (<= 0.0 X[0,0]))" + X_1,
    "a conjunction": "(assert (and (<= X[0,0] 1.0) (>= X[0,0] 0.0) (<= X[0,1] 0.25)))"
    "(assert (and (>= X[0,1] -1.0)))",
    "multiples": "(assert (<= (* 2.0 X[0,0]) 2.0))(assert (<= (* -0.5 X[0,0] 1.0) 0.0))" + X_1,
    "on both sides": "(assert (<= (- (* 2.0 X[0,0]) 1.0) X[0,0]))"
    "(assert (>= (+ X[0,0] X[0,1] 3.0) (+ X[0,1] 3.0)))" + X_1,
    "differences": "(assert (<= (- X[0,0] 0.5 0.25) 0.25))(assert (<= (- 1.0 X[0,0] 1.0) 0.0))"
    "(assert (<= (- X[0,0]) 0.0))" + X_1,
    "the tightest of several bounds": "(assert (<= X[0,0] 9.0))" + X_0 + X_1,
    "spaces": (X_0 + X_1).replace("[0,", " [ 0 , "),
    "one alternative": "(assert (or (and (<= X[0,0] 1.0) (>= X[0,0] 0.0))))" + X_1,
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(domain, name):
    assert ends(domain(SPELLINGS[name])) == EXPECTED


def declared(*tensors, outputs="(declare-output Y real [1])"):
    return f"{VERSION}(declare-network f {' '.join(tensors)} {outputs})\n"


def test_elements_are_numbered_row_by_row(domain):
    text = "".join(
        f"(assert (>= X[{i},{j},{k}] {i}{j}{k}.0)) (assert (<= X[{i},{j},{k}] 999.0))"
        for k in range(4) for j in range(3) for i in range(2)
    )  # fmt: skip
    found = domain(text, 24, declared=declared("(declare-input X real [2,3,4])"))
    order = [100 * i + 10 * j + k for i in range(2) for j in range(3) for k in range(4)]
    assert found.lower.tolist() == order


def test_several_inputs_are_one_in_the_order_of_their_declarations(domain):
    head = declared("(declare-input b float64 [2])", "(declare-input X_0 float32 [])")
    text = "(assert (and (<= b[0] 1.0) (>= b[0] 0.0) (<= b[1] 3.0) (>= b[1] 2.0)))"
    assert ends(domain(text + "(assert (and (>= X_0 4.0) (<= X_0 5.0)))", declared=head)) == [
        [0, 2, 4],
        [1, 3, 5],
    ]
    with pytest.raises(DomainError, match="input X_0 has no lower bound"):
        domain(text, declared=head)


@pytest.mark.parametrize("kind", ["real", "Real", "float16", "bfloat16", "float32", "float64"])
def test_types_of_real_numbers(domain, kind):
    head = declared(f"(declare-input X {kind} [1])")
    assert ends(domain("(assert (and (<= X[0] 1.0) (>= X[0] 0.0)))", declared=head)) == [[0], [1]]


def test_a_disjunction_of_boxes(domain):
    text = (
        "(assert (or (and (>= X[0,0] 0.0) (<= X[0,0] 1.0)) (and (>= X[0,0] 2.0) (<= X[0,0] 3.0))))"
    )
    found = domain(X_1 + text)
    assert found.title == "union of 2 boxes"
    assert [ends(part) for part in found.parts] == [EXPECTED, [[2, -1], [3, 0.25]]]


def test_a_polytope(domain):
    text = "(assert (<= X[0,0] X[0,1]))(assert (>= (+ (* 2.0 X[0,0]) (* -0.5 X[0,1]) 1.0) 0.0))"
    found = domain(X_0 + X_1 + text)
    assert isinstance(found, mc.Polytope)
    assert np.c_[found.A, found.b].tolist() == [[1, -1, 0], [-1, 0.25, 0.5]]


def test_numbers_are_taken_as_they_are_written(domain):
    """The package's own floats would make 0.1 and 0.3 rows that are off in the 17th digit."""
    found = domain(X_0 + X_1 + "(assert (<= (+ (* 0.1 X[0,0]) (* 0.3 X[0,1])) 0.7))")
    assert np.c_[found.A, found.b].tolist() == [[1, 3, 7]]
    # Both are 0.1 as float64; their difference is not 0.
    text = (
        "(assert (<= (* (- 0.10000000000000000001 0.1) X[0,0]) (* 0.00000000000000000001 X[0,1])))"
    )
    assert np.c_[(row := domain(X_0 + X_1 + text)).A, row.b].tolist() == [[1, -1, 0]]


def test_a_fixed_input(domain):
    assert ends(domain(X_0 + "(assert (== X[0,1] 0.5))")) == [[0, 0.5], [1, 0.5]]


ON_OUTPUTS = [
    "(assert (or (<= Y[0] 0.0) (and (>= Y[0] (* 2.0 Y[1])))))",
    "(assert (< Y[0] Y[1]))",
    "(assert (!= Y[0] 0.5))",
    "(assert (or (and (>= X[0,0] 0.0) (<= Y[1] 3.0)) (and (>= X[0,0] 0.0) (>= Y[0] 5.0))))",
]


@pytest.mark.parametrize("text", ON_OUTPUTS)
def test_constraints_on_outputs_are_refused_unless_the_input_set_is_wanted(domain, text):
    message = r"Y\[\d\] .* is on outputs, .* outputs='ignore', in the shell --vnnlib-inputs-only"
    with pytest.raises(FileFormatError, match=message):
        domain(X_0 + X_1 + text)
    assert ends(domain(X_0 + X_1 + text, outputs="ignore")) == EXPECTED


@pytest.mark.parametrize(
    "text", ["(assert (<= X[0,0] Y[0]))", "(assert (or (<= X[0,0] 0.5) (<= Y[0] 0.0)))"]
)
def test_constraints_that_mix_inputs_and_outputs_are_always_refused(domain, text):
    with pytest.raises(FileFormatError, match="mixes inputs and outputs"):
        domain(X_0 + X_1 + text, outputs="ignore")


HIDDEN = declared(
    "(declare-input X real [1,2])",
    outputs='(declare-hidden Z real [3] "relu_1") (declare-output Y real [1])',
)


def test_hidden_nodes(domain):
    assert ends(domain(X_0 + X_1, declared=HIDDEN)) == EXPECTED
    for outputs in ("refuse", "ignore"):
        with pytest.raises(
            FileFormatError, match=r'line 5: Z\[2\] is a value of the hidden node "relu_1"'
        ):
            domain(X_0 + X_1 + "(assert (<= Z[2] 0.0))", declared=HIDDEN, outputs=outputs)


def deep(depth):
    return f"(assert {'(and ' * depth}(<= X[0,0] 1.0){')' * depth})"


BAD = {
    "no network": (
        VERSION + "(assert (<= X[0] 1.0))",
        FileFormatError,
        "syntax error at line 2, c",
    ),
    "only a version": (VERSION, FileFormatError, "not valid as VNN-LIB 2.0: syntax error at line"),
    "another version": (
        VERSION.replace("2.0", "3.0") + NETWORK + X_0,
        FileFormatError,
        r"line 1: Incompatible VNNLib version: <3.0>. Expected VNNLib version <2.x>",
    ),
    "truncated": (VERSION + NETWORK + X_0[:-3], FileFormatError, "[12] parentheses are not closed"),
    "two networks": (
        VERSION + NETWORK + "(declare-network g (equal-to f) (declare-input A float32 [1,2])"
        " (declare-output B float32 [2]))" + X_0 + X_1,
        FileFormatError,
        "declares the networks f, g: regions are counted of one network",
    ),
    "inputs by name": (
        declared(
            '(declare-input b real [1] "m")',
            '(declare-input a real [1] "k")',
            outputs='(declare-output Y real [1] "o")',
        )
        + "(assert (<= a[0] 1.0))",
        FileFormatError,
        r"""'"m"'; the package vnnlib may not take the name that b is given: leave such""",
    ),
    "integers": (
        declared("(declare-input X int8 [1])") + "(assert (<= X[0] 1))",
        FileFormatError,
        "the elements of input X are int8, and domains are sets of real numbers: declare one of bf",
    ),
    "truths": (
        declared("(declare-input X bool [1])") + "(assert (<= Y[0] 1.0))",
        FileFormatError,
        "the elements of input X are bool",
    ),
    "a type of its own": (
        declared("(declare-input X reel [1])") + "(assert (<= X[0] 1.0))",
        FileFormatError,
        "the elements of input X are reel",
    ),
    "many elements": (
        declared("(declare-input X real [4294967296,4294967296,2])") + "(assert (<= Y[0] 1.0))",
        FileFormatError,
        "input X: 36,893,488,147,419,103,232 numbers, and",
    ),
    "a long integer": (
        declared("(declare-input X real [18446744073709551617])") + "(assert (<= Y[0] 1.0))",
        FileFormatError,
        "not valid as VNN-LIB 2.0: stoll",
    ),
    "an index that is not there": (
        VERSION + NETWORK + "(assert (<= X[0,2] 1.0))",
        FileFormatError,
        r"line 3: Index out of bounds for variable: X\[0,2\]. Index 2 is out of bounds for dim",
    ),
    "too few indices": (
        VERSION + NETWORK + "(assert (<= X[0] 1.0))",
        FileFormatError,
        "Not enough",
    ),
    "an unknown tensor": (
        VERSION + NETWORK + "(assert (<= Z[0] 1.0))",
        FileFormatError,
        "Undeclared variable: Z",
    ),
    "an integer for a float": (
        VERSION + NETWORK + "(assert (<= X[0,0] 1))",
        FileFormatError,
        "Type mismatch in arithmetic expression: 1. Expected type 'F32'",
    ),
    "an exponent, which the standard has not": (
        VERSION + NETWORK + "(assert (<= X[0,0] 1.0e-5))",
        FileFormatError,
        "syntax error at line 3, column 22: 'e'",
    ),
    "digits without end": (
        VERSION + NETWORK + f"(assert (<= X[0,0] 0.{'3' * 1001}))",
        FileFormatError,
        "digits or decimal places, and 1,000 are the most",
    ),
    "a product of inputs": (
        VERSION + NETWORK + X_0 + X_1 + "(assert (<= (* X[0,0] X[0,1]) 1.0))",
        FileFormatError,
        r"\(\* X\[0,0\] X\[0,1\]\): a product of two variables is not linear",
    ),
    "strict": (
        VERSION + NETWORK + "(assert (< X[0,0] 1.0))",
        FileFormatError,
        "is strict, and dom",
    ),
    "not equal": (
        VERSION + NETWORK + "(assert (!= X[0,0] 1.0))",
        FileFormatError,
        r"\(!= X\[0,0\] 1.0\) leaves out a flat set only",
    ),
    "an equation of inputs": (
        VERSION + NETWORK + "(assert (== X[0,0] X[0,1]))",
        FileFormatError,
        r"\(== X\[0,0\] X\[0,1\]\): an equation of several inputs makes the set flat",
    ),
    "a bound that is missing": (
        VERSION + NETWORK + X_0 + "(assert (<= X[0,1] 1.0))",
        DomainError,
        r"input X\[0,1\] has no lower bound; every input needs both",
    ),
    "nested deeply": (
        VERSION + NETWORK + X_0 + X_1 + deep(100_000),
        FileFormatError,
        "line 5: 1,001 parentheses within each other, and 1,000 are the most",
    ),
    "a zero byte, at which the parser ends": (
        VERSION + NETWORK + X_0 + X_1 + "\0(assert (<= X[0,0] 0.5))",
        FileFormatError,
        "5 assertions, of which the package vnnlib sees 4",
    ),
    "a command of 1.0": (
        VERSION + NETWORK + "(declare-const X_0 Real)" + X_0,
        FileFormatError,
        "syntax error at line 3, column 0: '\\('",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_properties(domain, name):
    text, error, message = BAD[name]
    with pytest.raises(error, match=message) as caught:
        domain(text, declared="")
    assert "property.vnnlib: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nested_as_deep_as_allowed(domain):
    assert ends(domain(X_0 + X_1 + deep(997))) == EXPECTED


def test_another_number_of_inputs(domain):
    assert ends(domain(X_0 + X_1, 2)) == EXPECTED
    with pytest.raises(DomainError, match="declares 2 inputs, but the network has 784"):
        domain(X_0 + X_1, 784)


def test_cut_anywhere_a_file_is_refused_or_complete(domain):
    text = VERSION + NETWORK + X_0 + X_1
    for length in range(1, len(text.rstrip())):
        with pytest.raises((FileFormatError, DomainError)):
            domain(text[:length], declared="")


def test_compressed(tmp_path):
    path = tmp_path / "property.vnnlib.gz"
    path.write_bytes(gzip.compress((VERSION + NETWORK + X_0 + X_1).encode()))
    assert ends(read_vnnlib(path)) == EXPECTED


NUMBER = st.fractions(-9, 9, max_denominator=64)
ROW = st.tuples(st.tuples(NUMBER, NUMBER), NUMBER, st.sampled_from(["<=", ">="]))


def decimal(value: Fraction) -> str:
    digits = f"{abs(value.numerator) * 5**6 * 2**6 * 64 // (64 * value.denominator):07d}"
    return f"{'-' if value < 0 else ''}{digits[:-6]}.{digits[-6:]}"


@given(rows=st.lists(ROW, min_size=1, max_size=4), split=st.booleans())
def test_the_two_versions_agree(tmp_path_factory, rows, split):
    folder = tmp_path_factory.mktemp("versions")
    one, two = folder / "one.vnnlib", folder / "two.vnnlib"
    texts = []
    for names in (("X_0", "X_1"), ("X[0,0]", "X[0,1]")):
        found = []
        for coefficients, bound, sign in rows:
            terms = [f"(* {decimal(c)} {x})" for c, x in zip(coefficients, names, strict=True)]
            found.append(f"({sign} (+ {' '.join(terms)}) {decimal(bound)})")
        found = [f"(or {' '.join(found)})"] if split else found
        box = [f"(<= {x} 5.0)" for x in names] + [f"(>= {x} -5.0)" for x in names]
        texts.append("".join(f"(assert {part})" for part in box + found))
    one.write_text("(declare-const X_0 Real)(declare-const X_1 Real)" + texts[0])
    two.write_text(VERSION + NETWORK + texts[1])
    assert outcome(one) == outcome(two)


def outcome(path):
    try:
        found = read_vnnlib(path)
    except (DomainError, FileFormatError) as error:
        return type(error).__name__, str(error).partition(": ")[2].replace("X[0,", "X_").replace(
            "]", ""
        )
    parts = found.parts if isinstance(found, mc.Union) else [found]
    return [
        [
            p.lower.tolist(),
            p.upper.tolist(),
            *([p.A.tolist(), p.b.tolist()] if hasattr(p, "A") else []),
        ]
        for p in parts
    ]


def test_a_count(tmp_path):
    path = tmp_path / "square.vnnlib"
    path.write_text(VERSION + NETWORK + "".join(
        f"(assert (>= X[0,{i}] 0.0))(assert (<= X[0,{i}] 1.0))" for i in range(2)
    ))  # fmt: skip
    network = mc.Network.load("example:folding.onnx")
    assert mc.count(network, read_vnnlib(path), mc.ExactTree()).lower == 16


def test_without_the_package_there_is_one_line_that_says_what_to_install(domain, monkeypatch):
    monkeypatch.setitem(sys.modules, "vnnlib", None)
    with pytest.raises(NotInstalledError) as found:
        domain(X_0 + X_1)
    assert str(found.value) == (
        "a file of VNN-LIB 2.0 needs the package 'vnnlib', which is not installed: "
        "pip install 'milpcount[vnnlib]'"
    )


def test_a_package_for_the_older_standard(domain, monkeypatch):
    import vnnlib

    monkeypatch.delattr(vnnlib, "parse_query_string")
    with pytest.raises(
        NotInstalledError, match=r"in a version for VNN-LIB 1\.0: pip install --upgrade"
    ):
        domain(X_0 + X_1)
