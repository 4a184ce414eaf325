import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner, Result

from milpcount import examples
from milpcount.cli import app, method_options
from milpcount.counters.method import Problem, Snapshot
from milpcount.quantities import Quantity
from milpcount.result import Guarantee

Shell = Callable[..., subprocess.CompletedProcess[str]]
Invoke = Callable[..., Result]


@dataclass(frozen=True)
class Scripted:
    """A method that yields what it is told to; an exception in the script is raised."""

    script: tuple[Any, ...] = (Snapshot(lower=3, lps=7, share=1.0),)
    notice: str = ""
    seen: list[Problem] = field(default_factory=list, compare=False)

    name: ClassVar[str] = "scripted"
    theorem: ClassVar[str] = ""
    quantities: ClassVar[frozenset[Quantity]] = frozenset({Quantity.ACTIVATION_REGIONS})
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT_ARITHMETIC
    packages: ClassVar[tuple[str, ...]] = ()

    def options(self) -> dict[str, Any]:
        return {}

    def warm_up(self, problem: Problem) -> None:
        if self.notice:
            problem.notice(self.notice)

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        self.seen.append(problem)
        for step in self.script:
            if isinstance(step, BaseException):
                raise step
            yield step


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Make every method of the command line the scripted one."""

    def install(*script: Any, notice: str = "") -> Scripted:
        method = Scripted(script or Scripted().script, notice)
        monkeypatch.setattr(method_options, "make", lambda name, **options: method)
        return method

    return install


@pytest.fixture
def invoke() -> Invoke:
    """Run a command in this process."""

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments])

    return call


@pytest.fixture
def shell() -> Shell:
    """Run a command as the user does."""

    def call(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "milpcount", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=240,  # a kernel may have to be compiled
            **options,
        )

    return call


@pytest.fixture
def tent(tmp_path: Path) -> Path:
    """A file with a network of 8 regions on [0, 1]."""
    path = tmp_path / "tent.npz"
    examples.tent(3).save(path)
    return path
