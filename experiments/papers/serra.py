"""The posters: Serra, Tjandraatmadja & Ramalingam (ICML 2018), Serra & Ramalingam (AAAI 2020)."""

from functools import lru_cache
from itertools import pairwise
from math import comb

import milpcount as mc
from experiments import claims as store_claims
from experiments.figures import STORE
from experiments.papers.claim import Claim, Finding, finding, regions, value
from milpcount.bounds.empirical import LayerCounts, serra_ramalingam_2020
from milpcount.bounds.rectifier import one_two_n, serra_2018
from milpcount.examples import opposite_units, serra_2018_line
from milpcount.examples import serra_2018 as best_network
from milpcount.plots.data import NetworkRow, by_width, rows_of
from milpcount.store import Store
from milpcount.sweep.random_networks import random_network

ICML = "Serra, Tjandraatmadja & Ramalingam, ICML 2018 (poster)"
AAAI = "Serra & Ramalingam, AAAI 2020 (poster)"


@lru_cache(maxsize=1)
def sweep() -> list[NetworkRow]:
    """Return the rows of the store of the MNIST sweep."""
    return rows_of(Store(STORE))


def upper() -> Finding:
    rows = [row for row in sweep() if row.exact is not None]
    below = sum(r.exact <= r.upper["serra2018"] <= r.upper["montufar2017"] for r in rows)  # type: ignore[operator]
    text = f"{below} of {len(rows)} trained networks counted below it; {store_claims.tighter(rows)}"
    return finding(text, holds=below == len(rows))


def one_layer() -> Finding:
    texts = ["1-5:relu", "2-5:relu", "3-4:relu", "4-3:relu"]
    tight = [regions(random_network(t, 0)) == value(t, "serra2018") for t in texts]
    return finding(f"reached by {sum(tight)} of {len(texts)} random layers", holds=all(tight))


def one_input() -> Finding:
    widths = [(3,), (3, 3), (4, 3, 3), (3, 3, 3)]
    reached = [regions(serra_2018_line(w).network) == serra_2018(1, w) for w in widths]
    text = f"{sum(reached)} of {len(widths)} networks with n_l ≥ 3 reach Π(n_l + 1); "
    text += f"1-2-2 has {one_two_n(2)} at most, not {serra_2018(1, (2, 2))}"
    return finding(text, holds=all(reached), exception=one_two_n(2) < serra_2018(1, (2, 2)))


def lower() -> Finding:
    example = best_network(2, (6, 2))
    count = regions(example.network, example.domain)
    number = value("2-6-2:relu", "serra2018-lower")
    return finding(f"2-6-2: {count} counted, {number} promised", holds=count >= number)


def zonotope() -> Finding:
    three = mc.examples.arora_2018(2, 2, [3, 3])
    count, number = regions(three.network), value("2-4-3-3:relu", "serra2018-zonotope")
    printed = 2 * 3**2  # 1-2-2-2: m = 1, w = 2, two layers above the first
    found = max(regions(random_network("1-2-2-2:relu", seed)) for seed in range(400))
    text = (
        f"w = 3: {count} counted, {number} promised; w = 2: most of 400 networks 1-2-2-2 {found}, "
    )
    text += f"printed {printed}: neither reached nor refuted here"
    return finding(text, holds=count >= number, exception=found < printed)


def maxout() -> Finding:
    texts = ("2-2:maxout3", "2-3:maxout3", "2-2:maxout3-2:maxout3", "1-2:maxout4-2:maxout2")
    counts = [max(regions(random_network(t, s)) for s in range(6)) for t in texts]
    bounds = [value(t, "serra2018-maxout") for t in texts]
    text = f"most of 6 networks {counts}, bound {bounds}"
    return finding(text, holds=all(c <= b for c, b in zip(counts, bounds, strict=True)))


def milp() -> Finding:
    example = opposite_units()
    pool = mc.SolutionPool()
    counted = mc.count(example.network, example.domain, pool, quantity="activation_patterns").lower
    net = random_network("2-4-3:relu", 1)
    box = mc.Box(-1, 1)
    generic = mc.count(net, box, pool, quantity="activation_patterns").lower
    text = f"random 2-4-3: {generic} solutions, {regions(net, box)} regions; ReLU(x), ReLU(-x): "
    text += f"{counted} solutions, {regions(example.network, example.domain)} regions"
    return finding(text, holds=generic == regions(net, box), exception=counted != 2)


def bottleneck() -> Finding:
    values = [serra_2018(784, (n, 22 - n)) for n in range(1, 22)]
    rising = all(a < b for a, b in pairwise(values))
    text = f"bound for n1 = 1, 11, 21 of 22 units: {values[0]}, {values[10]:,}, {values[20]:,}"
    return finding(text, holds=rising)


def shallow() -> Finding:
    deep, wide = serra_2018(60, [10] * 6), serra_2018(60, [60])
    few = serra_2018(5, [10] * 6) / serra_2018(5, [60])
    text = f"60 units, six layers over one: {deep / wide:.2g} for 60 inputs, {few:.2g} for 5"
    return finding(text, holds=deep < wide)


def accuracy() -> Finding:
    text = store_claims.correlation(sweep())
    wide = [p for p in text.split("; ") if p.startswith("exact counts, both layers above")]
    narrow = [p for p in text.split("; ") if p.startswith("exact counts, second layer")]
    negative = "test -" in wide[0]
    return finding(f"{wide[0]}; {narrow[0]}", holds=negative, exception="test 0" in narrow[0])


def empirical() -> Finding:
    full = [LayerCounts((2,), (2,)), LayerCounts((2,) * 3, (2,) * 3)]  # A = I = n, for 2-2-2
    right = serra_ramalingam_2020(2, full)
    # With the printed k_1 = A_1 - j_0, j_0 = 0, the second layer does not see what is off.
    print_ = sum(comb(2, j) for j in range(3)) * sum(comb(2, j) for j in range(3))
    rows = [r for r in sweep() if r.exact is not None and "serra2020" in r.upper]
    below = sum(r.exact <= r.upper["serra2020"] for r in rows)  # type: ignore[operator]
    text = (
        f"{below} of {len(rows)} counts below it; as printed 2-2-2 gets {print_}, with j_l {right}"
    )
    return finding(text, holds=below == len(rows), exception=print_ != right)


def narrow() -> Finding:
    shares = {
        n1: max(r.upper["serra2020"] / r.upper["serra2018"] for r in group)
        for n1, group in by_width(sweep()).items()
    }
    better = [n1 for n1, share in shares.items() if share < 0.9]
    text = f"below 90 % of Theorem 1 for all networks with n1 = {better}; with a narrow second "
    text += f"layer, n1 = 21, at most {100 * shares[21]:.2f} %"
    return finding(text, holds=bool(better) and max(better) < 11, exception=21 not in better)


def magnitude() -> Finding:
    text = store_claims.order_of_magnitude(sweep())
    five = text.split("mbound 5: ")[1]
    return finding(text, holds=float(five.split(" ")[0]) < 1)


def longer() -> Finding:
    text = store_claims.longer_xors(sweep())
    powers = [float(part.split("2^")[1]) for part in text.split(": ")[1].split(", ")]
    return finding(text, holds=powers == sorted(powers))


def faster() -> Finding:
    text = store_claims.faster(sweep())
    large = float(text.split("above 10^6, mbound 5: ")[1].split(" ")[0])
    small = float(text.split("mbound 5: ")[1].split(" ")[0])
    return finding(text, holds=large > 10, exception=small < 1)


ICML_CLAIMS = (
    Claim("serra-upper", "Theorem 1", "a tighter upper bound", upper),
    Claim("serra-one-layer", "Theorem 1", "tight for one layer", one_layer),
    Claim("serra-one-input", "Theorem 7", "exact for one input", one_input),
    Claim("serra-lower", "Theorem 8", "a lower bound on the best network, n_l ≥ 3 n_0", lower),
    Claim("serra-zonotope", "Theorem 9", "zonotopes folded by layers of w ≥ 2 units", zonotope),
    Claim("serra-maxout", "Theorem 10", "an upper bound for maxout networks", maxout),
    Claim("serra-milp", "MILP", "the solutions of the MILP are the linear regions", milp),
    Claim(
        "serra-bottleneck",
        "insight",
        "narrow early layers are bottlenecks: moving units forward raises the bound",
        bottleneck,
    ),
    Claim(
        "serra-shallow",
        "insight",
        "with many inputs shallow networks have the larger bound",
        shallow,
    ),
    Claim(
        "serra-accuracy",
        "experiment",
        "errors go with the number of regions unless a layer is too narrow",
        accuracy,
    ),
)
AAAI_CLAIMS = (
    Claim(
        "serra2020-upper", "empirical bound", "the bound from A_l(k) and I_l(k) is valid", empirical
    ),
    Claim("serra2020-narrow", "experiment", "it is better where layers are narrow", narrow),
    Claim(
        "serra2020-magnitude", "experiment", "lower bounds of similar order of magnitude", magnitude
    ),
    Claim("serra2020-xors", "experiment", "longer XORs help", longer),
    Claim(
        "serra2020-faster",
        "experiment",
        "orders of magnitude faster than exact counting on larger networks",
        faster,
    ),
)
