"""Limits hold, and what had been found by then is in the result."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.backends.registry import backend
from milpcount.cli.options import parse_size
from milpcount.counters.method import Method
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.limits import Deadline, OutOfTime, memory_in_use, tick
from milpcount.workers import Processes

SECONDS = 0.5
TOLERANCE = 1.0
"""By what a limit may be passed; of a machine that others load, in seconds of our own work."""
LOADED = 4.0
"""The same by the clock, whatever else the machine does."""


class Clock:
    """Time since it was made: by the clock, and of this process's work."""

    def __init__(self) -> None:
        self._began, self._worked = time.perf_counter(), time.process_time()

    def keeps_the_limit(self) -> bool:
        """Return whether the limit of `SECONDS` has been kept."""
        wall = time.perf_counter() - self._began
        worked = time.process_time() - self._worked
        return wall < SECONDS + LOADED and worked < SECONDS + TOLERANCE


def network(widths: tuple[int, ...], bias: float) -> mc.Network:
    random = np.random.default_rng(0)
    sizes = list(pairwise(widths))
    weights = [random.normal(size=(n, m)) * np.sqrt(2 / m) for m, n in sizes]
    biases = [random.normal(size=n) * bias for n in widths[1:]]
    return mc.Network.from_arrays(weights, biases, output=False)


# A corner that all rows meet; empty sides that only exact arithmetic decides; wide layers, with few
# inputs and with many; deep and wide.
HARD: dict[str, tuple[mc.Network, Domain]] = {
    "corner": (network((6, 40, 40, 40), 0.0), mc.Box(0, 1)),
    "corner of many": (network((20, 40, 40, 40), 0.0), mc.Box(0, 1)),
    "unbounded": (network((4, 8, 8, 8, 8, 8), 0.3), mc.Unbounded()),
    "deep": (network((5, *[100] * 6), 0.1), mc.Box(-1, 1)),
    "wide": (network((2, 1500, 1500), 0.1), mc.Box(-1, 1)),
    "many inputs": (network((1000, 800, 800), 0.1), mc.Box(0, 1)),
}
SMALL = network((2, 3), 0.1)


def polytope(n: int, rows: int) -> mc.Polytope:
    """Return a set that has bounds, which take two linear programs for each input."""
    sides = np.random.default_rng(0).normal(size=(rows, n))
    return mc.Polytope(np.vstack([sides, -sides]), np.ones(2 * rows))


HARD["polytope"] = network((30, 40, 40), 0.1), polytope(30, 330)


def timed(case: str, method: Method, **options: Any) -> tuple[bool, mc.CountResult]:
    """Return whether a count by a warm method has kept its limit, and its result."""
    mc.count(SMALL, mc.Box(-1, 1), method, executor=options.get("executor"))
    clock = Clock()
    result = mc.count(*HARD[case], method, limits=mc.Limits(seconds=SECONDS), **options)
    return clock.keeps_the_limit(), result


class TestTime:
    @pytest.mark.parametrize(
        ("case", "method"),
        [
            ("corner", mc.RegionTree()),
            ("corner of many", mc.RegionTree()),
            ("unbounded", mc.RegionTree()),
            ("wide", mc.RegionTree()),
            ("deep", mc.RegionTree()),
            ("many inputs", mc.RegionTree()),
            ("polytope", mc.RegionTree()),
            ("corner", mc.Probing()),
            ("wide", mc.Probing()),
            ("unbounded", mc.MBound()),
            ("many inputs", mc.MBound("dense")),
            ("corner", mc.ExactTree()),
            ("many inputs", mc.ExactTree()),
            ("wide", mc.SolutionPool()),
        ],
        ids=lambda value: value if isinstance(value, str) else value.name,
    )
    def test_the_limit_is_kept(self, case: str, method: Method) -> None:
        kept, result = timed(case, method)
        assert result.status is mc.Status.TIME_LIMIT
        assert kept

    def test_brute_force_with_many_inputs(self) -> None:
        net = network((800, 10, 10), 0.1)
        clock = Clock()
        result = mc.count(net, mc.Box(0, 1), mc.BruteForce(), limits=mc.Limits(seconds=SECONDS))
        assert result.status is mc.Status.TIME_LIMIT
        assert clock.keeps_the_limit()

    def test_what_was_found_before_exact_decisions_is_kept(self) -> None:
        for case in ("unbounded", "deep"):
            _, result = timed(case, mc.RegionTree())
            assert 0 < result.lower < result.upper

    def test_walks_of_the_last_round_count(self) -> None:
        _, result = timed("deep", mc.Probing())
        assert result.lower > 1
        assert result.details["probes"] > 0

    def test_subtrees_that_walks_count_can_be_large(self) -> None:
        net = network((9, 14, 40), 0.3)
        method = mc.Probing(count_below=10**6, probes=3)
        mc.count(SMALL, mc.Box(-1, 1), method)
        clock = Clock()
        mc.count(net, mc.Box(-1, 1), method, limits=mc.Limits(seconds=SECONDS))
        assert clock.keeps_the_limit()

    def test_kept_regions_are_those_that_are_counted(self) -> None:
        _, result = timed("deep", mc.RegionTree(), keep_regions=True)
        assert len(result.regions or ()) == result.lower > 0

    def test_nothing_is_claimed_of_a_polytope_whose_interior_is_not_found(self) -> None:
        domain = mc.Polytope(np.vstack([np.eye(4), -np.eye(4)]), np.zeros(8))
        with pytest.raises(mc.errors.DomainError):  # it has none
            mc.count(network((4, 6), 0.1), domain, mc.Probing())


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes]:
    pool = Processes(2)
    yield pool
    pool.stop()


@pytest.mark.parametrize(
    "method", [mc.RegionTree(), mc.Probing(), mc.MBound()], ids=lambda method: method.name
)
def test_the_limit_is_kept_by_two_workers(method: Method, pool: Processes) -> None:
    for case in ("deep", "corner"):
        kept, result = timed(case, method, executor=pool)
        assert result.status is mc.Status.TIME_LIMIT
        assert kept
        # Tasks that are cut off hand in what they have.
        assert result.lower > 0 or method.name != "tree" or case != "deep"


class TestDeadline:
    def test_tick_heeds_the_deadline_in_force_only(self) -> None:
        tick()
        with Deadline(0.0).in_force():
            with pytest.raises(OutOfTime):
                tick()
            with Deadline().in_force():
                tick()
        tick()

    def test_exact_decisions_end_with_it(self) -> None:
        from milpcount.exact.rows import ExactNetwork
        from milpcount.exact.tree import ExactRegionTree

        net, domain = HARD["deep"]
        tree = ExactRegionTree(ExactNetwork(net, domain.bind(5)))
        began = time.perf_counter()
        with Deadline(0.2).in_force(), pytest.raises(OutOfTime):
            tree.count()
        assert time.perf_counter() - began < 1.0

    def test_large_linear_programs_end_with_it(self) -> None:
        from milpcount.formulation.formulate import formulate

        net = network((2, 200, 200), 0.1)
        warm = backend("highs")
        formulation = formulate(net, mc.Box(-1, 1), tighten="interval")
        began = time.perf_counter()
        with Deadline(0.2).in_force(), pytest.raises(OutOfTime):
            for _ in warm.search(formulation, lambda *_: None, "one_tree", Deadline()).run():
                pass
        assert time.perf_counter() - began < 1.2


class TestMemory:
    def test_kept_regions_stop_at_the_limit(self) -> None:
        limit = (memory_in_use() or 0) + 40_000_000
        net = network((8, 16, 16), 0.3)
        result = mc.count(
            net, mc.Box(-1, 1), keep_regions=True, limits=mc.Limits(seconds=30, memory=limit)
        )
        assert result.status is mc.Status.MEMORY_LIMIT
        assert 0 < result.lower == len(result.regions or ()) < result.upper
        assert (memory_in_use() or 0) < limit + 100_000_000
        assert not result.status.is_complete

    def test_children_are_counted(self) -> None:
        code = "import time; b = bytearray(200_000_000); print(1, flush=True); time.sleep(60)"
        before = memory_in_use()
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            after = memory_in_use()
            child.kill()
        assert before is not None
        assert after is not None
        assert after - before > 150_000_000

    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("2GB", 2 * 10**9),
            ("500MB", 500 * 10**6),
            ("1.5 GiB", 3 << 29),
            ("64k", 64_000),
            ("12345", 12345),
            ("7b", 7),
        ],
    )
    def test_sizes(self, text: str, size: int) -> None:
        assert parse_size(text) == size

    @pytest.mark.parametrize("text", ["", "GB", "-1GB", "2XB", "1e9", "0", "0.1", "2GBB", "٢GB"])
    def test_what_is_no_size(self, text: str) -> None:
        with pytest.raises(OptionError, match="2GB, 500MB"):
            parse_size(text)


class TestWrongLimits:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (60, r"limits are the number 60: give mc.Limits\(seconds=60\)"),
            (0.5, r"limits are the number 0.5: give mc.Limits\(seconds=0.5\)"),
            ("60", r"limits are the string '60': give mc.Limits\(seconds=60\)"),
            ({"seconds": 3}, r"give mc.Limits\(seconds=60\)"),
        ],
    )
    def test_what_is_no_limits_is_told_what_to_write(self, given: Any, message: str) -> None:
        for call in (mc.count, mc.bound):
            with pytest.raises(OptionError, match=message):
                call(SMALL, mc.Box(-1, 1), limits=given)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"seconds": "60"}, "time limit '60': give a number of seconds above 0"),
            ({"seconds": float("nan")}, "time limit nan"),
            ({"seconds": True}, "time limit True"),
            ({"regions": 1.5}, "region limit 1.5: give an integer"),
            ({"regions": "9"}, "region limit '9': give an integer"),
            ({"memory": 0}, "memory limit, in bytes: 0: give an integer"),
            ({"memory": "2GB"}, "memory limit, in bytes: '2GB': give an integer"),
            ({"memory": 2e9}, "memory limit, in bytes: 2000000000.0: give an integer"),
        ],
    )
    def test_values(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(OptionError, match=message):
            mc.Limits(**options)

    def test_integers_of_numpy_are_integers(self) -> None:
        assert mc.Limits(regions=np.int64(5), memory=np.int32(7)) == mc.Limits(None, 5, 7)


def interrupted(call: Callable[[], Any], after: float) -> tuple[float, mc.Interrupted]:
    """Return how long a call goes on after Ctrl-C, and what it raises."""
    sent: list[float] = []

    def send() -> None:
        time.sleep(after)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with pytest.raises(mc.Interrupted) as caught:
            call()
        reaction = time.perf_counter() - sent[0]
    finally:
        # A call that fails before its time must not leave Ctrl-C to the test after it.
        with contextlib.suppress(KeyboardInterrupt):
            thread.join()
            time.sleep(0)
    return reaction, caught.value


# Python tells of a Ctrl-C that it loses in a weak reference's callback: it is raised again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestInterrupt:
    def test_one_that_python_loses_is_raised_again(self) -> None:
        class Finalised:
            def __del__(self) -> None:
                os.kill(os.getpid(), signal.SIGINT)
                for _ in range(1000):  # what is raised here is printed and forgotten
                    time.sleep(0.001)

        def listen(event: Any) -> None:
            if getattr(event, "regions", 0) > 0 and not lost:
                lost.append(Finalised())
                lost[0] = None

        lost: list[Any] = []
        began = time.perf_counter()
        with pytest.raises(mc.Interrupted) as caught:
            mc.count(*HARD["deep"], listener=listen, limits=mc.Limits(seconds=30))
        assert lost == [None]
        assert time.perf_counter() - began < 15
        assert caught.value.result.lower > 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    @pytest.mark.parametrize(
        ("case", "method"),
        [
            ("corner", mc.RegionTree()),
            ("wide", mc.RegionTree()),
            ("deep", mc.Probing(probes=10**6)),
            ("unbounded", mc.MBound()),
            ("deep", mc.ExactTree()),
            ("wide", mc.SolutionPool()),
            ("deep", mc.SolutionPool("highs", "no_good")),
        ],
        ids=lambda value: value if isinstance(value, str) else value.name,
    )
    def test_ctrl_c_is_heard_soon(self, case: str, method: Method) -> None:
        mc.count(*HARD[case], method, limits=mc.Limits(seconds=0.5))  # loads what it needs
        reaction, stop = interrupted(lambda: mc.count(*HARD[case], method), 0.6)
        assert reaction < 1.0  # half a second, on a machine that does nothing else
        assert stop.result.status is mc.Status.INTERRUPTED
        assert stop.result.lower <= stop.result.upper

    def test_one_that_a_library_makes_an_error_of_is_ctrl_c(self) -> None:
        def listen(event: Any) -> None:
            if getattr(event, "regions", 0) > 0:
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
                raise RuntimeError("KeyboardInterrupt:  (4: TeeStream)")

        with pytest.raises(mc.Interrupted) as caught:
            mc.count(*HARD["deep"], listener=listen)
        assert caught.value.result.lower > 0

    def test_walks_of_the_round_under_way_count(self) -> None:
        mc.count(SMALL, mc.Box(-1, 1), mc.Probing())
        method = mc.Probing(probes=10**6)
        _, stop = interrupted(lambda: mc.count(*HARD["deep"], method), 0.6)
        assert stop.result.lower > 1
        assert stop.result.details["probes"] > 0

    def test_with_workers(self, pool: Processes) -> None:
        mc.count(SMALL, mc.Box(-1, 1), executor=pool)
        reaction, stop = interrupted(lambda: mc.count(*HARD["deep"], executor=pool), 1.5)
        assert reaction < 1.0
        assert stop.result.lower > 0

    def test_regions_found_by_then_are_kept_and_verify(self) -> None:
        mc.count(SMALL, mc.Box(-1, 1))
        _, stop = interrupted(lambda: mc.count(*HARD["deep"], keep_regions=True), 0.5)
        result = stop.result
        assert result.regions
        assert len(result.regions) == result.lower
        result.regions[:] = result.regions[:5]
        assert all(one for one in result.regions)
        assert result.verifier is not None

    def test_a_loop_of_counts_ends(self) -> None:
        done: list[int] = []

        def loop() -> None:
            for _ in range(1000):
                done.append(0)
                mc.count(*HARD["deep"], limits=mc.Limits(seconds=5))

        interrupted(loop, 0.3)
        assert len(done) == 1

    def test_it_is_a_keyboard_interrupt_and_can_be_sent_between_processes(self) -> None:
        import pickle

        result = mc.count(SMALL, mc.Box(-1, 1))
        stop = pickle.loads(pickle.dumps(mc.Interrupted(result)))
        assert isinstance(stop, KeyboardInterrupt)
        assert not isinstance(stop, Exception)
        assert stop.result.lower == result.lower

    def test_a_comparison_keeps_what_was_shown(self) -> None:
        from milpcount.counters.comparison import Candidate

        def listen(event: Any) -> None:
            if getattr(event, "regions", 0) > 0 and event.seconds > 0.2:
                interrupt_main()

        candidates = (Candidate("tree", mc.RegionTree), Candidate("exact", mc.ExactTree))
        with pytest.raises(mc.Interrupted) as caught:
            mc.compare(*HARD["deep"], candidates=candidates, listener=listen)
        found = caught.value.comparison
        assert found is not None
        assert [one.reason for one in found.outcomes] == ["", "interrupted"]
        assert found.lower > 0

    def test_theorems_at_the_end_may_be_interrupted_too(self, monkeypatch: Any) -> None:
        from milpcount.counters import driver

        def slow(*_: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(driver.union, "upper_over", slow)
        with pytest.raises(mc.Interrupted) as caught:
            mc.count(SMALL, mc.Box(-1, 1), limits=mc.Limits(regions=2))
        assert caught.value.result.lower == 2
        assert caught.value.result.upper == 6  # what the search itself has left

    def test_a_script_that_does_not_catch_it_ends(self, tmp_path: Path) -> None:
        script = tmp_path / "loop.py"
        script.write_text(
            textwrap.dedent(
                """
                import milpcount as mc, numpy as np
                random = np.random.default_rng(0)
                w = [random.normal(size=(40, 6)), random.normal(size=(40, 40))]
                net = mc.Network.from_arrays(w, [np.zeros(40)] * 2, output=False)
                mc.count(net, mc.Box(-1, 1), limits=mc.Limits(regions=1))
                for _ in range(100):
                    print("count", flush=True)
                    mc.count(net, mc.Box(-1, 1))
                """
            )
        )
        with subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == "count\n"
            time.sleep(0.5)
            run.send_signal(signal.SIGINT)
            out, error = run.communicate(timeout=20)
        assert out == ""
        assert run.returncode != 0
        assert "Interrupted" in error


def test_what_is_made_once_of_a_network_is_made_by_the_clock(monkeypatch):
    def slowly(network):
        time.sleep(0.3)
        return "0" * 64

    monkeypatch.setattr("milpcount.network.network.fingerprint", slowly)
    net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    began = time.perf_counter()
    result = mc.count(net, mc.Box(-1, 1), mc.ExactTree(), limits=mc.Limits(seconds=60))
    assert result.lower == 2 and result.fingerprint == "0" * 64
    assert 0.3 <= result.seconds <= time.perf_counter() - began
