"""The solvers behind `--backend`: what is installed, what each can do."""

import json
from typing import Any

from milpcount.backends.registry import BACKENDS, Entry


def describe(entry: Entry) -> dict[str, Any]:
    """Return what there is to say about a backend as JSON types.

    `version` is the package's, `missing` what keeps the backend from being used: the package, or
    the solver that it would call.
    """
    backend, obstacle = entry.load(), entry.obstacle()
    return {
        "name": entry.name,
        "package": entry.package,
        "version": entry.version,
        "ready": obstacle is None,
        "missing": None if obstacle is None else obstacle.missing,
        "problem": None if obstacle is None else f"{obstacle.state}: {obstacle.remedy}",
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
        print(f"{record['name']}   {record['package']} {record['version'] or ''}".rstrip())
        if not record["ready"]:
            print(f"    {record['missing']} {record['problem']}")
        print(f"    modes  {', '.join(record['modes'])}")
        for capability in record["capabilities"]:
            print(f"    {capability}")
