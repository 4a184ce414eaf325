"""Sweeps: every job once, the same store however often a run is stopped."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import milpcount as mc
from milpcount.cli.sweeping import Request as SweepRequest
from milpcount.cli.sweeping import complain, make, run
from milpcount.errors import OptionError, SolverError
from milpcount.store import Store
from milpcount.sweep.checkpoints import Checkpoints
from milpcount.sweep.experiment import read_experiment
from milpcount.sweep.jobs import jobs_of
from milpcount.sweep.runner import Runner, Watcher
from milpcount.workers import Here
from tests.networks import random_network

METHODS = """
[[methods]]
name = "tree"
[[methods]]
name = "bounds"
theorems = ["naive", "serra2018", "serra2020"]
[[methods]]
name = "exact"
"""


@pytest.fixture
def experiment(tmp_path):
    """Random networks, and what to do with them."""

    def build(methods=METHODS, widths=((2, 2), (3, 2), (4, 3)), inputs=3):
        names = []
        for i, sizes in enumerate(widths):
            names.append(f"net{i}.npz")
            random_network(i, inputs, sizes).save(tmp_path / names[-1])
        text = f"[networks]\nfiles = {json.dumps(names)}\n[domain]\nbox = [-1, 1]\n{methods}"
        path = tmp_path / "experiment.toml"
        path.write_text(text)
        return path

    return build


def counts(store):
    return {
        key: (line["subject"], line["method"], line.get("lower"), line.get("bounds"))
        for key, line in Store(store).records.items()
    }


def sweep(experiment, store, **more):
    return run(SweepRequest(experiment, store, **more), quiet=True)


def test_every_method_on_every_network(experiment, tmp_path):
    path, store = experiment(), tmp_path / "s.jsonl"
    done = sweep(path, store)
    assert (done.done, done.total, done.stopped) == (9, 9, False)
    lines = Store(store).records.values()
    for i in range(3):
        network = mc.Network.load(tmp_path / f"net{i}.npz")
        truth = mc.count(network, mc.Box(-1, 1)).lower
        mine = {line["method"]: line for line in lines if line["subject"] == f"net{i}"}
        assert mine["tree"]["lower"] == mine["tree"]["upper"] == str(truth)
        assert mine["exact"]["lower"] == str(truth)
        assert int(mine["bounds"]["bounds"]["serra2020"]) >= truth
        assert mine["tree"]["fingerprint"] == network.fingerprint


def test_what_is_there_is_not_done_again(experiment, tmp_path):
    path, store = experiment(), tmp_path / "s.jsonl"
    sweep(path, store, only=["tree"])
    before = store.read_bytes()
    assert sweep(path, store, only=["tree"]).done == 3
    assert store.read_bytes() == before
    sweep(path, store)
    assert store.read_bytes().startswith(before)
    assert len(counts(store)) == 9


def test_other_options_or_weights_are_other_jobs(experiment, tmp_path):
    store = tmp_path / "s.jsonl"
    sweep(experiment("[[methods]]\nname = 'tree'"), store)
    random_network(77, 3, (2, 2)).save(tmp_path / "net0.npz")
    assert sweep(tmp_path / "experiment.toml", store).done == 3
    assert len(counts(store)) == 4


def test_in_any_number_of_workers(experiment, tmp_path):
    path = experiment()
    sweep(path, tmp_path / "one.jsonl")
    sweep(path, tmp_path / "two.jsonl", workers=2)
    assert counts(tmp_path / "one.jsonl") == counts(tmp_path / "two.jsonl")


def test_a_method_that_is_not_there_is_reported_and_left_out(experiment, tmp_path, capsys):
    def without(spec):
        if spec.name == "exact":
            raise ModuleNotFoundError("No module named 'exact'")
        return make(spec)

    jobs, missing = jobs_of(read_experiment(experiment()), without)
    assert len(jobs) == 6
    assert missing == ["exact: left out, the method is not there (No module named 'exact')"]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("[[methods]]\nname = 'tre'", "method 'tre': there are bounds, tree"),
        ("[[methods]]\nname = 'tree'\nxor_size = 3", "xor-size belongs to"),
    ],
)
def test_methods_and_options_that_do_not_exist(experiment, tmp_path, methods, message):
    with pytest.raises(OptionError, match=message):
        sweep(experiment(methods), tmp_path / "s.jsonl")


def test_only_what_the_experiment_has(experiment, tmp_path):
    with pytest.raises(OptionError, match="--only pool: the experiment has bounds, exact, tree"):
        sweep(experiment(), tmp_path / "s.jsonl", only=["pool"])


def test_a_job_that_fails_does_not_keep_the_others(experiment, tmp_path):
    methods = "[[methods]]\nname = 'bounds'\ntheorems = ['nothing']\n[[methods]]\nname = 'tree'"
    outcome = sweep(experiment(methods), tmp_path / "s.jsonl")
    with pytest.raises(SolverError, match="3 jobs failed, the first: net0 · bounds: no such"):
        complain(outcome)
    assert len(counts(tmp_path / "s.jsonl")) == 3


def test_a_count_goes_on_from_its_checkpoint(experiment, tmp_path):
    path = experiment("[[methods]]\nname = 'tree'", widths=[(7, 5)], inputs=12)
    store = Store(tmp_path / "s.jsonl")
    jobs, _ = jobs_of(read_experiment(path), make)
    truth = mc.count(jobs[0].network, mc.Box(-1, 1)).lower

    class Stopping(Here):
        left = 3

        def submit(self, fn, /, *args, **kwargs):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            subject, task = args
            return super().submit(fn, subject, type(task)(task.prefixes, 0.0, number=task.number))

    found = []
    for _ in range(200):
        outcome = Runner(jobs, store, Stopping()).run()
        kept = Checkpoints(store.path, found.append).load(jobs[0].key, jobs[0].network.fingerprint)
        if not outcome.stopped:
            break
        found.append(kept.found)
    assert kept is None and not store.path.with_name("s.jsonl.checkpoints").exists()
    assert found == sorted(found) and len(found) > 2
    assert [line["lower"] for line in store.records.values()] == [str(truth)]


def test_a_checkpoint_of_another_network_is_not_used(tmp_path):
    from milpcount.counters.work_queue import Checkpoint

    said = []
    checkpoints = Checkpoints(tmp_path / "s.jsonl", said.append)
    checkpoints.save("key", "one", Checkpoint(5, ()))
    assert checkpoints.load("key", "one") == Checkpoint(5, ())
    assert checkpoints.load("key", "other") is None
    assert "another network" in said[0]
    (tmp_path / "s.jsonl.checkpoints" / "key.json").write_text("{")
    assert checkpoints.load("key", "one") is None


def test_a_limit_on_a_job_is_a_lower_bound_that_a_larger_limit_improves(experiment, tmp_path):
    store = tmp_path / "s.jsonl"
    path = experiment("[[methods]]\nname = 'tree'\nseconds = 1e-6", widths=[(10, 8)], inputs=20)

    class Short(Here):
        def submit(self, fn, /, subject, task):
            return super().submit(fn, subject, type(task)(task.prefixes, 0.0, number=task.number))

    jobs, _ = jobs_of(read_experiment(path), make)
    Runner(jobs, Store(store), Short()).run()
    (first,) = Store(store).records.values()
    assert first["status"] == "time_limit"
    assert int(first["lower"]) < int(first["upper"])
    assert sweep(path, store).done == 1
    assert len(store.read_text().splitlines()) == 1
    path.write_text(path.read_text().replace("1e-6", "60"))
    sweep(path, store)
    (last,) = Store(store).records.values()
    truth = mc.count(jobs[0].network, mc.Box(-1, 1)).lower
    assert int(first["lower"]) < int(last["lower"]) == truth <= int(first["upper"])
    assert last["key"] == first["key"]


def test_what_is_told_on_the_way(experiment, tmp_path):
    jobs, _ = jobs_of(read_experiment(experiment()), make)
    told = []
    watcher = Watcher(standing=told.append, finished=lambda job, line: told.append(job.title))
    Runner(jobs, Store(tmp_path / "s.jsonl"), Here(), watcher).run()
    titles = [t for t in told if isinstance(t, str)]
    assert sorted(titles) == sorted(job.title for job in jobs)
    last = [t for t in told if not isinstance(t, str)][-1]
    assert (last.done, last.total, last.seconds_left) == (9, 9, 0.0)


@pytest.mark.slow
def test_killed_twice_on_the_way_it_ends_with_the_same_store(experiment, tmp_path):
    path = experiment(widths=[(3, 3), (4, 4), (12, 12), (13, 13)])
    path.write_text(path.read_text().replace('[[methods]]\nname = "exact"\n', ""))
    command = [sys.executable, "-m", "milpcount", "sweep", str(path), "--workers", "2", "--store"]
    calm, rough = tmp_path / "calm.jsonl", tmp_path / "rough.jsonl"
    subprocess.run([*command, str(calm)], check=True, timeout=200)
    for _ in range(2):
        killed = subprocess.Popen([*command, str(rough)])
        end = time.monotonic() + 60
        lines = rough.read_bytes().count(b"\n") if rough.exists() else 0
        while killed.poll() is None and time.monotonic() < end:
            if rough.exists() and rough.read_bytes().count(b"\n") > lines:
                break
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    subprocess.run([*command, str(rough)], check=True, timeout=200)
    assert counts(rough) == counts(calm)
    assert rough.read_bytes().endswith(b"\n")


def test_the_experiments_that_are_shipped_can_be_read():
    folder = Path(__file__).resolve().parents[2] / "experiments"
    files = sorted(folder.glob("*.toml"))
    assert files
    for file in files:
        assert read_experiment(file).subjects
