"""Networks that are no chains: residual, branched, pooled, of mixed units."""

import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.formulation.xor import Xor
from milpcount.network import Layer, Network, Sparse, leaky_relu, maxout, relu
from milpcount.tree.search import Search
from tests.graphs import KINDS, difference, graphs


def residual_tent() -> Network:
    """Return ``relu(1 - 2 h + x)`` on ``h = relu(x)``: one tent on top of the input itself."""
    return Network.from_layers(
        1, [({0: [[1.0]]}, [0.0], relu()), ({1: [[-2.0]], 0: [[1.0]]}, [1.0], relu())]
    )


def regions(network: Network, reach: float = 3.0) -> int:
    """Return the number of activation regions on ``[-reach, reach]^n``."""
    result = mc.count(network, mc.Box(-reach, reach))
    assert result.lower == result.upper
    return int(result.lower)


def exact_patterns(network: Network, domain: object, *, patterns: bool = False) -> set[object]:
    """Return the patterns that exact arithmetic finds."""
    inputs = domain.bind(network.n_inputs)  # type: ignore[attr-defined]
    tree = ExactRegionTree(ExactNetwork(network, inputs), patterns=patterns)
    return {cell.pattern for cell in tree.walk() if cell is not None}


def test_a_residual_unit_by_hand() -> None:
    # 1 - 2 relu(x) + x is 1 + x left of zero and 1 - x right of it: breaks at -1, 0 and 1.
    assert regions(residual_tent()) == 4
    assert residual_tent()(np.array([[-2.0], [-0.5], [0.5], [2.0]])).ravel().tolist() == [
        0.0,
        0.5,
        0.5,
        0.0,
    ]


def test_a_skip_that_cancels_leaves_one_region_more_of_nothing() -> None:
    # relu(x) - relu(-x) - x is zero everywhere: the unit on it is inactive and bounds nothing.
    net = Network.from_layers(
        1,
        [
            ({0: [[1.0], [-1.0]]}, [0.0, 0.0], relu()),
            ({1: [[1.0, -1.0]], 0: [[-1.0]]}, [0.0], relu()),
        ],
    )
    assert regions(net) == 2
    assert {r.pattern[2] for r in mc.count(net, mc.Box(-1, 1), keep_regions=True).regions} == {0}


def test_a_maximum_of_tied_rectifiers() -> None:
    # max(relu(x), relu(-x)): both are zero at 0 only, and the lower index wins a tie.
    net = Network.from_layers(
        1, [({0: [[1.0], [-1.0]]}, [0, 0], relu()), ({1: np.eye(2)}, [0, 0], maxout(2))]
    )
    assert regions(net) == 2
    # Of max(relu(x - 1), relu(x - 2), 0 * x) all are zero left of 1: there the first one wins.
    pooled = Network.from_layers(
        1, [({0: [[1.0], [1.0]]}, [-1, -2], relu()), ({1: np.eye(2)}, [0, 0], maxout(2))]
    )
    kept = mc.count(pooled, mc.Box(0, 3), keep_regions=True).regions
    assert sorted(tuple(r.pattern) for r in kept) == [(0, 0, 0), (1, 0, 0), (1, 1, 0)]


@pytest.mark.parametrize("part", range(3))
def test_methods_agree(part: int) -> None:
    assert [d for case in list(graphs(54, seed=1))[part::3] if (d := difference(*case))] == []


@pytest.mark.parametrize(
    "domain",
    [
        mc.Unbounded(),
        mc.Polytope([[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], [1.0, 1.0, 1.0]),
        mc.Polytope([[1.0, 1.0]], [1.0]),
        mc.Section([0.1, -0.2], [[1.0, 0.5]], mc.Box(-2, 2)),
    ],
    ids=["unbounded", "triangle", "half-plane", "section"],
)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_other_domains(kind: object, domain: object) -> None:
    for seed in range(2):
        net = kind(np.random.default_rng(seed), 2, seed == 1)  # type: ignore[operator]
        for patterns in (False, True):
            quantity = "activation_patterns" if patterns else "activation_regions"
            result = mc.count(net, domain, quantity=quantity, keep_regions=True)  # type: ignore[arg-type]
            found = {tuple(map(int, region.pattern)) for region in result.regions or ()}
            assert found == exact_patterns(net, domain, patterns=patterns)
            assert result.verify()


@pytest.mark.parametrize("seed", range(6))
def test_many_inputs_with_a_skip_from_the_input(seed: int) -> None:
    # More parameters than the kernel takes as they are: its image space has to hold the rows of
    # every layer that reads the input, not only of the first.
    random, n = np.random.default_rng(seed), 24
    draw = (lambda *shape: random.integers(-2, 3, size=shape)) if seed % 2 else (
        lambda *shape: random.normal(size=shape)
    )  # fmt: skip
    net = Network.from_layers(
        n,
        [
            ({0: draw(3, n)}, draw(3), relu()),
            ({1: draw(2, 3)}, draw(2), leaky_relu(0.5)),
            ({2: draw(3, 2), 0: draw(3, n)}, draw(3), [relu(), maxout(2)]),
        ],
        ({0: draw(1, n), 3: draw(1, 2)}, [0.0]),
    )
    for patterns in (False, True):
        quantity = "activation_patterns" if patterns else "activation_regions"
        result = mc.count(net, mc.Box(-1, 1), quantity=quantity, keep_regions=True)
        found = {tuple(map(int, region.pattern)) for region in result.regions or ()}
        assert found == exact_patterns(net, mc.Box(-1, 1), patterns=patterns)
        assert result.verify()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_search_splits_into_parts(kind: object) -> None:
    net = kind(np.random.default_rng(5), 2, False)  # type: ignore[operator]
    inputs = mc.Box(-2, 2).bind(2)
    whole = exact_patterns(net, mc.Box(-2, 2))
    search = Search(net, inputs, keep=True)
    for _ in search.run(budget=1):
        if len(search.regions) > 2 and search.can_split:
            break
    found = [tuple(map(int, region.pattern)) for region in search.regions]
    for prefix in search.left():
        rest = Search(net, inputs, keep=True, forced=prefix)
        for _ in rest.run():
            pass
        found += [tuple(map(int, region.pattern)) for region in rest.regions]
    assert len(found) == len(set(found)) and set(found) == whole


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_parities_divide_the_regions(kind: object) -> None:
    net = kind(np.random.default_rng(2), 2, False)  # type: ignore[operator]
    inputs, random = mc.Box(-2, 2).bind(2), np.random.default_rng(0)
    whole = exact_patterns(net, mc.Box(-2, 2))
    pieces = [int(n) for layer in net.layers for n in layer.n_pieces]
    terms = tuple(
        (unit, k) for unit, n in enumerate(pieces) for k in range(1, n) if random.random() < 0.5
    )
    sizes = []
    for odd in (False, True):
        xor = Xor(terms, odd)
        search = Search(net, inputs, parities=True)
        search.add(xor)
        for _ in search.run():
            pass
        assert search.found == sum(xor.holds(pattern) for pattern in whole)
        sizes.append(search.found)
    assert sum(sizes) == len(whole)


def test_workers_and_limits() -> None:
    net = KINDS[2](np.random.default_rng(1), 3, False)
    alone = mc.count(net, mc.Box(-2, 2))
    with ProcessPoolExecutor(2) as pool:
        assert mc.count(net, mc.Box(-2, 2), executor=pool).lower == alone.lower
    some = mc.count(net, mc.Box(-2, 2), limits=mc.Limits(regions=3))
    assert some.lower == 3 and alone.lower <= some.upper


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_probing_never_claims_too_much(kind: object) -> None:
    for seed in range(2):
        net = kind(np.random.default_rng(seed), 3, False)  # type: ignore[operator]
        right = regions(net, 2.0)
        assert mc.count(net, mc.Box(-2, 2), mc.Probing(probes=200), seed=seed).lower <= right


# Laws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_skip_is_a_chain_that_carries_its_units(seed: int) -> None:
    """What a skip reads may as well be handed on by units that are active everywhere."""
    random = np.random.default_rng(seed)
    draw = (lambda *shape: random.integers(-2, 3, size=shape).astype(float)) if seed % 2 else (
        lambda *shape: random.normal(size=shape)
    )  # fmt: skip
    W1, W2, W3, skip = draw(4, 2), draw(3, 4), draw(3, 3), draw(3, 2)
    b1, b2, b3 = draw(4), draw(3), draw(3)
    graph = Network.from_layers(
        2, [({0: W1}, b1, relu()), ({1: W2}, b2, relu()), ({2: W3, 0: skip}, b3, relu())]
    )
    # relu(x + 4) is x + 4 on the box, and relu of that again.
    zero = np.zeros
    chain = Network.from_arrays(
        [
            np.vstack([W1, np.eye(2)]),
            np.block([[W2, zero((3, 2))], [zero((2, 4)), np.eye(2)]]),
            np.hstack([W3, skip]),
        ],
        [np.append(b1, [4.0, 4.0]), np.append(b2, [0.0, 0.0]), b3 - 4.0 * skip.sum(axis=1)],
        output=False,
    )
    if seed % 2:  # else the chain's last bias is rounded
        for quantity in ("activation_regions", "activation_patterns"):
            both = [mc.count(n, mc.Box(-3, 3), quantity=quantity) for n in (graph, chain)]
            assert both[0].lower == both[1].lower == both[0].upper
    assert regions(graph) == regions(chain)


HOMOGENEOUS = [kind for kind in KINDS if kind.__name__ not in ("mixed", "skip_with_jump")]
"""Kinds whose first units are positively homogeneous, whatever is drawn."""


@pytest.mark.parametrize("kind", HOMOGENEOUS, ids=lambda kind: kind.__name__)
def test_powers_of_two_change_nothing(kind: object) -> None:
    """Scaling what a layer of positively homogeneous units gives, and back where it is read."""
    net = kind(np.random.default_rng(4), 2, True)  # type: ignore[operator]
    layer = net.layers[0]
    factor = 2.0**30
    scaled = [Layer(_times(layer.affine, factor), list(layer.units))]
    first, last = net.n_inputs, net.n_inputs + layer.width
    for other in net.layers[1:]:
        reads = np.arange(first, last) if other.reads is None else other.reads
        if other.reads is None and other is not net.layers[1]:
            scaled.append(other)
            continue
        columns = np.where((reads >= first) & (reads < last), 1.0 / factor, 1.0)
        affine = Sparse(other.affine.matrix * columns, other.affine.bias)
        scaled.append(Layer(affine, list(other.units), other.reads))
    twin = Network(tuple(scaled), inputs=net.n_inputs)
    bare = Network(net.layers, inputs=net.n_inputs)
    for quantity in ("activation_regions", "activation_patterns"):
        one, two = (mc.count(n, mc.Box(-2, 2), quantity=quantity) for n in (bare, twin))
        assert one.lower == two.lower == one.upper


def _times(affine: object, factor: float) -> Sparse:
    return Sparse(affine.matrix * factor, affine.bias * factor)  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_units_changes_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    W1, W2, W3, skip = (random.integers(-2, 3, size=s) for s in ((4, 2), (3, 4), (2, 3), (2, 4)))
    b1, b2, b3 = (random.integers(-1, 2, size=n) for n in (4, 3, 2))
    p, q = random.permutation(4), random.permutation(3)
    one = Network.from_layers(
        2, [({0: W1}, b1, relu()), ({1: W2}, b2, relu()), ({2: W3, 1: skip}, b3, relu())]
    )
    two = Network.from_layers(
        2,
        [
            ({0: W1[p]}, b1[p], relu()),
            ({1: W2[q][:, p]}, b2[q], relu()),
            ({2: W3[:, q], 1: skip[:, p]}, b3, relu()),
        ],
    )
    for quantity in ("activation_regions", "activation_patterns"):
        counts = [mc.count(n, mc.Box(-2, 2), quantity=quantity).lower for n in (one, two)]
        assert counts[0] == counts[1]


def test_pickled() -> None:
    for _, net in graphs(9):
        again = pickle.loads(pickle.dumps(net))
        assert again.fingerprint == net.fingerprint
        x = np.random.default_rng(0).normal(size=(5, net.n_inputs))
        assert (again(x) == net(x)).all()
