"""The table of bounds beside counts."""

from dataclasses import replace

import pytest

import milpcount as mc
from experiments import bounds_mnist
from experiments.count_mnist import DATA, cases
from milpcount.errors import ContradictionError


def test_the_table_without_counts(capsys):
    assert bounds_mnist.main(["--seconds", "0", "--tighten", "interval"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    row = next(line.split() for line in lines if "784-11-11" in line)
    assert row[2:] == ["2,449,868", "4,194,304", "4,194,304"]
    for line in lines[1:]:
        empirical, serra, montufar, patterns = (
            int(cell.replace(",", "")) for cell in line.split()[1:]
        )
        assert empirical <= serra <= montufar <= patterns == 2**22


def test_an_exact_count_and_one_that_was_stopped():
    first = min(cases(DATA, 0), key=lambda case: case.widths)
    network, box = first.load(), mc.Box(0, 1)
    table, found = mc.bound(network, box), mc.count(network, box)
    row = bounds_mnist.row(first, found, table)
    assert row[0] == "784-1-21" and row[1] == str(found.lower) and row[-1].endswith(" %")
    stopped = bounds_mnist.row(first, replace(found, upper=table.upper + 1), table)
    assert stopped[1] == f">= {found.lower}"


def test_a_bound_below_a_count_is_an_error():
    first = min(cases(DATA, 0), key=lambda case: case.widths)
    table = mc.bound(first.load(), mc.Box(0, 1))
    wrong = mc.count(first.load(), mc.Box(0, 1))
    with pytest.raises(ContradictionError, match="784-1-21: 1000 regions"):
        bounds_mnist.row(first, replace(wrong, lower=1000, upper=1000), table)


def test_no_such_seed(capsys):
    assert bounds_mnist.main(["--seed", "99"]) == 2
    assert "no network of seed 99" in capsys.readouterr().err
