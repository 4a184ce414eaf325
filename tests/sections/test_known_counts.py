"""Exact counts on lines and planes through real networks, and what the cells are."""

import json
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from experiments.proofs import rational
from milpcount.errors import DomainError, OptionError
from milpcount.result import Guarantee, Status

QUANTITIES = ("linear_regions", "closed_linear_regions", "affine_pieces")


def test_sections_of_real_networks(shared_data: Path) -> None:
    found, right = {}, {}
    for entry in json.loads((shared_data / "sections.json").read_text()):
        name = f"{entry['network']} {entry['section']}"
        sides = rational(entry["box"])
        domain = mc.Section(
            rational(entry["p0"]), rational(entry["directions"]), mc.Box(sides[:, 0], sides[:, 1])
        )
        net = mc.Network.load(shared_data / "networks" / f"{entry['network']}.npz")
        result = mc.count(net, domain, mc.SectionWalk())
        assert result.guarantee is Guarantee.CERTIFIED and result.status is Status.COMPLETE
        found[name], right[name] = (result.lower, result.upper), (entry["cells"],) * 2
        tree = mc.count(net, domain, mc.RegionTree())
        assert tree.lower == tree.upper == entry["cells"]
    assert len(found) == 12 and found == right


def tent(depth: int) -> mc.Network:
    """Return a tent map folded on itself, which has 2^depth pieces on [0, 1]."""
    first, other = [[2.0], [4.0]], [[2.0, -2.0], [4.0, -4.0]]
    return mc.Network.from_arrays(
        [first, *[other] * (depth - 1)], [[0.0, -2.0], *[[0.0, -2.0]] * (depth - 1)], output=False
    )


def test_a_line_is_the_default_and_proves_itself() -> None:
    result = mc.count(tent(6), mc.Segment([0.0], [1.0]), keep_regions=True)
    assert result.method["name"] == "section"
    assert result.lower == result.upper == 2**6
    assert result.verify()


def test_a_plane_proves_itself() -> None:
    random = np.random.default_rng(3)
    net = mc.Network.from_arrays(
        [random.integers(-2, 3, size=(6, 3)), random.integers(-2, 3, size=(5, 6))],
        [random.integers(-1, 2, size=6), random.integers(-1, 2, size=5)],
        output=False,
    )
    plane = mc.Plane([-1.0, -1.0, 0.0], [2.0, 0.0, 1.0], [0.0, 2.0, -1.0])
    result = mc.count(net, plane, keep_regions=True)
    assert result.verify() and result.lower == mc.count(net, plane, mc.ExactTree()).lower


def test_units_of_one_ulp_apart() -> None:
    # Two breakpoints next to each other, the same one twice, and one that is no breakpoint.
    up = float(np.nextafter(1.0, 2.0))
    net = mc.Network.from_arrays(
        [[[3.0], [3.0], [6.0], [0.0]]], [[-1.0, -up, -2.0, 0.0]], output=False
    )
    assert mc.count(net, mc.Segment([0.0], [1.0])).lower == 3


def test_overflow_goes_to_exact_arithmetic() -> None:
    net = mc.Network.from_arrays(
        [[[1e150, 0.0]], [[1e150]], [[-1.6e60]]], [[0.0], [0.0], [0.0]], output=False
    )
    plane = mc.Section([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], mc.Box([0.4, -1.0], [0.6, 1.0]))
    assert (
        mc.count(net, plane, mc.SectionWalk()).lower == mc.count(net, plane, mc.ExactTree()).lower
    )
    pair = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    assert mc.count(pair, mc.Segment([-1e307], [1e307])).lower == 2
    with pytest.raises(DomainError, match="further apart"):
        mc.count(pair, mc.Segment([-1e308], [1e308]))


@pytest.mark.parametrize("memory", [20_000, 1 << 30])
def test_chunks_change_nothing(memory: int) -> None:
    random = np.random.default_rng(0)
    net = mc.Network.from_arrays(
        [random.normal(size=(24, 2)), random.normal(size=(24, 24))],
        [random.normal(size=24), random.normal(size=24)],
        output=False,
    )
    window = mc.Plane([-1.0, -1.0], [2.0, 0.0], [0.0, 2.0])
    right = mc.count(net, mc.Box(-1, 1), mc.RegionTree()).lower
    assert mc.count(net, window, mc.SectionWalk(memory=memory)).lower == right > 200


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_other_quantities_on_sections(quantity: str) -> None:
    random = np.random.default_rng(4)
    last = random.integers(-1, 2, size=(1, 5)).astype(float)
    net = mc.Network.from_arrays(
        [random.integers(-2, 3, size=(6, 3)), random.integers(-1, 2, size=(5, 6)), last],
        [random.integers(-1, 2, size=6), random.integers(-1, 2, size=5), [0.0]],
    )
    line = mc.Segment([-2.0, -2.0, 1.0], [2.0, 1.0, -2.0])
    for domain in (line, mc.Plane([-1.0, -1.0, 0.0], [2.0, 0.0, 1.0], [0.0, 2.0, -1.0])):
        found = mc.count(net, domain, quantity=quantity, keep_regions=True)
        assert found.method["name"] == "section" and found.guarantee is Guarantee.CERTIFIED
        assert found.verify()
        right = mc.count(net, domain, mc.ExactTree(), quantity=quantity).lower
        assert found.lower == found.upper == right
        assert 1 < right < mc.count(net, domain).lower


def test_pieces_that_are_one_function() -> None:
    # |x| as relu(x) + relu(-x), plus a unit whose output has no weight: three patterns, two
    # pieces.
    plain = mc.Network.from_arrays(
        [[[1.0], [-1.0], [1.0]], [[1.0, 1.0, 0.0]]], [[0.0, 0.0, -0.5], [0.0]]
    )
    line = mc.Segment([-1.0], [1.0])
    counts = [mc.count(plain, line, quantity=q).lower for q in ("activation_regions", *QUANTITIES)]
    assert counts == [3, 2, 2, 2]
    # 0 on [-1, 0], x on [0, 1/2], 1 - x on [1/2, 1], 0 from there on: one map on two pieces.
    hat = mc.Network.from_arrays(
        [[[1.0], [1.0], [1.0]], [[1.0, -2.0, 1.0]]], [[0.0, -0.5, -1.0], [0.0]]
    )
    line = mc.Segment([-1.0], [2.0])
    counts = [mc.count(hat, line, quantity=q).lower for q in ("activation_regions", *QUANTITIES)]
    assert counts == [4, 4, 4, 3]


def test_a_polyline_counts_patterns_once() -> None:
    net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, -0.5]], output=False)
    there_and_back = mc.Polyline([[-1.0], [1.0], [-1.0]])
    result = mc.count(net, there_and_back)
    # active: second | none | first, and the same backwards.
    assert result.lower == result.upper == 3
    assert result.details["transitions"] == 4 and result.details["pieces"] == [3, 3]


def test_limits_keep_valid_bounds() -> None:
    line = mc.Segment([0.0], [1.0])
    some = mc.count(tent(10), line, mc.SectionWalk(memory=1000), limits=mc.Limits(regions=5))
    assert 5 <= some.lower <= 2**10 <= some.upper


def test_refusals() -> None:
    net = tent(2)
    with pytest.raises(DomainError, match="lines and planes"):
        mc.count(net, mc.Unbounded(), mc.SectionWalk())
    with pytest.raises(OptionError, match="does not count on this"):
        mc.count(net, mc.Polyline([[0.0], [1.0], [2.0]]), mc.RegionTree())
    with pytest.raises(OptionError, match="segments one by one"):
        mc.count(net, mc.Polyline([[0.0], [1.0], [2.0]]), quantity="linear_regions")
    with pytest.raises(OptionError, match="kept"):
        mc.count(net, mc.Polyline([[0.0], [1.0], [2.0]]), keep_regions=True)
    with pytest.raises(OptionError):
        mc.SectionWalk(tolerance=2.0)
