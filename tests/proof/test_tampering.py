"""A change to a proof is caught, or what is proved stays true."""

import json
import os
from random import Random

import numpy as np
import pytest

import milpcount as mc
from milpcount.proof import check
from milpcount.proof.header import network_bytes
from tests.networks import random_network
from tests.proof.files import members, parts, put, put_members, tampered, verdict

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


def sides_of(patterns):
    """Return all sides of a proof, layer by layer: units, beginnings and pieces."""
    at = np.append(-1, (patterns[1:] != patterns[:-1]).argmax(axis=1))
    pieces = np.full(patterns.shape[1], 2)
    for start, stop in (0, 4), (4, 7):
        here = np.flatnonzero(at < stop)
        found = check.sides(patterns, at, here, pieces, start, stop)
        yield [(u, patterns[i, :u].tobytes(), k) for u, i, k in zip(*found, strict=True)]


def without(rows):
    """Drop patterns and their witnesses; sides that are new cite what the ones before them do."""

    def change(a):
        old = list(sides_of(a["patterns"]))
        at = np.arange(len(a["patterns"]))[rows]
        for name in "patterns", "points":
            a[name] = np.delete(a[name], at, 0)
        cells = [1, len(np.unique(a["patterns"][:, :4], axis=0))]
        for layer, sides in enumerate(sides_of(a["patterns"])):
            known = dict(zip(old[layer], a[f"{layer}/0/refs"], strict=True))
            a[f"{layer}/0/refs"] = np.array([known.get(side, 0) for side in sides], dtype="<i4")
            a[f"{layer}/0/cells"] = np.array(cells[layer])
            a[f"{layer}/0/cell"] = np.minimum(a[f"{layer}/0/cell"], cells[layer] - 1)
        claim(a, lower=str(len(a["patterns"])), upper=str(len(a["patterns"])))

    return change


def claim(a, **values):
    a["header"] = np.array(json.dumps(json.loads(a["header"].item()) | values))


def of_first(name, index, value):
    """Set an entry of an array, of the first block that has it."""

    def change(a):
        array = a[name if name in a else f"1/0/{name}"]
        array[index] = value(array) if callable(value) else value

    return change


def swapped(name, i, j):
    def change(a):
        a[name][[i, j]] = a[name][[j, i]]

    return change


def of_header(**values):
    return lambda a: claim(a, **values)


def of_domain(**values):
    def change(a):
        claim(a, domain=json.loads(a["header"].item())["domain"] | values)

    return change


def repeated(a):
    for name in "patterns", "points":
        a[name] = np.insert(a[name], 3, a[name][3], 0)
    claim(a, lower=str(len(a["patterns"])), upper=str(len(a["patterns"])))


def open_sides(a):
    for layer in 0, 1:
        a[f"{layer}/0/refs"] = np.full(a[f"{layer}/0/refs"].size, -1)


def no_clauses(a):
    for name in "cell", "size", "literals", "multipliers":
        a[f"1/0/{name}"] = a[f"1/0/{name}"][:0]


def renamed(old, new):
    def change(a):
        for name in [name for name in a if name.startswith(old)]:
            a[new + name[len(old) :]] = a.pop(name)

    return change


def exact_witness(a):
    """One outside, in the place of one in floats that proves nothing."""
    a["points"][2] = np.nan
    a["exact_points"] = np.array(json.dumps({"2": ["3/2", "0"]}))


def exact_multiplier(a):
    """A negative one, in a text as exact ones are."""
    given = a["1/0/multipliers"].tolist()
    a["1/0/multipliers"] = np.array(json.dumps(["-1/3", *given[1:]]))


def missing(name):
    return lambda a: a.pop(name)


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
    "witnesses missing": missing("points"),
    "exact witness": exact_witness,
    "exact multiplier": exact_multiplier,
    "multiplier negative": of_first("multipliers", 0, -1.0),
    "multiplier infinite": of_first("multipliers", 0, np.inf),
    "multiplier not a number": of_first("multipliers", 0, np.nan),
    "multipliers zero": of_first("multipliers", slice(None), 0.0),
    "multipliers scaled": of_first("multipliers", slice(0, None, 2), lambda a: 9.0 * a[::2]),
    "rows shifted": of_first("literals", slice(None), lambda a: np.roll(a, 1)),
    "signs turned": of_first("literals", slice(None), lambda a: a ^ 1),
    "row that is not there": of_first("literals", 0, 99),
    "clause of no cell": of_first("cell", 0, 99),
    "clause of another cell": of_first("cell", slice(None), lambda a: np.roll(a, 1)),
    "clauses of another layer": renamed("1/0/", "0/0/"),
    "clauses without rows": of_first("size", 0, 0),
    "clauses dropped": no_clauses,
    "citations of another clause": of_first("refs", slice(None), lambda a: np.roll(a, 1)),
    "citation of nothing": of_first("refs", 0, 99),
    "citation too many": lambda a: a.update({"1/0/refs": np.append(a["1/0/refs"], 0)}),
    "citation too few": lambda a: a.update({"1/0/refs": a["1/0/refs"][:-1]}),
    "sides left open": open_sides,
    "count lower": of_header(lower="3", upper="3"),
    "upper end lower": of_header(upper="3"),
    "unknown quantity": of_header(quantity="linear_regions"),
    "another format": of_header(format=2),
    "larger domain": of_domain(lower=[-9.0, -9.0], upper=[9.0, 9.0]),
    "unbounded domain": of_domain(lower=[-np.inf, -np.inf]),
    "empty domain": of_domain(lower=[1.0, 1.0], upper=[1.0, 1.0]),
    "moved domain": of_domain(origin=[0.5, 0.0]),
    "point on the boundary": of_header(interior=["1", "0"]),
    "seeds": of_header(seeded=True),
    "block of fewer cells": of_first("cells", (), 1),
    "block of more cells": of_first("cells", (), 99),
    "block of no cells": of_first("cells", (), 0),
    "block missing": missing("0/0/refs"),
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
    (tmp_path / "other.npz").write_bytes(network_bytes(other))
    code, line = verdict(tmp_path / "other.npz", proof)
    assert code == 1 and "of another network" in line


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_caught(share, proof, tmp_path):
    short = tmp_path / "short.proof"
    whole = proof.read_bytes()
    short.write_bytes(whole[: int(share * len(whole))])
    assert verdict(network(proof), short)[0] == 1
    content = members(proof)
    for name in content:
        put_members(short, content | {name: content[name][: int(share * len(content[name]))]})
        assert verdict(network(proof), short)[0] == 1


def test_bits_that_are_flipped(proof, tmp_path):
    """Each is caught, or what is printed is still true: of the domain that the file then names."""
    true, content, random = verdict(network(proof), proof)[1], members(proof), Random(0)
    places = [(name, i) for name, data in content.items() for i in range(len(data))]
    other, harmless = tmp_path / "flipped.proof", 0
    for _ in range(FLIPS):
        name, at = places[random.randrange(len(places))]
        changed = bytearray(content[name])
        changed[at] ^= 1 << random.randrange(8)
        put_members(other, content | {name: bytes(changed)})
        code, line = verdict(network(proof), other)
        if code == 0:
            harmless += 1
            if line != true:
                header = json.loads(parts(other)["header"].item())
                box = mc.Box(header["domain"]["lower"], header["domain"]["upper"])
                count = mc.count(NET, box, mc.ExactTree()).lower
                assert line.startswith(f"exactly {count} activation regions of network "), at
    assert harmless < FLIPS  # as most are caught


def test_what_is_taken_apart_and_put_together_is_a_proof(proof, tmp_path):
    again = tmp_path / "again.proof"
    put(again, parts(proof))
    assert verdict(network(proof), again) == verdict(network(proof), proof)
    assert again.read_bytes() == proof.read_bytes()
