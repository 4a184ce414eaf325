"""The list of mutants: what is changed, what that breaks, and the test that must notice.

They are data: the ``.toml`` files of this folder, each a list of ``[[mutant]]`` with

file : str
    From the root of the project.
breaks : str
    What is claimed and no longer true.
before, after : str
    Text of the file, which is there exactly once, and what stands in its place.
killed_by : str
    The test that must fail, as pytest names it; of a class or a file any of its tests.
timeout : bool, optional
    Whether running out of time is failing too.
part : bool, optional
    Whether it is among those that are run with every change of the project.

``[[speed]]`` in place of ``[[mutant]]`` has no test but a ``reason``: it alters how fast an answer
comes, never the answer, so that nothing can kill it. It stands there to be read.
"""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_NOT_COMPILED = ("composed_forms", "disk_cache", "unit_numbering", "stable_units")
"""Files of the kernel's folder that what is compiled and kept does not depend on."""


@dataclass(frozen=True)
class Mutant:
    """One change."""

    group: str
    file: str
    breaks: str
    before: str
    after: str
    killed_by: str = ""
    timeout: bool = False
    part: bool = False
    reason: str = ""

    @property
    def title(self) -> str:
        """What it breaks, and where."""
        return f"{self.file.removeprefix('milpcount/')}: {self.breaks}"

    @property
    def as_python(self) -> bool:
        """Whether it changes what is compiled, so that its test runs the kernel as Python."""
        path = Path(self.file)
        return path.parent.name == "kernel" and path.stem not in _NOT_COMPILED

    @property
    def is_speed(self) -> bool:
        """Whether it alters speed alone."""
        return bool(self.reason)

    @cached_property
    def fault(self) -> str | None:
        """Why it does not apply, None if it does."""
        found = (ROOT / self.file).read_text(encoding="utf-8").count(self.before)
        if self.before == self.after:
            return "it changes nothing"
        return None if found == 1 else f"its text is there {found} times"

    def applied(self, text: str) -> str:
        """Return the file's text with the change."""
        return text.replace(self.before, self.after)


def mutants() -> list[Mutant]:
    """Return all of them, those that alter speed alone among them."""
    found = []
    for path in sorted(_HERE.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind in ("mutant", "speed"):
            found += [Mutant(path.stem, **entry) for entry in table.get(kind, ())]
    return found
