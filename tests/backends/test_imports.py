import subprocess
import sys

import pytest

from milpcount.backends import registry
from milpcount.errors import NotInstalledError, OptionError

PROBLEM = """
import highspy, numpy as np
from ortools.sat.python import cp_model
h = highspy.Highs(); h.setOptionValue('output_flag', False)
h.addVar(0.0, 1.0); h.changeColCost(0, -1.0); h.run()
assert h.getInfo().objective_function_value == -1.0
model = cp_model.CpModel(); b = model.new_bool_var('b'); model.add(b == 1)
assert cp_model.CpSolver().solve(model) == cp_model.OPTIMAL
"""


@pytest.mark.parametrize("first", ["highspy", "ortools.sat.python.cp_model"])
def test_highs_and_ortools_share_a_process_in_either_order(first: str) -> None:
    code = f"import {first}\n{PROBLEM}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_no_solver_is_imported_before_it_is_used() -> None:
    code = (
        "import sys; from milpcount.backends import registry; registry.find('highs').load();"
        "import milpcount.counters.solution_pool as p;"
        "[p.SolutionPool(backend=name) for name in registry.names()];"
        "print([m for m in ('highspy', 'ortools', 'pyomo') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_backend_lists_the_known() -> None:
    with pytest.raises(OptionError, match=r"'baron' is not known; give one of: highs"):
        registry.backend("baron")


@pytest.mark.parametrize("entry", registry.BACKENDS, ids=registry.names())
def test_every_backend_says_what_it_can_do(entry: registry.Entry) -> None:
    backend = entry.load()
    assert backend.name == entry.name
    assert backend.capabilities and backend.modes
    assert entry.install.startswith(("pip install", "apt install"))


def test_a_missing_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = registry.Entry("ghost", "highs", "Highs", "no-such-package", "ghosts")
    monkeypatch.setattr(registry, "BACKENDS", (absent,))
    assert absent.version is None
    with pytest.raises(NotInstalledError, match=r"pip install 'milpcount\[ghosts\]'"):
        registry.backend("ghost")
