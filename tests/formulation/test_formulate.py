from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.enumeration.highs_programs import MixedInteger
from milpcount.errors import DomainError, OptionError
from milpcount.formulation import Form, formulate
from milpcount.formulation.highs_model import SolveStatus
from milpcount.formulation.tighten import pre_activation_bounds, rigorous_maximum
from milpcount.limits import Deadline
from milpcount.network import Activation, Dense, Layer, Network, leaky_relu, piecewise_linear
from milpcount.network.activation import Piece
from milpcount.network.activation import Row as ActivationRow


def random_network(seed: int, *sizes: int, activation: object = None) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [rng.normal(size=b) for b in sizes[1:]]
    return Network.from_arrays(weights, biases, activation=activation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "activation", [None, leaky_relu(0.1), piecewise_linear([0.5], [-1.0, 2.0], [0.0, 0.5])]
)
def test_the_network_at_a_point_satisfies_every_constraint(activation: object) -> None:
    net = random_network(1, 3, 4, 4, 2, activation=activation)
    built = formulate(net, mc.Box(-1, 1), tighten="milp")
    program, columns = built.cells
    for x in np.random.default_rng(0).uniform(-1, 1, size=(200, 3)):
        solution = built.solution(x, net.pattern(x))
        assert (solution >= program.lower - 1e-9).all()
        assert (solution <= program.upper + 1e-9).all()
        assert all(program.row(i).holds(solution, 1e-9) for i in range(program.n_rows))
        assert columns.pattern(solution) == tuple(net.pattern(x))


def test_the_best_solution_is_a_point_of_its_pattern() -> None:
    net = random_network(2, 2, 4, 4, 1)
    for quantity in ("activation_regions", "activation_patterns"):
        built = formulate(net, mc.Box(-1, 1), quantity=quantity)
        answer = MixedInteger(built.program).solve()
        assert answer.outcome is SolveStatus.OPTIMAL and answer.values is not None
        x = answer.values[built.columns.t]
        assert built.columns.pattern(answer.values) == tuple(net.pattern(x))
        assert 0 < answer.values[built.columns.f] <= 1


def test_the_forms_differ_where_they_must() -> None:
    # ReLU(x) and ReLU(-x): both are inactive at 0 only.
    net = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    best = {}
    for form in Form:
        built = formulate(net, mc.Box(-1, 1), form=form)
        model = MixedInteger(built.program)
        model.set_bounds(built.columns.z, np.zeros(2), np.zeros(2))
        answer = model.solve()
        assert answer.values is not None
        best[form] = answer.values[built.columns.f]
    assert best[Form.ONE_SIDED] == pytest.approx(1)
    assert best[Form.TWO_SIDED] == pytest.approx(0, abs=1e-8)


def test_a_unit_behind_dead_inputs_does_not_bind_the_two_sided_form() -> None:
    # The second layer's unit has zero bias: it is identically zero where the first is inactive.
    net = Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [0.0]], output=False)
    built = formulate(net, mc.Box(-1, 1))
    model = MixedInteger(built.program)
    model.set_bounds(built.columns.z, np.zeros(2), np.zeros(2))
    answer = model.solve()
    assert answer.values is not None and answer.values[built.columns.f] > 0.1


def test_each_level_of_tightening_is_at_least_as_tight_and_sound() -> None:
    net, inputs = random_network(5, 3, 6, 6, 6, 1), mc.Box(0, 1).bind(3)
    points = np.random.default_rng(1).uniform(size=(20_000, 3))
    levels = [pre_activation_bounds(net, inputs, level, Deadline()) for level in LEVELS]
    for looser, tighter in pairwise(levels):
        for k in range(3):
            assert (tighter.upper[k] <= looser.upper[k] + 1e-9).all()
            assert (tighter.lower[k] >= looser.lower[k] - 1e-9).all()
    assert (levels[2].upper[2] < levels[0].upper[2] - 1e-3).any()
    value = points
    for k, layer in enumerate(net.layers):
        v = value @ layer.affine.weight.T + layer.affine.bias
        assert (v <= levels[2].upper[k]).all() and (v >= levels[2].lower[k]).all()
        value = layer.activation.apply(v)


LEVELS = ("interval", "lp", "milp")


def test_milp_bounds_do_not_fall_for_a_wrong_optimum() -> None:
    # HiGHS 1.14 with presolve calls -1.25 the largest value of the deep unit; it is -0.25.
    unit = piecewise_linear([0.25], [-1.0, 2.0], [0.0, 0.5])
    first, second = [[-0.5], [1.0], [0.0]], [[-1.0, 1.0, -0.5]]
    net = Network.from_arrays(
        [first, second], [[-1.0, -1.0, 0.5], [-1.0]], output=False, activation=unit
    )
    bounds = pre_activation_bounds(net, mc.Box(-1, 2).bind(1), "milp", Deadline())
    assert bounds.upper[1][0] == pytest.approx(-0.25, abs=1e-4) and bounds.upper[1][0] >= -0.25


def test_tightening_stops_at_the_deadline_with_sound_bounds() -> None:
    net, inputs = random_network(5, 3, 6, 6, 1), mc.Box(0, 1).bind(3)
    stopped = pre_activation_bounds(net, inputs, "milp", Deadline(1e-9))
    free = pre_activation_bounds(net, inputs, "interval", Deadline())
    assert all((a == b).all() for a, b in zip(stopped.upper, free.upper, strict=True))


def test_any_multipliers_give_a_valid_bound() -> None:
    program, columns = formulate(random_network(4, 2, 4, 1), mc.Box(-1, 1)).cells
    objective = np.zeros(program.n_columns)
    objective[columns.h] = 1.0
    best = MixedInteger(program.with_objective(objective)).solve().bound
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert rigorous_maximum(program, objective, rng.normal(size=program.n_rows)) >= best - 1e-7


def test_bad_options_name_what_is_allowed() -> None:
    net = random_network(0, 2, 3, 1)
    with pytest.raises(OptionError, match="tighten='exact': give one of interval, lp, milp"):
        formulate(net, mc.Box(), tighten="exact")
    with pytest.raises(OptionError, match="form 'both': give one of one_sided, two_sided"):
        formulate(net, mc.Box(), form="both")
    with pytest.raises(OptionError, match=r"linear_regions.*no MILP formulation"):
        formulate(net, mc.Box(), quantity="linear_regions")
    pieces = Piece(0, 1.0, 0.0, ((0, -1),)), Piece(1, 1.0, 0.0, ((0, 1),))
    least = Activation("minimum", 2, (ActivationRow(0, 1, 0.0),), pieces)
    with pytest.raises(OptionError, match=r"takes 2 values and is no maximum.*region tree"):
        formulate(Network((Layer(Dense([[1.0], [-1.0]], [0.0, 0.0]), least),)), mc.Box())


def test_a_flat_polytope_is_refused() -> None:
    flat = mc.Polytope([[1.0, 1.0], [-1.0, -1.0]], [0.0, 0.0], lower=-1, upper=1)
    with pytest.raises(DomainError, match=r"no interior point.*Section"):
        formulate(random_network(0, 2, 3, 1), flat)
