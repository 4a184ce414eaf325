"""The backends by name; each is imported when it is asked for."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import cast

from milpcount.backends.backend import Backend, Capability
from milpcount.errors import NotInstalledError, OptionError


@dataclass(frozen=True)
class Entry:
    """Where a backend lives and what it needs.

    Attributes
    ----------
    name : str
        As on the command line.
    module, kind : str
        The class, which is imported on first use.
    package : str
        The distribution it needs.
    extra : str or None
        The extra of milpcount that brings it; None where milpcount itself does.
    arguments : tuple of str
        Of the class.
    command : str or None
        How to install it, where neither milpcount nor an extra brings it.
    """

    name: str
    module: str
    kind: str
    package: str
    extra: str | None = None
    arguments: tuple[str, ...] = ()
    command: str | None = None

    @property
    def version(self) -> str | None:
        """The installed version of the package, None where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None

    @property
    def is_ready(self) -> bool:
        """Whether the solver can be used; this imports it."""
        return self.obstacle() is None

    def obstacle(self) -> NotInstalledError | None:
        """Return what keeps the solver from being used, None where nothing does."""
        if self.version is None:
            return NotInstalledError(f"the backend {self.name!r}", self.package, self.extra)
        try:
            self.load().require()
        except NotInstalledError as error:
            return error
        return None

    @property
    def install(self) -> str:
        """The command that installs it."""
        if self.command:
            return self.command
        return f"pip install 'milpcount[{self.extra}]'" if self.extra else "pip install milpcount"

    def load(self) -> Backend:
        """Return the backend; its solver is imported when it is first used."""
        module = import_module(f"milpcount.backends.{self.module}")
        return cast(Backend, getattr(module, self.kind)(*self.arguments))


PYOMO = "pyomo:"


def _pyomo(solver: str, command: str | None = None) -> Entry:
    name = f"{PYOMO}{solver}"
    return Entry(name, "pyomo_solvers", "Pyomo", "pyomo", arguments=(solver,), command=command)


BACKENDS = (
    Entry("highs", "highs", "Highs", "highspy"),
    Entry("cpsat", "cpsat", "CpSat", "ortools"),
    Entry("scip", "scip", "Scip", "ortools"),
    Entry("pyscipopt", "pyscipopt_tree", "PyScipOpt", "pyscipopt", "scip"),
    Entry("gurobi", "gurobi", "Gurobi", "gurobipy", "gurobi"),
    Entry("cplex", "cplex_populate", "Cplex", "cplex", "cplex"),
    _pyomo("highs"),
    _pyomo("cbc", "pip install 'milpcount[cbc]'"),
    _pyomo("glpk", "apt install glpk-utils"),
    _pyomo("scip", "pip install 'milpcount[scip]'"),
    _pyomo("gurobi", "pip install gurobipy"),
    _pyomo("cplex", "pip install cplex"),
)
"""One line per backend; any other solver that Pyomo reaches goes by ``pyomo:NAME`` too."""


TAKE_ROWS = frozenset({Capability.LAZY_ROWS, Capability.RESTARTS})
"""Either of these lets a search go on under rows that were not there when it began."""


COUNT_ONLY = frozenset({"countsols"})
"""Modes that name no patterns."""


def names(any_of: frozenset[Capability] = frozenset()) -> tuple[str, ...]:
    """Return the names of the backends, or of those with one of the capabilities."""
    return tuple(
        entry.name for entry in BACKENDS if not any_of or any_of & entry.load().capabilities
    )


def find(name: str) -> Entry:
    """Return the entry of a backend, installed or not.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    for entry in BACKENDS:
        if entry.name == name:
            return entry
    if name.startswith(PYOMO) and len(name) > len(PYOMO):
        return _pyomo(name.removeprefix(PYOMO))
    raise OptionError(f"backend {name!r} is not known; give one of: {', '.join(names())}")


def backend(name: str) -> Backend:
    """Return a backend that is ready to use.

    Raises
    ------
    OptionError
        If there is none of that name.
    NotInstalledError
        If its package is missing.
    """
    entry = find(name)
    if entry.version is None:
        raise NotInstalledError(f"the backend {name!r}", entry.package, entry.extra)
    return entry.load()
