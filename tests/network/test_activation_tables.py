"""A table that is not a function is refused, however it came; a name proves nothing."""

import json
import re
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.network import Layer, Network, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.activation import Activation, Piece, Row, clip, parse_activation
from milpcount.network.affine import Dense

LOW, HIGH = Piece(0, 0.0, 0.0, ((0, -1),)), Piece(0, 1.0, 0.0, ((0, 1),))
ZERO = Row(0, -1, 0.0)
QUADRANTS = Activation(
    "quadrants",
    2,
    (Row(0, -1, 0.0), Row(1, -1, 0.0)),
    tuple(Piece(0, 1.0, 0.0, ((0, a), (1, b))) for a in (-1, 1) for b in (-1, 1)),
)
LEAST = Activation(
    "least", 2, (Row(0, 1, 0.0),), (Piece(0, 1.0, 0.0, ((0, -1),)), Piece(1, 1.0, 0.0, ((0, 1),)))
)

WRONG = {
    "a threshold that is no number": (1, [Row(0, -1, nan)], [LOW, HIGH], "threshold nan: every"),
    "an infinite threshold": (1, [Row(0, -1, inf)], [LOW, HIGH], "threshold inf: every number"),
    "a threshold of text": (1, [Row(0, -1, "0")], [LOW, HIGH], "threshold '0': a number is needed"),
    "an infinite slope": (1, [ZERO], [LOW, Piece(0, inf, 0.0, ((0, 1),))], "1 has slope inf"),
    "an intercept that is none": (1, [ZERO], [LOW, Piece(0, 1.0, nan, ((0, 1),))], "intercept nan"),
    "no pieces": (1, [ZERO], [], "it has no pieces: at least one is needed"),
    "a gap": (1, [ZERO], [LOW], "no piece holds where row 0 > 0: every point needs exactly one"),
    "a gap in the middle": (
        1,
        [ZERO, Row(0, -1, 1.0)],
        [LOW, Piece(0, 1.0, 0.0, ((1, 1),))],
        "no piece holds where row 0 > 0, row 1 <= 0",
    ),
    "pieces that overlap": (
        1,
        [ZERO],
        [LOW, Piece(0, 1.0, 0.0, ())],
        r"pieces \[0, 1\] all hold where row 0 <= 0",
    ),
    "pieces twice": (1, [ZERO], [LOW, HIGH, LOW, HIGH], r"pieces \[0, 2\] all hold"),
    "pieces from right to left": (1, [ZERO], [HIGH, LOW], r"its pieces are \[1, 0\]: they must be"),
    "a piece that is nowhere": (
        1,
        [ZERO],
        [LOW, HIGH, Piece(0, 1.0, 0.0, ((0, -1), (0, 1)))],
        r"its pieces are \[0, 1\]",
    ),
    "thresholds out of order": (
        1,
        [Row(0, -1, 1.0), ZERO],
        [LOW, HIGH],
        r"thresholds \[1.0, 0.0\]: they must increase",
    ),
    "equal thresholds": (1, [ZERO, ZERO], [LOW, HIGH], "they must increase"),
    "rank 0": (0, [], [LOW], "rank 0: an integer of at least 1 is needed"),
    "a broken rank": (1.0, [ZERO], [LOW, HIGH], "rank 1.0: an integer"),
    "a rank that is a truth value": (True, [ZERO], [LOW, HIGH], "rank True: an integer"),
    "a row of no value": (1, [Row(1, -1, 0.0)], [LOW, HIGH], "refers to value 1: 0 to 0 are"),
    "a row of two values": (1, [Row(0, 1, 0.0)], [LOW, HIGH], "refers to value 1: -1 to 0"),
    "a row of a value with itself": (1, [Row(0, 0, 0.0)], [LOW, HIGH], "compares value 0 with its"),
    "a piece of no value": (1, [ZERO], [LOW, Piece(1, 1.0, 0.0, ((0, 1),))], "1 refers to value 1"),
    "a literal of no row": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, ((1, 1),))], "refers to row 1"),
    "a negative row": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, ((-1, 1),))], "refers to row -1"),
    "a literal without rows": (1, [], [LOW], "refers to row 0: there is none"),
    "a sign of 0": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, ((0, 0),))], "sign 0: 1 or -1 is needed"),
    "a sign of 2": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, ((0, 2),))], "sign 2: 1 or -1 is needed"),
    "no literals": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, 3)], "literals of piece 1 are 3"),
    "a literal of three": (1, [ZERO], [LOW, Piece(0, 1.0, 0.0, ((0, 1, 1),))], "a row and a sign"),
    "no rows": (1, None, [LOW, HIGH], "rows are None: a tuple of Row is needed"),
    "pieces of another kind": (1, [ZERO], [LOW, ZERO], "a tuple of Piece is needed"),
    "two values, a gap": (2, LEAST.rows, LEAST.pieces[:1], "no piece holds where row 0 > 0"),
    "two values, an overlap": (
        2,
        QUADRANTS.rows,
        (*QUADRANTS.pieces[:3], Piece(0, 1.0, 0.0, ((0, 1),))),
        r"pieces \[2, 3\] all hold where row 0 > 0, row 1 <= 0",
    ),
    "maxout with a threshold between": (
        3,
        [Row(1, 0, 0.0), Row(2, 0, 0.0), Row(2, 1, -1.0)],
        maxout(3).pieces,
        "hold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_tables_that_are_no_function(name):
    rank, rows, pieces, message = WRONG[name]
    with pytest.raises(NetworkError, match=f"^activation 'mine': .*{message}") as caught:
        Activation("mine", rank, rows, pieces)
    assert "\n" not in str(caught.value)


def saved(path, record):
    """Write a network of the units that a record describes."""
    notes = np.array(json.dumps({"output": False, "activations": [record]}))
    np.savez(path, W0=[[1.0]], b0=[0.0], metadata=notes)
    return path


RECORD = {"name": "mine", "rank": 1, "rows": [[0, -1, 0.0]]}
RELU_PIECES = [[0, 0.0, 0.0, [[0, -1]]], [0, 1.0, 0.0, [[0, 1]]]]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"rows": [[0, -1, nan]], "pieces": RELU_PIECES}, "row 0 has threshold nan"),
        ({"pieces": []}, "it has no pieces"),
        ({"pieces": RELU_PIECES[:1]}, "no piece holds where row 0 > 0"),
        ({"pieces": RELU_PIECES * 2}, r"pieces \[0, 2\] all hold"),
        ({"rank": 1.5, "pieces": RELU_PIECES}, "rank 1.5"),
        ({"rank": "1", "pieces": RELU_PIECES}, "rank '1'"),
        ({"name": 3, "pieces": RELU_PIECES}, "activation name 3: one line of text is needed"),
        ({"name": "\x1b[2J", "pieces": RELU_PIECES}, "one line of text is needed"),
        (
            {"name": "relu", "pieces": [RELU_PIECES[0], [0, 2.0, 0.0, [[0, 1]]]]},
            "activation 'relu': its table is another one",
        ),
    ],
)
def test_tables_in_files(tmp_path, record, message):
    with pytest.raises(NetworkError, match=message) as caught:
        Network.load(saved(tmp_path / "net.npz", RECORD | record))
    assert "\n" not in str(caught.value)


def test_a_table_in_a_file_is_read(tmp_path):
    net = Network.load(saved(tmp_path / "net.npz", RECORD | {"pieces": RELU_PIECES}))
    assert net.layers[0].activation.is_relu
    assert mc.count(net, mc.Box(-1, 1), mc.BruteForce()).lower == 2


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("relu", leaky_relu(0.5)),
        ("leaky_relu(0.25)", leaky_relu(0.5)),
        ("maxout(3)", maxout(2)),
        ("maxout(2)", LEAST),
        ("piecewise_linear([0.0],[0.0, 1.0],[0.0, 0.0])", leaky_relu(0.5)),
    ],
)
def test_a_known_name_has_its_own_table(name, table):
    with pytest.raises(NetworkError, match=re.escape(f"activation '{name}': its table is another")):
        Activation(name, table.rank, table.rows, table.pieces)


@pytest.mark.parametrize("name", ["maxout(1)", "leaky_relu(nan)", "relu(2)", "maxout(10000000)"])
def test_a_known_name_that_is_wrong(name):
    with pytest.raises(NetworkError, match="activation"):
        Activation(name, 1, (ZERO,), (LOW, HIGH))


@pytest.mark.parametrize("name", ["", None, 3, "two\nlines", "\x1b[31mred"])
def test_names_are_one_line_of_text(name):
    with pytest.raises(NetworkError, match="one line of text is needed"):
        Activation(name, 1, (ZERO,), (LOW, HIGH))


def test_what_a_unit_is_lies_in_its_table():
    mine = piecewise_linear([0.0], [0.0, 1.0], [0.0, 0.0], "mine")
    assert mine.is_relu and relu().is_relu and clip(0.0, inf).is_relu
    assert not piecewise_linear([0.0], [0.0, 2.0], [0.0, 0.0], "nearly").is_relu
    assert Activation("the greatest", *maxout(3).table).is_maxout
    assert not LEAST.is_maxout and not QUADRANTS.is_maxout and not relu().is_maxout


def test_one_form_for_what_is_said_in_many():
    said = Activation(
        "mine",
        np.int64(1),
        [Row(np.int32(0), -1, np.float32(0.5)), Row(0, -1, Fraction(3, 4))],
        [
            Piece(0, 0, 0, ((0, -1), (1, -1))),
            Piece(0, -0.0, 1.0, [(1, -1), [0, 1]]),
            Piece(0, 0.0, 2.0, ((1, 1), (0, 1))),
        ],
    )
    assert said == piecewise_linear([0.5, 0.75], [0.0] * 3, [0.0, 1.0, 2.0], "mine")
    assert [type(row.threshold) for row in said.rows] == [float, float]


def test_the_fingerprint_tells_tables_of_one_name_apart():
    def network(unit):
        return Network((Layer(Dense(np.ones((unit.rank, 1)), np.zeros(unit.rank)), unit),))

    one, two = (piecewise_linear([t], [0.0, 1.0], [0.0, 0.0], "mine") for t in (0.0, 1.0))
    assert network(one).fingerprint != network(two).fingerprint
    greatest = Activation(LEAST.name, *maxout(2).table)
    assert network(LEAST).fingerprint != network(greatest).fingerprint


def test_fingerprints_of_old():
    # Printed by the first release: they key the stores of counts.
    known = {
        "relu": "6e6c0691b1053a5c",
        "leaky_relu(0.25)": "f4b0777bc961077a",
        "maxout(3)": "d3f64fcd456e59a8",
        clip(-1.0, 1 / 3).name: "66420425260f3a16",
    }
    for name, digest in known.items():
        unit = parse_activation(name)
        net = Network((Layer(Dense(np.ones((unit.rank, 2)), np.zeros(unit.rank)), unit),))
        assert net.fingerprint.startswith(digest), name


def test_continuity_is_decided_exactly():
    for unit in (
        relu(),
        leaky_relu(-1.0),
        clip(-1.0, 1 / 3),
        maxout(3),
        piecewise_linear([], [2], [1]),
    ):
        assert unit.is_continuous
    assert not piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0]).is_continuous
    # 0.1 * 3 is 0.30000000000000004 in floats, and another number than either in rationals.
    assert not piecewise_linear([0.1], [0.0, 3.0], [0.1 * 3, 0.0]).is_continuous
    assert not piecewise_linear([1e-200], [0.0, 1e-200], [0.0, 0.0]).is_continuous  # underflows
    with pytest.raises(NetworkError, match="whether it is continuous is not decided"):
        _ = LEAST.is_continuous


def test_at_a_break_the_value_is_that_of_the_left_piece():
    step = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
    np.testing.assert_array_equal(step.apply(np.array([-1.0, 0.0, 1.0])), [0.0, 0.0, 1.0])
    assert step.pieces[0].literals == ((0, -1),)


def test_tables_of_several_values_are_evaluated_by_their_rows():
    v = np.array([[3.0, 5.0], [5.0, 3.0], [2.0, 2.0]])
    np.testing.assert_array_equal(LEAST.apply(v), [[3.0], [3.0], [2.0]])
    np.testing.assert_array_equal(LEAST.pieces_at(v), [[0], [1], [0]])
    signs = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(QUADRANTS.pieces_at(signs)[:, 0], [0, 1, 2, 3])
    whole = Activation("first", 2, (), (Piece(0, 1.0, 0.0, ()),))
    np.testing.assert_array_equal(whole.apply(v), v[:, :1])


@given(st.data())
def test_the_proof_of_covering_agrees_with_points(data):
    n_rows, number = data.draw(st.integers(1, 3)), st.integers(-1, 1)
    rows = []
    for _ in range(n_rows):
        a = data.draw(st.integers(0, 1))
        rows.append(Row(a, data.draw(st.sampled_from([-1, 1 - a])), float(data.draw(number))))
    literal = st.tuples(st.integers(0, n_rows - 1), st.sampled_from([-1, 1]))
    pieces = [
        Piece(0, 1.0, 0.0, tuple(data.draw(st.lists(literal, max_size=2))))
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    # Every cell of rows with integer thresholds up to 1 has a point on this grid.
    grid = [(x / 4, y / 4) for x in range(-16, 17) for y in range(-16, 17)]

    def holding(x, y):
        value = (x, y, 0.0)
        signs = [value[row.a] - value[row.b] > row.threshold for row in rows]
        return sum(all(signs[r] == (s > 0) for r, s in piece.literals) for piece in pieces)

    if all(holding(*point) == 1 for point in grid):
        Activation("mine", 2, tuple(rows), tuple(pieces))
    else:
        with pytest.raises(NetworkError, match="hold"):
            Activation("mine", 2, tuple(rows), tuple(pieces))


def test_tables_too_large_to_check():
    rows = tuple(Row(k % 2, -1, float(k)) for k in range(13))
    with pytest.raises(NetworkError, match="2 values and 13 rows: at most 12 of each are allowed"):
        Activation("mine", 2, rows, (Piece(0, 1.0, 0.0, ()),))
    # Twelve rows of pairs cut eight values into about as many cells as twelve rows can.
    rows = tuple(Row(k % 8, (3 * k + 1) % 8, float(k)) for k in range(12))
    assert Activation("first", 8, rows, (Piece(0, 1.0, 0.0, ()),)).n_pieces == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: leaky_relu(inf), "slope inf: every number must be finite"),
        (lambda: leaky_relu("0.1"), "slope '0.1': a number is needed"),
        (lambda: leaky_relu(10**400), "slope inf: every number must be finite"),
        (lambda: leaky_relu(1j), "a number is needed"),
        (lambda: leaky_relu(True), "slope True: a number is needed"),
        (lambda: parse_activation("leaky_relu([1])"), r"slope \[1\]: a number is needed"),
        (lambda: clip("0", 1.0), "clipping at '0': a number is needed"),
        (lambda: clip(None, 1.0), "clipping at None: a number is needed"),
        (lambda: maxout(513), "rank 513: give an integer of at least 2 and at most 512"),
        (lambda: maxout([3]), r"rank \[3\]: give an integer"),
        (lambda: parse_activation("maxout(1000000)"), "at most 512"),
        (lambda: parse_activation("leaky_relu(" + "(" * 5000 + ")"), "is not known"),
        (lambda: piecewise_linear("0", "01", "00"), "breakpoints '0': a list of numbers is needed"),
        (lambda: piecewise_linear(0.0, [0, 1], [0, 0]), "breakpoints 0.0: a list of numbers"),
        (lambda: piecewise_linear(["0"], [0, 1], [0, 0]), "breakpoints hold '0': a number"),
        (lambda: piecewise_linear([0], [0, None], [0, 0]), "slopes hold None: a number is needed"),
        (lambda: piecewise_linear([0], [0, 1], [0, nan]), "intercepts hold nan: every number"),
        (lambda: piecewise_linear([0], [0, 1], [0, 0], ""), "one line of text is needed"),
    ],
)
def test_arguments_of_the_wrong_kind(make, message):
    with pytest.raises(NetworkError, match=message) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1
