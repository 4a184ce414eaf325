"""The store: append-only, exact, and whole after any kill."""

import errno
import json
import multiprocessing
import os

import pytest

from milpcount.errors import FileFormatError
from milpcount.store import Store, decoded, key_of, write_whole


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def record(key, **more):
    return {"key": key, "lower": "1", **more}


def test_what_is_added_is_there_and_read_again(path):
    store = Store(path)
    store.add(record("a", lower="13"))
    assert "a" in store
    again = Store(path)
    assert again.records == {"a": {"key": "a", "lower": "13"}}
    assert len(path.read_text().splitlines()) == 1


def test_the_later_of_two_lines_counts(path):
    store = Store(path)
    store.add(record("a", lower="1"))
    store.add(record("a", lower="2"))
    assert Store(path).records["a"]["lower"] == "2"


@pytest.mark.parametrize("cut", range(1, 45))
def test_a_line_torn_anywhere_is_dropped_and_the_others_stay(path, cut):
    store = Store(path)
    store.add(record("first"))
    store.add(record("second", method="tree"))
    whole = path.read_bytes()
    assert len(whole.splitlines()[1]) == 49
    path.write_bytes(whole[: -1 - cut])
    said = []
    again = Store(path, said.append)
    assert list(again.records) == ["first"]
    assert len(said) == 1 and "torn" in said[0]
    again.add(record("second", method="tree"))
    assert path.read_bytes() == whole


def test_a_last_line_that_lacks_its_end_only_is_kept(path):
    Store(path).add(record("a"))
    path.write_bytes(path.read_bytes()[:-1])
    said = []
    store = Store(path, said.append)
    store.add(record("b"))
    assert list(Store(path).records) == ["a", "b"]
    assert "end" in said[0]


def test_a_torn_first_line_and_an_empty_file(path):
    path.write_bytes(b'{"key')
    assert len(Store(path)) == 0
    assert path.read_bytes() == b""
    assert len(Store(path)) == 0


@pytest.mark.parametrize("content", ["# A text\n", "no end", '{"other": 1}\n', "\n"])
def test_a_file_of_another_kind_is_refused_and_left_alone(path, content):
    path.write_text(content)
    with pytest.raises(FileFormatError, match="not a store of results"):
        Store(path)
    assert path.read_text() == content


def test_a_line_in_the_middle_that_is_none_is_passed_over(path):
    path.write_text('{"key": "a"}\n{"key": \n{"key": "b"}\n')
    said = []
    assert list(Store(path, said.append).records) == ["a", "b"]
    assert "passed over" in said[0]


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    store = Store(path)
    store.add(record("a"))
    before = path.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:7]))
    with pytest.raises(OSError) as caught:
        store.add(record("b"))
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert "b" not in store


def _add_many(path, name):
    store = Store(path)
    for i in range(50):
        store.add({"key": f"{name}{i}", "text": "x" * 3000})


def test_two_processes_may_append(path):
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_add_many, args=(path, name)) for name in "ab"]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(Store(path)) == 100
    assert all(json.loads(line)["key"] for line in path.read_text().splitlines())


def test_what_another_process_adds_is_seen_after_a_refresh(path):
    one, two = Store(path), Store(path)
    one.add(record("a"))
    assert "a" not in two
    two.refresh()
    assert "a" in two


def test_half_of_a_line_is_left_until_the_rest_is_there(path):
    one, two = Store(path), Store(path)
    one.add(record("a"))
    line = json.dumps(record("b", lower="123"))
    for part, known in ((line, {"a"}), ("\n", {"a", "b"})):
        with path.open("a") as stream:
            stream.write(part)
        two.refresh()
        assert set(two.records) == known


def test_counts_are_exact_integers_of_any_size():
    huge = 2**64 + 1
    row = decoded({"key": "a", "lower": str(huge), "estimate": None, "bounds": {"naive": "7"}})
    assert row["lower"] == huge and row["naive"] == 7 and "bounds" not in row


def test_the_frame_has_exact_integers(path):
    pytest.importorskip("pandas")
    store = Store(path)
    store.add(record("a", lower=str(2**63 + 1), n1=3))
    store.add({"key": "b", "bounds": {"naive": str(2**70)}, "n1": 4})
    frame = store.frame()
    assert frame["lower"][0] == 2**63 + 1
    assert frame["naive"][1] == 2**70


def test_keys_tell_apart_what_differs_and_nothing_else():
    assert key_of(a=1, b=[1, 2]) == key_of(b=[1, 2], a=1)
    assert key_of(a=1) != key_of(a=1.5) != key_of(b=1)


def test_a_file_is_written_whole_or_not_at_all(path, monkeypatch):
    write_whole(path, "old")

    def fail(_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stays_where_the_new_one_cannot_take_its_place(path, monkeypatch):
    write_whole(path, "old")

    def fail(*_):
        raise OSError(errno.EACCES, "in use")

    monkeypatch.setattr(type(path), "replace", fail)
    with pytest.raises(OSError):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_lower_bound_above_the_upper_one_is_refused(path):
    Store(path).add(record("a", lower="1", upper="2"))
    assert len(Store(path)) == 1
    path.write_text(path.read_text().replace('"lower": "1"', '"lower": "3"'))
    with pytest.raises(FileFormatError, match="record a has a lower bound 3 above its upper bound"):
        Store(path)
