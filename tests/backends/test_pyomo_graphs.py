"""The Pyomo block of graphs: named variables, and outputs that are the network's."""

import numpy as np
import pytest

import milpcount as mc
from tests.graphs import graphs

pyo = pytest.importorskip("pyomo.environ")


@pytest.mark.parametrize("number", range(9))
def test_outputs_at_fixed_inputs_are_those_of_the_network(number: int) -> None:
    _, network = list(graphs(9, seed=3))[number]
    x = np.random.default_rng(number).uniform(-1, 1, size=network.n_inputs)
    model = pyo.ConcreteModel()
    model.net = mc.formulate(network, mc.Box(-1, 1)).to_pyomo(objective=True)
    model.at = pyo.Constraint(range(x.size), rule=lambda m, i: m.net.x[i] == float(x[i]))
    pyo.SolverFactory("appsi_highs").solve(model, options={"presolve": "off"})
    found = [pyo.value(value) for value in model.net.y.values()]
    assert np.allclose(found, network(x), atol=1e-6)
    pattern, first = network.pattern(x), 0
    for index, layer in enumerate(network.layers):
        for i, unit in enumerate(layer.units):
            piece = int(pattern[first + i])
            if unit.rank == 1 and unit.n_pieces == 2:
                assert round(pyo.value(model.net.z[index, i])) == piece
            else:
                assert round(pyo.value(model.net.z[index, i, piece])) == 1
        first += layer.width
