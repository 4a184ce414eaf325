"""The formulation of units of more pieces, of maxima and of graphs, against answers by hand."""

from collections import Counter

import numpy as np
import pytest

import milpcount as mc
from milpcount.enumeration.highs_programs import MixedInteger
from milpcount.formulation import Form, formulate
from milpcount.network import Activation, Network, maxout, piecewise_linear, relu
from milpcount.network.activation import clip
from tests.graphs import CLIP, STEP, graphs

ABSOLUTE = piecewise_linear([0.0], [-1.0, 1.0], [0.0, 0.0])
SAW = piecewise_linear([-0.5, 0.0, 0.5], [0.0, 1.0, -2.0, 0.0], [1.0, 0.0, 0.5, 0.0])
"""Of four pieces, with jumps."""
BOX = mc.Box(-1, 1)
BACKENDS = ("highs", "scip", "cpsat")
QUANTITIES = ("activation_regions", "activation_patterns")


def one_layer(weights: object, bias: object, unit: Activation | list[Activation]) -> Network:
    matrix = np.array(weights, dtype=float)
    return Network.from_layers(matrix.shape[1], [({0: matrix}, np.array(bias, float), unit)])


def pooled(weights: object, bias: object, rank: int) -> Network:
    """Return the maximum of rectifiers."""
    matrix = np.array(weights, dtype=float)
    layers = [
        ({0: matrix}, np.array(bias, float), relu()),
        ({1: np.eye(len(matrix))}, np.zeros(len(matrix)), maxout(rank)),
    ]
    return Network.from_layers(matrix.shape[1], layers)


KNOWN = {
    # name: network on [-1, 1]^n, regions, patterns
    "abs": (one_layer([[1.0]], [0.0], ABSOLUTE), 2, 2),
    # abs(abs(x) - 1/2): breakpoints at 0, -1/2 and 1/2
    "abs of abs": (
        Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [-0.5]], output=False, activation=ABSOLUTE),
        4,
        4,
    ),
    "clip": (one_layer([[2.0]], [0.0], CLIP), 3, 3),
    "clip at the border": (one_layer([[1.0]], [0.0], clip(-1.0, 1.0)), 1, 2),
    "hard step": (one_layer([[1.0]], [0.0], STEP), 2, 2),
    # relu(step(x) - 1/2), a jump over the breakpoint: (0, 0) and (1, 1)
    "relu of step": (
        Network.from_layers(1, [({0: [[1.0]]}, [0.0], STEP), ({1: [[1.0]]}, [-0.5], relu())]),
        2,
        2,
    ),
    "four pieces with jumps": (one_layer([[1.0]], [0.0], SAW), 4, 4),
    # max(x, -x): piece 0 has the tie
    "max of two": (one_layer([[1.0], [-1.0]], [0.0, 0.0], maxout(2)), 2, 2),
    "max with identical arguments": (
        one_layer([[1.0], [1.0], [-1.0], [-1.0]], [0.0] * 4, maxout(4)),
        2,
        2,
    ),
    # max(x, 2x, 3x): the middle one wins at 0 only with the others, where the first does
    "max through a point": (one_layer([[1.0], [2.0], [3.0]], [0.0] * 3, maxout(3)), 2, 2),
    # max(x, 0, y): three cells meet at 0
    "max of three": (one_layer([[1, 0], [0, 0], [0, 1]], [0.0] * 3, maxout(3)), 3, 3),
    # relu(x), relu(-x): each half has one that is not zero, and at 0 the first wins
    "max pool of rectifiers": (pooled([[1.0], [-1.0]], [0.0] * 2, 2), 2, 3),
    # relu(x), relu(x - 1/2): both dead left of 0, where the first wins, as it does on the right
    "max pool of tied rectifiers": (pooled([[1.0], [1.0]], [0.0, -0.5], 2), 3, 3),
    # relu(2x - 1), relu(x): dead left of 0; then the second until x = 1, where the first ties
    "max pool, the later wins": (pooled([[2.0], [1.0]], [-1.0, 0.0], 2), 3, 4),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("backend", [*BACKENDS, "pyscipopt", "highs/no_good", "highs/two_sided"])
def test_known_answers(name: str, backend: str) -> None:
    network, *known = KNOWN[name]
    solver, _, how = backend.partition("/")
    if solver == "pyscipopt":
        pytest.importorskip("pyscipopt")
    form = how if how == "two_sided" else None
    pool = mc.SolutionPool(solver, "no_good" if how else None, form)
    for quantity, expected in zip(QUANTITIES, known, strict=True):
        if form and quantity == "activation_patterns":
            continue
        result = mc.count(network, BOX, pool, quantity=quantity, keep_regions=True)
        assert (result.lower, result.upper) == (expected, expected)
        assert result.verify()
        tree = mc.count(network, BOX, mc.ExactTree(), quantity=quantity)
        assert tree.lower == expected


def test_scip_by_itself_bounds_the_count() -> None:
    pytest.importorskip("pyscipopt")
    for name, (network, *known) in KNOWN.items():
        for quantity, expected in zip(QUANTITIES, known, strict=True):
            pool = mc.SolutionPool("pyscipopt", "countsols")
            result = mc.count(network, BOX, pool, quantity=quantity)
            assert result.lower <= expected <= result.upper, name
            # Nothing here vanishes but by dead inputs, which the two-sided form exempts.
            assert result.lower == expected or quantity == "activation_patterns", name


@pytest.mark.parametrize("label, network", list(graphs(9, seed=11)), ids=lambda v: str(v)[:20])
def test_points_satisfy_the_program(label: str, network: Network) -> None:
    inputs = BOX.bind(network.n_inputs)
    built = formulate(network, inputs)
    program = built.cells[0]
    for x in np.random.default_rng(0).uniform(-1, 1, size=(20, network.n_inputs)):
        columns = built.solution(x, network.pattern(x))
        assert all(program.row(i).holds(columns, 1e-9) for i in range(program.n_rows)), label
        assert (columns >= program.lower - 1e-9).all() and (columns <= program.upper + 1e-9).all()
        assert built.cells[1].pattern(columns) == tuple(network.pattern(x).tolist())


@pytest.mark.parametrize("form", list(Form))
def test_the_best_margin_is_that_of_a_point_of_the_pattern(form: Form) -> None:
    for _, network in graphs(9, seed=5):
        built = formulate(network, mc.Box(-1, 1), form=form)
        columns = built.columns
        program = built.program.rescaled(columns.shift, columns.scale)
        values = MixedInteger(program).solve().values
        assert values is not None
        x = columns.shift + columns.scale * values
        assert x[columns.f] > 0
        point = built.point(x[columns.t])
        if form is Form.TWO_SIDED:
            assert network.pattern(point).tolist() == list(columns.pattern(x))


SIZES = {
    # unit: (binaries, rows of the cells, rows with f one-sided, two-sided)
    "relu": (one_layer([[1.0]], [0.0], relu()), (1, 3, 1, 2)),
    "clip": (one_layer([[2.0]], [0.0], CLIP), (3, 7, 2, 4)),
    "four pieces": (one_layer([[1.0]], [0.0], SAW), (4, 10, 3, 6)),
    "max of two": (one_layer([[1.0], [-1.0]], [0.0] * 2, maxout(2)), (2, 5, 1, 2)),
    "max of four": (
        one_layer([[1.0, 0], [-1, 0], [0, 1], [0, -1]], [0.0] * 4, maxout(4)),
        (4, 9, 3, 4),
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_documentation(name: str) -> None:
    network, (binaries, rows, one_sided, two_sided) = SIZES[name]
    built = {form: formulate(network, BOX, form=form) for form in Form}
    for form, with_f in zip(Form, (one_sided, two_sided), strict=True):
        found = built[form]
        assert int(found.program.integer.sum()) == binaries
        assert found.cells[0].n_rows == rows
        labels = Counter(label[0].startswith("margin") for label in found.program.labels)
        assert labels[True] == with_f


def test_regions_on_which_a_unit_cancels_are_not_lost() -> None:
    # relu(x + 1/10) - relu(x + 1/10) is zero, on regions that nothing else tells.
    net = Network.from_arrays(
        [[[1.0, 0], [1.0, 0], [0, 1.0]], [[1.0, -1.0, 0], [0, 0, 1]]],
        [[0.1] * 3, [0.0, -0.2]],
        output=False,
    )
    for form in Form:
        pool = mc.SolutionPool(mode="no_good", form=form.value)
        assert mc.count(net, mc.Box(-1, 1), pool).lower == 6
