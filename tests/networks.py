"""Random small networks and domains, as hypothesis strategies."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

import milpcount as mc
from milpcount.network import Activation, leaky_relu, maxout, piecewise_linear, relu

RELU = relu()
STEPS = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
LEAKY = leaky_relu(0.25)
MAXOUT = maxout(3)


@st.composite
def sizes(
    draw: st.DrawFn, inputs: tuple[int, int] = (1, 3), units: int = 8, layers: int = 3
) -> list[int]:
    """Draw a number of inputs and the widths of up to `layers` layers of `units` units in all."""
    widths: list[int] = []
    for layer in range(draw(st.integers(1, layers))):
        left = units - sum(widths)
        if left > 0:
            widths.append(draw(st.integers(1, left if layer == 0 else min(left, 4))))
    return [draw(st.integers(*inputs)), *widths]


def network(
    weights: Sequence[Any], biases: Sequence[Any], activation: Activation = RELU
) -> mc.Network:
    return mc.Network.from_arrays(weights, biases, output=False, activation=activation)


@st.composite
def generic(
    draw: st.DrawFn, shape: st.SearchStrategy[list[int]] | None = None, activation: Any = RELU
) -> mc.Network:
    """Draw a network with normal weights and biases: nothing coincides."""
    n = draw(shape if shape is not None else sizes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rank = activation.rank
    weights = [rng.normal(size=(rank * b, a)) for a, b in pairwise(n)]
    return network(weights, [rng.normal(size=rank * b) for b in n[1:]], activation)


@st.composite
def degenerate(
    draw: st.DrawFn, shape: st.SearchStrategy[list[int]] | None = None, activation: Any = RELU
) -> mc.Network:
    """Draw a network with weights in -2..2 and biases in -1..1 or none: all sorts coincide."""
    n = draw(shape if shape is not None else sizes())
    offset = st.integers(-1, 1) if draw(st.booleans()) else st.just(0)

    def table(number: st.SearchStrategy[int], rows: int, columns: int) -> np.ndarray:
        row = st.lists(number, min_size=columns, max_size=columns)
        return np.array(draw(st.lists(row, min_size=rows, max_size=rows)))

    rank = activation.rank
    weights = [table(st.integers(-2, 2), rank * b, a) for a, b in pairwise(n)]
    return network(weights, [table(offset, 1, rank * b)[0] for b in n[1:]], activation)


@st.composite
def boxes(draw: st.DrawFn, n: int) -> mc.Box:
    """Draw a box with integer corners that holds the origin, on its boundary perhaps."""
    low = [draw(st.integers(-2, 0)) for _ in range(n)]
    high = [draw(st.integers(0 if at else 1, 2)) for at in low]
    return mc.Box(low, high)


@st.composite
def domains(draw: st.DrawFn, n: int) -> Any:
    """Draw a box, a polytope, a section or all of space."""
    kind = draw(st.sampled_from(["box", "polytope", "section", "unbounded"]))
    if kind == "unbounded":
        return mc.Unbounded()
    if kind == "polytope":
        normal = [draw(st.integers(-1, 1)) for _ in range(n)]
        return mc.Polytope([normal], [draw(st.integers(1, 2))], lower=-1, upper=1)
    if kind == "section":
        direction = [draw(st.integers(-2, 2)) for _ in range(n - 1)] + [1]
        return mc.Section([draw(st.integers(-1, 1)) for _ in range(n)], [direction], mc.Box(-1, 1))
    return draw(boxes(n))


def regions(net: mc.Network, domain: Any, method: Any = None) -> int:
    """Return the count of a method, the region tree by default; it must be exact."""
    result = mc.count(net, domain, method)
    assert result.is_exact and result.status is mc.Status.COMPLETE, str(result)
    return result.lower


def patterns(
    net: mc.Network, domain: Any, method: Any, quantity: str = "activation_regions"
) -> set[tuple[int, ...]]:
    """Return the regions (or patterns) themselves, each of which must come once."""
    result = mc.count(net, domain, method, keep_regions=True, quantity=quantity)
    assert result.is_exact and result.regions is not None
    found = {tuple(region.pattern) for region in result.regions}
    assert len(found) == result.lower == len(result.regions)
    return found


def arrays(net: mc.Network) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return copies of the weights and biases of the hidden layers."""
    maps = [layer.affine for layer in net.layers]
    return [m.weight.copy() for m in maps], [m.bias.copy() for m in maps]


def random_network(seed: int, n_inputs: int, widths: Sequence[int]) -> mc.Network:
    """Return a network with normal weights and small biases."""
    random = np.random.default_rng(seed)
    weights, biases, before = [], [], n_inputs
    for width in widths:
        weights.append(random.normal(size=(width, before)))
        biases.append(0.3 * random.normal(size=width))
        before = width
    return network(weights, biases)
