"""What is compiled, and where it is kept."""

import errno
import os
import threading
import time
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

import milpcount as mc
from milpcount.kernel import depth_first
from milpcount.kernel import disk_cache as cache
from milpcount.kernel.compiled import entry, jit
from milpcount.kernel.part_compiler import Part
from tests.mutants.entries import _NOT_COMPILED


@jit
def _half(x):
    return 0.5 * x


def _total(values):
    total = 0.0
    for i in range(values.shape[0]):
        total += _half(values[i])
    return total


VALUES = np.arange(5.0)


def run() -> tuple[float, bool]:
    """Call the function as a new process would; return its value and whether it was kept."""
    function = entry(_total)
    return function(VALUES), bool(function.stats.cache_hits)


def files(place: Path) -> list[Path]:
    return sorted(place.glob("*/*.bin*"))


@pytest.fixture
def keep_in(monkeypatch):
    """Let compiled code be kept in the given places only."""

    def set_places(*places: Path) -> None:
        monkeypatch.setattr(cache, "places", lambda: iter(places))

    return set_places


@pytest.fixture
def nowhere(tmp_path):
    """A place that nobody can write, the administrator neither."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "folder"


def test_a_part_has_no_machine_code_of_its_own(keep_in, tmp_path):
    keep_in(tmp_path)
    assert run()[0] == 5.0
    (version,) = _half.overloads.values()
    assert isinstance(version.library, Part)
    assert not version.library._codegen._engine.is_symbol_defined(version.fndesc.mangled_name)


def test_what_is_compiled_is_kept(keep_in, tmp_path):
    keep_in(tmp_path)
    assert not files(tmp_path)
    assert [run(), run()] == [(5.0, False), (5.0, True)]
    assert len(files(tmp_path)) == 1


def test_the_next_place_serves_where_one_cannot_be_written(keep_in, nowhere, tmp_path):
    keep_in(nowhere, tmp_path)
    assert [run(), run()] == [(5.0, False), (5.0, True)]
    assert cache.writable() == tmp_path / cache.folder_name()


def test_nothing_can_be_written(keep_in, nowhere):
    keep_in(nowhere)
    assert [run(), run()] == [(5.0, False), (5.0, False)]
    assert cache.writable() is None
    function = entry(_total)
    assert function._cache.kept_in(function.targetctx) is None
    with cache.alone():
        pass


def test_a_full_place_is_used_though_it_cannot_be_written(keep_in, tmp_path, monkeypatch):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    keep_in(shipped)
    run()
    keep_in(shipped, own)
    monkeypatch.setattr(cache, "_write", lambda file, content: pytest.fail("nothing is to write"))
    function = entry(_total)
    assert function._cache.kept_in(function.targetctx) == shipped / cache.folder_name()
    assert run() == (5.0, True)


@pytest.mark.parametrize("damage", [lambda c: c[:-9], lambda c: b"", lambda c: b"x" + c[1:]])
def test_a_damaged_file_is_compiled_and_written_again(keep_in, tmp_path, damage):
    keep_in(tmp_path)
    run()
    (file,) = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    function = entry(_total)
    assert function._cache.kept_in(function.targetctx) is None
    assert [run(), run()] == [(5.0, False), (5.0, True)]


def test_a_file_that_cannot_be_understood_is_compiled_again(keep_in, tmp_path):
    keep_in(tmp_path)
    run()
    (file,) = files(tmp_path)
    assert cache._write(file, b"whole, but of another kind")
    assert [run(), run()] == [(5.0, False), (5.0, True)]


def test_a_full_disk_costs_the_cache_only(keep_in, tmp_path, monkeypatch):
    keep_in(tmp_path)
    write = Path.write_bytes

    def write_half(path: Path, content: bytes) -> None:
        write(path, content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    assert run() == (5.0, False)
    assert not files(tmp_path)


def test_what_cannot_be_written_down_is_not_kept(keep_in, tmp_path, monkeypatch):
    keep_in(tmp_path)

    def fail(library: object) -> None:
        raise RuntimeError("no compiled object yet")  # after Ctrl-C in LLVM's callback

    monkeypatch.setattr(JITCodeLibrary, "_get_compiled_object", fail)
    assert run() == (5.0, False)
    assert not files(tmp_path)


def test_the_named_folder_comes_first_and_what_is_beside_the_sources_next(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    first, second, *_ = cache.places()
    assert first == tmp_path
    assert second == Path(cache.__file__).parent / "__pycache__"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users have no numbers here")
def test_the_private_folder_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    path = cache._private()
    assert path is not None and path.name.endswith(f"-{os.getuid()}")
    assert path.stat().st_mode & 0o777 == 0o700
    assert list(cache.places())[-1] == path
    path.chmod(0o755)
    assert cache._private() is None, "others can look into it"
    path.rmdir()
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    path.symlink_to(other)
    assert cache._private() is None, "it is elsewhere"
    path.unlink()
    path.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    path.rename(path.with_name(f"milpcount-cache-{os.getuid()}"))
    assert cache._private() is None, "it is another's"


def test_versions_stand_side_by_side_and_the_oldest_go(keep_in, tmp_path, monkeypatch):
    keep_in(tmp_path)
    for version in range(6):
        monkeypatch.setattr(cache, "folder_name", lambda v=version: f"milpcount-{v:016}")
        assert [run(), run()] == [(5.0, False), (5.0, True)]
        folder = tmp_path / cache.folder_name()
        os.utime(folder, (version, version))
    assert sorted(int(f.name[-1]) for f in tmp_path.iterdir()) == [2, 3, 4, 5]


def test_one_compiles_at_a_time(keep_in, tmp_path):
    pytest.importorskip("fcntl")
    keep_in(tmp_path)
    entered = threading.Event()

    def enter() -> None:
        with cache.alone():
            entered.set()

    with cache.alone():
        other = threading.Thread(target=enter)
        other.start()
        time.sleep(3 * cache._POLL_SECONDS)
        assert not entered.is_set()
    other.join(timeout=10)
    assert entered.is_set()


def test_one_version_of_the_kernel_serves_all(tmp_path):
    """Compiling is announced by what is kept, so a count must not need another version."""
    rng = np.random.default_rng(0)
    for inputs in (1, 2, 3, 40):
        net = mc.Network.from_arrays(
            [rng.normal(size=(3, inputs)).astype(np.float32), rng.normal(size=(2, 3))],
            [rng.normal(size=3), rng.normal(size=2)],
            output=False,
        )
        domains = [mc.Box(-1, 1), mc.Unbounded()] if inputs < 40 else [mc.Box(0, 1)]
        domains += [mc.Polytope(np.ones((1, inputs)), [1.0])]
        for domain in domains:
            mc.count(net, domain)
            mc.count(net, domain, mc.Probing(probes=2))
    assert len(depth_first.run.signatures) == 1


def test_files_that_compiled_code_does_not_depend_on_are_there_and_known_to_mutants() -> None:
    folder = Path(cache.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in cache._PLAIN)
    assert set(_NOT_COMPILED) == set(cache._PLAIN)
