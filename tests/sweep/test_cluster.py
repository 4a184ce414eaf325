"""A sweep on a Dask cluster: the same counts, also when a worker process is killed on the way."""

import os
import signal

import pytest

import milpcount as mc
from milpcount.cli.sweeping import Request, make, run
from milpcount.errors import OptionError
from milpcount.store import Store
from milpcount.sweep.experiment import read_experiment
from milpcount.sweep.jobs import jobs_of
from milpcount.sweep.runner import Runner, Watcher
from tests.networks import random_network

distributed = pytest.importorskip("distributed")


@pytest.fixture
def experiment(tmp_path):
    for i, widths in enumerate([(3, 3), (11, 11)]):
        random_network(i, 20, widths).save(tmp_path / f"net{i}.npz")
    path = tmp_path / "experiment.toml"
    path.write_text(
        "[networks]\nfiles = ['net0.npz', 'net1.npz']\n[domain]\nbox = [-1, 1]\n"
        "[[methods]]\nname = 'tree'\n[[methods]]\nname = 'bounds'\n"
    )
    return path


def cluster(**more):
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, **more
    )


def test_nobody_at_the_address(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr("milpcount.cli.sweeping._TIMEOUT", 0.2)
    request = Request(experiment, tmp_path / "s.jsonl", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(OptionError, match="no Dask scheduler answers there"):
        run(request, quiet=True)
    with pytest.raises(OptionError, match="exclude each other"):
        run(Request(experiment, workers=2, scheduler="tcp://127.0.0.1:9"), quiet=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the workers' end
def test_a_worker_that_is_killed_changes_nothing_but_the_time(experiment, tmp_path):
    jobs, _ = jobs_of(read_experiment(experiment), make)
    store, killed = Store(tmp_path / "s.jsonl"), []
    with cluster(processes=True) as local, distributed.Client(local) as client:
        pids = client.run(os.getpid)

        def kill_one(standing):
            if standing.regions_per_second > 0 and "net1" in "".join(standing.running):
                if not killed:
                    killed.append(next(iter(pids.values())))
                    os.kill(killed[0], signal.SIGKILL)

        executor = client.get_executor(pure=False)
        outcome = Runner(jobs, store, executor, Watcher(standing=kill_one)).run()
        assert killed and outcome.done == outcome.total == 4
        assert killed[0] not in client.run(os.getpid).values()
    counts = {r["subject"]: r["lower"] for r in store.records.values() if r["method"] == "tree"}
    for i in range(2):
        network = mc.Network.load(tmp_path / f"net{i}.npz")
        assert counts[f"net{i}"] == str(mc.count(network, mc.Box(-1, 1)).lower)
