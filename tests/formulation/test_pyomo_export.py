from itertools import pairwise

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.contrib.solver.common.factory import SolverFactory

import milpcount as mc
from milpcount.formulation import formulate
from milpcount.network import Network, leaky_relu


def small_network() -> Network:
    rng = np.random.default_rng(3)
    sizes = (2, 4, 3, 1)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    # A unit that is never active: its z is in no row and still has a value.
    biases = [np.array([*rng.normal(size=3), -99.0]), rng.normal(size=3), np.zeros(1)]
    return Network.from_arrays(weights, biases)


def solve(model: object, solver: str) -> None:
    if solver == "contrib highs":
        SolverFactory("highs").solve(model, solver_options={"presolve": "off"})
    else:
        pyo.SolverFactory(solver).solve(model, options={"presolve": "off"})


def point(block: object) -> np.ndarray:
    return np.array([pyo.value(block.x[i]) for i in block.x])  # type: ignore[attr-defined]


@pytest.mark.parametrize("solver", ["appsi_highs", "contrib highs"])
def test_a_pyomo_solver_finds_the_widest_pattern(solver: str) -> None:
    net = small_network()
    model = pyo.ConcreteModel()
    model.net = formulate(net, mc.Box(-1, 1)).to_pyomo(objective=True)
    solve(model, solver)
    found = [round(pyo.value(z)) for z in model.net.z.values()]
    assert found == net.pattern(point(model.net)).tolist()
    assert pyo.value(model.net.y[0]) == pytest.approx(net(point(model.net))[0])
    assert pyo.value(model.net.f) > 0


def test_a_block_serves_a_larger_model() -> None:
    # The user maximises the network's output where the inputs add up to a half.
    net = small_network()
    model = pyo.ConcreteModel()
    model.net = formulate(net, mc.Box(-1, 1)).to_pyomo()
    assert not list(model.component_data_objects(pyo.Objective, active=True))
    model.sum = pyo.Constraint(expr=model.net.x[0] + model.net.x[1] == 0.5)
    model.best = pyo.Objective(expr=model.net.y[0], sense=pyo.maximize)
    solve(model, "appsi_highs")
    line = np.linspace(-0.5, 1, 3001)
    best = net(np.stack([line, 0.5 - line], axis=1)).max()
    assert pyo.value(model.best) == pytest.approx(best, abs=2e-3)
    assert pyo.value(model.best) == pytest.approx(net(point(model.net))[0], abs=1e-6)


def test_enumeration_in_pyomo_counts_what_the_pool_counts() -> None:
    net = small_network()
    model = pyo.ConcreteModel()
    model.net = formulate(net, mc.Box(-1, 1)).to_pyomo(objective=True)
    model.cuts, solver, seen = pyo.ConstraintList(), pyo.SolverFactory("appsi_highs"), 0
    solver.config.load_solution = False
    solver.highs_options = {"presolve": "off"}
    while True:
        answer = solver.solve(model, load_solutions=False)
        if answer.solver.termination_condition != pyo.TerminationCondition.optimal:
            break
        solver.load_vars()
        if pyo.value(model.net.f) <= 1e-6:
            break
        seen += 1
        z = list(model.net.z.values())
        model.cuts.add(sum(1 - v if pyo.value(v) > 0.5 else v for v in z) >= 1)
    assert seen == mc.count(net, mc.Box(-1, 1), pool()).lower


def pool() -> object:
    from milpcount.counters.solution_pool import SolutionPool

    return SolutionPool()


def test_a_section_and_a_leaky_network() -> None:
    weights = [[[1.0, -2.0], [0.5, 1.0]], [[1.0, 1.0]]]
    net = Network.from_arrays(weights, [[0.1, -0.2], [0.3]], activation=leaky_relu(0.2))
    domain = mc.Section([0.1, 0.2], [[1.0, 1.0]], mc.Box(-1, 1))
    model = pyo.ConcreteModel()
    model.net = formulate(net, domain).to_pyomo()
    model.best = pyo.Objective(expr=model.net.y[0], sense=pyo.minimize)
    solve(model, "appsi_highs")
    x = point(model.net)
    assert x[1] - x[0] == pytest.approx(0.1)
    grid = np.array([[0.1], [0.2]]) + np.linspace(-1, 1, 2001)
    assert pyo.value(model.best) == pytest.approx(net(grid.T).min(), abs=1e-3)


def test_names_say_what_rows_are(tmp_path) -> None:
    # A unit of the second layer without a bias is identically zero where both before it are dead.
    net = Network.from_arrays([[[1.0], [-1.0]], [[1.0, -1.0]], [[1.0]]], [[-0.5, -0.5], [0], [0]])
    domain = mc.Polytope([[1.0]], [0.75], -1, 1)
    model = pyo.ConcreteModel()
    model.net = formulate(net, domain, tighten="interval").to_pyomo(objective=True)
    units = [(0, 0), (0, 1), (1, 0)]
    for name in "pre_activation", "big_m_active", "big_m_inactive", "margin_active":
        assert list(getattr(model.net, name)) == units
    assert list(model.net.margin_inactive) == units and list(model.net.domain) == [0]
    assert list(model.net.exempt) == [(1, 0)]
    assert list(model.net.exemption) == [(1, 0, 0), (1, 0, 1)]
    big_m = model.net.big_m_active[0, 1]
    assert str(big_m.body.args[0].args[0] if big_m.body.args[0].args else big_m.body.args[0])
    model.write(str(tmp_path / "net.lp"), io_options={"symbolic_solver_labels": True})
    text = (tmp_path / "net.lp").read_text()
    assert "net_margin_active(1_0)" in text and "net_h(0_1)" in text


def test_an_affine_map() -> None:
    net = Network.from_arrays([[[1.0, -2.0]]], [[3.0]])
    model = pyo.ConcreteModel()
    model.net = formulate(net, mc.Box(-1, 1)).to_pyomo()
    model.best = pyo.Objective(expr=model.net.y[0], sense=pyo.maximize)
    solve(model, "appsi_highs")
    assert pyo.value(model.best) == pytest.approx(6.0)
