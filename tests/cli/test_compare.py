"""`compare`: agreement is a table, a contradiction is exit code 1."""

import json
from dataclasses import replace

import pytest

import milpcount as mc
from milpcount import examples
from milpcount.counters import comparison
from milpcount.counters.comparison import Candidate
from milpcount.counters.region_tree import RegionTree
from milpcount.errors import ContradictionError, OptionError


class Forgetful(RegionTree):
    """Loses the last region, and says that it is complete."""

    def run(self, problem):
        *snapshots, last = super().run(problem)
        yield from snapshots
        regions = None if last.regions is None else last.regions[:-1]
        yield replace(last, lower=last.lower - 1, regions=regions)


@pytest.mark.parametrize(("quantity", "known"), [("regions", 8), ("patterns", 11)])
def test_methods_agree(invoke, tent, quantity, known):
    pytest.importorskip("pyscipopt")
    pytest.importorskip("pulp")
    done = invoke("compare", tent, "--box", 0, 1, "--quiet", "--quantity", f"activation_{quantity}")
    assert done.exit_code == 0, done.output
    assert f"11 methods agree: activation {quantity} {known}" in done.stdout
    for candidate in comparison.every_candidate():
        row = next(line for line in done.stdout.splitlines() if line.startswith(candidate.title))
        if candidate.if_open:
            assert "the count is known" in row
            continue
        bounds = [int(word) for word in row.removeprefix(candidate.title).split() if word.isdigit()]
        assert bounds[0] == known or (candidate.title.endswith("countsols") and bounds[1] > known)


def test_a_method_that_counts_something_else_says_so(invoke, tent, monkeypatch):
    monkeypatch.setattr(RegionTree, "quantities", frozenset({mc.Quantity.ACTIVATION_REGIONS}))
    done = invoke(
        "compare", tent, "--box", 0, 1, "--quantity", "activation_patterns", "--json", "-q"
    )
    record = json.loads(done.stdout)
    assert done.exit_code == 0 and record["lower"] == record["upper"] == "11"
    by_title = {one["method"]: one for one in record["methods"] if "reason" in one}
    assert by_title["tree"]["reason"] == "does not count activation_patterns"


def test_a_contradiction_names_both_methods_and_a_pattern(invoke, tent, monkeypatch):
    candidates = (Candidate("tree", RegionTree), Candidate("forgetful", Forgetful))
    with pytest.raises(
        ContradictionError, match=r"tree and forgetful .* only tree found .*[01]{6}"
    ):
        mc.compare(mc.Network.load(tent), mc.Box(0, 1), candidates=candidates)
    monkeypatch.setattr(comparison.compare, "__kwdefaults__", {
        **comparison.compare.__kwdefaults__, "candidates": candidates,
    })  # fmt: skip
    done = invoke("compare", tent, "--box", 0, 1, "-q")
    assert done.exit_code == 1
    assert "tree and forgetful contradict each other" in done.stderr


def test_methods_that_would_take_too_long_say_so():
    found = mc.compare(
        examples.tent(4),
        mc.Box(0, 1),
        candidates=(Candidate("tree", RegionTree), Candidate("small", RegionTree, most=10)),
    )
    assert found.lower == found.upper == 16 and len(found.results) == 1
    assert "up to 16 regions, takes 10 at most" in str(found)


def test_no_method_for_the_question(invoke, tent):
    with pytest.raises(OptionError, match="no method can count grid_patterns here"):
        mc.compare(examples.tent(1), mc.Box(0, 1), quantity="grid_patterns")


def test_a_limit_is_exit_code_3(invoke, tmp_path):
    examples.tent(11).save(tmp_path / "long.npz")
    done = invoke("compare", tmp_path / "long.npz", "--box", 0, 1, "--time", 0.05, "-q")
    assert done.exit_code == 3, done.output
    assert "≤ count" in done.stdout
