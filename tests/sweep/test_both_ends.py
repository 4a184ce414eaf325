"""Both ends that rest on chance in a store: kept, compared, and no proof against anything."""

import pytest

import milpcount as mc
from milpcount.cli.sweeping import Request as SweepRequest
from milpcount.cli.sweeping import run
from milpcount.plots.data import rows_of
from milpcount.store import Store
from milpcount.sweep.check import check
from tests.networks import random_network
from tests.plots.conftest import line

SOURCE = "this count, with the stated confidence"
SURE = {"exact": False, "confidence": 0.95, "upper_source": SOURCE}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store.jsonl")


def add(store, n1, lower, upper, exact=100):
    store.add(line(n1, 0, "tree", lower=str(exact), upper=str(exact), exact=True))
    store.add(line(n1, 0, "approx", lower=str(lower), upper=str(upper), **SURE))


def test_both_ends_are_read(store):
    add(store, 3, 90, 120)
    (row,) = rows_of(store)
    assert row.both == (90, 120) and row.lower["approx"] == 90 and row.exact == 100


def test_one_upper_end_that_is_wrong_is_no_contradiction(store):
    add(store, 3, 80, 99)
    verdict = check(store)
    assert len(verdict.failed) == 1 and not verdict.impossible
    assert verdict.failed[0].confidence == 0.95 and verdict.failed[0].rests_on == "approx"


def test_upper_ends_that_are_wrong_too_often_are(store):
    for n1 in range(1, 8):
        add(store, n1, 80, 99)
    assert any("approx" in said for said in check(store).impossible)


def test_two_intervals_fail_with_either(store):
    add(store, 3, 90, 95)
    store.add(line(3, 0, "probe", lower="97", upper="3000", exact=False, confidence=0.95))
    failed = [c for c in check(store).failed if "probe" in c.rests_on and "approx" in c.rests_on]
    assert [c.confidence for c in failed] == [0.9]


def test_a_theorems_upper_end_beside_a_confidence_is_certain(store):
    store.add(line(3, 0, "tree", lower="100", upper="100", exact=True))
    store.add(line(3, 0, "probe", lower="50", upper="99", exact=False, confidence=0.95))
    assert check(store).impossible


def test_compare_asks_for_both_ends_where_nothing_else_has_the_count():
    from milpcount.counters.comparison import Candidate, compare

    network = mc.Network.load("example:mnist-784-2-20.npz")

    class Stopped(mc.RegionTree):
        def run(self, problem):
            from milpcount.counters.method import Snapshot

            yield Snapshot(lower=1, upper=2000)

    candidates = (
        Candidate("stopped", Stopped, names=False),
        Candidate("approx", lambda: mc.Approximate(0.8, 0.2, count_first=10), names=False,
                  if_open=True),
    )  # fmt: skip
    found = compare(network, mc.Box(0, 1), seconds=30.0, candidates=candidates)
    rows = {row[0]: row[1] for row in found.rows()}
    assert "≤ count ≤" in rows["approx"] or rows["approx"].replace(",", "").isdigit()
    assert found.lower <= 101 <= found.upper


def test_a_sweep_with_more_seconds_goes_on_where_it_was_stopped(tmp_path):
    random_network(5, 30, (5, 6)).save(tmp_path / "net.npz")
    store, seen = tmp_path / "store.jsonl", []
    for seconds in (0.5, 1.5):
        experiment = tmp_path / "experiment.toml"
        experiment.write_text(
            "[networks]\nfiles = ['net.npz']\n[domain]\nbox = [-1, 1]\n[[methods]]\n"
            f"name = 'approx'\nepsilon = 0.002\nstrategy = 'strata'\ncount_first = 1\n"
            f"seconds = {seconds}\n"
        )
        run(SweepRequest(experiment, store), quiet=True)
        (record,) = Store(store).records.values()
        assert record["status"] == "time_limit"
        seen.append(record["left"])
    before, after = seen
    assert before["of"] == after["of"] and before["pilot"] == after["pilot"]
    assert len(after["batches"]) > len(before["batches"])
    assert after["batches"][: len(before["batches"])] == before["batches"]
