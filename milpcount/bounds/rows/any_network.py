"""Any network: graphs, layers of mixed units, units that jump."""

from milpcount.bounds import any_network, conditions
from milpcount.bounds.costs import recursion, recursion_with_ranges
from milpcount.bounds.rows import EVERY, PATTERNS, REGIONS, THIS, UPPER
from milpcount.bounds.theorem import Theorem

NAIVE = Theorem(
    key="naive",
    title="naive (all patterns)",
    family="rectifier",
    direction=UPPER,
    subject=EVERY,
    quantity=PATTERNS,
    speaks_of_chains=False,
    citation="montufar2014",
    formula=any_network.all_patterns,
    cost=lambda case: 0.0,
    note="Montúfar et al. 2014, Proposition 3: 2^N for N rectifiers; for other units the product "
    "of their numbers of pieces",
)

ROWS: tuple[Theorem, ...] = (
    NAIVE,
    Theorem(
        key="layer-product",
        title="product of the layers' maxima (derived)",
        family="any_network",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=False,
        citation="montufar2022",
        conditions=(conditions.UNITS, conditions.GRAPH_OR_MIXED),
        formula=any_network.layer_product,
        note="Montúfar 2017, Hu & Zhang 2018 and Montúfar, Ren & Zhang 2022 layer by layer, with "
        "what the wiring of a graph says of the dimension before each",
    ),
    Theorem(
        key="serra2018-any",
        title="Serra et al. 2018, Theorem 1, for any network (derived)",
        family="any_network",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=False,
        citation="serra2018",
        conditions=(conditions.UNITS, conditions.WEIGHTS, conditions.NO_PLAIN_CHAIN),
        formula=any_network.recursion,
        cost=recursion,
        note="of the weights only what reads what is used",
    ),
    Theorem(
        key="serra2020-any",
        title="Serra & Ramalingam 2020 for any network (derived)",
        family="any_network",
        direction=UPPER,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=False,
        citation="serra2020",
        conditions=(conditions.UNITS, conditions.WEIGHTS, conditions.NO_PLAIN_CHAIN),
        formula=any_network.recursion_with_ranges,
        cost=recursion_with_ranges,
        note="with the pieces that units reach on the domain, ranks of weights, and A_l and "
        "I_l of rectifiers that read rectifiers",
    ),
)
