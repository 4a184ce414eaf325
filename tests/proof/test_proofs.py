"""Proofs of counts of all kinds are accepted, and say exactly the count."""

import ast
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import ContradictionError, OptionError
from milpcount.network.activation import (
    Activation,
    Piece,
    Row,
    leaky_relu,
    maxout,
    piecewise_linear,
    relu,
)
from milpcount.proof import check
from milpcount.proof.writing import prove, write_proof
from milpcount.tree.refutations import Projections
from tests import graphs
from tests.networks import random_network
from tests.proof.files import verdict

CLIP = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
ODD = Activation(
    "odd", 2, (Row(0, 1, 0.0),), (Piece(0, 1.0, 0.0, ((0, 1),)), Piece(1, 2.0, 0.0, ((0, -1),)))
)
FOLDED = mc.Network.from_arrays(
    [[[1, 0], [-1, 0], [0, 1], [0, -1]], [[1, 1, 1, 1], [1, 1, -1, -1]], [[1, 1]]],
    [[0, 0, 0, 0], [-1, 0], [0]],
)
"""Opposite units, corners where many boundaries meet, and units that vanish identically."""


def proved(net, domain, folder, **given):
    """Count with a proof; return the result and what the checker says."""
    path = folder / "count.proof"
    result = mc.count(net, domain, proof=path, **given)
    code, line = verdict(folder / "count.proof.npz", path)
    assert code == 0, line
    return result, line


def degenerate(seed, sizes, activation):
    rng, rank = np.random.default_rng(seed), activation.rank
    pairs = list(pairwise(sizes))
    weights = [rng.integers(-2, 3, size=(rank * b, a)) for a, b in pairs]
    biases = [rng.integers(-1, 2, size=rank * b) for _, b in pairs]
    return mc.Network.from_arrays(weights, biases, output=False, activation=activation)


DOMAINS = {
    "box": mc.Box(-1, 1),
    "unbounded": mc.Unbounded(),
    "polytope": mc.Polytope([[1, 1], [0, 0]], [0.5, 0]),
    "cut box": mc.Polytope([[1, -1]], [0.1], -1, 1),
    "section": mc.Section([0.1, 0.0], [[0.3, 0.1]]),
    "segment": mc.Segment([-1.0, 0.1], [1.0, 0.3]),
}


@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_degenerate_network_on_every_domain(domain, quantity, tmp_path):
    result, line = proved(FOLDED, domain, tmp_path, quantity=quantity)
    assert result.is_exact
    assert line.startswith(f"exactly {result.lower} {quantity.replace('_', ' ')} of network ")


@pytest.mark.parametrize("activation", [relu(), leaky_relu(0.25), CLIP, maxout(3), ODD])
@pytest.mark.parametrize("seed", range(3))
def test_units_of_every_kind(activation, seed, tmp_path):
    net = degenerate(seed, [2, 3, 2], activation)
    for quantity in "activation_regions", "activation_patterns":
        result, line = proved(net, mc.Box(-1, 1), tmp_path, quantity=quantity)
        assert line.startswith(f"exactly {result.lower} ")


@pytest.mark.parametrize("seed", range(4))
def test_graphs(seed, tmp_path):
    for label, net in graphs.graphs(2, seed):
        result, line = proved(net, mc.Box(-1, 1), tmp_path)
        assert line.startswith(f"exactly {result.lower} "), label


@pytest.mark.parametrize("sizes", [(3, [8, 6]), (20, [5, 4]), (5, [4, 4, 4, 4])])
def test_generic_networks(sizes, tmp_path):
    result, line = proved(random_network(1, *sizes), mc.Box(-1, 1), tmp_path)
    assert line.startswith(f"exactly {result.lower} ")


def test_witnesses_of_many_inputs_are_seeds(tmp_path):
    net = mc.Network.load("example:mnist-784-2-20.npz")
    _, line = proved(net, mc.Box(0, 1), tmp_path)
    assert line.startswith("exactly 101 ") and line.endswith(" on [0, 1]^784")
    assert (tmp_path / "count.proof").stat().st_size < 30_000


def test_seeds_have_a_number_for_each_value_of_a_maximum(tmp_path):
    rng = np.random.default_rng(0)
    weights, biases = [rng.normal(size=(10, 30))], [rng.normal(size=10)]
    net = mc.Network.from_arrays(weights, biases, output=False, activation=maxout(2))
    result, line = proved(net, mc.Box(-1, 1), tmp_path)
    assert line.startswith(f"exactly {result.lower} ")
    with np.load(tmp_path / "count.proof") as file:
        assert file["points"].shape == (result.lower, 10)


def test_a_cell_that_float64_cannot_hold(tmp_path):
    weights = [[[1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0]]]
    net = mc.Network.from_arrays(weights, [[0.0, -(2.0**-54)], [0.0]], output=False)
    result, line = proved(net, mc.Box(-1, 1), tmp_path)
    exact = mc.count(net, mc.Box(-1, 1), mc.ExactTree())
    assert line.startswith(f"exactly {exact.lower} ") and result.lower == exact.lower


def test_several_methods(tmp_path):
    for method in mc.ExactTree(), mc.BruteForce(), mc.SolutionPool():
        _, line = proved(FOLDED, mc.Box(-1, 1), tmp_path, method=method)
        assert line.startswith("exactly 16 ")


def test_several_processes(tmp_path):
    from milpcount.workers import Processes

    pool, net = Processes(2), random_network(2, 3, [12, 8])
    try:
        result, line = proved(net, mc.Box(-1, 1), tmp_path, executor=pool)
    finally:
        pool.stop()
    assert line.startswith(f"exactly {result.lower} ")


def test_regions_are_handed_out_only_if_they_are_to_be_kept(tmp_path):
    assert proved(FOLDED, mc.Box(-1, 1), tmp_path)[0].regions is None
    assert len(proved(FOLDED, mc.Box(-1, 1), tmp_path, keep_regions=True)[0].regions) == 16


@pytest.mark.parametrize("most", [1, 7, 60])
def test_a_stopped_count_has_both_ends(most, tmp_path):
    net = random_network(3, 3, [8, 6])
    true = mc.count(net, mc.Box(-1, 1)).lower
    assert true > 60
    result, line = proved(net, mc.Box(-1, 1), tmp_path, limits=mc.Limits(regions=most))
    given = result.details["proof"]
    assert line.startswith(f"at least {given['lower']}, at most {given['upper']} ")
    assert most <= int(given["lower"]) <= true <= int(given["upper"])
    # 8 hyperplanes in 3 dimensions, and 6 in each of their cells: sum(C(8, j)) * sum(C(6, j)).
    assert int(given["upper"]) <= 93 * 42


@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
@pytest.mark.parametrize("most", [1, 5])
@pytest.mark.parametrize("activation", [relu(), leaky_relu(0.25), CLIP, maxout(3), ODD])
def test_what_is_left_open_is_bounded_by_ranges(activation, most, quantity, tmp_path):
    for seed in range(3):
        net, box = degenerate(seed, [2, 3, 3, 2], activation), mc.Box([0.1, 0.1], [0.5, 0.6])
        true = mc.count(net, box, quantity=quantity).lower
        limits = mc.Limits(regions=most)
        _, line = proved(net, box, tmp_path, quantity=quantity, limits=limits)
        ends = [int(word) for word in line.replace(",", "").split()[:6] if word.isdigit()]
        assert ends[0] <= true <= ends[-1]
        if line.startswith("exactly "):
            assert true == ends[0]


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1e6])
def test_a_proof_is_of_as_many_regions_as_there_is_time_for(seconds, tmp_path):
    """However slow the machine: one region takes no time, and what is written is always proved."""
    net, box, path = random_network(3, 3, [12, 10]), mc.Box(-1, 1), tmp_path / "count.proof"
    result = mc.count(net, box, keep_regions=True)
    made = prove(path, net, box, result, seconds=seconds)
    code, line = verdict(tmp_path / "count.proof.npz", path)
    assert code == 0 and made.of == result.lower
    assert made.regions == made.lower <= result.lower <= made.upper
    if seconds == 0.0:
        assert made.regions == 1 and line.startswith(f"at least 1, at most {made.upper} ")
        assert made.status == f"time limit: 1 of the {made.of:,} regions that were found"
    elif made.regions == made.of:
        assert made.status == "all regions that were found"
        assert line.startswith(f"exactly {result.lower} ")
    assert made.regions == made.of or seconds < 1e6


def test_a_time_limit_is_the_counts_and_the_proofs(tmp_path):
    net, path = random_network(2, 8, [60, 60]), tmp_path / "count.proof"
    mc.count(random_network(2, 8, [3]), mc.Box(-1, 1), proof=path)  # compiles
    began = time.monotonic()
    result = mc.count(net, mc.Box(-1, 1), proof=path, limits=mc.Limits(seconds=2.0))
    told = result.details["proof"]
    assert not result.is_exact and result.seconds < 2.0
    assert time.monotonic() - began < 2.0 + 10.0  # on a busy machine
    code, line = verdict(tmp_path / "count.proof.npz", path)
    assert code == 0 and line.startswith(f"at least {told['lower']}, at most {told['upper']} ")
    assert told["status"].startswith(("all regions", "time limit: "))


def test_units_that_a_small_box_settles_leave_nothing_open(tmp_path):
    """Nearly all units have one piece on a small box: the bound is that of the others."""
    net, box = random_network(5, 6, [30, 30]), mc.Box(0.2, 0.21)
    true = mc.count(net, box).lower
    assert true > 1
    result, _ = proved(net, box, tmp_path, limits=mc.Limits(regions=1))
    assert true <= int(result.details["proof"]["upper"]) <= 100


def test_ctrl_c_leaves_a_proof(tmp_path):
    def stop(event):
        if getattr(event, "regions", 0) or getattr(event, "lower", 0):
            raise KeyboardInterrupt

    net, path = random_network(2, 6, [14, 12]), tmp_path / "count.proof"
    with pytest.raises(mc.Interrupted) as stopped:
        mc.count(net, mc.Box(-1, 1), proof=path, listener=stop)
    result = stopped.value.result
    code, line = verdict(tmp_path / "count.proof.npz", path)
    assert code == 0 and line.startswith(f"at least {result.details['proof']['lower']}, at most ")
    assert result.regions is None


@pytest.mark.parametrize(
    ("net", "domain", "given", "why"),
    [
        (FOLDED, mc.Box(-1, 1), {"quantity": "live_regions"}, "live_regions has no proofs"),
        (FOLDED, mc.Box(-1, 1), {"method": mc.Probing()}, "keeps no regions"),
        (FOLDED, mc.Segment([0, 0], [1, 1]), {"method": mc.SectionWalk()}, "keeps no regions"),
        (FOLDED, mc.Union([mc.Box(-1, 0), mc.Box(0, 1)]), {}, "a union has no proof"),
        (mc.Network.from_arrays([[[1.0]]], [[0.0]]), mc.Box(-1, 1), {}, "no units"),
        (
            degenerate(0, [2, 2], ODD),
            mc.Box(-1, 1),
            {"quantity": "linear_regions"},
            "not known to be continuous",
        ),
    ],
)
def test_what_is_not_covered_is_refused_before_the_count(net, domain, given, why, tmp_path):
    with pytest.raises(OptionError, match=why):
        mc.count(net, domain, proof=tmp_path / "count.proof", **given)
    assert not list(tmp_path.iterdir())


def test_the_folder_has_to_be_there(tmp_path):
    with pytest.raises(OptionError, match="there is no folder"):
        mc.count(FOLDED, mc.Box(-1, 1), proof=tmp_path / "no" / "count.proof")


def test_a_region_that_is_missing_is_no_proof(tmp_path):
    result = mc.count(FOLDED, mc.Box(-1, 1), keep_regions=True)
    del result.regions[5]
    with pytest.raises(ContradictionError, match="the count says 16, its proof 15 to"):
        write_proof(tmp_path / "count.proof", FOLDED, mc.Box(-1, 1), result)


def test_a_wrong_verdict_of_the_kernel_is_caught(tmp_path, monkeypatch):
    """A side that holds a region is said to be refuted by what refutes another one."""
    right = Projections.refute

    def wrong(*given):
        refs = right(*given)
        refs[refs == -1] = refs[refs >= 0][0]
        return refs

    net = random_network(1, 3, [6, 5])
    result = mc.count(net, mc.Box(-1, 1), keep_regions=True)
    del result.regions[5]
    monkeypatch.setattr(Projections, "refute", wrong)
    result = type(result)(**{**vars(result), "lower": len(result.regions), "upper": result.upper})
    write_proof(tmp_path / "count.proof", net, mc.Box(-1, 1), result)
    code, line = verdict(tmp_path / "count.proof.npz", tmp_path / "count.proof")
    assert code == 1 and "a side cites a clause that its pieces do not imply" in line


def test_the_checker_stands_alone():
    source = Path(check.__file__).read_text()
    assert len(source.splitlines()) <= 400
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert all(name in {*sys.stdlib_module_names, "numpy"} for name in names)
