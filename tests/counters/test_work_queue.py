"""A count in parts: any way of handing the parts out, and losing some, gives the same number."""

import itertools
import os
import signal
from concurrent.futures import Future

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.counters.work_queue import Checkpoint, Parts
from milpcount.errors import FileFormatError, LostWorkersError
from milpcount.tree.subtree_tasks import PackedNetwork, Task, search_parts
from milpcount.workers import Here, Processes
from tests.networks import random_network

BOX = mc.Box(-1, 1)


@pytest.fixture(scope="module")
def network():
    return random_network(9, 20, (10, 8))


@pytest.fixture(scope="module")
def regions(network):
    return mc.count(network, BOX).lower


@pytest.fixture(scope="module")
def pool():
    pool = Processes(2)
    yield pool
    pool.stop()


def subject(network, domain=BOX):
    return PackedNetwork.pack(network, domain.bind(network.n_inputs))


def finish(packed, parts, workers=1):
    while not parts.is_done:
        task = parts.take(1, workers)
        parts.accept(task, search_parts(packed, task))
    return parts.found


def short(task):
    """The same task with no time but for one step."""
    return Task(task.prefixes, 0.0, task.most, task.keep, task.patterns, task.number)


class TestParts:
    def test_in_one_go(self, network, regions):
        parts = Parts()
        assert finish(subject(network), parts) == regions
        assert parts.is_complete
        assert parts.checkpoint().share == 1.0

    @settings(max_examples=15, deadline=None)
    @given(st.data())
    def test_any_order_of_taking_losing_and_returning_keeps_the_count(self, data):
        seed = data.draw(st.integers(0, 1000))
        network = random_network(seed, 3, (6, 5, 4))
        packed, parts, out = subject(network), Parts(), []
        for action in data.draw(st.lists(st.sampled_from(["take", "lose", "return"]), max_size=40)):
            if action == "take":
                task = parts.take(1, 3)
                out += [] if task is None else [task]
            elif out and action == "lose":
                out.append(out.pop(0))  # to be done again, after the others
            elif out:
                task = out.pop(0)
                parts.accept(task, search_parts(packed, short(task)))
            parts = _written_and_read(parts) if not out else parts
        for task in out:
            parts.accept(task, search_parts(packed, task))
        assert finish(packed, parts, 3) == mc.count(network, BOX).lower

    def test_a_checkpoint_counts_what_is_out_as_left(self, network, regions):
        packed, parts = subject(network), Parts()
        first = parts.take(1, 2)
        parts.accept(first, search_parts(packed, short(first)))
        assert 0 < parts.found < regions
        taken = [parts.take(1, 2), parts.take(1, 2)]
        assert None not in taken
        then = Checkpoint.from_record(parts.checkpoint().to_record())
        assert finish(packed, Parts(then)) == regions

    def test_a_task_that_comes_back_twice_counts_once(self, network, regions):
        packed, parts = subject(network), Parts()
        task = parts.take()
        for _ in range(2):
            parts.accept(task, search_parts(packed, short(task)))
        assert finish(packed, parts) == regions

    def test_shares_of_the_tree_never_shrink_and_end_at_one(self, network):
        packed, parts, shares = subject(network), Parts(), [0.0]
        while not parts.is_done:
            task = parts.take(1, 2)
            parts.accept(task, search_parts(packed, short(task)))
            shares.append(parts.checkpoint().share)
        assert shares[-1] == 1.0
        assert all(a <= b + 1e-9 for a, b in itertools.pairwise(shares))

    @pytest.mark.parametrize("record", [{}, {"found": "x"}, {"found": "1", "left": [[1]]}])
    def test_what_is_no_checkpoint(self, record):
        with pytest.raises(FileFormatError, match="not a checkpoint"):
            Checkpoint.from_record(record)


def _written_and_read(parts):
    return Parts(Checkpoint.from_record(parts.checkpoint().to_record()))


class TestRegionTree:
    def test_in_this_process(self, network, regions):
        result = mc.count(network, BOX, executor=Here())
        assert (result.lower, result.status) == (regions, mc.Status.COMPLETE)
        assert result.details["decisions"]["projections"] == result.lps > 0

    def test_in_two(self, network, regions, pool):
        assert mc.count(network, BOX, executor=pool).lower == regions

    def test_regions_that_are_kept_are_the_same(self, pool):
        network = random_network(5, 3, (6, 6))
        alone = mc.count(network, BOX, keep_regions=True)
        both = mc.count(network, BOX, keep_regions=True, executor=pool)
        assert {r.pattern for r in both.regions} == {r.pattern for r in alone.regions}
        assert len(both.regions) == both.lower == alone.lower
        assert both.verify()

    def test_a_section_and_all_of_space(self, pool):
        network = random_network(6, 4, (7, 5))
        rng = np.random.default_rng(0)
        for domain in mc.Section(np.zeros(4), rng.normal(size=(2, 4))), mc.Unbounded():
            alone = mc.count(network, domain).lower
            assert mc.count(network, domain, executor=pool).lower == alone

    def test_a_region_limit_gives_a_lower_bound(self, network, regions):
        result = mc.count(network, BOX, limits=mc.Limits(regions=50), executor=Here())
        assert result.status is mc.Status.REGION_LIMIT
        assert 50 <= result.lower <= regions <= result.upper

    def test_a_killed_worker_changes_nothing_but_the_time(self, pool):
        network = random_network(1, 20, (10, 9))
        killed = []

        def kill_one(event):
            if getattr(event, "regions", 0) > 0 and not killed:
                process = next(iter(pool._pool._processes.values()))
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

        alone = mc.count(network, BOX).lower
        assert mc.count(network, BOX, executor=pool, listener=kill_one).lower == alone
        assert killed

    def test_workers_that_never_work_are_given_up(self, network):
        class Dead(Here):
            def submit(self, fn, /, *args, **kwargs):
                future = Future()
                future.cancel()
                future.set_running_or_notify_cancel()
                return future

        with pytest.raises(LostWorkersError, match="was lost with its worker 6 times"):
            mc.count(network, BOX, executor=Dead())

    def test_an_error_of_a_task_is_not_taken_for_a_loss(self, network, monkeypatch):
        def broken(*_):
            raise ZeroDivisionError

        monkeypatch.setattr("milpcount.tree.subtree_tasks.search_parts", broken)
        with pytest.raises(ZeroDivisionError):
            mc.count(network, BOX, executor=Here())


def test_a_count_on_dask_is_the_same():
    distributed = pytest.importorskip("distributed")
    network = random_network(1, 10, (8, 8))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=False
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor(pure=False)
        assert mc.count(network, BOX, executor=executor).lower == mc.count(network, BOX).lower
