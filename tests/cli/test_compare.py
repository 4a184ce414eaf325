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


def test_methods_agree(invoke, tent):
    done = invoke("compare", tent, "--box", 0, 1, "--quiet")
    assert done.exit_code == 0, done.output
    assert "8 methods agree: activation regions 8" in done.stdout
    for title in ("tree", "pool cpsat decomposition", "pool scip one_tree", "brute"):
        assert title in done.stdout


def test_patterns_are_left_to_the_methods_that_count_them(invoke, tent):
    done = invoke(
        "compare", tent, "--box", 0, 1, "--quantity", "activation_patterns", "--json", "-q"
    )
    record = json.loads(done.stdout)
    assert done.exit_code == 0 and record["lower"] == record["upper"] == "11"
    by_title = {one["method"]: one for one in record["methods"] if "reason" in one}
    assert by_title["tree"]["reason"] == "does not count activation_patterns"


def test_a_contradiction_names_both_methods_and_a_pattern(invoke, tent, monkeypatch):
    candidates = (Candidate("tree", RegionTree), Candidate("forgetful", Forgetful))
    monkeypatch.setattr(comparison, "CANDIDATES", candidates)
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
    with pytest.raises(OptionError, match="no method can count affine_pieces here"):
        mc.compare(examples.tent(1), mc.Box(0, 1), quantity="affine_pieces")


def test_a_limit_is_exit_code_3(invoke, tmp_path):
    examples.tent(11).save(tmp_path / "long.npz")
    done = invoke("compare", tmp_path / "long.npz", "--box", 0, 1, "--time", 0.05, "-q")
    assert done.exit_code == 3, done.output
    assert "≤ count" in done.stdout
