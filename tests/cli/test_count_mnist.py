"""The job behind `make count`: what it starts, what it leaves out, what it prints."""

import json

import numpy as np
import pytest

from experiments import count_mnist
from experiments.files import sha256
from milpcount import Network
from milpcount.result import Status


@pytest.fixture
def data(tmp_path):
    """A data folder with three random networks of seed 0 and one of seed 1."""
    rng = np.random.default_rng(0)
    entries = []
    for n1, n2, seed in [(3, 2, 0), (1, 4, 0), (2, 3, 0), (1, 4, 1)]:
        sizes = [(n1, 784), (n2, n1), (10, n2)]
        weights = [rng.normal(size=s).astype(np.float32) for s in sizes]
        biases = [np.zeros(s[0], dtype=np.float32) for s in sizes]
        path = tmp_path / f"{n1}-{n2}-{seed}.npz"
        Network.from_arrays(weights, biases).save(path)
        entries.append(
            {
                "file": path.name, "architecture": f"784-{n1}-{n2}-10", "n1": n1, "n2": n2,
                "seed": seed, "initial_seed": 0, "test_error": 0.05, "optimiser": "none",
                "epochs": 0, "batch_size": 1, "learning_rate": 0.0, "train_loss": 0.0,
                "train_error": 0.0, "test_loss": 0.0, "bytes": path.stat().st_size,
                "sha256": sha256(path.read_bytes()),
            }
        )  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps({"networks": entries}))
    return tmp_path


def test_cases_are_those_of_the_seed_with_the_smallest_bound_first(data):
    found = count_mnist.cases(data, 0)
    assert [case.title for case in found] == ["784-1-4", "784-2-3", "784-3-2"]
    assert [case.bound for case in found] == sorted(case.bound for case in found)


def test_everything_is_counted_when_there_is_time(data, capsys):
    assert count_mnist.main(["--data", str(data), "--budget", "1000"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split()[0] for row in rows] == ["784-1-4", "784-2-3", "784-3-2"]
    assert all("5.00 %" in row and "≥" not in row for row in rows)


def test_what_does_not_fit_is_listed_and_not_started(data, capsys, monkeypatch):
    monkeypatch.setattr(
        count_mnist, "expected_seconds", lambda case, paces: 1e3 if case.bound > 6 else 0.0
    )
    monkeypatch.setattr(count_mnist, "SMALL", 0)
    assert count_mnist.main(["--data", str(data)]) == 0
    out = capsys.readouterr().out
    assert out.count("not started") == 2
    assert "do not fit into 110 s: 784-2-3 to 784-3-2, 2 in all" in out
    assert "next one: make count BUDGET=1110; for all of them: BUDGET=2110" in out


def test_small_networks_are_counted_however_slow_the_machine_seems(data, capsys, monkeypatch):
    monkeypatch.setattr(count_mnist, "expected_seconds", lambda case, paces: 1e9)
    assert count_mnist.main(["--data", str(data)]) == 0
    assert "not started" not in capsys.readouterr().out


def test_compiling_is_no_part_of_the_budget(data, capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(count_mnist.time, "monotonic", lambda: clock[0])

    def compile_for_long(*methods, listener):
        assert methods == ("tree",)
        clock[0] += 1e6

    monkeypatch.setattr(count_mnist, "warm_up", compile_for_long)
    assert count_mnist.main(["--data", str(data)]) == 0
    assert clock == [1e6]
    assert "not started" not in capsys.readouterr().out


def test_a_run_that_must_be_stopped_prints_a_bound_and_exits_3(data, capsys, monkeypatch):
    case = count_mnist.cases(data, 0)[0]
    stopped = count_mnist._count(case, 100.0)
    stopped = type(stopped)(
        **{**vars(stopped), "upper": stopped.upper + 1, "status": Status.TIME_LIMIT}
    )
    monkeypatch.setattr(count_mnist, "_count", lambda case, seconds: stopped)
    assert count_mnist.main(["--data", str(data)]) == 3
    assert f"≥ {stopped.lower}" in capsys.readouterr().out


def test_an_expectation_takes_the_last_few_together():
    case = count_mnist.Case(None, (5, 17), 0.1, "", 1000)
    guess = count_mnist.FIRST_GUESS
    assert count_mnist.expected_seconds(case, []) == 1000 * guess.reached / guess.regions
    slow, *recent = (
        count_mnist.Pace(*pace)
        for pace in [(1, 1.0, 1.0), (10, 1.0, 0.1), (100, 1.0, 0.05), (8890, 1.0, 0.2)]
    )
    assert count_mnist.expected_seconds(case, [slow, *recent]) == 1000 * 0.2 / 3000


def test_a_file_that_was_changed_is_refused(data, capsys):
    path = data / "1-4-0.npz"
    path.write_bytes(path.read_bytes() + b" ")
    assert count_mnist.main(["--data", str(data)]) == 2
    assert "not the file that the manifest describes" in capsys.readouterr().err


def test_a_seed_that_was_not_trained(data, capsys):
    assert count_mnist.main(["--data", str(data), "--seed", "99"]) == 2
    assert "no network of seed 99" in capsys.readouterr().err
