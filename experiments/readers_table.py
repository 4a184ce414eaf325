"""Read every network below some folders, each in a process of its own, and print a table.

``python -m experiments.readers_table FOLDER ..`` prints what each file takes in seconds, of the
wall clock and of the processor, and in memory, its units and its fingerprint, or in one line why it
is refused. ``--points 50`` evaluates ONNX files at so many random points too, next to onnx's
reference implementation, unless what is left out at their end keeps the two apart. ``--json FILE``
keeps the table; ``--before FILE`` says which fingerprints are not what they were in such a file.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import InputError
from milpcount.network import Network

SUFFIXES = {".onnx", ".nnet", ".npz"}


def difference(path: Path, network: Network, points: int) -> float | None:
    """Return by how much outputs differ from the reference's, relative to the largest of them."""
    import onnx
    from onnx.reference import ReferenceEvaluator
    from onnx.version_converter import convert_version

    model = onnx.load(str(path))
    if {o.op_type for o in model.graph.node} & {"BatchNormalization"}:
        # The reference's normalisation of earlier operator sets wants outputs that nobody has.
        for opset in model.opset_import:
            opset.version = 15
    elif model.opset_import[0].version < 13:
        model = convert_version(model, 13)
    known = {t.name for t in model.graph.initializer}
    (given,) = (i for i in model.graph.input if i.name not in known)
    shape = [max(1, d.dim_value) for d in given.type.tensor_type.shape.dim]
    if len(model.graph.output) > 1 or np.prod(shape) != network.n_inputs:
        return None
    session, rng, worst = ReferenceEvaluator(model), np.random.default_rng(0), 0.0
    for _ in range(points):
        x = rng.uniform(0, 1, shape).astype(np.float32)
        (expected,) = session.run(None, {given.name: x})
        found = network(x.astype(np.float64).ravel())
        wanted = np.asarray(expected, dtype=np.float64).ravel()
        worst = max(worst, float(np.abs(found - wanted).max() / np.abs(wanted).max()))
    return worst


def last_of_several(path: Path) -> str | None:
    """Return the name of the last output of an ONNX file with several."""
    if path.suffix != ".onnx":
        return None
    import onnx

    try:
        names = [output.name for output in onnx.load(str(path)).graph.output]
    except Exception:  # the reader says what is wrong with it
        return None
    return names[-1] if len(names) > 1 else None


def read(path: Path, points: int) -> dict[str, Any]:
    """Return what is found out about one file."""
    start, busy = time.perf_counter(), time.process_time()
    try:
        network = Network.load(path, last_of_several(path))
    except InputError as error:
        return {"refused": str(error).removeprefix(f"{path}: ")}
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = {
        "seconds": round(seconds, 2),
        "cpu": round(busy, 2),
        "gigabytes": round(peak, 2),
        "units": network.n_units,
        "fingerprint": network.fingerprint,
    }
    is_whole = not any(note.startswith("left out") for note in network.notes)
    if points and path.suffix == ".onnx" and is_whole:
        try:
            found["difference"] = difference(path, network, points)
        except Exception as error:  # of the reference: whatever it cannot do
            found["difference"] = f"reference: {type(error).__name__}"
    return found


def in_a_process(path: Path, points: int) -> dict[str, Any]:
    """Return the same from a process of its own, as the memory is that of a process."""
    command = [sys.executable, "-m", "experiments.readers_table", "--one", str(path)]
    done = subprocess.run([*command, "--points", str(points)], capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return {"refused": f"FAILED: {last[0]}"}
    return dict(json.loads(done.stdout))


def row(name: str, found: dict[str, Any]) -> str:
    """Return a line of the table."""
    if "refused" in found:
        return f"| {name} | refused: {found['refused']} ||||||"
    apart = found.get("difference", "")
    shown = f"{apart:.1e}" if isinstance(apart, float) else apart or ""
    took = " | ".join(f"{found[key]:.2f}" for key in ("seconds", "cpu", "gigabytes"))
    return f"| {name} | {took} | {found['units']} | {found['fingerprint'][:12]} | {shown} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--points", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(read(options.one, options.points)))
        return
    table: dict[str, dict[str, Any]] = {}
    print("| file | seconds | processor | gigabytes | units | fingerprint | difference |")
    print("|---|---|---|---|---|---|---|")
    for folder in options.folders:
        files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
        for path in (p for p in files if p.suffix in SUFFIXES):
            table[str(path)] = found = in_a_process(path, options.points)
            print(row(path.name, found), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(table, indent=1) + "\n")
    if options.before is not None:
        for name, was in json.loads(options.before.read_text()).items():
            if (
                "fingerprint" in was
                and table.get(name, was).get("fingerprint") != was["fingerprint"]
            ):
                print(f"CHANGED: {name}: {was} -> {table[name]}")


if __name__ == "__main__":
    main()
