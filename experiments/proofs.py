"""Proofs of known counts, checked by the file that others run: ``python -m experiments.proofs``.

``--data FOLDER`` has arrangements and deep networks with known counts (``arrangements.json``,
``deep_networks.json``); those of up to ``--most`` regions are counted with a proof, on their box
and, arrangements, on all of space, and with ``--patterns`` their patterns as well. The checker must
say exactly what was counted, and that must be what is known. ``--mnist 784-9-13`` does the same for
networks of ``data/mnist22``. Rows: count, processor seconds of count and proof, of the check, size;
``--record FILE`` appends them as JSON, ``experiments/results/proofs.jsonl`` has been made so.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

import milpcount as mc
from milpcount.cli.group import COMPLETE, FAILURE
from milpcount.domain import Domain
from milpcount.proof import check

MNIST = Path(__file__).resolve().parent.parent / "data" / "mnist22"
Case = tuple[str, mc.Network, Domain, int | None]


def rational(table: Any) -> np.ndarray:
    """Return the exact numbers of a table, some of them written as ``"a/b"``."""
    return np.vectorize(Fraction, otypes=[object])(np.array(table, dtype=object))


def whole_numbers(entry: dict[str, Any]) -> mc.Network:
    """Return an entry's network with integer weights: a unit times a number keeps its sign."""
    weights, biases, scale = [], [], 1
    for weight, bias in zip(entry["W"], entry["b"], strict=True):
        joined = np.c_[rational(bias), rational(weight) / scale]
        scale = np.array([Fraction(lcm(*(v.denominator for v in row))) for row in joined])
        whole = joined * scale[:, None]
        weights.append(whole[:, 1:].astype(float))
        biases.append(whole[:, 0].astype(float))
    return mc.Network.from_arrays(weights, biases, output=len(weights) > len(entry["widths"]))


def cases(data: Path | None, mnist: Sequence[str], most: int) -> Iterator[Case]:
    """Yield networks, their domains and their known counts of regions."""
    for name in mnist:
        yield name, mc.Network.load(MNIST / name / "seed0.npz"), mc.Box(0, 1), None
    if data is None:
        return
    for entry in json.loads((data / "arrangements.json").read_text()):
        if entry["expected_regions"] <= most:
            network = mc.Network.from_arrays([entry["W"]], [entry["b"]], output=False)
            box = mc.Box(entry["domain"]["lower"], entry["domain"]["upper"])
            yield entry["name"], network, box, entry["expected_regions"]
            yield (
                f"{entry['name']}, all of space",
                network,
                mc.Unbounded(),
                entry["expected_regions"],
            )
    for entry in json.loads((data / "deep_networks.json").read_text()):
        if entry["expected_regions"] <= most:
            low, high = rational(entry["box"]).T.astype(float)
            yield entry["name"], whole_numbers(entry), mc.Box(low, high), entry["expected_regions"]


def row(case: Case, quantity: str, folder: Path, record: Path | None) -> bool:
    """Count, prove, check and print; return whether all agree."""
    name, network, domain, known = case
    path = folder / "count.proof"
    began = time.process_time()
    result = mc.count(network, domain, quantity=quantity, proof=path)
    counted = time.process_time() - began
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, check.__file__, str(path) + ".npz", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    checked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    good = done.returncode == 0 and done.stdout.startswith(f"exactly {result.lower} ")
    good &= result.is_exact
    if known is not None and quantity == "activation_regions":
        good &= result.lower == known
    if record is not None:
        known_as = {"network": name, "fingerprint": network.fingerprint, "quantity": quantity}
        numbers = {
            "count": str(result.lower),
            "proved": good,
            "count_and_proof_seconds": round(counted, 1),
            "check_seconds": round(checked, 1),
            "bytes": path.stat().st_size,
        }
        with record.open("a") as file:
            file.write(json.dumps(known_as | numbers) + "\n")
    print(
        f"{name:<44}{result.lower:>9,}{counted:>9.1f}{checked:>8.1f}"
        f"{path.stat().st_size / 1024:>10,.0f}  {'proved' if good else 'NOT: ' + done.stdout}",
        flush=True,
    )
    return good


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder with networks of known counts")
    parser.add_argument("--most", type=int, default=60_000, help="regions (default: 60,000)")
    parser.add_argument("--mnist", nargs="*", default=[], help="as 784-9-13")
    parser.add_argument("--patterns", action="store_true", help="of patterns, too")
    parser.add_argument("--record", type=Path, help="a file to append the rows to, as JSON")
    parser.add_argument("--only", default="", help="part of a network's name")
    options = parser.parse_args(arguments)
    quantities = ["activation_regions", *["activation_patterns"] * options.patterns]
    total, good = 0, 0
    print(f"{'network':<44}{'count':>9}{'count s':>9}{'check s':>8}{'KiB':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(options.data, options.mnist, options.most):
            for quantity in quantities if options.only in case[0] else []:
                total += 1
                good += row(case, quantity, Path(folder), options.record)
    print(f"{good} of {total} proved")
    return COMPLETE if good == total else FAILURE


if __name__ == "__main__":
    sys.exit(main())
