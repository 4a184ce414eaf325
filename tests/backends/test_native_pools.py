"""The solution pools of Gurobi and CPLEX, where their packages are installed.

Both install from the index with a licence for small programs, which these are.
"""

import numpy as np
import pytest

import milpcount as mc
from milpcount.backends.registry import BACKENDS, TAKE_ROWS, find
from milpcount.errors import NotInstalledError, OptionError
from milpcount.formulation.formulate import formulate
from milpcount.formulation.linear_program import Row
from milpcount.limits import Deadline
from milpcount.result import Status
from tests.networks import random_network

POOLS = ("gurobi", "cplex")
PAIR = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
CASES = {
    "a pair that vanishes at once": (PAIR, mc.Box(-1, 1)),
    "zigzag": (mc.Network.load("example:zigzag.nnet"), mc.Box(0, 6)),
    "2-5-5": (random_network(1, 2, (5, 5)), mc.Box(-1, 1)),
    "3-6-6": (random_network(3, 3, (6, 6)), mc.Box(-1, 1)),
    "784-2-20": (mc.Network.load("example:mnist-784-2-20.npz"), mc.Box(0, 1)),
}


@pytest.fixture(params=POOLS)
def backend(request):
    entry = find(request.param)
    if not entry.is_ready:
        pytest.skip(f"{entry.package} is not installed: {entry.install}")
    return request.param


@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
@pytest.mark.parametrize("name", CASES)
def test_counts_are_the_trees(backend, name, quantity):
    network, domain = CASES[name]
    result = mc.count(network, domain, mc.SolutionPool(backend), quantity=quantity)
    assert result.is_exact and result.status is Status.COMPLETE
    assert result.lower == mc.count(network, domain, quantity=quantity).lower
    assert result.details["pool"] == result.lower + result.details["rejected"]


@pytest.mark.slow
def test_the_network_of_the_papers(backend):
    network = mc.Network.load("example:mnist-784-4-18.npz")
    result = mc.count(network, mc.Box(0, 1), mc.SolutionPool(backend))
    assert (result.lower, result.is_exact) == (2774, True)


def test_kept_regions_prove_themselves(backend):
    network, domain = CASES["2-5-5"]
    result = mc.count(network, domain, mc.SolutionPool(backend), keep_regions=True)
    assert result.verify() and len(result.regions) == result.lower


def test_limits_leave_valid_bounds(backend):
    network, domain = CASES["784-2-20"]
    some = mc.count(network, domain, mc.SolutionPool(backend), limits=mc.Limits(regions=5))
    assert some.status is Status.REGION_LIMIT and 5 <= some.lower <= 101 <= some.upper
    none = mc.count(network, domain, mc.SolutionPool(backend), limits=mc.Limits(seconds=1e-3))
    assert none.status in (Status.TIME_LIMIT, Status.COMPLETE) and none.lower <= 101 <= none.upper


@pytest.mark.parametrize("entry", BACKENDS, ids=lambda entry: entry.name)
def test_xors_are_refused_where_no_rows_are_taken_installed_or_not(entry):
    if entry.load().capabilities & TAKE_ROWS:
        assert mc.MBound(1, backend=entry.name).backend == entry.name
        return
    assert entry.name in POOLS
    with pytest.raises(OptionError, match=r"takes no rows.*give one of: tree, highs, ") as caught:
        mc.MBound(1, backend=entry.name)
    allowed = str(caught.value).partition("give one of: ")[2].split(", ")
    assert not set(POOLS) & set(allowed) and "pyomo:cbc" in allowed


def test_rows_of_a_callback_are_refused(backend):
    row = Row(np.array([0]), np.array([1.0]), 0.0, 0.0)
    formulation = formulate(PAIR, mc.Box(-1, 1))
    search = find(backend).load().search(formulation, lambda *_: [row], "pool", Deadline(None))
    with pytest.raises(OptionError, match="takes no rows"):
        list(search.run())


def test_a_licence_that_is_too_small_is_named(backend):
    weights = np.random.default_rng(0).normal(size=(1200, 2))
    network = mc.Network.from_arrays([weights], [np.ones(1200)], output=False)
    pool = mc.SolutionPool(backend, tighten="interval")
    try:
        result = mc.count(network, mc.Box(-1, 1), pool, limits=mc.Limits(regions=10))
    except NotInstalledError as error:
        assert "licence" in str(error) and "count a smaller network" in str(error)
    else:
        assert result.lower >= 10  # a licence for programs of any size


def test_nothing_is_written(backend, capfd):
    mc.count(PAIR, mc.Box(-1, 1), mc.SolutionPool(backend))
    assert capfd.readouterr() == ("", "")
