"""Compiling: what is said of it, and that it comes before the time of a run, in workers too."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters import warming
from milpcount.errors import OptionError
from milpcount.events import Notice, Waiting, ignore
from milpcount.limits import Deadline, OutOfTime
from milpcount.tree import warm_up as compiler
from milpcount.tree.few_inputs import VertexSearch
from milpcount.workers import Here


class Compiled:
    """Stands for a compiled function, and for what keeps it."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self.signatures, self.targetctx = folder, list[Any](), None
        self._cache = self

    def kept_in(self, target: Any) -> Path | None:
        return self.folder if self.signatures else None


@pytest.fixture
def cold(monkeypatch):
    """Make "tree" a kernel that takes a while to compile and is kept in a folder."""

    def install(folder: Path | None = Path("/kept"), seconds: float = 0.0) -> Compiled:
        function = Compiled(folder)

        def work() -> None:
            if not function.signatures:
                time.sleep(seconds)
                function.signatures.append("compiled")

        kernel = compiler.Kernel("a kernel", 7, (function,), work)
        monkeypatch.setattr(compiler, "KERNELS", {**compiler.KERNELS, "tree": kernel})
        compiler.warm_up.cache_clear()
        return function

    yield install
    compiler.warm_up.cache_clear()


def test_compiling_is_announced_before_and_after_with_its_seconds(cold, monkeypatch):
    monkeypatch.setattr(warming, "_TICK_SECONDS", 0.02)
    cold(seconds=0.5)
    events: list[Any] = []
    assert 0.5 <= mc.warm_up("tree", listener=events.append) < 5
    first, *ticks, last = events
    assert first == Notice("compiling a kernel: once per machine, about 7 s of one core")
    assert last.text.endswith(" s, kept in /kept") and last.text.startswith("compiled in ")
    assert len(ticks) >= 3 and {tick.text for tick in ticks} == {"compiling a kernel"}
    assert [tick.seconds for tick in ticks] == sorted(tick.seconds for tick in ticks)
    assert all(isinstance(tick, Waiting) for tick in ticks)


def test_what_several_methods_need_is_announced_once(cold):
    cold()
    more = Compiled(Path("/kept"))
    compiler.KERNELS["mbound"] = compiler.Kernel(
        "more", 1, (more,), lambda: more.signatures.append("compiled"), after="tree"
    )
    events: list[Any] = []
    mc.warm_up("mbound", "tree", listener=events.append)
    starts = [e.text for e in events if isinstance(e, Notice) and "compiling" in e.text]
    assert [text.split(":")[0] for text in starts] == ["compiling a kernel", "compiling more"]


def test_what_is_compiled_is_not_announced(cold):
    cold().signatures.append("compiled")
    events: list[Any] = []
    mc.warm_up("tree", listener=events.append)
    assert events == []


def test_that_it_cannot_be_kept_is_said(cold):
    cold(folder=None)
    events: list[Any] = []
    mc.warm_up("tree", listener=events.append)
    assert "for this process only" in events[-1].text and "NUMBA_CACHE_DIR" in events[-1].text


def test_in_python_it_is_logged_and_a_listener_silences_it(cold, caplog):
    net = mc.Network.from_arrays([[[1.0] * 7]], [[0.0]], output=False)
    cold()
    mc.count(net, mc.Box(-1, 1))
    assert [r.getMessage().split()[0] for r in caplog.records] == ["compiling", "compiled"]
    assert {(r.name, r.levelno) for r in caplog.records} == {("milpcount", logging.WARNING)}
    caplog.clear()
    cold()
    mc.count(net, mc.Box(-1, 1), listener=ignore)
    assert not caplog.records


def test_what_a_listener_raises_while_it_is_compiled_is_raised(cold, monkeypatch):
    monkeypatch.setattr(warming, "_TICK_SECONDS", 0.02)
    cold(seconds=0.5)

    def listen(event: Any) -> None:
        if isinstance(event, Waiting) and event.seconds > 0:
            raise RuntimeError("from the listener")

    with pytest.raises(RuntimeError, match="from the listener"):
        mc.warm_up("tree", listener=listen)
    assert not [t for t in threading.enumerate() if t.name == "milpcount-ticks"]


def test_an_unknown_method_is_refused():
    with pytest.raises(OptionError, match=r"'pool'.*tree, mbound, probe"):
        mc.warm_up("pool")


def test_the_methods_are_those_of_the_kernels():
    kernels = {kernel for several in warming.kernels().values() for kernel in several}
    assert sorted(compiler.KERNELS) == sorted(kernels)


class TestFewInputs:
    """Most counts with few inputs do without the general kernel, and do not compile it."""

    def test_it_is_not_compiled_where_it_is_not_needed(self, cold):
        net = mc.Network.from_arrays([[[1.0], [2.0]]], [[0.25, 0.75]], output=False)
        cold()
        events: list[Any] = []
        result = mc.count(net, mc.Box(-1, 1), listener=events.append)
        assert (result.lower, result.upper) == (3, 3)
        assert not [e for e in events if isinstance(e, Notice) and "compiling" in e.text]

    def test_it_is_compiled_before_the_time_begins_where_it_is_needed_at_once(self, cold):
        net = mc.Network.from_arrays([np.eye(2), np.eye(2)], [np.zeros(2)] * 2, output=False)
        function = cold()
        result = mc.count(net, mc.Box(-1, 1), limits=mc.Limits(seconds=5))
        assert function.signatures == ["compiled"]
        assert result.status is mc.Status.COMPLETE

    def test_cells_wait_for_it_until_all_others_are_searched(self, cold):
        # Hyperplanes through a corner of the box: one cell of many is handed over.
        net = mc.Network.from_arrays([[[1.0, 1.0], [1.0, -0.3]]], [[0.0, 0.1]], output=False)
        function, inputs = cold(), mc.Box(0, 1).bind(2)
        seen: list[int] = []

        def compile_other() -> None:
            seen.append(search.found)
            function.signatures.append("compiled")

        search = VertexSearch(net, inputs, compile_other=compile_other)
        with Deadline(0.3).in_force(), pytest.raises(OutOfTime):  # 7 s are not left
            list(search.run())
        assert seen == [] and search.left() == [{}]
        list(search.run())
        assert seen == [0] and search.found == mc.count(net, mc.Box(0, 1), mc.ExactTree()).lower

    def test_what_the_limit_leaves_no_time_for_is_not_taken_for_complete(self, cold, monkeypatch):
        from milpcount.tree import few_inputs

        monkeypatch.setattr(few_inputs, "hands_over", lambda *_: False)  # only later, say
        net = mc.Network.from_arrays([[[1.0, 1.0], [1.0, -0.3]]], [[0.0, 0.1]], output=False)
        function = cold()
        result = mc.count(net, mc.Box(0, 1), limits=mc.Limits(seconds=1.0))
        assert function.signatures == []
        assert result.status is mc.Status.TIME_LIMIT
        assert result.lower < result.upper
        assert result.seconds < 2.5


class Recording(Here):
    """Notes what it is given to do."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.seen.append(fn.__name__)
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("method", [mc.RegionTree(), mc.Probing(probes=2), mc.MBound(runs=5)])
def test_workers_are_ready_before_the_time_begins(method):
    net = mc.Network.from_arrays([np.ones((2, 7))], [[0.0, 0.5]], output=False)
    executor = Recording()
    for _ in range(2):
        mc.count(net, mc.Box(-1, 1), method, executor=executor)
    assert executor.seen[0] == "warm_up_worker"
    assert executor.seen.count("warm_up_worker") == 1, "once is enough"
    assert len(executor.seen) > 1


def test_every_worker_gets_its_turn(monkeypatch):
    """A worker that is quick must not take the tasks of those that are just starting."""
    workers, seen = 4, set[int]()
    starting = threading.Semaphore(1)

    def start() -> None:
        with starting:
            time.sleep(0.2)

    def report(method: str) -> tuple[str, int, int]:
        seen.add(threading.get_ident())
        time.sleep(0.01)
        return "", 0, threading.get_ident()

    monkeypatch.setattr(compiler, "warm_up_worker", report)
    with ThreadPoolExecutor(workers, initializer=start) as executor:
        warming._prepare_workers(executor, "tree")
    assert len(seen) == workers


def test_workers_that_fail_are_left_to_the_run(monkeypatch):
    def fail(method: str) -> tuple[str, int, int]:
        raise OSError("no such worker")

    monkeypatch.setattr(compiler, "warm_up_worker", fail)
    with ThreadPoolExecutor(2) as executor:
        warming._prepare_workers(executor, "tree")
