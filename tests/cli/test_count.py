"""What `count` makes of its options, of a run, and of errors; the method is scripted."""

import json

import numpy as np
import pytest

from milpcount.counters.method import Snapshot
from milpcount.errors import ContradictionError, NotInstalledError, SolverError
from milpcount.result import CountResult, Region, Status

PARTIAL = Snapshot(lower=5, lps=9, share=0.25)


def test_complete_run_exits_0_and_keeps_the_streams_apart(invoke, scripted, tent):
    scripted(notice="compiling")
    done = invoke("count", tent, "--box", "0", "1")
    assert done.exit_code == 0, done.stderr
    assert "activation regions  3   exact" in done.stdout
    assert "complete: every region was found" in done.stdout
    assert "compiling" in done.stderr and "compiling" not in done.stdout
    assert "1-2-2-2-1 (relu)" in done.stderr.splitlines()[0]


def test_json_is_one_line_that_reads_back(invoke, scripted, tent):
    scripted()
    done = invoke("count", tent, "--box", 0, 1, "--json", "--seed", 7)
    assert done.stdout.count("\n") == 1
    record = json.loads(done.stdout)
    assert record["lower"] == record["upper"] == "3"
    assert record["exact"] is True and record["status"] == "complete" and record["seed"] == 7
    assert CountResult.from_record(record).status is Status.COMPLETE


def test_negative_bounds_are_not_taken_for_options(invoke, scripted, tent):
    method = scripted()
    assert invoke("count", tent, "--box", "-1.5", "-1e-3").exit_code == 0
    assert method.seen[0].inputs.lower[0] == -1.5
    assert method.seen[0].inputs.upper[0] == -1e-3


def test_options_may_come_before_the_network(invoke, scripted, tent):
    scripted()
    assert invoke("count", "--box", "-1", "1", tent).exit_code == 0


def test_options_reach_the_method(invoke, scripted, tent):
    method = scripted()
    invoke("count", tent, "--box", 0, 1, "--time", 9, "--regions", 8, "--seed", 3)
    (problem,) = method.seen
    assert (problem.limits.seconds, problem.limits.regions, problem.seed) == (9, 8, 3)
    assert not problem.keep_regions


def test_region_limit_exits_3_with_valid_bounds(invoke, scripted, tent):
    scripted(PARTIAL, Snapshot(lower=6, share=0.5))
    done = invoke("count", tent, "--box", 0, 1, "--regions", 5)
    assert done.exit_code == 3
    assert "5 ≤ count ≤ " in done.stdout and "stopped at the region limit" in done.stdout
    assert "25.00 %" in done.stdout


def test_interrupt_during_the_run_exits_3_with_what_was_shown(invoke, scripted, tent):
    scripted(PARTIAL, KeyboardInterrupt())
    done = invoke("count", tent, "--box", 0, 1, "--json")
    assert done.exit_code == 3
    record = json.loads(done.stdout)
    assert record["status"] == "interrupted" and record["lower"] == "5"
    assert int(record["upper"]) >= 8


def test_interrupt_while_a_method_prepares_itself_exits_3_with_bounds(
    invoke, scripted, monkeypatch, tent, tmp_path
):
    method = scripted()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(method), "warm_up", stop)
    target = tmp_path / "kept.npz"
    done = invoke("count", tent, "--box", 0, 1, "--json", "--keep", target)
    assert done.exit_code == 3
    record = json.loads(done.stdout)
    assert record["status"] == "interrupted" and record["lower"] == "0" and not method.seen
    assert int(record["upper"]) >= 8
    assert target.exists()


def test_interrupt_before_the_run_exits_1_in_one_line(invoke, monkeypatch, tent):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("milpcount.cli.counting.Network.load", stop)
    monkeypatch.setattr("milpcount.cli.method_options.make", lambda name, **options: None)
    done = invoke("count", tent, "--box", 0, 1)
    assert done.exit_code == 1
    assert done.stderr == "milpcount: error: interrupted before anything was counted\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SolverError("status 17\nof the solver"), 1),
        (ContradictionError("4 is not 5"), 1),
        (NotInstalledError("backend scip", "pyscipopt", "scip"), 2),
        (OSError(28, "No space left on device", "/x"), 1),
        (PermissionError(13, "Permission denied", "/x"), 2),
    ],
)
def test_errors_are_one_line_and_a_code(invoke, scripted, tent, error, code):
    scripted(error)
    done = invoke("count", tent, "--box", 0, 1, "--quiet")
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.startswith("milpcount: error: ") and done.stderr.count("\n") == 1


def test_a_bug_keeps_its_traceback(invoke, scripted, tent):
    scripted(ZeroDivisionError("bug"))
    assert isinstance(invoke("count", tent, "--box", 0, 1).exception, ZeroDivisionError)


def test_quantity_that_the_method_cannot_count(invoke, scripted, tent):
    scripted()
    done = invoke("count", tent, "--box", 0, 1, "--quantity", "grid_patterns")
    assert done.exit_code == 2
    assert "cannot count grid_patterns; it counts activation_regions" in done.stderr


def test_quiet_says_nothing_on_stderr(invoke, scripted, tent):
    scripted(notice="compiling")
    assert invoke("count", tent, "--box", 0, 1, "-q").stderr == ""


def test_keep_writes_patterns_and_witnesses(invoke, scripted, tent, tmp_path):
    regions = [Region((0, 1, 0, 1, 0, 1), np.array([0.25])), Region((1,) * 6, np.array([0.5]))]
    method = scripted(Snapshot(lower=2, regions=regions))
    kept = tmp_path / "regions.npz"
    assert invoke("count", tent, "--box", 0, 1, "--keep", kept).exit_code == 0
    assert method.seen[0].keep_regions
    with np.load(kept) as archive:
        assert archive["patterns"].tolist() == [[0, 1, 0, 1, 0, 1], [1] * 6]
        assert archive["witnesses"].tolist() == [[0.25], [0.5]]


@pytest.mark.parametrize("target", ["regions.txt", "nowhere/regions.npz"])
def test_keep_is_refused_before_the_count(invoke, scripted, tent, tmp_path, target):
    method = scripted()
    done = invoke("count", tent, "--box", 0, 1, "--keep", tmp_path / target)
    assert done.exit_code == 2 and "--keep" in done.stderr
    assert not method.seen
