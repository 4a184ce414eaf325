"""The first line of a proof: what is claimed of which network on which domain."""

import io
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.program import decide
from milpcount.network import Activation, Layer, Network
from milpcount.network.npz import write_npz
from milpcount.proof import check
from milpcount.result import Quantity

Array = np.ndarray


def network_bytes(network: Network) -> bytes:
    """Return the ``.npz`` file that the proof of a network is about.

    Activations are tables, whatever they are called: the checker knows none by their names.
    """

    def plain(layer: Layer) -> Layer:
        kinds = [Activation("table", *kind.table) for kind in layer.units]
        return Layer(layer.affine, kinds, layer.reads)

    stream = io.BytesIO()
    write_npz(replace(network, layers=tuple(map(plain, network.layers))), stream)
    return stream.getvalue()


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
    if exact.selected is None:
        domain["directions"] = [_numbers(row) for row in given.directions]
    else:
        domain["inputs"] = exact.selected.tolist()
    found: dict[str, Any] = {
        "format": 2,
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
