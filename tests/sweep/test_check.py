"""A store whose lines cannot all be true is found out."""

import pytest

from experiments.check_store import main
from milpcount.store import Store
from milpcount.sweep.check import check
from tests.plots.conftest import line, lines


@pytest.fixture
def build(tmp_path):
    def build(records):
        store = Store(tmp_path / "store.jsonl")
        for record in records:
            store.add(record)
        return store

    return build


def test_a_store_in_order(build):
    verdict = check(build(lines()))
    assert verdict.failed == [] and verdict.impossible == ()
    # For each network: tree and five lower bounds against four theorems and the others' uppers.
    assert len(verdict.comparisons) == 9 * (6 * 4 + 6 * 5)


@pytest.mark.parametrize(
    "wrong",
    [
        line(3, 1, "bounds", bounds={"serra2018": "1000"}),
        line(3, 1, "exact", lower="1002", upper="1002", exact=True),
        line(3, 1, "exact", lower="1000", upper="1000", exact=True),
        line(3, 1, "pool", lower="1002", upper="9999", exact=False),
        line(3, 1, "pool", lower="5", upper="1000", exact=False),
    ],
)
def test_what_cannot_be(build, wrong):
    verdict = check(build([*lines(), wrong]))
    assert verdict.impossible
    assert all("784-3-19 #1" in text for text in verdict.impossible)


def test_bounds_with_a_confidence_may_fail_as_often_as_it_says(build):
    def sweep(failures):
        for seed in range(40):
            yield line(3, seed % 10, "tree", lower="10", upper="10", exact=True) | {
                "key": f"t{seed}", "fingerprint": f"f{seed}", "subject": f"s{seed}"}  # fmt: skip
            lower = "11" if seed < failures else "9"
            yield line(3, seed % 10, "probe", lower=lower, upper="99", exact=False,
                       confidence=0.95) | {"key": f"p{seed}", "fingerprint": f"f{seed}",
                                           "subject": f"s{seed}"}  # fmt: skip

    store = build(sweep(3))
    assert len(check(store).failed) == 3 and check(store).impossible == ()
    (text,) = check(build(sweep(12))).impossible
    assert "probe: 12 of 40 bounds with confidence 0.95 fail" in text


def test_the_command(build, capsys, tmp_path):
    store = build(lines())
    assert main([str(store.path)]) == 0
    printed = capsys.readouterr().out
    assert "tree <= serra2018: 9 comparisons, 0 fail" in printed
    assert "486 comparisons, 0 violations" in printed
    store.add(line(3, 1, "bounds", bounds={"serra2018": "1000"}))
    assert main([str(store.path)]) == 1
    assert "impossible: 784-3-19 #1: tree 1,001 > serra2018 1,000" in capsys.readouterr().out
    assert main([str(tmp_path / "none.jsonl")]) == 2
