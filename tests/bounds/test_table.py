import json
from fractions import Fraction

import pytest

import milpcount as mc
from milpcount import integers
from milpcount.bounds.table import text_of


@pytest.fixture(scope="module")
def table():
    return mc.bound("784-11-11-10", mc.Box(0, 1))


def test_the_tightest_bound_and_its_theorem(table):
    assert table.upper == 2449868
    assert table.upper_source == "Serra et al. 2018, Theorem 1"
    values = [b.value for b in table.upper_bounds]
    assert values == sorted(values) and values[-1] == 4194304


def test_the_text_keeps_the_subjects_apart(table):
    blocks = str(table).split("\n\n")
    assert "784 inputs; hidden 11 11; affine output 10" in blocks[0]
    assert "domain: box [0, 1]" in blocks[0]
    assert blocks[1].startswith("upper bounds on activation regions, tightest first")
    assert "2,449,868  Serra et al. 2018, Theorem 1" in blocks[1]
    assert blocks[2].startswith("activation regions of the best network (no given one)")
    assert "Arora" in blocks[2] and "Arora" not in blocks[1]
    assert "live regions" in blocks[-2]


def test_the_html_has_every_row(table):
    html = table._repr_html_()
    assert html.count("<tr>") == len(table.blocks()) + sum(len(b) for _, b in table.blocks())
    assert "Serra &amp; Ramalingam" not in html and "Hu &amp; Zhang" in html


def test_the_record_is_exact_json(table):
    record = json.loads(table.to_json())
    assert record["upper"] == "2449868" and record["quantity"] == "activation_regions"
    rows = {row["key"]: row for row in record["bounds"]}
    assert rows["serra2018"]["bounds_from_above"]
    assert rows["arora2018"]["subject"] == "best" and not rows["arora2018"]["bounds_from_above"]
    assert rows["hu-zhang-3"]["quantity"] == "live_regions"
    assert not rows["hu-zhang-3"]["bounds_from_above"]


def test_long_integers():
    table = mc.bound("3072-4096x8")
    assert "~1.2·10^9862" in str(table)
    record = table.to_record()
    assert integers.from_text(record["upper"]) == table.upper


def test_values_as_text():
    assert text_of(1234567) == "1,234,567"
    assert text_of(Fraction(5, 2)) == "2.5"
    assert text_of(Fraction(10**30, 3)).startswith("~3.3·10^29")
    assert text_of(Fraction(6, 2)) == "3" and text_of(0.1) == "0.1"


def test_rows_by_key(table):
    assert table["montufar2017"].value == 4194304
    with pytest.raises(KeyError, match="serra2018"):
        _ = table["nobody"]


def test_tightening_needs_a_network():
    with pytest.raises(mc.errors.OptionError, match="needs a network"):
        mc.bound("2-3-1", mc.Box(0, 1), tighten="lp")
