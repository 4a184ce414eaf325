"""What `bound` prints."""

import json

import pytest


def test_an_architecture(invoke):
    done = invoke("bound", "784-11-11-10")
    assert done.exit_code == 0
    assert "2,449,868  Serra et al. 2018, Theorem 1" in done.stdout


def test_a_network_on_a_box(invoke, tent):
    record = json.loads(invoke("bound", tent, "--box", 0, 1, "--json").stdout)
    assert record["domain"] == "box [0, 1]" and int(record["upper"]) >= 8
    assert "serra2020" in {row["key"] for row in record["bounds"]}


def test_tighter_ranges(invoke, tent):
    values = []
    for level in ("interval", "lp", "milp"):
        done = invoke("bound", tent, "--box", 0, 1, "--tighten", level, "--json")
        values.append(int(json.loads(done.stdout)["upper"]))
    assert values == sorted(values, reverse=True)


def test_one_family(invoke):
    done = invoke("bound", "2-6-6-1", "--family", "rectifier_best")
    assert "Montúfar et al. 2014" in done.stdout and "upper bounds" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["784-0-10"], "a size of 0"),
        (["784-x-10"], "An architecture is INPUT-LAYER"),
        (["none.npz"], "none.npz does not exist"),
        (["2-3-1", "--family", "other"], "family 'other'"),
        (["2-3-1", "--tighten", "lp"], "needs a network file"),
        (["2-3-1", "--box", "1", "0"], "reversed"),
        (["2-3-1", "--box", "0", "1", "--unbounded"], "exclude each other"),
    ],
)
def test_wrong_usage(invoke, arguments, complaint):
    done = invoke("bound", *arguments)
    assert done.exit_code == 2 and complaint in done.stderr and not done.stdout


def test_citations_of_theorems(invoke):
    assert "1810.13192" in invoke("cite", "hu-zhang-3").stdout
    assert "Arora" in invoke("cite", "arora2018").stdout
