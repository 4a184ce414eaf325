"""Files of kept regions that are not what they should be."""

import json

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, FileFormatError, NetworkError, OptionError
from tests.networks import network, random_network

NET = network([np.eye(2)], [[0.5, 0.5]])


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "regions.npz"
    mc.save_regions(mc.count(NET, mc.Box(-1, 1), keep_regions=True), path)
    return path


def rewritten(path, **changed):
    """Write an archive again with other arrays; None leaves one out."""
    with np.load(path) as archive:
        arrays = dict(archive) | changed
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


def with_metadata(path, **changed):
    with np.load(path) as archive:
        metadata = json.loads(str(archive["metadata"]))
    for name, value in changed.items():
        (metadata if name in metadata else metadata["result"])[name] = value
    rewritten(path, metadata=np.array(json.dumps(metadata)))


def test_what_is_in_the_file(kept):
    with np.load(kept, allow_pickle=False) as archive:
        metadata = json.loads(str(archive["metadata"]))
        assert archive["patterns"].shape == archive["witnesses"].shape == (4, 2)
        assert archive["patterns"].dtype == np.uint8
        assert archive["domain_lower"].tolist() == [-1, -1]
        assert archive["domain_upper"].tolist() == [1, 1]
    assert metadata["format"] == "milpcount kept regions" and metadata["version"] == 1
    assert metadata["fingerprint"] == NET.fingerprint and metadata["domain"] == "box"
    assert metadata["result"]["lower"] == metadata["result"]["upper"] == "4"


def test_the_network_may_come_with_the_file_or_later(kept):
    assert mc.load_regions(kept, NET).verify()
    read = mc.load_regions(kept)
    with pytest.raises(OptionError, match=r"verify\(network\)"):
        read.verify()
    other = network([np.eye(2)], [[0.5, 0.25]])
    with pytest.raises(NetworkError, match="the network that was counted"):
        read.verify(other)
    with pytest.raises(NetworkError, match="the network that was counted"):
        mc.load_regions(kept, other)


def test_a_dropped_region_is_missed(kept):
    with np.load(kept) as archive:
        short = {name: archive[name][:-1] for name in ("patterns", "witnesses")}
    rewritten(kept, **short)
    found = mc.load_regions(kept, NET).verify()
    assert not found and "NOT proved" in str(found) and "1 are missing" in str(found)
    with_metadata(kept, lower="3", upper="3")
    found = mc.load_regions(kept, NET).verify()
    assert found and "that there are no more is not proved by them" in str(found)


def test_more_regions_than_the_upper_bound_refute_it(kept):
    with_metadata(kept, lower="3", upper="3")
    found = mc.load_regions(kept, NET).verify()
    assert not found and "the upper bound 3 is REFUTED" in str(found)


def test_a_moved_witness_fails(kept):
    with np.load(kept) as archive:
        witnesses = archive["witnesses"].copy()
    witnesses[2] = [5.0, 0.0]
    rewritten(kept, witnesses=witnesses)
    assert mc.load_regions(kept, NET).verify().failed == (2,)


@pytest.mark.parametrize(
    "changed",
    [
        {"patterns": None},
        {"witnesses": None},
        {"domain_lower": None},
        {"patterns": np.zeros((4, 2))},
        {"patterns": np.zeros(4, dtype=int)},
        {"witnesses": np.zeros((3, 2))},
        {"witnesses": np.zeros((4, 2), dtype=np.float32)},
        {"metadata": np.array("{")},
        {"metadata": np.array("[]")},
        {"metadata": np.array("{}")},
        {"domain_lower": np.array(["1/0", "0"])},
        {"domain_lower": np.array([1j, 0])},
        {"rational_index": np.array([7]), "rational_points": np.array([["1/3", "0"]])},
        {"rational_index": np.array([1, 2]), "rational_points": np.array([["1/3", "0"]])},
        {"rational_index": np.array([1])},
        {"rational_index": np.array([1]), "rational_points": np.array([["one", "0"]])},
    ],
    ids=str,
)
def test_damaged_files_are_refused(kept, changed):
    rewritten(kept, **changed)
    with pytest.raises(FileFormatError):
        mc.load_regions(kept, NET)


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "other"},
        {"version": 2},
        {"domain": "ball"},
        {"lower": "5"},
        {"lower": "-1"},
        {"lower": "four"},
        {"status": "fine"},
        {"result": []},
    ],
    ids=str,
)
def test_wrong_metadata_is_refused(kept, changed):
    with_metadata(kept, **changed)
    with pytest.raises(FileFormatError):
        mc.load_regions(kept, NET)


def test_a_domain_that_is_none_is_refused(kept):
    rewritten(kept, domain_lower=np.array([3.0, 3.0]))
    with pytest.raises(DomainError, match="reversed"):
        mc.load_regions(kept, NET).verify()


def test_no_object_is_unpickled(kept):
    rewritten(kept, patterns=np.array([[print]], dtype=object))
    with pytest.raises(FileFormatError):
        mc.load_regions(kept, NET)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x93NUMPY"])
def test_no_archive(tmp_path, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(FileFormatError):
        mc.load_regions(path)


def test_files_of_the_first_release_need_the_command(tmp_path):
    path = tmp_path / "old.npz"
    np.savez(path, patterns=np.zeros((1, 2), dtype=np.int16), witnesses=np.zeros((1, 2)))
    with pytest.raises(FileFormatError, match=r"first release.*milpcount verify"):
        mc.load_regions(path)


def test_what_cannot_be_written(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(OptionError, match="keep_regions=True"):
        mc.save_regions(mc.count(NET, mc.Box(-1, 1)), path)
    with pytest.raises(FileFormatError, match="cannot be written"):
        mc.save_regions(mc.count(NET, mc.Box(-1, 1), keep_regions=True), tmp_path / "no" / "x.npz")
    assert not list(tmp_path.iterdir())


def test_a_result_without_regions(tmp_path):
    net = random_network(0, 2, (3,))
    result = mc.count(net, mc.Box(-1, 1), mc.ExactTree(), keep_regions=True)
    result.regions.clear()
    mc.save_regions(result, tmp_path / "x.npz")
    read = mc.load_regions(tmp_path / "x.npz", net)
    assert read.regions == [] and not read.verify()
