import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples
from milpcount.counters.brute_force import BruteForce
from milpcount.counters.solution_pool import SolutionPool
from milpcount.domain import Unbounded
from milpcount.errors import DomainError, OptionError
from milpcount.network import Network, leaky_relu, piecewise_linear
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Status

REGIONS, PATTERNS = Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS
ARRANGEMENTS = """
    braid_A1_R2 braid_A4_R5 type_B2 type_D4 type_G2_R3 resonance_2 threshold_3 shi_4 catalan_3
    linial_5 semiorder_3 general_9_in_R3 general_22_in_R2 central_general_8_in_R3 graphical_K33
    boolean_8 grid_3d_2x2x2 duplicates_scaled zero_weight_rows
""".split()
DEEP = """
    telgarsky_tent_3 telgarsky_tent_8 montufar_fold_p4_n1_L4 montufar_fold_p3_n2_L2
    montufar_fold_p2_n2_L2_plus5lines serra_1d_max_5_5_5 randint_2d_5_4_0 randint_2d_8_8_0
    randint_2d_10_6_4_0 randint_2d_3_19_0 randint_2d_16_16_1 randint_1d_11_11 randint_1d_2_2_2_2
""".split()
MOST_REGIONS = 2000


def exactly(result: CountResult, expected: int) -> bool:
    return result.is_exact and result.lower == expected and result.status is Status.COMPLETE


def entries(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    return {e["name"]: e for e in json.loads((folder / name).read_text())}


def arrangement_agrees(entry: dict[str, Any]) -> None:
    net = Network.from_arrays([entry["W"]], [entry["b"]], output=False)
    box = mc.Box(entry["domain"]["lower"], entry["domain"]["upper"])
    assert exactly(mc.count(net, box, SolutionPool()), entry["expected_regions"])
    patterns = entry.get("patterns_active_iff_strictly_positive_in_box")
    if patterns is not None:
        assert exactly(mc.count(net, box, SolutionPool(), quantity=PATTERNS), patterns)


def deep_network_agrees(entry: dict[str, Any]) -> None:
    weights = [numbers(w) for w in entry["W"]]
    biases = [numbers(b) for b in entry["b"]]
    net = Network.from_arrays(weights, biases, output=len(weights) > len(entry["widths"]))
    low, high = zip(*entry["box"], strict=True)
    result = mc.count(net, mc.Box(numbers(low), numbers(high)), SolutionPool())
    assert exactly(result, entry["expected_regions"])


def numbers(values: Any) -> np.ndarray:
    return np.vectorize(lambda v: float(Fraction(v)))(np.array(values, dtype=object))


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_arrangements(shared_data: Path, name: str) -> None:
    arrangement_agrees(entries(shared_data, "arrangements.json")[name])


@pytest.mark.parametrize("name", DEEP)
def test_deep_networks(shared_data: Path, name: str) -> None:
    deep_network_agrees(entries(shared_data, "deep_networks.json")[name])


@pytest.mark.slow
def test_every_arrangement_of_moderate_size(shared_data: Path) -> None:
    for entry in entries(shared_data, "arrangements.json").values():
        if entry["expected_regions"] <= MOST_REGIONS:
            arrangement_agrees(entry)


@pytest.mark.slow
def test_every_deep_network_of_moderate_size(shared_data: Path) -> None:
    for entry in entries(shared_data, "deep_networks.json").values():
        if entry["expected_regions"] <= MOST_REGIONS:
            deep_network_agrees(entry)


def test_a_network_with_784_inputs(shared_data: Path) -> None:
    arrays = np.load(shared_data / "networks" / "marabou_mnist_5_5_dropout.npz")
    weights, biases = ([arrays[f"{k}{i}"] for i in range(3)] for k in "Wb")
    net = Network.from_arrays(weights, biases)
    result = mc.count(net, mc.Box(0, 1), SolutionPool(), keep_regions=True)
    assert exactly(result, 439)
    assert result.regions is not None and len(result.regions) == 439
    for region in result.regions:
        assert tuple(net.pattern(region.witness)) == region.pattern


SMALL = [
    (example, quantity, mode)
    for example in examples.library()
    for quantity in (REGIONS, PATTERNS)
    for mode in ("one_tree", "no_good")
    if not isinstance(example.domain, Unbounded)
]


@pytest.mark.parametrize(
    ("example", "quantity", "mode"), SMALL, ids=[f"{e.name} {q.value} {m}" for e, q, m in SMALL]
)
def test_the_library(example: examples.Example, quantity: Quantity, mode: str) -> None:
    result = mc.count(example.network, example.domain, SolutionPool(mode=mode), quantity=quantity)
    assert exactly(result, example.known[quantity])


# Nakahara et al.: a unit with zero bias switches off at single points of [0, 1], which are
# patterns and no regions. Rows: folds; columns: one, two, three hidden layers.
@pytest.mark.parametrize(("folds", "regions"), [(2, [2, 4, 8]), (3, [3, 9, 27]), (4, [4, 16, 64])])
def test_patterns_that_are_no_regions(folds: int, regions: list[int]) -> None:
    patterns = {2: [3, 6, 11], 3: [4, 11, 32], 4: [5, 19, 73]}[folds]
    for depth in (1, 2, 3):
        net = examples.folding(folds, 1, depth)
        assert exactly(mc.count(net, mc.Box(0, 1), SolutionPool()), regions[depth - 1])
        result = mc.count(net, mc.Box(0, 1), SolutionPool(), quantity=PATTERNS)
        assert exactly(result, patterns[depth - 1])


def degenerate_network(seed: int) -> Network:
    """Weights in {-1, 0, 1}, half of the biases zero: copies, opposites and dead units abound."""
    rng = np.random.default_rng(seed)
    sizes = [int(rng.integers(1, 4)), *rng.integers(1, 5, size=rng.integers(1, 4)).tolist()]
    weights = [rng.integers(-1, 2, size=(b, a)) for a, b in pairwise(sizes)]
    biases = [rng.integers(-1, 2, size=b) * (rng.random(b) < 0.5) for b in sizes[1:]]
    units = [None, leaky_relu(0.5), piecewise_linear([0.25], [-1.0, 2.0], [0.0, 0.5])]
    activation = units[int(rng.choice(3, p=[0.7, 0.15, 0.15]))]
    return Network.from_arrays(weights, biases, output=False, activation=activation)


def domain_of(seed: int, n: int) -> Any:
    corner = mc.Polytope(np.ones((1, n)), [0.5], lower=-1, upper=1)
    return [mc.Box(-1, 1), mc.Box(0, 1), corner, mc.Section(np.zeros(n), np.ones((1, n)))][seed % 4]


@pytest.mark.parametrize("seed", range(20))
def test_degenerate_networks_as_by_brute_force(seed: int) -> None:
    net = degenerate_network(seed)
    domain = domain_of(seed, net.n_inputs)
    for quantity in (REGIONS, PATTERNS):
        expected = mc.count(net, domain, BruteForce(), quantity=quantity).lower
        methods = [SolutionPool(tighten="interval"), SolutionPool(tighten="milp")]
        for method in (*methods, SolutionPool(mode="no_good")):
            assert exactly(mc.count(net, domain, method, quantity=quantity), expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 220))
def test_many_degenerate_networks_as_by_brute_force(seed: int) -> None:
    test_degenerate_networks_as_by_brute_force(seed)


def test_units_that_vanish_on_some_regions_only() -> None:
    # The deep unit's inputs cancel where both are active, and are dead where neither is.
    net = Network.from_arrays(
        [[[1.0], [1.0], [1.0]], [[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]],
        [[0.0, 0.0, -0.5], [0.0, 0.0]],
        output=False,
    )
    for mode in ("one_tree", "no_good"):
        assert exactly(mc.count(net, mc.Box(-1, 1), SolutionPool(mode=mode)), 3)


def test_a_cell_thinner_than_any_tolerance_is_found_exactly() -> None:
    gap = 2.0**-45
    net = Network.from_arrays([[[1.0], [1.0]]], [[0.0, -gap]], output=False)
    result = mc.count(net, mc.Box(-1, 1), SolutionPool())
    assert exactly(result, 3) and result.details["borderline"] > 0


def test_the_forms_do_not_change_the_count() -> None:
    net = examples.folding(2, 1, 2)
    for form in ("one_sided", "two_sided"):
        assert exactly(mc.count(net, mc.Box(), SolutionPool(mode="no_good", form=form)), 4)


def test_a_run_that_is_stopped_keeps_what_it_has_shown() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(12, 6)), rng.normal(size=(12, 12))]
    net = Network.from_arrays(weights, [rng.normal(size=12)] * 2, output=False)
    for mode in ("one_tree", "no_good"):
        limits = mc.Limits(seconds=0.5)
        result = mc.count(net, mc.Box(-1, 1), SolutionPool(mode=mode), limits=limits)
        assert result.status is Status.TIME_LIMIT
        assert 0 < result.lower < result.upper and result.seconds < 3


def test_the_result_says_how_it_was_obtained() -> None:
    result = mc.count(examples.tent(2), mc.Box(), SolutionPool(tighten="milp"))
    assert result.method == {
        "name": "pool", "backend": "highs", "mode": "one_tree", "form": None, "tighten": "milp",
    }  # fmt: skip
    assert {"borderline", "margin", "solver_tolerance", "nodes"} <= set(result.details)
    assert result.details["tighten"] == "milp"
    assert result.lps > 0 and "highspy" in result.versions
    json.loads(result.to_json())


def test_bad_options_name_what_is_allowed() -> None:
    with pytest.raises(OptionError, match="'xpress' is not known; give one of: highs"):
        SolutionPool(backend="xpress")
    with pytest.raises(OptionError, match="mode='all': give one of one_tree, no_good"):
        SolutionPool(mode="all")
    with pytest.raises(OptionError, match="tighten='x'"):
        SolutionPool(tighten="x")
    with pytest.raises(OptionError, match="form='x'"):
        SolutionPool(form="x")
    net = examples.tent(1)
    with pytest.raises(OptionError, match=r"lower-dimensional.*one_sided"):
        mc.count(net, mc.Box(), SolutionPool(form="two_sided"), quantity=PATTERNS)
    with pytest.raises(DomainError, match=r"unbounded.*give a Box"):
        mc.count(net, mc.Unbounded(), SolutionPool())


@pytest.mark.parametrize("magnitude", [4, 8])
def test_rescaling_units_and_inputs_changes_nothing(magnitude: int) -> None:
    rng = np.random.default_rng(0)
    sizes = (2, 4, 3)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [0.3 * rng.normal(size=b) for b in sizes[1:]]
    net = Network.from_arrays(weights, biases, output=False)
    unit = [10 ** rng.uniform(-magnitude, magnitude, size=n) for n in sizes]
    scaled = Network.from_arrays(
        [w * unit[k + 1][:, None] / unit[k] for k, w in enumerate(weights)],
        [b * unit[k + 1] for k, b in enumerate(biases)],
        output=False,
    )
    expected = mc.count(net, mc.Box(-1, 1), BruteForce()).lower
    for method in (SolutionPool(tighten="milp"), SolutionPool(mode="no_good")):
        result = mc.count(scaled, mc.Box(-unit[0], unit[0]), method)
        assert exactly(result, expected) and result.details["borderline"] == 0
