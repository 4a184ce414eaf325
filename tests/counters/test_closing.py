"""Both ends of a count while it runs, and where it is stopped."""

from itertools import pairwise

import pytest

import milpcount as mc
from milpcount.counters import driver
from milpcount.counters.work_queue import Checkpoint, Parts
from milpcount.events import Progress
from milpcount.tree.closing_bound import Closing
from milpcount.tree.subtree_tasks import Left, search_parts
from tests.counters.test_work_queue import BOX, finish, pool, short, subject  # noqa: F401
from tests.networks import random_network

NETWORK = random_network(9, 20, (10, 8))
LOW = random_network(1, 4, (10, 8))


@pytest.fixture(scope="module")
def regions():
    return mc.count(NETWORK, BOX).lower


@pytest.mark.parametrize("network", [NETWORK, LOW])
@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_a_count_stopped_at_a_region_limit_is_below_theorem_and_above_truth(network, quantity):
    whole = mc.count(network, BOX, quantity=quantity)
    assert whole.is_exact and whole.upper_source == "this count"
    theorem = driver.union.upper_over(network, BOX, whole.quantity)[0]
    for share in 0.0, 0.1, 0.5, 0.9:
        limits = mc.Limits(regions=max(1, int(share * whole.lower)))
        found = mc.count(network, BOX, quantity=quantity, limits=limits)
        assert found.lower <= whole.lower <= found.upper <= theorem
    assert found.upper < theorem
    assert found.upper_source.startswith("this count, and theorems")


@pytest.mark.parametrize("parts", [1, 2])
def test_a_union_has_an_upper_end_too(parts):
    boxes = [mc.Box(-1, 0.5), mc.Box(-0.5, 1)][:parts]
    union, quantity = mc.Union(boxes), mc.Quantity.ACTIVATION_REGIONS
    whole, theorem = mc.count(LOW, union).lower, driver.union.upper_over(LOW, union, quantity)[0]
    limits = mc.Limits(regions=int(0.9 * whole))
    found = mc.count(LOW, union, limits=limits)
    assert whole <= found.upper <= theorem


@pytest.mark.parametrize("quantity", ["live_regions", "linear_regions", "affine_pieces"])
def test_what_is_joined_from_regions_is_no_more_than_they_are(quantity):
    whole = mc.count(LOW, BOX, quantity=quantity)
    found = mc.count(LOW, BOX, quantity=quantity, limits=mc.Limits(regions=whole.lower // 2))
    assert found.lower <= whole.lower <= found.upper


@pytest.mark.parametrize("network", [NETWORK, LOW])
def test_the_last_slice_at_a_region_limit_is_looked_at_as_a_stop(network, monkeypatch):
    """The count ends with the slice that reaches its limit: nothing is asked for after it."""
    monkeypatch.setattr("milpcount.counters.region_tree._SLICE_SECONDS", 0.0)
    looks, look = list[bool](), Closing.look

    def noted(self, *, now=False):
        looks.append(now)
        return look(self, now=now)

    monkeypatch.setattr(Closing, "look", noted)
    found = mc.count(network, BOX, limits=mc.Limits(regions=9))
    assert found.lower == 9
    assert looks[-1], "the last look is the thorough one"


def test_events_have_an_upper_end_that_never_grows(monkeypatch):
    monkeypatch.setattr("milpcount.tree.closing_bound._FIRST_SECONDS", 0.0)
    monkeypatch.setattr("milpcount.tree.closing_bound._SHARE", 1.0)
    monkeypatch.setattr("milpcount.tree.closing_bound._SHARE_AHEAD", 1.0)
    monkeypatch.setattr("milpcount.counters.region_tree._SLICE_SECONDS", 0.001)
    network, seen = random_network(4, 30, (9, 9)), list[Progress]()

    def listen(event):
        if isinstance(event, Progress):
            seen.append(event)

    count = mc.count(network, BOX, listener=listen).lower
    uppers = [event.upper for event in seen if event.upper is not None]
    assert len(set(uppers)) > 3
    assert all(a >= b for a, b in pairwise(uppers))
    assert uppers[-1] >= count
    assert all(event.regions <= count for event in seen)


class TestParts:
    def test_the_upper_end_holds_and_falls_with_any_slices(self, regions):
        packed, parts = subject(NETWORK), Parts()
        assert parts.upper is None
        uppers = []
        while not parts.is_done:
            one, two = parts.take(2, 2), parts.take(1, 2)
            for task in filter(None, (two, one)):  # out of order
                slow = len(uppers) > 40
                parts.accept(task, search_parts(packed, task if slow else short(task)))
                uppers.append(parts.upper)
        assert all(a >= b >= regions for a, b in pairwise(uppers))
        assert len(set(uppers)) > 10
        assert parts.is_complete and parts.upper == parts.found == regions

    def test_splits_far_below_each_other_are_joined(self, regions, monkeypatch):
        monkeypatch.setattr("milpcount.counters.work_queue._DEEPEST", 2)
        self.test_the_upper_end_holds_and_falls_with_any_slices(regions)

    def test_a_task_that_is_lost_or_comes_back_twice_changes_nothing(self, regions):
        packed, parts = subject(NETWORK), Parts()
        first = parts.take()
        outcome = search_parts(packed, short(first))
        parts.accept(first, outcome)
        before = parts.upper
        parts.accept(first, outcome)
        assert parts.upper == before >= regions
        parts.take()  # lost
        assert parts.upper == before
        assert Parts(parts.checkpoint()).upper == before

    def test_a_checkpoint_keeps_the_bounds(self, regions):
        packed, parts = subject(NETWORK), Parts()
        for _ in range(10):
            task = parts.take()
            parts.accept(task, search_parts(packed, short(task)))
        checkpoint = parts.checkpoint()
        again = Checkpoint.from_record(checkpoint.to_record())
        assert again == checkpoint
        assert regions <= again.upper == Parts(again).upper
        assert finish(packed, Parts(again)) == regions

    def test_a_checkpoint_of_an_earlier_version_is_read(self, regions):
        record = Checkpoint(3, (Left({1: 0}, 0.5),)).to_record()
        record["left"] = [part[:2] for part in record["left"]]
        del record["upper"]
        again = Checkpoint.from_record(record)
        assert again.upper is None and again.left[0] == Left({1: 0}, 0.5)
        assert Parts(again).upper is None


def test_workers_have_an_upper_end(pool):  # noqa: F811
    network = random_network(5, 30, (12, 12))
    theorem = driver.union.upper_over(network, BOX, mc.Quantity.ACTIVATION_REGIONS)[0]
    found = mc.count(network, BOX, executor=pool, limits=mc.Limits(regions=20_000))
    assert 20_000 <= found.lower <= found.upper < theorem
    assert found.upper_source.startswith("this count, and theorems")
