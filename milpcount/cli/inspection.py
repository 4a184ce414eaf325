"""What there is to say about a network before it is counted."""

import json
from pathlib import Path
from typing import Any

from milpcount import integers
from milpcount.bounds.best import best_upper
from milpcount.cli.tables import print_facts, print_table
from milpcount.domain import Domain
from milpcount.limits import Deadline
from milpcount.network import Network
from milpcount.quantities import Quantity


def describe(network: Network) -> dict[str, Any]:
    """Return layers, sizes and fingerprint as JSON types.

    A layer of a graph has ``reads`` too: 0 is the input, k the k-th layer.
    """
    layers: list[dict[str, Any]] = []
    for number, layer in enumerate(network.layers):
        names = dict.fromkeys(kind.name for kind in layer.activations)
        entry = {
            "units": layer.width,
            "inputs": layer.affine.n_in,
            "activation": ", ".join(names),
        }
        if not network.is_chain:
            entry["reads"] = [source.number for source in network.sources[number]]
        layers.append(entry)
    return {
        "network": network.title,
        "is_chain": network.is_chain,
        "inputs": network.n_inputs,
        "units": network.n_units,
        "outputs": None if network.output is None else network.output.n_out,
        "fingerprint": network.fingerprint,
        "layers": layers,
    }


def add_ranges(
    record: dict[str, Any], network: Network, domain: Domain, level: str = "interval"
) -> None:
    """Add what holds over a domain: an upper bound and, unless it is all of space, ranges.

    Parameters
    ----------
    record : dict
        As `describe` gives it; changed.
    network : Network
    domain : Domain
    level : {"interval", "lp", "milp"}
        How the ranges are found.

    Raises
    ------
    DomainError
        If the domain does not fit the network.
    NetworkError
        If ranges other than intervals are asked for, and the network is no chain.

    Notes
    -----
    A unit is stable if it has one piece on the domain, inactive if that is its first.
    """
    from milpcount.formulation.tighten import pre_activation_bounds

    inputs = domain.bind(network.n_inputs)
    upper, source = best_upper(network, inputs, Quantity.ACTIVATION_REGIONS)
    record["domain"] = domain.title
    record["upper_bound"], record["upper_source"] = integers.to_text(upper), source
    if not (inputs.is_boxed or inputs.rows.size):
        return
    bounds = pre_activation_bounds(network, inputs, level, Deadline())
    settled, ranges = bounds.settled(network), zip(bounds.lower, bounds.upper, strict=True)
    for entry, pieces, (low, high) in zip(record["layers"], settled, ranges, strict=True):
        entry["stably_active"] = int((pieces > 0).sum())
        entry["stably_inactive"] = int((pieces == 0).sum())
        entry["pre_activations"] = [float(low.min()), float(high.max())]


def show(
    path: Path,
    domain: Domain | None,
    level: str = "interval",
    *,
    output: str | None = None,
    as_json: bool = False,
) -> None:
    """Print what there is to say.

    Parameters
    ----------
    path : Path
        Of the network.
    domain : Domain or None
    level : {"interval", "lp", "milp"}
    output : str, optional
        Name of the network's output, where it has several.
    as_json : bool
        Print one line of JSON.
    """
    network = Network.load(path, output)
    record = describe(network)
    if domain is not None:
        add_ranges(record, network, domain, level)
    if as_json:
        print(json.dumps(record))
        return
    facts = [("network", record["network"]), ("fingerprint", record["fingerprint"])]
    if "domain" in record:
        upper = integers.human(integers.from_text(record["upper_bound"]))
        facts.append(("domain", record["domain"]))
        facts.append(("upper bound", f"{upper} activation regions ({record['upper_source']})"))
    print_facts(facts)
    rows = [_row(number, entry) for number, entry in enumerate(record["layers"], 1)]
    if rows:
        print()
        graph = not record["is_chain"]
        header = (_HEADER[0], "reads", *_HEADER[1:]) if graph else _HEADER
        print_table(header[: len(rows[0])], rows)


_HEADER = (
    "layer", "inputs", "units", "activation", "stably active", "stably inactive", "unstable",
    "pre-activations",
)  # fmt: skip


def _row(number: int, entry: dict[str, Any]) -> list[str]:
    row = [str(number), str(entry["inputs"]), str(entry["units"]), entry["activation"]]
    if "reads" in entry:
        row.insert(1, ", ".join(f"layer {k}" if k else "input" for k in entry["reads"]))
    if "pre_activations" in entry:
        on, off = entry["stably_active"], entry["stably_inactive"]
        low, high = entry["pre_activations"]
        row += [str(on), str(off), str(entry["units"] - on - off), f"[{low:.4g}, {high:.4g}]"]
    return row
