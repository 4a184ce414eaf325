"""The region tree on networks whose counts others have computed."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import milpcount as mc
from experiments.proofs import rational, whole_numbers
from milpcount.domain import Domain, Section
from milpcount.exact.verify import verify

Entry = dict[str, Any]
MOST_REGIONS = 60_000
SMALLEST_CELL = 1e-8


def counts(net: mc.Network, domain: Domain) -> int:
    """Return the region tree's answer, which must be exact."""
    result = mc.count(net, domain)
    assert result.is_exact and result.status is mc.Status.COMPLETE and not result.uncertain
    return result.lower


def entries(folder: Path, name: str, key: str = "expected_regions") -> list[Entry]:
    found = json.loads((folder / f"{name}.json").read_text())
    return [e for e in found if e[key] <= MOST_REGIONS and is_wide_enough(e)]


def is_wide_enough(entry: Entry) -> bool:
    size = entry.get("min_cell_rel_size")
    return size is None or size > SMALLEST_CELL


def arrangement(entry: Entry) -> mc.Network:
    return mc.Network.from_arrays([entry["W"]], [entry["b"]], output=False)


def box(sides: Iterable[Any]) -> mc.Box:
    low, high = rational(list(sides)).T.astype(float)
    return mc.Box(low, high)


def differing(found: dict[str, int], expected: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {n: (found[n], expected[n]) for n in found if found[n] != expected[n]}


def test_arrangements(shared_data: Path) -> None:
    chosen = entries(shared_data, "arrangements")
    assert len(chosen) >= 45
    expected = {e["name"]: e["expected_regions"] for e in chosen}
    boxes = {e["name"]: mc.Box(e["domain"]["lower"], e["domain"]["upper"]) for e in chosen}
    found = {e["name"]: counts(arrangement(e), boxes[e["name"]]) for e in chosen}
    assert not differing(found, expected)


def test_arrangements_in_all_of_space(shared_data: Path) -> None:
    chosen = entries(shared_data, "arrangements")
    expected = {e["name"]: e["expected_regions"] for e in chosen}
    found = {e["name"]: counts(arrangement(e), mc.Unbounded()) for e in chosen}
    assert not differing(found, expected)


def test_deep_networks(shared_data: Path) -> None:
    chosen = entries(shared_data, "deep_networks")
    assert len(chosen) >= 30
    expected = {e["name"]: e["expected_regions"] for e in chosen}
    found = {e["name"]: counts(whole_numbers(e), box(e["box"])) for e in chosen}
    assert not differing(found, expected)


def test_sections_of_real_networks(shared_data: Path) -> None:
    chosen = entries(shared_data, "sections", "cells")
    assert len(chosen) == 10
    for entry in chosen:
        net = mc.Network.load(shared_data / "networks" / f"{entry['network']}.npz")
        p0, directions = (rational(entry[k]).astype(float) for k in ("p0", "directions"))
        found = counts(net, Section(p0, directions, box(entry["box"])))
        assert found == entry["cells"], (entry["network"], entry["section"])


def real_network(folder: Path, name: str, box_index: int = 0) -> tuple[mc.Network, mc.Box]:
    """Return a third-party network and one of the boxes that come with it."""
    record = json.loads((folder / "networks" / f"{name}.json").read_text())
    stated = record["boxes"][box_index]
    net = mc.Network.load(folder / "networks" / f"{name}.npz")
    return net, mc.Box(stated["lower"], stated["upper"])


def test_boxes_of_real_networks(shared_data: Path) -> None:
    chosen = json.loads((shared_data / "whole_box_counts.json").read_text())
    assert len(chosen) == 6
    for entry in chosen:
        if entry["network"] != "coav_0":
            found = counts(*real_network(shared_data, entry["network"], entry["box_index"]))
            assert found == entry["result"]["regions"], (entry["network"], entry["box"])


# Others counted 65 regions in floating point and took all other sides for empty, rejecting
# margins up to 0. Three regions are thinner than the tolerance they used; exact arithmetic finds
# a point inside each of the 68.
@pytest.mark.parametrize("method", [mc.RegionTree(), mc.ExactTree()], ids=lambda m: m.name)
def test_regions_that_floating_point_misses(shared_data: Path, method: Any) -> None:
    net, domain = real_network(shared_data, "coav_0")
    result = mc.count(net, domain, method, keep_regions=True)
    assert (result.lower, result.upper) == (68, 68)
    verified = verify(result, net, domain.bind(net.n_inputs))
    assert verified.is_proved and verified.n_verified == 68
