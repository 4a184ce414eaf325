"""What speaks of chains refuses graphs, and layers whose units differ, in one line."""

import json
from math import prod
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import milpcount as mc
from milpcount.bounds.architecture import parse
from milpcount.bounds.best import best_upper, naive
from milpcount.bounds.case import Case
from milpcount.bounds.empirical import empirical_bound
from milpcount.bounds.layers import of_network
from milpcount.cli.app import app
from milpcount.counters.driver import count as drive
from milpcount.counters.method import Snapshot
from milpcount.counters.probing.branching_probabilities import preferences
from milpcount.counters.union import packing, upper_over
from milpcount.errors import NetworkError
from milpcount.network import Network, leaky_relu, maxout, piecewise_linear, relu
from milpcount.quantities import Quantity

W, ZERO = np.array([[1.0, -1.0], [2.0, 1.0]]), np.zeros(2)
BOX = mc.Box(-1, 1)
STAIRS = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
RESIDUAL = Network.from_layers(
    2, [({0: W}, ZERO, relu()), ({0: np.eye(2), 1: W}, ZERO, relu())], ({2: [[1.0, 1.0]]}, [0.0])
)
MIXED = Network.from_layers(2, [({0: W}, ZERO, [relu(), STAIRS]), ({1: W}, ZERO, leaky_relu(0.5))])
MAXIMA = Network.from_layers(
    2, [({0: np.ones((4, 2))}, np.arange(4.0), [relu(), maxout(3)]), ({0: W, 1: W}, ZERO, relu())]
)
NETWORKS = pytest.mark.parametrize("network", [RESIDUAL, MIXED, MAXIMA], ids=str)
PATTERNS = {RESIDUAL: 16, MIXED: 24, MAXIMA: 24}
REFUSING = {
    "case": lambda net: Case(parse("2-2-2"), 2, net),
    "architecture": of_network,
    "empirical": lambda net: empirical_bound(net, 2),
}


@NETWORKS
@pytest.mark.parametrize("what", REFUSING)
def test_refused_in_one_line(network: Network, what: str) -> None:
    with pytest.raises(NetworkError) as refused:
        REFUSING[what](network)
    text = str(refused.value)
    assert "\n" not in text and "is for chains of layers" in text
    assert ("units differ" in text) == (network is not RESIDUAL)


@NETWORKS
@pytest.mark.parametrize("tighten", ["interval", "lp", "milp"])
def test_bounds_with_ranges_hold(network: Network, tighten: str) -> None:
    quantity = Quantity.ACTIVATION_REGIONS
    count = mc.count(network, BOX, mc.ExactTree()).lower
    uppers = [
        b.value for b in mc.bound(network, BOX, tighten=tighten).bounds if b.is_upper(quantity)
    ]
    assert uppers and min(uppers) >= count


@NETWORKS
def test_the_upper_bound_is_one_that_speaks_of_graphs(network: Network) -> None:
    assert naive(network) == PATTERNS[network] == prod(map(int, np.concatenate(
        [layer.n_pieces for layer in network.layers]
    )))  # fmt: skip
    section = mc.Section([0.0, 0.0], [[1.0, 1.0]], mc.Box(-1, 1))
    for domain in (BOX, section, mc.Unbounded()):
        everything = PATTERNS[network], "naive (all patterns)"
        patterns = best_upper(network, domain.bind(2), Quantity.ACTIVATION_PATTERNS)
        assert patterns == everything
        table = mc.bound(network, domain)
        assert not any(bound.theorem.speaks_of_chains for bound in table.bounds)
        upper, source = best_upper(network, domain.bind(2), Quantity.ACTIVATION_REGIONS)
        assert mc.count(network, domain).lower <= upper == table.upper <= everything[0]
        assert source in {bound.theorem.title for bound in table.upper_bounds}
    union = mc.Union([BOX, mc.Box(0, 2)])
    assert upper_over(network, union, Quantity.ACTIVATION_REGIONS)[0] <= PATTERNS[network]
    line = best_upper(network, section.bind(2), Quantity.ACTIVATION_REGIONS)[0]
    assert line < PATTERNS[network]


class Nothing:
    """A method that shows one region."""

    name, packages, theorem = "nothing", (), ""
    guarantee = mc.SolutionPool().guarantee
    quantities = frozenset({Quantity.ACTIVATION_REGIONS})

    def options(self) -> dict[str, Any]:
        return {}

    def warm_up(self, problem: Any) -> None:
        pass

    def run(self, problem: Any) -> Any:
        yield Snapshot(lower=1)
        raise KeyboardInterrupt


@NETWORKS
def test_a_count_that_is_cut_short_ends_below_all_patterns(network: Network) -> None:
    with pytest.raises(mc.Interrupted) as cut:
        drive(network, BOX, Nothing())  # type: ignore[arg-type]
    result = cut.value.result
    assert result.lower == 1 and result.upper <= PATTERNS[network]


@NETWORKS
def test_what_reads_only_pieces_takes_any_network(network: Network) -> None:
    pieces = np.concatenate([layer.n_pieces for layer in network.layers])
    patterns = [tuple(int(v) % n for n in pieces) for v in range(int(pieces.max()))]
    assert len({packing(network)(pattern) for pattern in patterns}) == len(patterns)
    taken = np.array(patterns, dtype=np.int8)
    weights = np.exp(preferences(network, taken, np.zeros(len(patterns))))
    assert weights.shape == (network.n_units, pieces.max()) and (weights > 0).all()


@NETWORKS
def test_the_shell(network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    path = tmp_path / "graph.npz"
    path.touch()
    monkeypatch.setattr(Network, "load", classmethod(lambda cls, *_: network))

    def shell(*arguments: Any) -> Any:
        return CliRunner().invoke(app, [str(a) for a in arguments])

    counted = str(mc.count(network, BOX, mc.ExactTree()).lower)
    for method in ("pool", "mbound"):
        taken = shell("count", path, "--box", -1, 1, "--method", method, "--json")
        assert taken.exit_code == 0, taken.stderr
        found = json.loads(taken.stdout)
        assert method == "mbound" or str(found["lower"]) == counted == str(found["upper"])
    assert shell("inspect", path, "--box", -1, 1, "--tighten", "lp").exit_code == 0

    record = json.loads(shell("inspect", path, "--box", -1, 1, "--json").stdout)
    assert record["is_chain"] is False
    assert int(record["upper_bound"]) <= PATTERNS[network]
    assert json.loads(shell("bound", path, "--json").stdout)["upper"]
    assert [layer["reads"] for layer in record["layers"]] == [
        [source.number for source in sources] for sources in network.sources[:2]
    ]
    assert all(np.isfinite(layer["pre_activations"]).all() for layer in record["layers"])
    shown = shell("inspect", path, "--box", -1, 1)
    assert shown.exit_code == 0 and "reads" in shown.stdout
    assert ("graph" in shown.stdout) == (network is not MIXED)
