"""Optional packages: missing, broken, or interrupted while they are imported."""

import os
import signal
import sys
import threading
from importlib.abc import MetaPathFinder

import pytest

from milpcount import optional
from milpcount.backends import registry
from milpcount.errors import NotInstalledError
from milpcount.exact import arithmetic
from milpcount.network import Network


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make an importable package out of the text of its modules."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, **texts):
        (tmp_path / name).mkdir()
        for module, text in {"__init__": "", **texts}.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        for known in [name, *(f"{name}.{module}" for module in texts)]:
            monkeypatch.delitem(sys.modules, known, raising=False)

    return make


SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_waits_for_the_end_of_an_import(package, monkeypatch, number):
    package(
        "interrupted", part=f"import os\nos.kill({os.getpid()}, {int(number)})\n" + "x = 1\n" * 99
    )
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            optional.require("interrupted.part", "a test")
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert sys.modules["interrupted.part"].x == 1
    assert optional.require("interrupted.part", "a test").x == 1


def test_an_interrupt_goes_before_the_error_of_an_import(package):
    package("ended", part=f"import os\nos.kill({os.getpid()}, {int(signal.SIGINT)})\nraise OSError")
    with pytest.raises(KeyboardInterrupt):
        optional.require("ended.part", "a test")


def test_ignored_signals_stay_ignored(package):
    package("ignoring", part=f"import os\nos.kill({os.getpid()}, {int(signal.SIGINT)})\n")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        optional.load("ignoring.part")
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_imports_in_other_threads(package):
    package("threaded", part="x = 1")
    found = []
    thread = threading.Thread(target=lambda: found.append(optional.load("threaded.part").x))
    thread.start()
    thread.join()
    assert found == [1]


def test_missing_is_not_broken(package):
    package(
        "fake", part="import nothing_of_the_kind", other="raise OSError('libz.so:\\n not found')"
    )
    assert optional.find("nothing_of_the_kind.part", "a test") is None
    with pytest.raises(NotInstalledError) as missing:
        optional.require("nothing_of_the_kind.part", "a test", "nothing-else", "extra")
    assert str(missing.value) == (
        "a test needs the package 'nothing-else', which is not installed: "
        "pip install 'milpcount[extra]'"
    )
    said = {
        "part": "ModuleNotFoundError: No module named 'nothing_of_the_kind'",
        "other": "OSError: libz.so: not found",
        "later": "ModuleNotFoundError: No module named 'fake.later'",  # an older version
    }
    for module, why in said.items():
        with pytest.raises(NotInstalledError) as broken:
            optional.find(f"fake.{module}", "a test")
        assert str(broken.value) == (
            f"a test needs the package 'fake', which is installed and fails to load ({why}): "
            "pip install --upgrade --force-reinstall fake"
        )


class Broken(MetaPathFinder):
    """Packages whose shared libraries are not there."""

    def __init__(self, root):
        self.root = root

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.root:
            raise ImportError("libbroken.so: cannot open shared object file")


@pytest.fixture
def broken(monkeypatch):
    def make(root):
        for name in [name for name in sys.modules if name.partition(".")[0] == root]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [Broken(root), *sys.meta_path])

    return make


USES = {
    "highspy": lambda: registry.find("highs").load().require(),
    "ortools": lambda: registry.find("cpsat").load().require(),
    "ortools.scip": lambda: registry.find("scip").load().require(),
    "pyscipopt": lambda: registry.find("pyscipopt").load().require(),
    "pyomo": lambda: registry.find("pyomo:highs").load().require(),
    "torch": lambda: Network.from_torch(None),
    "sklearn": lambda: Network.from_sklearn(None),
    "omlt": lambda: Network.from_omlt(None),
    "flint": lambda: arithmetic._solve_flint([[1]], [[1]]),
}


@pytest.mark.parametrize("name", USES)
def test_packages_that_fail_to_load_say_why(broken, name):
    root = name.partition(".")[0]
    pytest.importorskip(root)
    broken(root)
    with pytest.raises(NotInstalledError) as found:
        USES[name]()
    assert "is installed and fails to load (ImportError: libbroken.so: cannot" in str(found.value)
    assert "\n" not in str(found.value)
