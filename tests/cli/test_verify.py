"""`count --keep` and `verify`, and files that cannot be written."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli import outputs
from milpcount.counters.method import Snapshot
from milpcount.errors import OptionError, OutputError
from tests.networks import network

NET = network([np.eye(3)[[0, 0, 1]]], [[0.25, 0.25 + 2.0**-54, 0.0]])
COUNT = ("--box", -1, 1, "--method", "exact")


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.npz"
    NET.save(path)
    return path


@pytest.fixture
def kept(invoke, net, tmp_path):
    path = tmp_path / "kept.npz"
    assert invoke("count", net, *COUNT, "--keep", path).exit_code == 0
    return path


def test_a_kept_file_is_proved(invoke, net, kept):
    done = invoke("verify", kept, net)
    assert done.exit_code == 0, done.stderr
    assert "lower bound 6 proved: 6 regions verified, 0 failed, 0 repeated" in done.stdout
    record = json.loads(invoke("verify", kept, net, "--json").stdout)
    assert record["proved"] and record["claimed"] == "6" and record["verified"] == 6


def test_what_is_not_proved_has_exit_code_1(invoke, net, kept):
    with np.load(kept) as archive:
        arrays = dict(archive)
    for name in ("patterns", "witnesses"):
        arrays[name] = arrays[name][:-1]
    arrays = {name: a for name, a in arrays.items() if not name.startswith("rational")}
    np.savez(kept, **arrays)
    done = invoke("verify", kept, net)
    assert done.exit_code == 1 and "NOT proved" in done.stdout


def test_another_network_or_no_file_has_exit_code_2(invoke, tent, net, kept, tmp_path):
    done = invoke("verify", kept, tent)
    assert done.exit_code == 2 and "give the network that was counted" in done.stderr
    assert invoke("verify", tmp_path / "nowhere.npz", net).exit_code == 2
    assert invoke("verify", net, net).exit_code == 2
    done = invoke("verify", kept, net, "--box", -1, 1)
    assert done.exit_code == 2 and "names its own domain" in done.stderr


def test_a_file_of_the_first_release_needs_the_domain(invoke, tmp_path):
    path, net = tmp_path / "old.npz", tmp_path / "net.npz"
    network([np.eye(2)], [[0.5, 0.5]]).save(net)
    patterns = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.int16)
    np.savez(path, patterns=patterns, witnesses=patterns * 1.0 - 0.75)
    done = invoke("verify", path, net)
    assert done.exit_code == 2 and "first release" in done.stderr
    done = invoke("verify", path, net, "--box", -1, 1)
    assert done.exit_code == 0 and "lower bound 4 proved" in done.stdout
    assert invoke("verify", path, net, "--box", 0, 1).exit_code == 1
    done = invoke("verify", path, net, "--box", -1, 1, "--quantity", "affine_pieces")
    assert done.exit_code == 2


@pytest.mark.parametrize("target", ["/proc/regions.npz", "folder.npz", "net.npz/regions.npz"])
def test_a_target_that_takes_no_file_is_refused_before_the_count(
    invoke, scripted, net, tmp_path, target
):
    (tmp_path / "folder.npz").mkdir()
    method = scripted()
    done = invoke("count", net, "--box", 0, 1, "--keep", tmp_path / target)
    assert done.exit_code == 2 and "--keep" in done.stderr
    assert not method.seen and done.stdout == ""


def test_what_keeps_no_regions_is_refused_before_the_count(invoke, net, tmp_path):
    done = invoke("count", net, "--box", 0, 1, "--method", "probe", "--keep", tmp_path / "x.npz")
    assert done.exit_code == 2 and "keeps no regions" in done.stderr


def full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_does_not_lose_the_number(invoke, net, tmp_path, monkeypatch):
    monkeypatch.setattr("milpcount.region_files.files.write_array", full_disk)
    kept = tmp_path / "kept.npz"
    done = invoke("count", net, *COUNT, "--keep", kept, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["lower"] == "6"
    assert "No space left on device" in done.stderr and "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_a_reader_that_leaves_does_not_lose_the_regions(net, tmp_path):
    kept = tmp_path / "kept.npz"
    command = [sys.executable, "-m", "milpcount", "count", net, *map(str, COUNT), "--keep", kept]
    process = subprocess.Popen(
        [*command, "--json", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(120) == 1
    process.stderr.close()
    assert mc.load_regions(kept, NET).verify()


def test_figures_are_checked_before_and_written_whole(invoke, net, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    plane = tmp_path / "plane.npz"
    network([np.eye(2)], [[0.5, 0.5]]).save(plane)
    done = invoke("plot", "partition", plane, "--box", -1, 1, "-o", "/proc/x.png")
    assert done.exit_code == 2 and "-o /proc/x.png" in done.stderr
    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", full_disk)
    done = invoke("plot", "partition", plane, "--box", -1, 1, "-o", tmp_path / "x.png")
    assert done.exit_code == 1 and "No space left" in done.stderr
    assert not list(tmp_path.glob("*x.png*"))


def test_a_target_and_its_delivery(tmp_path: Path):
    outputs.check_target(tmp_path / "x", "-o")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OptionError, match="a folder"):
        outputs.check_target(tmp_path, "-o")
    with pytest.raises(OutputError, match="-o x: not written"):
        outputs.deliver("-o", Path("x"), full_disk)


def test_an_interrupted_count_keeps_what_it_has(invoke, scripted, tent, tmp_path):
    from milpcount.result import Region

    regions = [Region((0, 0, 0, 0, 0, 0), np.array([0.01]))]
    scripted(Snapshot(lower=1, regions=regions), KeyboardInterrupt())
    kept = tmp_path / "kept.npz"
    assert invoke("count", tent, "--box", 0, 1, "--keep", kept).exit_code == 3
    assert len(mc.load_regions(kept).regions) == 1
