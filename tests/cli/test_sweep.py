"""The command `sweep`: exit codes, what is said, the report."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

import pytest

from milpcount.cli.progress import duration
from milpcount.cli.sweeping import answer, parts
from milpcount.store import Store
from milpcount.sweep.runner import SweepProgress
from tests.networks import random_network


@pytest.fixture
def experiment(tmp_path):
    """Two networks, as the entries of a manifest; the second takes some seconds."""
    entries = []
    for n1, (inputs, widths) in enumerate([(3, (3, 2)), (20, (11, 11))], 1):
        random_network(n1, inputs, widths).save(tmp_path / f"net{n1}.npz")
        entries.append({"file": f"net{n1}.npz", "architecture": f"{inputs}-{n1}-{n1}-1", "n1": n1,
                        "n2": n1, "seed": 0, "train_error": 0.1, "test_error": 0.2})  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps({"networks": entries}))
    path = tmp_path / "small.toml"
    path.write_text(
        "title = 'small'\n[networks]\nmanifest = 'manifest.json'\nn1 = '1'\n[domain]\n"
        "box = [-1, 1]\n[[methods]]\nname = 'tree'\n[[methods]]\nname = 'bounds'\n"
    )
    return path


def test_all_jobs_and_where_they_go(experiment, invoke):
    done = invoke("sweep", experiment)
    assert (done.exit_code, done.stdout) == (0, "2 of 2 jobs done\n")
    assert "3-1-1 #0 · tree: " in done.stderr and "small: 2 jobs" in done.stderr
    store = experiment.parent / "results" / "small.jsonl"
    assert len(Store(store)) == 2
    again = invoke("sweep", experiment, "--quiet")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "2 of 2 jobs done\n", "")


def test_a_report(experiment, invoke, tmp_path):
    pytest.importorskip("matplotlib")
    page = tmp_path / "page.html"
    assert invoke("sweep", experiment, "--report", page).exit_code == 0
    assert "<svg" in page.read_text() and "1 networks, 1 counted exactly" in page.read_text()
    for wrong in ("page.txt", "no/page.html"):
        done = invoke("sweep", experiment, "--report", tmp_path / wrong)
        assert done.exit_code == 2 and "--report" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.toml",), "does not exist: give an experiment as .toml file"),
        (("FILE", "--only", "pool"), "the experiment has bounds, tree"),
        (("FILE", "--time", "-1"), "--time -1.0: give a number of seconds above 0"),
        (("FILE", "--store", "FILE"), "is not a store of results"),
    ],
)
def test_wrong_usage(experiment, invoke, arguments, message):
    done = invoke("sweep", *(experiment if a == "FILE" else a for a in arguments))
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_stopped_by_time_or_interrupt_it_goes_on(experiment, shell, invoke):
    experiment.write_text(experiment.read_text().replace("n1 = '1'", "n1 = '2'"))
    done = invoke("sweep", experiment, "--only", "tree", "--time", "0.1")
    assert (done.exit_code, done.stdout) == (3, "0 of 1 jobs done\n")
    kept = experiment.parent / "results" / "small.jsonl.checkpoints"
    (before,) = (json.loads(file.read_text()) for file in kept.iterdir())
    command = [sys.executable, "-m", "milpcount", "sweep", str(experiment), "--only", "tree"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in run.stderr:
        if "regions/s" in line or "jobs   now" in line:
            run.send_signal(signal.SIGINT)
            break
    out, _ = run.communicate(timeout=100)
    assert (run.returncode, out) == (3, "0 of 1 jobs done\n")
    (after,) = (json.loads(file.read_text()) for file in kept.iterdir())
    assert 0 < int(before["found"]) <= int(after["found"])


def test_how_far_it_has_come():
    at = SweepProgress(5, 210, 1234.5, 12.0, 61.0, ("a · tree", "b · tree", "c"), (0, 70, 8))
    assert parts(at) == [
        "5 of 210 jobs",
        "b · tree ≥ 70",
        "1,234 regions/s",
        "about 1:01 left",
        "c ≥ 8",
    ]
    assert parts(SweepProgress(0, 2, 0.0, 1.0, 99.0, ("a",), (0,))) == ["0 of 2 jobs", "now a"]


def test_a_live_bar_on_a_terminal(experiment):
    owner, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 60, 0, 0))
    run = subprocess.Popen(
        [sys.executable, "-m", "milpcount", "sweep", str(experiment), "--only", "tree"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how the end of a terminal is told
        while some := os.read(owner, 65536):
            shown += some
    out, _ = run.communicate(timeout=100)
    os.close(owner)
    assert (run.returncode, out) == (0, "1 of 1 jobs done\n")
    text = shown.decode()
    assert "1 of 1 jobs   " in text and "regions/s   0:0" in text  # the bar
    assert "3-1-1 #0 · tree: " in text  # the line above it


def test_lines_for_people():
    assert answer({"bounds": {"naive": "1000"}}) == "naive 1,000"
    whole = {"lower": "1000", "exact": True, "quantity": "activation_patterns"}
    assert answer(whole) == "1,000 activation patterns"
    partly = {"lower": "7", "exact": False, "confidence": 0.95, "estimate": "9"}
    partly["quantity"] = "affine_pieces"
    assert answer(partly) == "at least 7 affine pieces with confidence 0.95, about 9"
    assert [duration(s) for s in (0, 61.9, 3661)] == ["0:00", "1:01", "1:01:01"]


def test_a_report_that_cannot_be_written_does_not_lose_the_sweep(experiment, invoke, monkeypatch):
    pytest.importorskip("matplotlib")
    for wrong in ("/proc/report.html", experiment.parent):
        assert invoke("sweep", experiment, "--report", wrong).exit_code == 2

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("milpcount.cli.sweeping.write_whole", full_disk)
    done = invoke("sweep", experiment, "--report", experiment.parent / "report.html")
    assert (done.exit_code, done.stdout) == (1, "2 of 2 jobs done\n")
    assert "No space left on device" in done.stderr


def test_an_output_by_name(invoke, tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Relu", ["x"], ["one"]),
        helper.make_node("Abs", ["one"], ["two"]),
    ]
    ends = [helper.make_tensor_value_info(name, real, None) for name in ("one", "two")]
    start = helper.make_tensor_value_info("x", real, [1, 2])
    graph = helper.make_graph(nodes, "net", [start], ends)
    onnx.save(helper.make_model(graph), str(tmp_path / "net.onnx"))
    path = tmp_path / "two.toml"
    text = (
        "[networks]\nfiles = ['net.onnx']\n[domain]\nbox = [-1, 1]\n[[methods]]\nname = 'exact'\n"
    )
    path.write_text(text)
    done = invoke("sweep", path)
    assert done.exit_code == 2 and "--output-name" in done.stderr
    assert invoke("sweep", path, "--output-name", "one", "--quiet").exit_code == 0
    path.write_text(text.replace("[domain]", "output_name = 'two'\n[domain]"))
    assert invoke("sweep", path, "--quiet").exit_code == 0
    assert invoke("sweep", path, "--output-name", "one", "--quiet").stdout == "1 of 1 jobs done\n"
    records = Store(tmp_path / "results" / "two.jsonl").records.values()
    assert sorted(record["output_name"] for record in records) == ["one", "two"]
    assert len({record["fingerprint"] for record in records}) == 2
