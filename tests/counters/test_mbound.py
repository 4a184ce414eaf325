"""MBound on networks: what runs return, on every mechanism, however they are shared out."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

import milpcount as mc
from milpcount.backends.registry import find
from milpcount.counters.mbound.mbound import MBound
from milpcount.counters.mbound.xor_statistics import tail
from milpcount.errors import OptionError
from milpcount.events import Progress
from milpcount.formulation.xor import XorFamily, all_variables, unstable_variables
from milpcount.limits import Deadline
from milpcount.result import CountResult, Guarantee, Status
from tests.networks import MAXOUT, STEPS, network, patterns, random_network

BOX = mc.Box(-1, 1)
NET = random_network(1, 3, (5, 4))
NEEDS_PYSCIPOPT = pytest.mark.skipif(not find("pyscipopt").is_ready, reason="not installed")
BACKENDS = ("highs", "scip", "cpsat", "pyomo:highs")


def least_xors(found, family, run):
    """Return the least s for which no pattern satisfies the first s XORs."""
    left, s = found, 0
    while left:
        xor = family.draw(run, s)
        left, s = {pattern for pattern in left if xor.holds(pattern)}, s + 1
    return s


def of_patterns(net, domain, size, runs, seed):
    """Return the XORs of all runs, by enumeration of the regions."""
    free = unstable_variables(net, domain.bind(net.n_inputs), "lp", Deadline())
    family, found = XorFamily(free, size, seed), patterns(net, domain, mc.RegionTree())
    return [least_xors(found, family, run) for run in range(runs)]


@pytest.mark.parametrize("size", [2, 5, "dense"])
def test_a_run_ends_when_no_region_satisfies_its_xors(size):
    for seed in range(2):
        result = mc.count(NET, BOX, MBound(size), seed=seed)
        assert result.details["xors"] == of_patterns(NET, BOX, size, 20, seed)
        assert result.details["complete"] == [True] * 20


def test_the_result_says_what_it_is():
    result = mc.count(NET, BOX, MBound("dense", confidence=0.9), seed=3)
    assert result.status is Status.SAMPLED and result.guarantee is Guarantee.PROBABILISTIC
    assert result.confidence == 0.9 and not result.is_exact
    assert result.lower & (result.lower - 1) == 0, "a power of two"
    feasible = result.details["feasible_runs"]
    j = result.lower.bit_length() - 1
    assert tail(20, feasible[j + 1]) <= 0.1 < tail(20, feasible[j + 2])
    assert result.estimate is not None and "not a bound" in str(result)
    assert "0.9, of the lower bound, by XOR hashing" in str(result)
    assert result.regions_per_second is None and "regions/s" not in str(result)
    read = CountResult.from_record(result.to_record())
    assert read.to_record() == result.to_record()


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_mechanism_returns_the_same(backend):
    net, size, runs = random_network(4, 2, (4, 2)), 3, 5
    one, other = (
        mc.count(net, BOX, MBound(size, runs, backend=name), seed=5) for name in ("tree", backend)
    )
    assert other.details["xors"] == one.details["xors"] == of_patterns(net, BOX, size, runs, 5)
    assert other.lower == one.lower


@pytest.mark.parametrize(
    ("backend", "size"),
    [
        ("highs", "dense"),
        ("cpsat", 7),
        ("scip", 7),
        pytest.param("pyscipopt", 7, marks=NEEDS_PYSCIPOPT),
        *(pytest.param(name, "dense", marks=pytest.mark.slow) for name in BACKENDS[1:]),
        pytest.param("pyomo:highs", 7, marks=pytest.mark.slow),
    ],
)
def test_long_xors_where_they_are_parities_and_where_they_are_rows(backend, size):
    net = random_network(2, 2, (5, 4))
    result = mc.count(net, BOX, MBound(size, 5, backend=backend), seed=1)
    assert result.details["xors"] == of_patterns(net, BOX, size, 5, 1)


@pytest.mark.parametrize("backend", ["highs", "scip", "cpsat"])
def test_the_hybrid_form_is_the_same_everywhere_too(backend):
    net = random_network(4, 2, (4, 3))
    one, other = (
        mc.count(net, BOX, MBound(3, 6, backend=name, hybrid=4), seed=1)
        for name in ("tree", backend)
    )
    assert one.details["s"] == other.details["s"] > 0
    assert other.details["counted"] == one.details["counted"]
    assert other.lower == one.lower


@pytest.mark.parametrize("size", [3, "dense"])
def test_the_hybrid_form_counts_what_the_xors_leave(size):
    result = mc.count(NET, BOX, MBound(size, hybrid=16), seed=2)
    free = unstable_variables(NET, BOX.bind(3), "lp", Deadline())
    family, found = XorFamily(free, size, 2), patterns(NET, BOX, mc.RegionTree())
    s = result.details["s"]
    assert s >= 1
    for run, counted in enumerate(result.details["counted"]):
        xors = [family.draw(run, k) for k in range(s)]
        assert counted == min(16, sum(all(x.holds(p) for x in xors) for p in found))


def test_a_hybrid_that_counts_nothing_still_knows_that_there_are_regions():
    # XORs of one unit leave nothing of such a network in some run or other.
    net = random_network(0, 1, (6, 3))
    assert min(mc.count(net, BOX, MBound(1, hybrid=2), seed=s).lower for s in range(5)) >= 1


def test_a_hybrid_of_no_xors_is_the_count():
    result = mc.count(NET, BOX, MBound(hybrid=10**6))
    assert result.details["s"] == 0
    assert result.lower == result.estimate == mc.count(NET, BOX).lower


def same_answer(method, executor):
    alone = mc.count(NET, BOX, method, seed=9)
    shared = mc.count(NET, BOX, method, seed=9, executor=executor)
    timed = {"prepare_seconds": shared.details["prepare_seconds"]}
    return shared.details == alone.details | timed and (
        shared.lower,
        shared.estimate,
        shared.lps,
    ) == (alone.lower, alone.estimate, alone.lps)


@pytest.mark.parametrize("hybrid", [None, 8])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_answer_does_not_depend_on_the_workers(workers, hybrid):
    with ThreadPoolExecutor(workers) as executor:
        assert same_answer(MBound(3, 8, hybrid=hybrid), executor)


def test_the_answer_does_not_depend_on_processes_either():
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        assert same_answer(MBound(3, 5), executor)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tree", "highs", "cpsat"])
def test_nor_on_processes_that_solve(backend):
    method = MBound(3, 8, backend=backend)
    alone = mc.count(NET, BOX, method, seed=9)
    for workers in (2, 4):
        with ProcessPoolExecutor(workers, get_context("spawn")) as executor:
            shared = mc.count(NET, BOX, method, seed=9, executor=executor)
        assert shared.details["xors"] == alone.details["xors"]


class TestDegenerate:
    def test_one_region(self):
        net = network([[[1.0, 1.0]]], [[5.0]])  # active everywhere: no unit is left to hash
        result = mc.count(net, BOX, MBound())
        assert result.lower == result.upper == 1
        assert result.details["variables"] == 0

    def test_fewer_units_than_an_xor_has(self):
        net = network([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]])
        result = mc.count(net, BOX, MBound(5))
        assert result.details["xor_size_used"] == 2
        assert 1 <= result.lower <= 4

    @pytest.mark.parametrize("activation", [STEPS, MAXOUT])
    def test_units_of_more_pieces_and_all_of_space(self, activation):
        rng = np.random.default_rng(0)
        rows = 4 * activation.rank
        net = network([rng.normal(size=(rows, 2))], [rng.normal(size=rows)], activation)
        for domain in (BOX, mc.Unbounded()):
            result = mc.count(net, domain, MBound("dense"), seed=1)
            assert result.details["xors"] == of_patterns(net, domain, "dense", 20, 1)
            free = unstable_variables(net, domain.bind(2), "lp", Deadline())
            assert result.details["variables"] == len(free) <= 8

    def test_a_cube_is_saturated_and_says_so(self):
        # Each XOR of one unit halves a square: all runs are feasible with one, most with two.
        net = network([np.eye(1)], [np.zeros(1)])
        result = mc.count(net, BOX, MBound(1))
        assert result.details["saturated"]
        assert "20 runs were feasible with 1 XORs, as many as there are units" in str(result)
        assert not mc.count(NET, BOX, MBound("dense")).details["saturated"]


class TestStopping:
    big = random_network(1, 30, (14, 10))
    wide = random_network(1, 40, (40, 40))  # no run comes to its end in minutes

    def test_a_run_that_is_cut_counts_for_what_it_proved(self):
        result = mc.count(self.big, BOX, MBound(2, 1000), limits=mc.Limits(seconds=1.5), seed=1)
        assert result.status is Status.TIME_LIMIT and result.seconds < 5
        assert result.lower == 1  # 1000 were fixed beforehand: those left out are not feasible
        xors, complete = result.details["xors"], result.details["complete"]
        whole = mc.count(self.big, BOX, MBound(2, max(5, len(xors))), seed=1).details["xors"]
        for drawn, done, end in zip(xors, complete, whole, strict=False):
            assert drawn == end if done else drawn <= end
        assert sum(xors) > 0

    @pytest.mark.parametrize("backend", ["highs", "scip", "cpsat", "pyomo:highs"])
    def test_solvers_stop_inside_a_run(self, backend):
        method = MBound(3, 200, backend=backend, tighten="interval")
        result = mc.count(self.big, BOX, method, limits=mc.Limits(seconds=1))
        assert result.status is Status.TIME_LIMIT and result.seconds < 8
        assert sum(result.details["complete"]) < 200 and result.lower <= result.upper

    def test_a_time_limit_is_shared_out_among_the_runs(self):
        result = mc.count(self.wide, BOX, MBound("dense", 5), limits=mc.Limits(seconds=1.5), seed=1)
        assert result.status is Status.TIME_LIMIT and result.seconds < 4
        assert len(result.details["xors"]) == 5 and not any(result.details["complete"])
        assert result.lower == 2 ** (min(result.details["xors"]) - 2) > 1

    def test_workers_stop_inside_their_runs(self):
        with ThreadPoolExecutor(2) as executor:
            result = mc.count(
                self.wide, BOX, MBound("dense"), limits=mc.Limits(seconds=1), executor=executor
            )
        assert result.status is Status.TIME_LIMIT and result.seconds < 4
        assert max(result.details["xors"]) > 1

    def test_an_interrupt_keeps_what_was_shown_and_the_workers_leave(self):
        def stop(event):
            if isinstance(event, Progress) and event.regions > 1:
                raise KeyboardInterrupt

        with pytest.raises(mc.Interrupted) as stopped:
            mc.count(self.big, BOX, MBound("dense", 5), listener=stop)
        result = stopped.value.result
        assert result.status is Status.INTERRUPTED and result.lower > 1

        def at_once(event):
            if isinstance(event, Progress) and event.seconds > 0.5:
                raise KeyboardInterrupt

        # Leaving waits for runs of minutes otherwise.
        with ThreadPoolExecutor(2) as executor, pytest.raises(mc.Interrupted):
            mc.count(self.wide, BOX, MBound(2), listener=at_once, executor=executor)

    def test_a_task_that_comes_too_late_does_nothing(self, tmp_path):
        from milpcount.counters.mbound.xor_runs import Run, Task, TreeMechanism, perform

        run = Run(XorFamily(all_variables(NET), 3), 0)
        task = Task(TreeMechanism(NET, BOX.bind(3)), run, "a", np.inf, np.inf, str(tmp_path))
        assert perform(replace(task, alive=str(tmp_path / "gone"))).xors == 0
        assert perform(task).complete

    def test_progress_says_how_far_it_is(self):
        said = []
        mc.count(NET, BOX, MBound(2, 5), listener=said.append)
        notes = [event.note for event in said if isinstance(event, Progress)]
        assert any("3 of 5 runs" in note and "XORs active" in note for note in notes)
        assert notes[-1].startswith("5 of 5 runs")
        assert "with confidence 0.95" in notes[-1]


class TestBadOptions:
    @pytest.mark.parametrize(
        ("options", "what_would_do"),
        [
            ({"confidence": 1.0}, "between 0 and 1"),
            ({"confidence": 0}, "between 0 and 1"),
            ({"xor_size": 0}, "an integer of at least 1"),
            ({"xor_size": "3"}, "'dense'"),
            ({"runs": 0}, "runs 0: give an integer of at least 1"),
            ({"runs": 4}, "give runs=5 or more"),
            ({"runs": 9, "confidence": 0.999}, "give runs=10 or more"),
            ({"hybrid": 0}, "hybrid 0: give an integer of at least 1"),
            ({"backend": "glop"}, "give one of: tree, highs, cpsat"),
            ({"tighten": "much"}, "give one of interval, lp, milp"),
        ],
    )
    def test_say_what_would_do(self, options, what_would_do):
        with pytest.raises(OptionError, match=what_would_do):
            MBound(**options)

    def test_what_is_not_hashed(self):
        with pytest.raises(OptionError, match="cannot count"):
            mc.count(NET, BOX, MBound(), quantity="grid_patterns")


@pytest.mark.parametrize("size", [2, "dense"])
@pytest.mark.parametrize("hybrid", [None, 8])
def test_the_claim_holds_on_a_small_network(size, hybrid):
    net = random_network(3, 2, (4, 3))
    exact = mc.count(net, BOX).lower
    bounds = [mc.count(net, BOX, MBound(size, 5, hybrid=hybrid), seed=s).lower for s in range(12)]
    assert sum(bound > exact for bound in bounds) <= 4  # 5 or more of 12: one in 5,000 if at 5 %
    assert max(bounds) > 2


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3, 5, "dense"])
@pytest.mark.parametrize("hybrid", [None, 8])
def test_the_claim_holds_over_many_seeds(size, hybrid):
    net = random_network(3, 2, (5, 4))
    exact = mc.count(net, BOX).lower
    bounds = [mc.count(net, BOX, MBound(size, hybrid=hybrid), seed=s).lower for s in range(200)]
    # 21 or more failures of 200 have a probability below 1 in 1,000 if a failure has 5 %.
    assert sum(bound > exact for bound in bounds) <= 20
