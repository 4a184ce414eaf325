"""The solvers behind `--backend`: what is installed, what each can do."""

import json
from typing import Any

from milpcount.backends.registry import BACKENDS, Entry


def describe(entry: Entry) -> dict[str, Any]:
    """Return what there is to say about a backend as JSON types."""
    backend = entry.load()
    return {
        "name": entry.name,
        "package": entry.package,
        "version": entry.version if entry.is_ready else None,
        "modes": list(backend.modes),
        "capabilities": sorted(capability.value for capability in backend.capabilities),
        "install": entry.install,
    }


def show(*, as_json: bool = False) -> None:
    """Print the backends: a paragraph each, or one line of JSON."""
    records = [describe(entry) for entry in BACKENDS]
    if as_json:
        print(json.dumps(records))
        return
    for record in records:
        version = record["version"] or f"not installed: {record['install']}"
        print(f"{record['name']}   {record['package']} {version}")
        print(f"    modes  {', '.join(record['modes'])}")
        for capability in record["capabilities"]:
            print(f"    {capability}")
