"""The commands that read a store, on a small one whose numbers are known."""

import pytest

from experiments import claims, seconds, speedup
from milpcount import Box, Network
from milpcount.counters.region_tree import RegionTree
from milpcount.errors import ContradictionError
from milpcount.plots.data import rows_of
from milpcount.store import Store
from milpcount.workers import Here
from tests.plots.conftest import lines


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.jsonl")
    for line in lines():
        store.add(line)
    return store


def test_claims(store):
    rows = rows_of(store)
    assert claims.tighter(rows) == (
        "Serra 2018 is below Montúfar 2017 for 3 of 3 architectures, most for n1 = 1, by a factor "
        "of 1.3; 9 of 9 exact counts lie below both"
    )
    assert claims.one_input(rows).endswith("1-3-3-3: 64 counted, 64 the bound")
    assert "exact counts, all (9): train -0.95" in claims.correlation(rows)
    assert "mbound 5: 0.95 decades on average, 1.08 at most" in claims.order_of_magnitude(rows)
    assert "below 4,096 regions, probe: 1 times as fast (6)" in claims.faster(rows)
    assert "over 9 networks: XOR-2 2^6.8" in claims.longer_xors(rows)
    assert "1: 0.0 %, 3: 0.1 %, 5: 6.7 %" in claims.narrow_layers(rows)


def test_claims_of_counts_alone(tmp_path):
    store = Store(tmp_path / "counts.jsonl")
    for line in lines():
        if line["method"] in ("tree", "bounds"):
            store.add(line)
    rows = rows_of(store)
    assert claims.longer_xors(rows) == "not run"
    assert claims.order_of_magnitude(rows) == claims.faster(rows) == ""


def test_commands(store, capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)  # as wide as the table is
    assert claims.main([str(store.path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 14
    assert seconds.main([str(store.path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["network", "regions", "tree", "probe", "mbound", "2", "mbound",
                                  "3", "mbound", "4", "mbound", "5"]  # fmt: skip
    assert "1,000" in printed[5] and "3.00 s (100 %)" in printed[5] and "(12 %)" in printed[5]
    assert seconds.main([str(tmp_path / "nothing")]) == 2
    assert claims.main([str(tmp_path / "nothing")]) == 2


def test_speedup_compares_counts_before_times(monkeypatch):
    network = Network.load(speedup.DATA / "784-2-20" / "seed0.npz")
    one, cpu, several, regions = speedup.measure(network, Here(), Box(0, 1))
    assert regions == 101 and min(one, cpu, several) > 0

    def wrong(self, problem, executor):
        from milpcount.counters.method import Snapshot

        yield Snapshot(lower=100)

    monkeypatch.setattr(RegionTree, "_run_in_parts", wrong)
    with pytest.raises(ContradictionError, match="101 regions on one process, 100 on more"):
        speedup.measure(network, Here(), Box(0, 1))
