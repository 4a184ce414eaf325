"""The lowest versions of the dependencies that pyproject.toml allows, as constraints for pip.

``python -m experiments.lowest`` prints a line for each dependency, those of extras included. It
needs Python alone, so that it runs in an empty environment.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
TOOLS = ("dev", "docs")
"""Extras of those who work on the project: they have no lowest version that a user meets."""


def lowest(requirements: Iterable[str]) -> list[str]:
    """Return ``name==1.2.*`` for every requirement of at least 1.2, with any patch of it."""
    found = []
    for requirement in requirements:
        match = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*(?:>=|==)\s*([0-9][0-9.]*)", requirement)
        if match:
            version = match[2] if "." in match[2] else f"{match[2]}.0"
            found.append(f"{match[1]}=={version}.*")
    return found


def constraints() -> list[str]:
    """Return the constraints, in the order of the file."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    everything = list(project["dependencies"])
    for name, requirements in extras.items():
        everything += [] if name in TOOLS else requirements
    return lowest(everything)


if __name__ == "__main__":
    print("\n".join(constraints()))
