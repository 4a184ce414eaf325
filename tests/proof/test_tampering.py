"""A change to a proof is caught, or what is proved stays true."""

import gzip
import json
import os
from random import Random

import numpy as np
import pytest

import milpcount as mc
from milpcount.network.npz import write_npz
from milpcount.proof import check
from milpcount.proof.writing import _packed
from tests.networks import random_network
from tests.proof.files import parts, payload, put, tampered, verdict

FLIPS = int(os.environ.get("PROOF_FLIPS", "150"))
NET = random_network(1, 2, [4, 3])


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    path = tmp_path_factory.mktemp("proofs") / "count.proof"
    mc.count(NET, mc.Box(-1, 1), proof=path)
    assert verdict(network(path), path)[0] == 0
    return path


def network(path):
    return path.with_name("count.proof.npz")


def without(rows):
    """Drop patterns and their witnesses; sides that are new cite what the ones before them do."""

    def change(header, blocks):
        (b,) = blocks
        pieces = np.full(b.patterns.shape[1], 2)
        old = check.sides(b.patterns.astype(np.int64), pieces, True, True)
        known = {
            (b.patterns[i, :u].tobytes(), u, k): ref
            for i, u, k, ref in zip(*old, b.refs, strict=True)
        }
        at = np.arange(len(b.patterns))[rows]
        b.patterns, b.points = np.delete(b.patterns, at, 0), np.delete(b.points, at, 0)
        b.run = np.minimum(b.run, 0)
        i, u, k = check.sides(b.patterns.astype(np.int64), pieces, True, True)
        sides = zip(i, u, k, strict=True)
        refs = [known.get((b.patterns[i, :u].tobytes(), u, k), 0) for i, u, k in sides]
        b.refs = np.array(refs, dtype="<i4")
        header["lower"] = header["upper"] = str(len(b.patterns))

    return change


def of_first(name, index, value):
    """Set an entry of an array of the first block."""

    def change(header, blocks):
        array = getattr(blocks[0], name)
        array[index] = value(array) if callable(value) else value

    return change


def swapped(name, a, b):
    def change(header, blocks):
        array = getattr(blocks[0], name)
        array[[a, b]] = array[[b, a]]

    return change


def of_header(**values):
    return lambda header, blocks: header.update(values)


def of_domain(**values):
    return lambda header, blocks: header["domain"].update(values)


def repeated(header, blocks):
    b = blocks[0]
    b.patterns, b.points = (np.insert(x, 3, x[3], 0) for x in (b.patterns, b.points))
    header["lower"] = header["upper"] = str(len(b.patterns))


def open_sides(header, blocks):
    blocks[0].refs[:] = -1


def no_clauses(header, blocks):
    b = blocks[0]
    b.layer, b.run, b.size, b.literals, b.multipliers = (
        x[:0] for x in (b.layer, b.run, b.size, b.literals, b.multipliers)
    )


KINDS = {
    "first pattern dropped": without([0]),
    "last pattern dropped": without([-1]),
    "pattern dropped": without([4]),
    "subtree dropped": without(slice(5, None)),
    "all but one dropped": without(slice(1, None)),
    "pattern repeated": repeated,
    "patterns swapped": swapped("patterns", 1, 2),
    "piece changed": of_first("patterns", (2, -1), lambda a: 1 - a[2, -1]),
    "piece that is not there": of_first("patterns", (2, -1), 2),
    "witness outside": of_first("points", (2, 0), 1.5),
    "witness moved": of_first("points", 2, lambda a: a[7]),
    "witness not a number": of_first("points", (2, 0), np.nan),
    "witnesses swapped": swapped("points", 1, 8),
    "multiplier negative": of_first("multipliers", 0, -1.0),
    "multiplier infinite": of_first("multipliers", 0, np.inf),
    "multiplier not a number": of_first("multipliers", 0, np.nan),
    "multipliers zero": of_first("multipliers", slice(None), 0.0),
    "multipliers scaled": of_first("multipliers", slice(0, None, 2), lambda a: 9.0 * a[::2]),
    "rows shifted": of_first("literals", slice(None), lambda a: np.roll(a, 1)),
    "signs turned": of_first("literals", slice(None), lambda a: a ^ 1),
    "row that is not there": of_first("literals", 0, 999),
    "clause of no cell": of_first("run", 0, 999),
    "clause of a layer that is not there": of_first("layer", 0, 9),
    "clauses without rows": of_first("size", 0, 0),
    "clauses dropped": no_clauses,
    "citations of another clause": of_first("refs", slice(None), lambda a: np.roll(a, 1)),
    "citation of nothing": of_first("refs", 0, 999),
    "sides left open": open_sides,
    "count lower": of_header(lower="3", upper="3"),
    "upper end lower": of_header(upper="3"),
    "unknown quantity": of_header(quantity="linear_regions"),
    "larger domain": of_domain(lower=[-9.0, -9.0], upper=[9.0, 9.0]),
    "unbounded domain": of_domain(lower=[-np.inf, -np.inf]),
    "empty domain": of_domain(lower=[1.0, 1.0], upper=[1.0, 1.0]),
    "moved domain": of_domain(origin=[0.5, 0.0]),
    "point on the boundary": of_header(interior=["1", "0"]),
    "seeds": of_header(seeded=True),
    "last block not the last": lambda header, blocks: setattr(blocks[0], "last", False),
    "block repeated": lambda header, blocks: blocks.append(blocks[0]),
    "block missing": lambda header, blocks: blocks.clear(),
}


@pytest.mark.parametrize("change", KINDS.values(), ids=KINDS)
def test_a_change_is_caught(change, proof):
    code, line = verdict(network(proof), tampered(proof, change))
    assert code == 1 and line.startswith("NOT proved: ")


def test_another_quantity_is_caught(tmp_path):
    path, units = tmp_path / "count.proof", [[[1.0, 0.0], [-1.0, 0.0]]]
    mc.count(mc.Network.from_arrays(units, [[0.0, 0.0]], output=False), mc.Box(-1, 1), proof=path)
    assert verdict(network(path), path)[1].startswith("exactly 2 ")
    changed = tampered(path, of_header(quantity="activation_patterns"))
    code, line = verdict(network(path), changed)
    assert code == 1 and "is not refuted" in line  # 3 patterns: none is active at 0


def test_another_network_is_caught(proof, tmp_path):
    weights = [layer.affine.weight.copy() for layer in NET.layers]
    biases = [layer.affine.bias for layer in NET.layers]
    weights[1][0, 0] = np.nextafter(weights[1][0, 0], 9.0)
    other = mc.Network.from_arrays(weights, biases, output=False)
    with (tmp_path / "other.npz").open("wb") as stream:
        write_npz(other, stream)
    code, line = verdict(tmp_path / "other.npz", proof)
    assert code == 1 and "of another network" in line


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_caught(share, proof, tmp_path):
    content = payload(proof)
    short = tmp_path / "short.proof"
    short.write_bytes(gzip.compress(content[: int(share * len(content))]))
    assert verdict(network(proof), short)[0] == 1
    whole = proof.read_bytes()
    short.write_bytes(whole[: int(share * len(whole))])
    assert verdict(network(proof), short)[0] == 1


def test_bits_that_are_flipped(proof, tmp_path):
    """Each is caught, or what is printed is still true: of the domain that the file then names."""
    true, content, random = verdict(network(proof), proof)[1], payload(proof), Random(0)
    other, harmless = tmp_path / "flipped.proof", 0
    for _ in range(FLIPS):
        at, bit = random.randrange(len(content)), random.randrange(8)
        changed = bytearray(content)
        changed[at] ^= 1 << bit
        other.write_bytes(gzip.compress(bytes(changed), 1))
        code, line = verdict(network(proof), other)
        if code == 0:
            harmless += 1
            if line != true:
                header, _ = parts(other)
                box = mc.Box(header["domain"]["lower"], header["domain"]["upper"])
                count = mc.count(NET, box, mc.ExactTree()).lower
                assert line.startswith(f"exactly {count} activation regions of network "), (at, bit)
    assert harmless < FLIPS  # as most are caught


def test_what_is_taken_apart_and_put_together_is_a_proof(proof, tmp_path):
    again = tmp_path / "again.proof"
    put(again, *parts(proof))
    assert verdict(network(proof), again) == verdict(network(proof), proof)
    assert json.dumps(parts(again)[0]) == json.dumps(parts(proof)[0])
    assert _packed(parts(again)[1][0]) == _packed(parts(proof)[1][0])
