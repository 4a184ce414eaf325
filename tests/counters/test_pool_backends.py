"""One method over all backends: the same counts, statuses and limits."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples
from milpcount.backends import highs, registry
from milpcount.counters.brute_force import BruteForce
from milpcount.counters.solution_pool import SolutionPool
from milpcount.domain import Unbounded
from milpcount.enumeration.highs_programs import MixedInteger, Solution
from milpcount.errors import SolverError
from milpcount.formulation.highs_model import SolveStatus
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import Status

BACKENDS = ["cpsat", "scip", "pyscipopt", "pyomo:highs"]
QUANTITIES = [Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS]
CASES = [
    (example, quantity)
    for example in examples.library()
    for quantity in QUANTITIES
    if not isinstance(example.domain, Unbounded)
]


@pytest.fixture(autouse=True)
def installed(request: pytest.FixtureRequest) -> None:
    """Skip a backend whose solver is not here; the extra `dev` brings all of them."""
    backend = getattr(request.node, "callspec", None) and request.node.callspec.params.get(
        "backend"
    )
    if backend and not registry.find(backend).is_ready:
        pytest.skip(f"{backend} is not installed: {registry.find(backend).install}")


def normal_network(seed: int, *sizes: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return Network.from_arrays(weights, [0.3 * rng.normal(size=b) for b in sizes[1:]], output=False)


def degenerate_network(seed: int) -> Network:
    """Weights in {-1, 0, 1}: copies, opposites and dead units abound."""
    rng = np.random.default_rng(seed)
    sizes = [int(rng.integers(1, 4)), *rng.integers(1, 5, size=rng.integers(1, 4)).tolist()]
    weights = [rng.integers(-1, 2, size=(b, a)) for a, b in pairwise(sizes)]
    return Network.from_arrays(
        weights, [rng.integers(-1, 2, size=b) for b in sizes[1:]], output=False
    )


def found(net: Network, domain: Any, method: Any, quantity: Quantity) -> set[tuple[int, ...]]:
    result = mc.count(net, domain, method, quantity=quantity, keep_regions=True)
    assert result.is_exact and result.status is Status.COMPLETE and result.regions is not None
    patterns = {tuple(region.pattern) for region in result.regions}
    assert len(patterns) == len(result.regions) == result.lower
    return patterns


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("example", "quantity"), CASES, ids=lambda v: getattr(v, "name", None))
def test_the_library(backend: str, example: examples.Example, quantity: Quantity) -> None:
    method = SolutionPool(backend=backend)
    patterns = found(example.network, example.domain, method, quantity)
    assert len(patterns) == example.known[quantity]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(6))
def test_degenerate_networks_pattern_by_pattern(backend: str, seed: int) -> None:
    net = degenerate_network(seed)
    corner = mc.Polytope(np.ones((1, net.n_inputs)), [0.5], lower=-1, upper=1)
    domain = [mc.Box(-1, 1), corner][seed % 2]
    for quantity in QUANTITIES:
        expected = found(net, domain, BruteForce(), quantity)
        assert found(net, domain, SolutionPool(backend=backend), quantity) == expected


@pytest.mark.parametrize("backend", [*BACKENDS, "highs"])
def test_a_network_whose_units_are_all_stable(backend: str) -> None:
    net = Network.from_arrays([[[1.0], [-1.0]]], [[2.0, -2.0]], output=False)
    mode = "no_good" if backend == "highs" else None
    patterns = found(net, mc.Box(-1, 1), SolutionPool(backend=backend, mode=mode), QUANTITIES[0])
    assert patterns == {(1, 0)}


def test_cpsat_does_not_end_before_everything_is_found(shared_data: Path) -> None:
    # Patterns that taught something about others were once taken for decided: 60 of 64 were told.
    entries = json.loads((shared_data / "deep_networks.json").read_text())
    entry = next(e for e in entries if e["name"] == "montufar_fold_p2_n2_L3")
    weights, biases = ([np.array(a, dtype=float) for a in entry[key]] for key in ("W", "b"))
    net = Network.from_arrays(weights, biases, output=len(weights) > len(entry["widths"]))
    low, high = zip(*entry["box"], strict=True)
    box = mc.Box(np.array(low, dtype=float), np.array(high, dtype=float))
    assert mc.count(net, box, SolutionPool(backend="cpsat")).lower == entry["expected_regions"]


@pytest.mark.parametrize("seed", range(3))
def test_cpsat_on_a_wider_network(seed: int) -> None:
    net = normal_network(seed, 2, 8, 8)
    expected = found(net, mc.Box(-1, 1), mc.RegionTree(), Quantity.ACTIVATION_REGIONS)
    method = SolutionPool(backend="cpsat")
    assert found(net, mc.Box(-1, 1), method, Quantity.ACTIVATION_REGIONS) == expected


@pytest.mark.slow
def test_cpsat_on_networks_of_32_units_and_of_784_inputs(shared_data: Path) -> None:
    method = SolutionPool(backend="cpsat")
    result = mc.count(normal_network(1, 2, 16, 16), mc.Box(-1, 1), method)
    expected = mc.count(normal_network(1, 2, 16, 16), mc.Box(-1, 1))
    assert result.is_exact and result.lower == expected.lower
    net = Network.load(shared_data / "networks" / "marabou_mnist_5_5_dropout.npz")
    result = mc.count(net, mc.Box(0, 1), method)
    assert result.is_exact and result.lower == 439
    assert result.details["learned_clauses"] > 0 and result.details["lp_checks"] >= 439


REGIONS = 42_402
"""Of `normal_network(0, 6, 12, 12)` over [-1, 1]^6, by the region tree."""
ENUMERATIONS = [
    (entry.name, mode)
    for entry in registry.BACKENDS
    if entry.name in (*BACKENDS, "highs", "pyomo:cbc")
    for mode in entry.load().modes
    if mode != "grid"
]
each_enumeration = pytest.mark.parametrize(("backend", "mode"), ENUMERATIONS)


@each_enumeration
def test_the_region_limit_leaves_a_valid_lower_bound(backend: str, mode: str) -> None:
    net, method = normal_network(0, 6, 12, 12), SolutionPool(backend=backend, mode=mode)
    result = mc.count(net, mc.Box(-1, 1), method, limits=mc.Limits(regions=2))
    assert result.status is Status.REGION_LIMIT and 2 <= result.lower <= REGIONS < result.upper


@pytest.mark.parametrize(("early", "error"), [(0.3, False), (30.0, True)])
def test_a_solver_whose_clock_is_fast_has_not_found_everything(
    early: float, error: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(MixedInteger):
        def solve(self, seconds: float = np.inf) -> Solution:
            if self.solves < 3:
                return super().solve(seconds)
            time.sleep(max(0.0, seconds - early))
            return Solution(SolveStatus.LIMIT, None, 1.0, 0)

    monkeypatch.setattr(highs, "MixedInteger", Hasty)
    net, limits = normal_network(0, 2, 4, 4), mc.Limits(seconds=1.0 if early < 1 else 31.0)
    method = SolutionPool(mode="no_good")
    if error:
        with pytest.raises(SolverError, match="the solver stopped by itself"):
            mc.count(net, mc.Box(-1, 1), method, limits=limits)
        return
    result = mc.count(net, mc.Box(-1, 1), method, limits=limits)
    assert result.status is Status.TIME_LIMIT and result.lower == 3 < result.upper


@contextmanager
def count_in_a_process(folder: Path, backend: str, mode: str, *options: str) -> Iterator[Any]:
    """Start a process of its own group, as in a terminal, that counts for minutes; end it."""
    normal_network(0, 6, 12, 12).save(folder / "net.npz")
    command = [sys.executable, "-m", "milpcount", "count", str(folder / "net.npz"), "--json"]
    more = ["--box", "-1", "1", "--method", "pool", "--backend", backend, "--mode", mode]
    whole = [*command, *more, *options]
    with subprocess.Popen(
        whole, stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:  # a test that fails must neither wait for the count nor leave it running
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@each_enumeration
def test_the_time_limit_on_the_command_line(backend: str, mode: str, tmp_path: Path) -> None:
    with count_in_a_process(tmp_path, backend, mode, "--time", "1") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    record = json.loads(out)
    assert record["status"] == "time_limit" and record["seconds"] < 6
    assert int(record["lower"]) <= REGIONS <= int(record["upper"])
    assert err.count("\n") == 1, err


@each_enumeration
def test_ctrl_c_ends_a_count_with_what_it_has_and_exit_code_3(
    backend: str, mode: str, tmp_path: Path
) -> None:
    with count_in_a_process(tmp_path, backend, mode) as process:
        assert " · pool · " in process.stderr.readline()
        time.sleep(4.0)  # on a busy machine the modelling language takes seconds to load
        os.killpg(
            process.pid, signal.SIGINT
        )  # as a terminal does: the solver's process gets it too
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    record = json.loads(out)
    # Pyomo's own reader thread may lose its pipe to the interrupt, and says so.
    assert record["status"] == "interrupted" and (not err or "_mergedReader" in err), err
    assert int(record["lower"]) <= REGIONS <= int(record["upper"])


@pytest.mark.parametrize("backend", [*BACKENDS, "highs"])
def test_the_result_names_the_backend(backend: str) -> None:
    result = mc.count(examples.tent(2), mc.Box(0, 1), SolutionPool(backend=backend))
    assert result.method["backend"] == backend and result.method["mode"]
    assert {"highspy", "ortools", "pyomo"} <= set(result.versions)
