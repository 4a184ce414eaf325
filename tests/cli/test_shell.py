"""The command as a process: exit codes, signals, pipes, terminals, time to the first answer."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from milpcount.network import Network

ROOT = Path(__file__).resolve().parents[2]

SLOW = """
import sys, time
from milpcount.cli import main, method_options
from milpcount.counters.method import Snapshot
from milpcount.quantities import Quantity
from milpcount.result import Guarantee

class Slow:
    name, packages, theorem = "slow", (), ""
    quantities, guarantee = frozenset(Quantity), Guarantee.EXACT_ARITHMETIC
    options = lambda self: {}
    warm_up = lambda self, problem: None
    def run(self, problem):
        for n in range(1, 1201):
            yield Snapshot(lower=n, lps=n, share=n / 1200)
            if n == 3:
                problem.notice("ready")
            time.sleep(0.05)

method_options.make = lambda name, **options: Slow()
sys.argv[0] = "milpcount"
main()
"""


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        **{"stderr": subprocess.PIPE, **options},
    )


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("command", [["--help"], ["sweep", "--help"], ["--version"], ["cite"]])
def test_what_needs_no_numbers_does_not_wait_for_numpy(command):
    heavy = ["numpy", "numba", "highspy", "ortools", "pyomo", "torch", "rich.progress"]
    code = (
        "import sys, io; from milpcount.cli import app\n"
        f"out, sys.stdout = sys.stdout, io.StringIO()\napp({command!r}, standalone_mode=False)\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=out)"
    )
    assert run_python(code) == "[]\n"


def test_the_options_of_methods_wait_for_no_solver():
    code = (
        "import sys, io; from milpcount.cli import app\n"
        "out, sys.stdout = sys.stdout, io.StringIO()\n"
        "app(['count', '--help'], standalone_mode=False)\n"
        "heavy = ['numba', 'highspy', 'ortools', 'pyomo', 'torch', 'rich.progress']\n"
        "print([name for name in heavy if name in sys.modules], file=out)"
    )
    assert run_python(code) == "[]\n"


def test_a_count_as_the_user_types_it(shell, tent):
    done = shell("count", tent, "--box", "0", "1", "--method", "brute")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("activation regions  8   exact\n")
    assert done.stderr.startswith("milpcount: 1-2-2-2-1 (relu) · box [0, 1] · ")


def test_json_on_stdout_and_nothing_else(shell, tent):
    done = shell("count", tent, "--box", "-1", "1", "--method", "brute", "--json")
    record = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert record["domain"] == "box [-1, 1]" and record["exact"]
    assert set(record) >= {
        "quantity", "lower", "upper", "status", "guarantee", "method", "seconds", "lps", "seed",
        "fingerprint", "network", "versions",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["count", "nowhere.npz", "--box", "0", "1", "--method", "brute"],
        ["count", "{broken}", "--box", "0", "1", "--method", "brute"],
        ["count", "{tent}"],
        ["count", "{tent}", "--box", "1", "0", "--method", "brute"],
        ["count", "{tent}", "--box", "0", "1", "--time", "-1"],
        ["count", "{tent}", "--box", "0", "1", "--regions", "0"],
        ["count", "{tent}", "--box", "nan", "1", "--method", "brute"],
        ["count", "{tent}", "--box", "0", "1", "--mode", "no_good"],
        ["inspect", "nowhere.onnx"],
        ["cite", "nobody"],
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(shell, tent, tmp_path, arguments):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 not really")
    done = shell(*(a.format(tent=tent, broken=broken) for a in arguments))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("milpcount: error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_valid_bounds_and_exit_code_3(tent, number):
    process = start("count", tent, "--box", "0", "1", "--json")
    assert process.stderr is not None
    while "ready" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    record = json.loads(out)
    assert record["status"] == "interrupted"
    assert 3 <= int(record["lower"]) <= int(record["upper"])
    assert "Traceback" not in err


def test_the_time_limit_ends_the_run_with_exit_code_3(tent):
    process = start("count", tent, "--box", "0", "1", "--time", "0.4")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "stopped at the time limit; the bounds are valid" in out


def test_a_reader_that_leaves_brings_no_traceback():
    command = [sys.executable, "-m", "milpcount", "cite"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1
    process.stderr.close()


def test_a_count_whose_progress_nobody_reads_is_finished(tent):
    reading, writing = os.pipe()
    os.close(reading)
    process = start("count", tent, "--box", "0", "1", "--regions", "2", "--json", stderr=writing)
    os.close(writing)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert json.loads(out)["lower"] == "2"


def test_a_count_without_stderr_is_finished_and_stdout_stays_clean(tent):
    command = [sys.executable, "-m", "milpcount", "count", str(tent), "--box", "-1", "1"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("activation regions")
    command[4] = "nowhere.npz"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")


def test_a_terminal_gets_a_live_bar_and_stdout_stays_clean(tmp_path):
    # With room for all that the slow method claims to find.
    many = tmp_path / "many.npz"
    Network.from_arrays([np.eye(12)], [np.full(12, -0.5)], output=False).save(many)
    reading, writing = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    process = start(
        "count", many, "--box", "0", "1", "--time", "1.5", stderr=writing, env=environment
    )
    os.close(writing)
    shown = b""
    try:
        while chunk := os.read(reading, 4096):
            shown += chunk
    except OSError:
        pass  # Linux reports the end of a terminal as an error
    os.close(reading)
    out, _ = process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 3
    assert "\x1b[" in text and "programs" in text and "ready" in text
    assert "\x1b" not in out and out.startswith("activation regions")


def test_a_terminal_without_the_letters_of_mathematics(tent):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    process = start("count", tent, "--box", "0", "1", "--regions", "2", env=environment)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "2 <= count <= " in out


def test_ctrl_c_reaches_the_compiled_search():
    network = ROOT / "data/mnist22/784-16-6/seed0.npz"
    code = "from milpcount.cli import main, progress; progress.EVERY = 1.0; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "count", network, "--box", "0", "1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "regions/s" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    record = json.loads(out)
    assert record["status"] == "interrupted"
    assert 0 < int(record["lower"]) < int(record["upper"]) <= 4158861
    assert 0 < record["share"] < 1
