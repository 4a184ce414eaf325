"""What `backends` lists."""

import json
import os
import subprocess
import sys

import pytest

from milpcount.backends.registry import BACKENDS, Entry
from milpcount.cli import solvers


def test_every_backend_is_listed_with_what_it_can_do(invoke):
    done = invoke("backends")
    assert done.exit_code == 0
    for entry in BACKENDS:
        assert f"{entry.name}   {entry.package}" in done.stdout
        for capability in entry.load().capabilities:
            assert capability.value in done.stdout


def test_json(invoke):
    records = json.loads(invoke("backends", "--json").stdout)
    assert [r["name"] for r in records] == [entry.name for entry in BACKENDS]
    assert all(
        r["modes"] and r["install"].startswith(("pip install ", "apt install ")) for r in records
    )


def test_one_that_is_missing_says_how_to_install_it(invoke, monkeypatch):
    missing = Entry("other", "highs", "Highs", "no-such-distribution", "other")
    monkeypatch.setattr(solvers, "BACKENDS", (missing,))
    shown = invoke("backends").stdout
    assert "not installed: pip install 'milpcount[other]'" in shown


@pytest.mark.parametrize(
    ("hidden", "missing", "problem"),
    [
        ("pulp", "solver 'cbc'", "is not installed: pip install 'milpcount[cbc]'"),
        ("pyomo", "package 'pyomo'", "is not installed: pip install pyomo"),
    ],
)
def test_a_missing_solver_is_told_from_a_missing_package(tmp_path, hidden, missing, problem):
    code = f"import sys; sys.modules[{hidden!r}] = None; from milpcount.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "backends", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tmp_path)},
        check=True,
    )
    records = {record["name"]: record for record in json.loads(done.stdout)}
    cbc = records["pyomo:cbc"]
    assert (cbc["ready"], cbc["missing"], cbc["problem"]) == (False, missing, problem)
    assert cbc["version"] is not None  # of Pyomo, which is there
    assert records["highs"]["ready"] and records["highs"]["missing"] is None


def test_a_backend_that_is_not_known(invoke, tent):
    done = invoke("count", tent, "--box", 0, 1, "--method", "pool", "--backend", "abacus")
    assert done.exit_code == 2
    assert "backend 'abacus' is not known; give one of: highs" in done.stderr


@pytest.mark.parametrize(
    ("backend", "package", "missing", "command"),
    [
        ("highs", "highspy", "package 'highspy'", "pip install highspy"),
        ("cpsat", "ortools", "package 'ortools'", "pip install ortools"),
        ("scip", "ortools", "package 'ortools'", "pip install ortools"),
        ("pyscipopt", "pyscipopt", "package 'pyscipopt'", "pip install 'milpcount[scip]'"),
        ("pyomo:highs", "pyomo", "package 'pyomo'", "pip install pyomo"),
        ("pyomo:cbc", "pulp", "solver 'cbc'", "pip install 'milpcount[cbc]'"),
        ("pyomo:glpk", "pulp", "solver 'glpk'", "apt install glpk-utils"),
    ],
)
def test_a_solver_that_is_missing_is_one_line_and_exit_code_2(
    tent, backend, package, missing, command
):
    code = f"import sys; sys.modules[{package!r}] = None; from milpcount.cli import main; main()"
    options = ["count", tent, "--box", "0", "1", "--method", "pool", "--backend", backend, "-q"]
    done = subprocess.run(
        [sys.executable, "-c", code, *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(tent.parent)},
        check=False,
    )
    assert done.returncode == 2 and done.stdout == ""
    needs = f"milpcount: error: the backend '{backend}' needs the {missing}, "
    assert done.stderr.startswith(needs)
    assert done.stderr.endswith(f"which is not installed: {command}\n")
    assert done.stderr.count("\n") == 1
