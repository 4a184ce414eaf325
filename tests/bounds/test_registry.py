"""A walk over all theorems: what a row must have, and that each applies somewhere."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount import citations
from milpcount.bounds import registry
from milpcount.bounds.best import best_upper
from milpcount.bounds.case import Case
from milpcount.bounds.conditions import UNITS
from milpcount.bounds.registry import THEOREMS
from milpcount.bounds.theorem import Bound, Direction, Other, Scope, Theorem, at_most
from milpcount.counters.method import CLOSING
from milpcount.errors import OptionError
from milpcount.network import leaky_relu, piecewise_linear, relu
from milpcount.quantities import Quantity

ONE = mc.Limits(regions=1)
DEFICIENT = mc.Network.from_arrays(
    [[[1.0, 2.0], [2.0, 4.0], [1.0, 1.0]], [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]],
    [[0.0, 1.0, 2.0], [1.0, 2.0]],
    output=False,
)
CENTRAL = mc.Network.from_arrays([[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]], [[0.0] * 3], output=False)
RESIDUAL = mc.Network.from_layers(
    2,
    [
        ({0: np.eye(2)}, [0.0, 1.0], relu()),
        ({1: np.ones((1, 2))}, [-1.0], relu()),
        ({1: np.ones((3, 2)), 2: np.ones((3, 1))}, [0.0, 1.0, 2.0], leaky_relu(0.5)),
    ],
)
INDEPENDENT = mc.Network.from_arrays([[[1.0, 2.0], [2.0, 1.0]]], [[0.0, 1.0]], output=False)
DEPENDENT = mc.Network.from_arrays([[[1.0, 2.0], [2.0, 4.0]]], [[0.0, 1.0]], output=False)
CASES = [
    *("2-6x2", "1-3x2-1", "1-2-5-1", "2-4-1", "2-3:p2-1", "2-3x2:p2", "2-3:maxout3-1",
      "2-3x2:maxout3", "2-3:maxout3-3-1", "3x1-conv2@2", "3x1-conv2@2:p2", "4x1-conv2@2-conv2@2",
      "4x1-conv2@2:p2-conv2@2", "3x3x1-conv2@2x2", "3x3x1-conv2@2x2:p2", "ternary:1-8x4-1",
      "784-11-11-10", "5-300x3", "ternary:1-8:id-8-8:id-8-1", "4x1-maxpool2", "sparse0.5:3-4-4-1"),
    INDEPENDENT,
    DEPENDENT,
    DEFICIENT,
    CENTRAL,
    RESIDUAL,
]  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    return [
        mc.bound(case, domain) for case in CASES for domain in (None, mc.Unbounded(), mc.Box(0, 1))
    ]


def test_keys_are_unique():
    assert len({row.key for row in THEOREMS}) == len(THEOREMS)


@pytest.mark.parametrize("row", THEOREMS, ids=lambda row: row.key)
def test_a_row_is_complete_and_applies_somewhere(row, tables):
    assert row.title and row.applies and row.family in registry.families()
    assert isinstance(row.quantity, Quantity | Other)
    found = [b for table in tables for b in table.bounds if b.theorem is row]
    assert found, "no case of the walk shows it"
    for bound in found:
        assert isinstance(bound.value, int | Fraction | float) and bound.value >= 0
        may_be_one = row.direction is Direction.EXPECTED or row.quantity is Other.PER_PARAMETER
        assert isinstance(bound.value, int) or may_be_one


@pytest.mark.parametrize("row", THEOREMS, ids=lambda row: row.key)
def test_a_row_can_be_cited(row):
    assert [c.key for c in citations.find(row.citation) if c.key == row.citation]
    assert row.citation in {c.key for c in citations.find(row.key)}


@pytest.mark.parametrize("row", THEOREMS, ids=lambda row: row.key)
def test_subjects_fit_directions(row):
    if row.direction is Direction.LOWER:
        assert row.subject is Scope.BEST
    if row.direction is Direction.EXACT:
        assert row.subject in (Scope.BEST, Scope.THIS)
    if row.direction is Direction.UPPER:
        assert row.subject in (Scope.EVERY, Scope.THIS)
    assert (row.direction is Direction.EXPECTED) == (row.subject is Scope.RANDOM)


def test_a_lower_bound_is_never_an_upper_one(tables):
    for table in tables:
        for bound in table.bounds:
            if bound.theorem.direction is Direction.LOWER:
                assert not any(bound.is_upper(q) for q in Quantity)
            if isinstance(bound.theorem.quantity, Other):
                assert bound in table.other_bounds


def test_every_case_has_an_upper_bound_and_blocks_share_nothing(tables):
    for table in tables:
        assert table.upper_bounds and table.upper >= 1
        expected = set(map(id, table.expected_values))
        assert not expected & set(map(id, [*table.upper_bounds, *table.best_network_bounds]))


def test_without_biases_the_count_is_that_of_central_lines():
    table = mc.bound(CENTRAL, mc.Box(-1, 2))
    assert table.upper == table["central"].value == 6 == mc.count(CENTRAL, mc.Unbounded()).lower


def test_quantities_are_ordered():
    chain = [Quantity.AFFINE_PIECES, Quantity.CLOSED_LINEAR_REGIONS, Quantity.LINEAR_REGIONS,
             Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS]  # fmt: skip
    for i, low in enumerate(chain):
        for j, high in enumerate(chain):
            assert at_most(low, high) == (i <= j)
    assert at_most(Quantity.LIVE_REGIONS, Quantity.ACTIVATION_REGIONS)
    assert not at_most(Quantity.LIVE_REGIONS, Quantity.AFFINE_PIECES)
    assert not at_most(Other.BOUNDED_REGIONS, Quantity.ACTIVATION_REGIONS)


def test_patterns_are_bounded_by_the_number_of_patterns_only():
    table = mc.bound("2-3-3-1", quantity="activation_patterns")
    assert [b.theorem.key for b in table.upper_bounds] == ["naive"]
    pieces = mc.bound("2-3-3-1", quantity="affine_pieces")
    assert not pieces.best_network_bounds and pieces.upper == 40


def test_families():
    table = mc.bound("2-3-3-1", family="rectifier_best")
    assert {b.theorem.family for b in table.bounds} == {"rectifier_best"}
    with pytest.raises(LookupError, match="no theorem of this table"):
        _ = table.upper
    with pytest.raises(OptionError, match="family 'relu': there are any_network"):
        mc.bound("2-3-3-1", family="relu")


def test_weights_that_may_not_be_chosen_reach_no_maximum():
    for text in ("ternary:1-8x4-1", "3x1-conv2@2-conv2@2"):
        keys = {b.theorem.key for b in mc.bound(text).bounds}
        assert not keys & {"serra2018-1d", "montufar2014", "zaslavsky1975", "arora2018"}
    inner = mc.bound("ternary:1-8x4-1", mc.Box(0, 0.5))
    assert "nakahara-1" not in {b.theorem.key for b in inner.bounds}


def test_volumes_enter_expectations_exactly():
    key = "hanin2019-regions"
    unit, thin = mc.Box(0, 1), mc.Box([0, 0], [1, 0.1])
    ratio = mc.bound("2-3-1", thin)[key].value / mc.bound("2-3-1", unit)[key].value
    assert ratio == Fraction(0.1)
    assert key not in {b.theorem.key for b in mc.bound("2-3-1", mc.Unbounded()).bounds}


def test_architectures_that_would_fill_the_memory_are_refused():
    with pytest.raises(OptionError, match="layers of 300000 units in 300000 dimensions"):
        mc.bound("300000-300000-300000-10", family="rectifier")


def test_more_inputs_than_units_cost_nothing():
    assert mc.bound("100000000-5-1").upper == 32


def test_a_bound_says_nothing_of_other_quantities():
    bound = Bound(THEOREMS[0], 3)
    assert bound.is_upper(Quantity.ACTIVATION_PATTERNS)
    assert not bound.is_best_lower(Quantity.AFFINE_PIECES)


@pytest.mark.parametrize("row", THEOREMS, ids=lambda row: row.key)
def test_what_a_row_says_of_its_conditions_is_what_it_asks(row):
    texts = [condition.text for condition in row.conditions]
    assert all(texts) and all(text in row.applies for text in texts)
    assert row.applies.startswith("a chain of hidden layers") == row.speaks_of_chains
    assert row.speaks_of_chains or row.applies == "always" or "hidden units" in row.applies
    inputs = mc.Box(0, 1).bind(2)
    for network in (DEFICIENT, CENTRAL, RESIDUAL):
        case = Case.of(network, inputs)
        assert (row.value(case) is not None) == row.applies_to(case)
        assert not (row.speaks_of_chains and network is RESIDUAL and row.applies_to(case))
        assert row.cost(case) >= 0


def test_a_theorem_that_is_added_tightens_the_upper_end(monkeypatch):
    def seven(case):
        return 7

    row = Theorem(
        key="seven", title="Theorem of Seven", family="rectifier", direction=Direction.UPPER,
        subject=Scope.EVERY, quantity=Quantity.ACTIVATION_REGIONS, speaks_of_chains=False,
        citation="milpcount", conditions=(UNITS,), formula=seven,
    )  # fmt: skip
    monkeypatch.setattr(registry, "THEOREMS", (*THEOREMS, row))
    for network, upper, source in (
        (DEFICIENT, 6, CLOSING),  # what the search left open holds less
        (RESIDUAL, 7, "Theorem of Seven"),
    ):
        stopped = mc.count(network, mc.Unbounded(), limits=ONE)
        assert (stopped.upper, stopped.upper_source) == (upper, source)
        assert mc.bound(network).upper == 7


def test_a_shifted_rectifier_without_biases_is_not_central():
    unit = piecewise_linear([1.0], [0.0, 1.0], [1.0, 0.0])
    network = mc.Network.from_arrays([[[1.0], [2.0]]], [[0.0, 0.0]], output=False, activation=unit)
    table = mc.bound(network)
    assert "central" not in {b.theorem.key for b in table.bounds}
    assert table.upper == mc.count(network, mc.Unbounded()).lower == 3


def test_the_best_bound_keeps_to_its_budget():
    inputs = mc.Box(0, 1).bind(2)
    dear = best_upper(DEFICIENT, inputs, Quantity.ACTIVATION_REGIONS)[0]
    cheap = best_upper(DEFICIENT, inputs, Quantity.ACTIVATION_REGIONS, budget=0.0)
    assert cheap == (32, "naive (all patterns)") and dear < 32
