"""An affine map has one region: by every method, on every domain, and in every command."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.registry import THEOREMS
from milpcount.cli.sweeping import Request as SweepRequest
from milpcount.cli.sweeping import run as sweep
from milpcount.counters.method import Problem
from milpcount.errors import DomainError, NetworkError, OptionError
from milpcount.limits import Deadline
from milpcount.network import Network
from milpcount.quantities import DECIDED, Quantity
from milpcount.result import Guarantee, Status
from milpcount.store import Store

NET = Network.from_arrays([[[1.0, 2.0], [0.5, 1.0]]], [[3.0, 1.0]])
METHODS = {
    "tree": mc.RegionTree(),
    "exact": mc.ExactTree(),
    "brute": mc.BruteForce(),
    "probe": mc.Probing(),
    "mbound": mc.MBound(),
    "hybrid": mc.MBound("dense", hybrid=8),
    "mbound highs": mc.MBound(backend="highs"),
    "highs": mc.SolutionPool(),
    "no_good": mc.SolutionPool(mode="no_good"),
    "cpsat": mc.SolutionPool("cpsat"),
    "grid": mc.SolutionPool("cpsat", "grid"),
    "scip": mc.SolutionPool("scip"),
    "pyomo": mc.SolutionPool("pyomo:highs"),
}
DOMAINS = {
    "box": mc.Box(-1, 1),
    "flat box": mc.Box([0, -1], [0, 1]),
    "space": mc.Unbounded(),
    "polytope": mc.Polytope([[1.0, 1.0]], [0.5]),
    "section": mc.Section([0, 0], [[1.0, 1.0]], mc.Box(-1, 1)),
}


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_and_quantity(name, domain):
    method = METHODS[name]
    for quantity in sorted(method.quantities - {Quantity.GRID_PATTERNS} - DECIDED, key=str):
        result = mc.count(NET, domain, method, quantity=quantity, keep_regions=True)
        assert (result.lower, result.upper, result.status) == (1, 1, Status.COMPLETE)
        assert (result.confidence, result.guarantee) == (None, Guarantee.EXACT_ARITHMETIC)
        assert result.verify()


@pytest.mark.parametrize("quantity", sorted(DECIDED, key=str), ids=lambda q: q.value)
@pytest.mark.parametrize("name", ["tree", "exact", "brute", "highs"])
def test_decisions_of_an_affine_map(name, quantity):
    # the outputs are equal on x / 2 + y + 2 = 0, which the boxes and the section do not reach
    for of, domain in DOMAINS.items():
        expected = int(of in ("space", "polytope"))
        if name == "highs" and expected:
            continue  # the program needs a bounded domain
        result = mc.count(NET, domain, METHODS[name], quantity=quantity, keep_regions=True)
        assert (result.lower, result.upper, result.status) == (expected,) * 2 + (Status.COMPLETE,)
        assert result.verify()


@pytest.mark.parametrize("name", METHODS)
def test_a_method_by_itself(name):
    quantity = Quantity.GRID_PATTERNS if name == "grid" else Quantity.ACTIVATION_REGIONS
    *_, last = METHODS[name].run(Problem(NET, DOMAINS["box"].bind(2), quantity))
    assert last.lower == 1


def test_grid_patterns_need_a_point_of_the_grid():
    grid = METHODS["grid"]
    assert mc.count(NET, mc.Box(0, 1), grid, quantity="grid_patterns").is_exact
    with pytest.raises(DomainError, match="no point with integer inputs"):
        mc.count(NET, mc.Box(0.2, 0.7), grid, quantity="grid_patterns")


@pytest.mark.parametrize("name", ["tree", "highs", "probe"])
@pytest.mark.parametrize(
    ("domain", "says"),
    [
        (mc.Box(1, 0), "reversed"),
        (mc.Box(1, 1), "a single point"),
        (mc.Box([0, 0, 0], 1), "there are 2 inputs"),
        (mc.Polytope([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0], -1, 1), "no interior point"),
        (mc.Polytope([[1.0, 0.0], [-1.0, 0.0]], [0.0, -1.0], -1, 1), "no interior point"),
    ],
)
def test_the_domain_is_looked_at_all_the_same(name, domain, says):
    with pytest.raises(DomainError, match=says):
        mc.count(NET, domain, METHODS[name])


def test_what_a_method_cannot_count_it_cannot_count_here_either():
    with pytest.raises(OptionError, match="cannot count"):
        mc.count(NET, mc.Box(), mc.Probing(), quantity="activation_patterns")


@pytest.mark.parametrize("domain", [None, *DOMAINS.values()], ids=["none", *DOMAINS])
@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_bounds(domain, quantity):
    assert [(row.theorem.key, row.value) for row in mc.bound(NET, domain).bounds] == [("naive", 1)]
    assert mc.bound(NET, domain, quantity=quantity).bounds[0].is_upper(Quantity(quantity))


def test_every_other_theorem_is_left_out():
    from milpcount.bounds.case import Case
    from milpcount.bounds.layers import of_network

    case = Case(of_network(NET), 2, NET)
    assert [row.key for row in THEOREMS if row.value(case) is not None] == ["naive"]


def test_comparison_and_formulation():
    found = mc.compare(NET, mc.Box(-1, 1))
    assert found.is_complete and (found.lower, found.upper) == (1, 1)
    open_only = [one for one in found.outcomes if one.title == "approx"]  # the count is known
    assert len(found.results) == len(found.outcomes) - len(open_only)
    formulation = mc.formulate(NET, mc.Box(-1, 1), tighten="milp", deadline=Deadline())
    assert formulation.n_free == 0
    assert formulation.program.names == ("t[0]", "t[1]", "f[0]")


def test_saving_and_loading(tmp_path):
    path = tmp_path / "affine.npz"
    NET.save(path)
    loaded = Network.load(path)
    assert loaded.fingerprint == NET.fingerprint and loaded.n_units == 0
    np.savez(tmp_path / "plain.npz", W0=NET.output.weight, b0=NET.output.bias)
    assert Network.load(tmp_path / "plain.npz").fingerprint == NET.fingerprint
    with pytest.raises(NetworkError, match="no layer"):
        Network(())


def test_a_sweep(tmp_path):
    NET.save(tmp_path / "affine.npz")
    (tmp_path / "e.toml").write_text(
        "[networks]\nfiles = ['affine.npz']\n[domain]\nbox = [-1, 1]\n"
        + "".join(f"[[methods]]\nname = '{name}'\n" for name in ("tree", "probe", "bounds"))
    )
    done = sweep(SweepRequest(tmp_path / "e.toml", tmp_path / "s.jsonl"), quiet=True)
    assert (done.done, done.failed) == (3, [])
    lines = list(Store(tmp_path / "s.jsonl").records.values())
    assert [line["upper"] for line in lines if "upper" in line] == ["1", "1"]
