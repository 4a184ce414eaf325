"""The first line of a proof: what is claimed of which network on which domain."""

import io
import json
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.program import decide
from milpcount.network import Activation, Network
from milpcount.network.affine import Dense
from milpcount.proof import check
from milpcount.quantities import Quantity
from milpcount.types import Array


def network_bytes(network: Network) -> bytes:
    """Return the ``.npz`` file that the proof of a network is about.

    One way to write each thing, as the checker reads it: activations are tables in runs, every map
    names what it reads, there is an output, and weights are dense: floats, or rational numbers in
    text where the map is a product that no floats hold.
    """
    runs, arrays, end = [], dict[str, Array](), network.n_inputs
    before = np.arange(end)
    maps = [(layer.affine, layer.reads) for layer in network.layers]
    last = network.layers[-1].width
    whole = Dense(np.eye(last), np.zeros(last)) if network.output is None else network.output
    for number, (affine, reads) in enumerate([*maps, (whole, network.output_reads)]):
        weight, bias = affine.weight, affine.bias
        if affine.is_rounded:
            table, q = affine.exact()
            rows = [[number_text(Fraction(v, q)) for v in row] for row in table.tolist()]
            bias = np.array(json.dumps([row[0] for row in rows]))
            weight = np.array(json.dumps([row[1:] for row in rows]))
        arrays[f"W{number}"], arrays[f"b{number}"] = weight, bias
        arrays[f"reads{number}"] = before if reads is None else reads
        if number < len(network.layers):
            units = [*network.layers[number].units]
            runs.append([[len([*same]), record] for record, same in groupby(map(_record, units))])
            before = np.arange(end, end + len(units))
            end += len(units)
    meta = {"activations": runs, "output": True, "inputs": network.n_inputs}
    stream = io.BytesIO()
    np.savez(stream, metadata=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _record(kind: Activation) -> dict[str, Any]:
    rows = [[row.a, row.b, row.threshold] for row in kind.rows]
    pieces = [[p.value, p.slope, p.intercept, p.literals] for p in kind.pieces]
    return {"name": "table", "rank": kind.rank, "rows": rows, "pieces": pieces}


def without_idle_rows(inputs: InputSet) -> InputSet:
    """Return a set without rows that hold everywhere: the checker's theorem has none."""
    given = inputs.exact or inputs
    kept = (given.rows != 0).any(axis=1) | (given.rhs < 0)
    exact = inputs.exact and replace(given, rows=given.rows[kept], rhs=given.rhs[kept])
    return replace(inputs, rows=inputs.rows[kept], rhs=inputs.rhs[kept], exact=exact)


def header_of(content: bytes, inputs: InputSet, quantity: Quantity, seeded: bool) -> dict[str, Any]:
    """Return the header of a proof, without the numbers that it claims.

    Parameters
    ----------
    content : bytes
        Of the network's file.
    inputs : InputSet
    quantity : Quantity
    seeded : bool
        Whether witnesses are given by seeds, of as many numbers as there are rows of inputs.
    """
    exact = ExactInputs.from_inputs(inputs)
    given = inputs.exact or inputs
    domain: dict[str, Any] = {
        "origin": _numbers(given.origin),
        "lower": _numbers(given.lower),
        "upper": _numbers(given.upper),
        "rows": [_numbers(row) for row in given.rows],
        "rhs": _numbers(given.rhs),
    }
    domain["inputs"] = [] if exact.selected is None else exact.selected.tolist()
    domain["directions"] = [_numbers(row) for row in given.directions if exact.selected is None]
    found: dict[str, Any] = {
        "format": 3,
        "network": check.read_network(io.BytesIO(content))[2],
        "quantity": quantity.value,
        "domain": domain,
        "seeded": seeded,
    }
    if quantity is Quantity.ACTIVATION_REGIONS:
        rows = exact.rows
        inside = decide(rows, (1,) * len(rows), exact.box).witness
        assert inside is not None, "regions were counted"
        found["interior"] = [number_text(v) for v in inside.fractions()]
    return found


def number_text(value: Any) -> str:
    """Return an exact number as text that `fractions.Fraction` reads."""
    return str(Fraction(value))


def _numbers(values: Array) -> list[Any]:
    """Return numbers as JSON has them: float64 ones as they are, others as text."""
    return [
        float(v) if isinstance(v, float | int) and float(v) == v else number_text(v)
        for v in np.asarray(values).tolist()
    ]
