"""Numbers that proofs rest on: counted roundings, powers of two, sums over what rows read."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.kernel import orthant_certificate as orthant
from milpcount.kernel.program import compile_program
from milpcount.network import piecewise_linear, relu
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.search import Search
from tests.interpreted import interpreted
from tests.networks import patterns
from tests.observed import exact_rows, on_the_cube

ABSOLUTE = piecewise_linear([0.0], [-1.0, 1.0], [0.0, 0.0])
FALLING = piecewise_linear([0.0], [-0.5, -1.0], [0.0, 0.0])
CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
MOVED = piecewise_linear([1.0], [0.0, 1.0], [0.0, -1.0])

is_negative_sum = interpreted(orthant._is_negative_sum)
set_coordinates = interpreted(orthant._set_coordinates)
set_rows = interpreted(orthant._set_rows)


def test_a_sum_of_products_is_rounded_for_each_of_them():
    """Higham: a term of a sum of k products is rounded k times, and as often as what it reads."""
    random = np.random.default_rng(0)
    for widths in ([40, 300, 20], [5, 5, 5]):
        sizes = list(zip([3, *widths[:-1]], widths, strict=True))
        weights = [random.normal(size=(b, a)) for a, b in sizes]
        net = mc.Network.from_arrays(weights, [np.ones(b) for _, b in sizes], output=False)
        p = compile_program(net, mc.Box(-1, 1).bind(3), reduce=False).program
        assert p.ops[0] >= 3 + 1
        for layer in (1, 2):
            assert p.ops[layer] >= p.ops[layer - 1] + widths[layer - 1] + 1


@pytest.mark.parametrize("domain_rows", [0, 3, 2000])
def test_a_certificate_may_add_up_all_rows(domain_rows):
    """Those of the domain, too: each is a term of the sums that prove a cell empty."""
    net = mc.Network.from_arrays([np.ones((2, 20))], [np.zeros(2)], output=False)
    normals = np.random.default_rng(0).normal(size=(domain_rows, 20))
    polytope = mc.Polytope(normals, np.full(domain_rows, 50.0), lower=-1, upper=1)
    search = Search(net, (polytope if domain_rows else mc.Box(-1, 1)).bind(20))
    p = search.program
    count = p.row_values.shape[0] + p.domain_M.shape[0]
    assert search.rounding >= count + sum(p.V.shape) + 4


@pytest.mark.parametrize("box", [mc.Box(-1, 1), mc.Box([0, -0.5], [0.25, 3])])
def test_rows_are_multiples_of_their_powers_of_two(box):
    for seed in range(10):
        random = np.random.default_rng(seed)
        weights = [random.integers(-8, 9, size=(3, n)) / 2.0 ** random.integers(4) for n in (2, 3)]
        biases = [random.integers(-8, 9, size=3) / 2.0 ** random.integers(6) for _ in weights]
        net = mc.Network.from_arrays(weights, biases, output=False)
        inputs = box.bind(2)
        exact, quantum = ExactNetwork(net, inputs), compile_program(net, inputs).program.quantum
        for layer in range(2):
            for row in exact_rows(exact, layer, [1] * 6):
                on_cube = on_the_cube(row, inputs) * Fraction(2) ** int(quantum[layer])
                assert all(v.denominator == 1 for v in on_cube)
            assert quantum[layer] < 40


class TestSumsOverWhatIsRead:
    def claimed(self, forms, error, weights):
        forms = np.array(forms, dtype=float)
        rows, width = forms.shape
        work = SimpleNamespace(
            Q=np.zeros((rows, width + 2)),
            y=np.zeros(width),
            chosen=np.zeros(width, dtype=int),
            L=np.zeros((width, width)),
        )
        work.Q[:, :width], work.Q[:, width], work.Q[:, width + 1] = forms, error, weights
        return bool(is_negative_sum(rows, width, work))

    def test_a_sum_that_is_negative_proves_it(self):
        assert self.claimed([[-1.0, 0.5], [0.0, -1.0]], 1e-15, [1.0, 1.0])
        assert self.claimed([[-1.0, 1.0], [0.0, -1.0]], 1e-15, [1.0, 1.0])  # it is moved a little

    def test_errors_of_the_rows_count(self):
        forms = [[-1e-3, -1e-3]]
        assert self.claimed(forms, 0.6e-3, [1.0])
        assert not self.claimed(forms, 0.7e-3, [1.0])  # 1.5 times it, for what is rounded here
        assert not self.claimed(forms, 1.1e-3, [1.0])

    def test_what_is_positive_somewhere_proves_nothing(self):
        assert not self.claimed([[-1.0, 0.5]], 1e-15, [1.0])
        assert not self.claimed([[-1.0, 0.5], [-1.0, 0.0]], 1e-15, [1.0, 1.0])
        assert not self.claimed([[0.0, -1.0]], 1e-15, [1.0])


class TestCoordinates:
    """Outputs of a layer as coordinates that are not negative, and rows below as forms in these."""

    def searched(self, unit, pieces, seed=0, width=3):
        random = np.random.default_rng(seed)
        weights = [np.eye(width), random.normal(size=(2, width))]
        layers = [({0: weights[0]}, np.zeros(width), unit), ({1: weights[1]}, [0.3, -0.7], relu())]
        search = Search(mc.Network.from_layers(width, layers), mc.Unbounded().bind(width))
        search.state.pattern[:width] = pieces
        search.state.values.s[:] = 1.0
        search.state.rows.norm[:] = 1.0
        return search, weights[1]

    @pytest.mark.parametrize("unit", [relu(), ABSOLUTE, FALLING], ids=lambda u: u.name)
    def test_outputs_have_the_signs_of_their_pieces(self, unit):
        for pieces in ([0, 0, 0], [0, 1, 0], [1, 1, 1]):
            search, _ = self.searched(unit, pieces)
            p, s, work = search.program, search.state, search.scratch
            width, place = set_coordinates(p, s, 0, work), 1
            for u, k in enumerate(pieces):
                out = unit.pieces[k].slope * (1.0 if k else -1.0)  # on the right of 0 or the left
                form = work.local_forms[p.values.shape[0] + u]
                if out:
                    assert form[place] == np.sign(out) and not np.delete(form, place).any()
                    place += 1
                else:
                    assert not form.any()
            assert width == place

    def test_a_piece_that_does_not_end_at_zero_is_no_coordinate(self):
        for unit, piece in ((CLIP, 1), (MOVED, 1)):
            search, _ = self.searched(unit, [piece] * 3)
            assert set_coordinates(search.program, search.state, 0, search.scratch) == -1

    def test_rows_are_within_their_errors(self):
        worst = 0.0
        for seed in range(20):
            search, weight = self.searched(relu(), [1, 1, 1], seed)
            p, s, work = search.program, search.state, search.scratch
            width, first = set_coordinates(p, s, 0, work), 2 * p.V.shape[1]
            rows = p.row_values.shape[0]
            for i, r in enumerate((rows - 2, rows - 1)):
                s.cell.id[first + i], s.cell.sign[first + i] = r, 1
                s.trial.lam[first + i] = 1.0
            assert set_rows(p, s, 1, 1, first + 2, 0.5, width, work) == 2
            for i, bias in enumerate((0.3, -0.7)):
                form = [Fraction(bias), *(Fraction(w) for w in weight[i].tolist())]
                size, error = max(map(abs, form)), Fraction(float(work.Q[i, width]))
                for found, true in zip(work.Q[i, :width].tolist(), form, strict=True):
                    worst = max(worst, float(abs(Fraction(found) - true / size) / error))
        assert 1e-6 < worst < 1.0


def layers(n, widths, unit, seed):
    random, before, found = np.random.default_rng([seed, n]), n, []
    for number, width in enumerate(widths):
        weight = random.normal(size=(width, before))
        found.append(({number: weight}, random.normal(size=width), unit))
        before = width
    return mc.Network.from_layers(n, found)


@pytest.mark.parametrize("unit", [ABSOLUTE, FALLING, CLIP, MOVED, relu()], ids=lambda u: u.name)
def test_all_of_space_where_few_units_move(unit):
    """Fewer units of the first layer than inputs: rows below are forms in what these give out."""
    for seed in range(6):
        net = layers(4, (2, 3, 3) if unit is not CLIP else (2, 2, 2), unit, seed)
        space = mc.Unbounded()
        assert patterns(net, space, None) == patterns(net, space, mc.ExactTree()), seed


def test_rows_of_a_domain_that_say_nothing():
    net = layers(2, (3, 3), relu(), 1)
    inside = mc.Polytope([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]], [0.5, 0.0, 9.0], lower=-1, upper=1)
    plain = mc.Polytope([[1.0, 1.0]], [0.5], lower=-1, upper=1)
    search = VertexSearch(net, inside.bind(2), keep=True)
    list(search.run())
    assert set(search.regions.patterns()) == patterns(net, plain, mc.ExactTree())


def test_products_that_overflow():
    large = 2.0**600
    first = [[large, 0.0], [0.0, large], [1.0, 1.0]]
    second = [[large, -large, 0.0], [-large, large, 0.0], [0.0, large, 1.0]]
    net = mc.Network.from_arrays([first, second], [[0.0, 0.0, 0.1], [0.0, 1.0, 0.5]], output=False)
    for domain in (mc.Box(-1, 1), mc.Unbounded()):
        for quantity in ("activation_regions", "activation_patterns"):
            found = patterns(net, domain, None, quantity)
            assert found == patterns(net, domain, mc.ExactTree(), quantity)
