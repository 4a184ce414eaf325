"""Workers that are killed: every method goes on, with any executor, to the same answer."""

import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import milpcount as mc
from milpcount.counters.scheduler import MOST_LOSSES, Tasks
from milpcount.errors import LostWorkersError, OptionError, SolverError
from milpcount.events import Notice
from milpcount.limits import Deadline
from milpcount.tree.warm_up import warm_up_worker
from milpcount.workers import Here, Lasting, Processes, most_workers
from tests.networks import random_network

BOX = mc.Box(-1, 1)
NET = random_network(1, 12, (8, 7))
FORK = multiprocessing.get_context("fork")  # has the kernel loaded, and starts at once
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class Standard(ProcessPoolExecutor):
    """A standard pool in which the tasks of some numbers kill their workers."""

    def __init__(self, *deadly):
        super().__init__(2, FORK)
        self.deadly, self.submitted = deadly, 0

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += fn is not warm_up_worker  # of these there are as many as it takes
        return super().submit(die if self.submitted in self.deadly else fn, *args, **kwargs)


class Own(Processes):
    """The same of the project's own pool."""

    def __init__(self, *deadly):
        with ProcessPoolExecutor(2, FORK) as like:
            super().__init__(2, like=like)
        self.deadly, self.submitted = deadly, 0

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += fn is not warm_up_worker  # of these there are as many as it takes
        return super().submit(die if self.submitted in self.deadly else fn, *args, **kwargs)


METHODS = {
    "tree": mc.RegionTree(),
    "probe": mc.Probing(probes=64),
    "mbound": mc.MBound("dense", 5, tighten="interval"),
}


def told(result):
    """What must not depend on workers or losses."""
    timed = {"prepare_seconds", "decisions"}
    details = {key: value for key, value in result.details.items() if key not in timed}
    return result.lower, result.upper, result.status, result.estimate, details


@pytest.mark.parametrize("kind", [Standard, Own])
@pytest.mark.parametrize("name", METHODS)
def test_a_killed_worker_changes_nothing_but_the_time(name, kind):
    alone, said = mc.count(NET, BOX, METHODS[name], seed=3), []
    with kind(1) as pool:
        shared = mc.count(NET, BOX, METHODS[name], seed=3, executor=pool, listener=said.append)
        assert pool.submitted >= 2
    assert told(shared) == told(alone)
    notices = [event.text for event in said if isinstance(event, Notice)]
    assert "a worker was lost; its task is done again" in notices
    replaced = [text for text in notices if "going on in 2 new processes" in text]
    assert len(replaced) == (kind is Standard)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_spawned_workers_too(name):
    alone = mc.count(NET, BOX, METHODS[name], seed=3)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        pool.submit(die)
        assert told(mc.count(NET, BOX, METHODS[name], seed=3, executor=pool)) == told(alone)


def test_a_pool_that_was_broken_before():
    with Standard(1) as pool:
        assert pool.submit(len).exception() is not None
        assert mc.count(NET, BOX, executor=pool).lower == mc.count(NET, BOX).lower


def test_a_method_that_needs_no_executor_says_so_and_leaves_it_alone():
    said, net = [], random_network(1, 2, (3,))
    with Standard(1) as pool:
        result = mc.count(net, BOX, mc.SolutionPool(), executor=pool, listener=said.append)
        assert pool.submitted == 0
    assert result.lower == mc.count(net, BOX).lower
    assert any("'pool' works in one process" in e.text for e in said if isinstance(e, Notice))


def test_threads():
    with ThreadPoolExecutor(3) as threads:
        assert mc.count(NET, BOX, executor=threads).lower == mc.count(NET, BOX).lower


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_an_executor_that_was_shut_down_is_refused(method):
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(OptionError, match=r"takes no tasks .*give one that is open"):
        mc.count(NET, BOX, method, executor=pool)


def test_one_that_is_shut_down_on_the_way_is_replaced():
    class Closing(Here):
        left = 3

        def submit(self, fn, /, *args, **kwargs):
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("cannot schedule new futures after shutdown")
            return super().submit(fn, *args, **kwargs)

    closing = Closing()
    closing._mp_context = FORK
    result = mc.count(NET, BOX, mc.Probing(probes=64), seed=3, executor=closing)
    assert told(result) == told(mc.count(NET, BOX, mc.Probing(probes=64), seed=3))


def test_without_new_processes_it_goes_on_in_this_one(monkeypatch):
    def refuse(self):
        raise OSError("no more processes")

    said = []
    with Standard(1) as pool:
        monkeypatch.setattr(Processes, "_start", refuse)
        lasting = Lasting(pool, said.append)
        with pytest.raises(Exception, match="terminated abruptly"):
            lasting.submit(len).result()
        assert lasting.submit(os.getpid).result() == os.getpid()
    assert len(said) == 1 and said[0].endswith("going on in this process")


def test_workers_without_milpcount():
    class Foreign(Here):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            error = RuntimeError("the task could not be read")
            error.__cause__ = ModuleNotFoundError("No module named 'milpcount'", name="milpcount")
            future.set_exception(error)
            return future

    with pytest.raises(SolverError, match=r"lack a module \(No module named 'milpcount'\)"):
        mc.count(NET, BOX, executor=Foreign())


class TestTasks:
    def test_what_kills_its_worker_every_time_is_given_up_and_nothing_else(self):
        pool = Own()
        tasks = Tasks(pool, lambda text: None)
        for number in range(6):
            tasks.submit(number, *((die,) if number == 2 else (pow, number, 2)))
        ended = {}
        while len(tasks):
            for number, future in tasks.finished(1.0):
                ended[number] = future
        with pytest.raises(LostWorkersError, match=f"{MOST_LOSSES + 1} times"):
            ended.pop(2).result()
        assert {number: future.result() for number, future in ended.items()} == {
            number: number**2 for number in (0, 1, 3, 4, 5)
        }
        pool.stop()

    def test_an_error_of_a_task_is_its_own(self):
        tasks = Tasks(Here(), lambda text: None)
        tasks.submit("x", divmod, 1, 0)
        ((label, future),) = tasks.finished(0.0)
        assert label == "x" and isinstance(future.exception(), ZeroDivisionError)


def test_what_was_found_before_a_task_was_given_up_is_kept(monkeypatch):
    class Failing(Here):
        left = 3

        def submit(self, fn, /, *args, **kwargs):
            self.left -= 1
            if self.left >= 0:
                if len(args) == 2:  # one step, so that something is left
                    subject, task = args
                    args = subject, type(task)(task.prefixes, 0.0, number=task.number)
                return super().submit(fn, *args, **kwargs)
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    said, net = [], random_network(9, 20, (10, 8))
    result = mc.count(net, BOX, executor=Failing(), listener=said.append)
    assert result.status is mc.Status.WORKERS_LOST and not result.status.is_complete
    assert 0 < result.lower <= mc.count(net, BOX).lower <= result.upper
    assert "was lost with its worker 6 times" in said[-2].text


@pytest.mark.parametrize("workers", [0, -1, 10**6, 2.0, True, "2"])
def test_numbers_of_workers_that_are_none(workers):
    with pytest.raises(OptionError, match=f"give an integer from 1 to {most_workers()}"):
        Processes(workers)


def test_mbound_shares_its_time_among_all_workers_of_any_executor(monkeypatch):
    from milpcount.counters.mbound import mbound

    class Eight(Here):
        workers = 8

    asked = []
    share = Deadline.share
    monkeypatch.setattr(
        Deadline, "share", lambda self, a, b: asked.append((a, b)) or share(self, a, b)
    )
    mc.count(NET, BOX, mbound.MBound("dense", 20, tighten="interval"), executor=Eight())
    assert (8, 20) in asked and not any(of == 20 and parts != 8 for parts, of in asked)
