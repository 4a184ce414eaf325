"""`check` on the command line: the stand-alone checkers, in a process of their own."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from milpcount.network import Network
from milpcount.network.paths import existing_file
from milpcount.proof import check, check_linear
from milpcount.proof.header import network_bytes


def run(network: Path, proof: Path, output: str | None = None) -> int:
    """Run the checker on a network's file and a proof; return its exit code.

    The checker reads what is written beside a proof: the network is read, and written so for it.

    Raises
    ------
    InputError
        If a file does not exist, or the network cannot be read.
    """
    existing_file(proof, "a proof that count --proof has written")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "network.npz"
        plain.write_bytes(network_bytes(Network.load(network, output)))
        # One thread: its products are small, and threads of several processes wait for each other.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, _program(proof), str(plain), str(proof)]
        return subprocess.run(command, env=environment, check=False).returncode


def _program(proof: Path) -> str:
    """Return the checker of what a proof claims; what is no proof is refused by either."""
    try:
        with proof.open("rb") as raw, np.load(raw) as file:
            further = "further" in json.loads(file["header"].item())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        further = False
    return str((check_linear if further else check).__file__)
