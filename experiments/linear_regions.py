"""Activation regions, linear regions and affine pieces of the MNIST networks, as a table.

``python -m experiments.linear_regions`` counts the networks of ``data/mnist22`` up to a width of
the first layer on the box [0, 1] of their pixels, once activation regions alone and once linear
regions, and writes one line of JSON for each to ``results/linear_regions.jsonl``; what is there is
not counted again. ``--table`` prints the table of the widths.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from experiments.files import network_file
from milpcount import Box, Network, count

ROOT = Path(__file__).resolve().parent
DATA, STORE = ROOT.parent / "data", ROOT / "results" / "linear_regions.jsonl"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--widths", type=int, default=9, help="of the first layer, up to")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--table", action="store_true", help="print the table of what is stored")
    given = parser.parse_args(arguments)
    known = stored(given.store)
    if given.table:
        print(table(list(known.values())))
        return
    given.store.parent.mkdir(parents=True, exist_ok=True)
    for n1 in range(1, given.widths + 1):
        for seed in range(given.seeds):
            name = network_file(n1, 22 - n1, seed)
            if name not in known:
                record = counted(name, n1)
                with given.store.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(record) + "\n")
                print(record, flush=True)


def counted(name: str, n1: int) -> dict[str, Any]:
    """Return the numbers of one network, and the seconds of both counts."""
    network = Network.load(DATA / name)
    began = time.perf_counter()
    regions = count(network, Box(0, 1))
    between = time.perf_counter()
    linear = count(network, Box(0, 1), quantity="linear_regions")
    ended = time.perf_counter()
    assert regions.is_exact and linear.is_exact
    assert linear.details["activation_regions"] == regions.lower
    return {
        "network": name,
        "n1": n1,
        "fingerprint": network.fingerprint,
        "activation_regions": regions.lower,
        "linear_regions": linear.lower,
        "affine_pieces": linear.details["affine_pieces"],
        "seconds_activation_regions": round(between - began, 3),
        "seconds_linear_regions": round(ended - between, 3),
    }


def stored(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a store by the network's name."""
    if not path.exists():
        return {}
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {record["network"]: record for record in records}


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return the table of the widths in Markdown."""
    lines = [
        "| n1-n2 | networks | activation regions, mean | linear regions, mean "
        "| affine pieces, mean | networks where they differ | seconds, regions "
        "| seconds, linear regions |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = ("activation_regions", "linear_regions", "affine_pieces")
    for n1 in sorted({record["n1"] for record in records}):
        some = [record for record in records if record["n1"] == n1]
        means = [f"{mean(record[name] for record in some):,.1f}" for name in names]
        differ = sum(len({record[name] for name in names}) > 1 for record in some)
        seconds = [sum(record[f"seconds_{name}"] for record in some) for name in names[:2]]
        cells = [f"{n1}-{22 - n1}", str(len(some)), *means, str(differ)]
        lines.append(f"| {' | '.join([*cells, *(f'{s:.1f}' for s in seconds)])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
