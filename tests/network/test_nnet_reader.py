"""The ``.nnet`` text format, against a network written down by hand."""

import numpy as np
import pytest

from milpcount.domain_files import read_box
from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network
from milpcount.network.files import load
from milpcount.network.nnet_reader import read_bounds

HEADER = ["// made by hand", "// two comment lines", "2,2,1,3,", "2,3,1,", "0,"]
BOUNDS = ["-4.0,-8.0,", "4.0,8.0,"]
ROWS = ["1.0,2.0,", "0.5,-1.0,", "-3.0,0.0,", "0.25,", "-1.0,", "2.0,", "1.0,-1.0,4.0,", "0.5,"]
WEIGHTS = [[[1.0, 2.0], [0.5, -1.0], [-3.0, 0.0]], [[1.0, -1.0, 4.0]]]
BIASES = [[0.25, -1.0, 2.0], [0.5]]


def text(means="0,0,0,", ranges="1,1,1,", header=HEADER, bounds=BOUNDS, rows=ROWS) -> str:
    return "\n".join([*header, *bounds, means, ranges, *rows]) + "\n"


@pytest.fixture
def read(tmp_path):
    def write_and_load(content: str) -> Network:
        path = tmp_path / "net.nnet"
        path.write_text(content)
        return load(path)

    return write_and_load


@pytest.fixture
def plain() -> Network:
    return Network.from_arrays(WEIGHTS, BIASES)


@pytest.mark.parametrize(
    ("means", "ranges"),
    [
        ("0,0,0,", "1,1,1,"),  # the identity
        ("0", "0"),  # placeholders
        ("7,7,7,", "-1,-1,-1,"),  # means without ranges have no effect
        ("0,0,0,0,0,", "1,1,9,9,1,"),  # an older header: the first n and the last apply
    ],
)
def test_not_normalised(read, plain, means, ranges):
    assert read(text(means, ranges)).fingerprint == plain.fingerprint


def test_normalisation_is_folded(read, plain):
    net = read(text(means="1,-2,10,", ranges="2,4,8,"))
    x = np.array([[3.0, 2.0], [-1.0, 0.0], [0.5, -3.0]])
    np.testing.assert_array_equal(net(x), 8 * plain((x - [1, -2]) / [2, 4]) + 10)


def test_older_header_with_more_values_than_inputs(read, plain):
    net = read(text(means="1,-2,99,99,10,", ranges="2,4,99,99,8,"))
    assert net.fingerprint == read(text(means="1,-2,10,", ranges="2,4,8,")).fingerprint


def test_blanks_and_missing_commas(read, plain):
    loose = text().replace(",\n", "\n").replace(",", " , ").replace("\n", "\r\n")
    assert read(loose).fingerprint == plain.fingerprint


def test_clipping_is_left_out(read, plain):
    outside = np.array([[100.0, -100.0]])
    np.testing.assert_array_equal(read(text())(outside), plain(outside))


BAD = {
    "empty": ("", "0 lines where the header alone has 7"),
    "not a number": (text().replace("0.5,-1.0", "0.5,x"), "line 11: could not convert .* 'x'"),
    "a number is missing": (text().replace("0.5,-1.0", "0.5,,-1.0"), "line 11: could not convert"),
    "a row too short": (text().replace("0.5,-1.0", "0.5"), "line 11 has 1 numbers where 2"),
    "a row too many": (text() + "1.0,\n", "16 lines, but sizes .* need 15 .* too long"),
    "a row too few": (text(rows=ROWS[:-1]), "14 lines, but sizes .* need 15 .* truncated"),
    "the last line is not ended": (text().rstrip(",\n"), "the last line is not ended"),
    "sizes that do not fit": (text().replace("2,3,1,\n", "2,3,\n"), "sizes '2,3,' for 2 layers"),
    "a size of zero": (text().replace("2,3,1,\n", "2,0,1,\n"), "one positive integer more"),
    "a size that is no integer": (text().replace("2,3,1,\n", "2,inf,1,\n"), "positive integer"),
    "ranges partly zero": (text(ranges="1,0,1,"), "line 9: range 0; ranges must be positive, or"),
    "ranges too few": (text(ranges="1,1,"), "3 means and 2 ranges: 3 of each are needed"),
    "nan": (text().replace("0.25", "nan"), r"layer 1: bias holds nan at \(0,\)"),
    "inf in a range": (text(ranges="1,inf,1,"), "range inf; ranges must be positive"),
}


def test_one_layer_is_an_affine_map_without_units(read):
    net = read("1,2,1,2,\n2,1,\n0\n0\n1\n0\n0\n1,3,\n5,\n")
    assert net.n_units == 0
    np.testing.assert_array_equal(net([1.0, 1.0]), [9.0])


@pytest.mark.parametrize("name", BAD)
def test_bad_files(read, name):
    content, message = BAD[name]
    with pytest.raises((FileFormatError, NetworkError), match=message) as caught:
        read(content)
    assert "net.nnet: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cut_anywhere_a_file_is_refused_or_complete(read, plain):
    content = text()
    for length in range(len(content) - 1):
        if length == len(content.rstrip("\n")):
            continue  # only the last line break is gone
        with pytest.raises(FileFormatError):
            read(content[:length])
    assert read(content[:-1]).fingerprint == plain.fingerprint


def test_not_text(tmp_path):
    path = tmp_path / "net.nnet"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(FileFormatError, match="is not a text file"):
        load(path)


def test_header_box(tmp_path):
    path = tmp_path / "net.nnet"
    path.write_text(text())
    assert [list(v) for v in read_bounds(path)] == [[-4, -8], [4, 8]]
    inputs = read_box(path).bind(2)
    assert (inputs.lower.tolist(), inputs.upper.tolist()) == ([-4, -8], [4, 8])


@pytest.mark.parametrize("bounds", [["0", "0"], ["0,0,", "0,0,"], ["-1,", "1,1,"]])
def test_header_without_a_box(tmp_path, bounds):
    path = tmp_path / "net.nnet"
    path.write_text(text(bounds=bounds))
    with pytest.raises(FileFormatError, match="its header bounds no box"):
        read_box(path)
