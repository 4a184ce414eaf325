"""`count --proof` and `check`."""

import json

import numpy as np
import pytest

import milpcount as mc
from tests.networks import network

NET = network([np.array([[1.0, 0.5], [-1.0, 0.3]]), np.eye(2)], [[0.1, 0.2], [-0.3, 0.1]])
COUNT = ("--box", -1, 1)


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.npz"
    NET.save(path)
    return path


def test_a_proof_is_written_and_checked(shell, net, tmp_path):
    proof = tmp_path / "count.proof"
    shown = shell("count", net, *COUNT, "--proof", proof)
    assert shown.returncode == 0, shown.stderr
    count = mc.count(NET, mc.Box(-1, 1)).lower
    with np.load(proof) as file:
        header = json.loads(file["header"].item())
    assert header["lower"] == header["upper"] == str(count)
    assert header["source"]["file"] == "net.npz" and len(header["source"]["sha256"]) == 64
    for subject in net, tmp_path / "count.proof.npz":
        checked = shell("check", subject, proof)
        assert checked.returncode == 0
        assert checked.stdout.startswith(f"exactly {count} activation regions of network ")
        assert checked.stdout.endswith(" on [-1, 1]^2\n")


def test_a_proof_of_another_network_is_refused(shell, net, tmp_path):
    proof, other = tmp_path / "count.proof", tmp_path / "other.npz"
    mc.count(NET, mc.Box(-1, 1), proof=proof)
    network([np.eye(2)], [[0.0, 0.0]]).save(other)
    checked = shell("check", other, proof)
    assert checked.returncode == 1 and "NOT proved: it is of another network" in checked.stdout


def test_a_file_that_is_no_proof(shell, net, tmp_path):
    checked = shell("check", net, net)
    assert checked.returncode == 1 and checked.stdout.startswith("NOT proved: ")
    missing = shell("check", net, tmp_path / "missing.proof")
    assert missing.returncode == 2 and "does not exist" in missing.stderr


def test_a_count_that_is_stopped_has_a_proof_of_what_it_found(shell, net, tmp_path):
    proof = tmp_path / "count.proof"
    shown = shell("count", net, *COUNT, "--proof", proof, "--regions", 2)
    assert shown.returncode == 3, shown.stderr
    checked = shell("check", net, proof)
    assert checked.returncode == 0 and checked.stdout.startswith("at least 2, at most ")


def test_linear_regions_are_checked_by_the_program_of_their_own(shell, net, tmp_path):
    proof = tmp_path / "count.proof"
    shown = shell("count", net, *COUNT, "--proof", proof, "--quantity", "linear_regions")
    assert shown.returncode == 0, shown.stderr
    count = mc.count(NET, mc.Box(-1, 1), quantity="linear_regions").lower
    checked = shell("check", net, proof)
    assert checked.returncode == 0
    first, second = checked.stdout.splitlines()
    assert first.startswith("exactly ") and second == f"exactly {count} linear regions of the same"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--quantity", "live_regions"), "live_regions has no proofs"),
        (("--method", "probe"), "keeps no regions"),
    ],
)
def test_what_has_no_proof_is_refused(shell, net, tmp_path, given, why):
    proof = tmp_path / "count.proof"
    shown = shell("count", net, *COUNT, "--proof", proof, *given)
    assert shown.returncode == 2 and why in " ".join(shown.stderr.replace("│", " ").split())
    assert not proof.exists()


def test_a_folder_that_takes_no_file_is_refused_before_the_count(shell, net, tmp_path):
    shown = shell("count", net, *COUNT, "--proof", tmp_path / "no" / "count.proof")
    assert shown.returncode == 2 and "--proof" in shown.stderr
