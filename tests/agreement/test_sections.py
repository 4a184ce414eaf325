"""Lines and planes through many random graph networks, against the exact tree."""

import json
import os
from pathlib import Path

import pytest

import milpcount as mc
from experiments.proofs import rational
from milpcount.errors import OptionError
from tests.sections.lines import case, difference

CASES = int(os.environ.get("MILPCOUNT_SECTIONS", "200"))


@pytest.mark.slow
def test_random_graphs() -> None:
    assert [d for number in range(CASES) if (d := difference(number, seed=1))] == []


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [1e-10, 1e-3, 0.3])
def test_random_graphs_with_a_tolerance(tolerance: float) -> None:
    found = (difference(number, seed=2, tolerance=tolerance) for number in range(CASES))
    assert [d for d in found if d] == []


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["linear_regions", "closed_linear_regions", "affine_pieces"])
def test_real_networks_by_the_tree_and_by_cutting(shared_data: Path, quantity: str) -> None:
    """On every line and plane of real networks; the largest has 4,760 activation regions."""
    for entry in json.loads((shared_data / "sections.json").read_text()):
        sides = rational(entry["box"])
        domain = mc.Section(
            rational(entry["p0"]), rational(entry["directions"]), mc.Box(sides[:, 0], sides[:, 1])
        )
        net = mc.Network.load(shared_data / "networks" / f"{entry['network']}.npz")
        found, right = (
            mc.count(net, domain, method, quantity=quantity)
            for method in (mc.SectionWalk(), mc.RegionTree())
        )
        assert found.is_exact and right.is_exact
        assert found.lower == right.lower <= entry["cells"]


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["linear_regions", "affine_pieces", "live_regions"])
def test_other_quantities_on_random_sections(quantity: str) -> None:
    wrong = []
    for number in range(CASES // 2):
        net, domain = case(number, seed=3)
        try:
            right = mc.count(net, domain, mc.ExactTree(), quantity=quantity)
        except OptionError:  # not defined: jumps, or no chain
            continue
        found = mc.count(net, domain, mc.SectionWalk(), quantity=quantity)
        if (found.lower, found.upper) != (right.lower, right.upper):
            wrong.append((number, found.lower, found.upper, right.lower))
    assert wrong == []
