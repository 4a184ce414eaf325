"""All theorems in one table: a new one is a function and a row."""

from milpcount.bounds import adapters as a
from milpcount.bounds import (
    arrangements,
    convolutional,
    maxout,
    piecewise,
    rectifier,
    rectifier_best,
)
from milpcount.bounds.adapters import when
from milpcount.bounds.theorem import Bound, Case, Direction, Other, Subject, Theorem
from milpcount.errors import OptionError
from milpcount.result import Quantity

UPPER, LOWER, EXACT = Direction.UPPER, Direction.LOWER, Direction.EXACT
EXPECTED, ORDER = Direction.EXPECTED, Direction.ORDER
EVERY, BEST, THIS, RANDOM = Subject.EVERY, Subject.BEST, Subject.THIS, Subject.RANDOM
REGIONS, LINEAR = Quantity.ACTIVATION_REGIONS, Quantity.LINEAR_REGIONS
PATTERNS = Quantity.ACTIVATION_PATTERNS

_relu = when(a.rectifiers)
_best_relu = when(a.rectifiers, a.free)
_relu_layer = when(a.rectifiers, a.free, a.one_layer)
_scalar = when(a.scalar, a.not_all_rectifiers)
_one_convolution = when(a.convolutions, a.rectifiers, a.one_layer, a.whole)
_one_convolution_pwl = when(a.convolutions, a.not_all_rectifiers, a.one_layer, a.whole)

_CONSTANTS = (
    "An upper bound on the expectation, up to the constants of the distribution: C_grad = "
    "C_bias = 1 here, so T = 32; the domain is taken for a cube that is not too small"
)
_SERRA = (
    "Theorem numbers are those of ICML 2018; the version submitted to ICLR numbers them otherwise"
)

THEOREMS: tuple[Theorem, ...] = (
    Theorem(
        "naive", "all patterns (Montúfar et al. 2014, Proposition 3)", "rectifier", UPPER, EVERY,
        PATTERNS, "always", "montufar2014",
        lambda c: rectifier.naive(c.widths, c.cuts),
        "2^N for N rectifiers; for other units the product of their numbers of pieces",
    ),
    Theorem(
        "zaslavsky1975", "Zaslavsky 1975", "arrangements", EXACT, BEST, REGIONS,
        "one layer of rectifiers", "zaslavsky1975",
        _relu_layer(lambda c: arrangements.zaslavsky_regions(c.widths[0], c.dimension)),
    ),
    Theorem(
        "zaslavsky1975-bounded", "Zaslavsky 1975, bounded regions", "arrangements", EXACT, BEST,
        Other.BOUNDED_REGIONS, "one layer of rectifiers", "zaslavsky1975",
        _relu_layer(lambda c: arrangements.zaslavsky_bounded(c.widths[0], c.dimension)),
        "over all of space",
    ),
    Theorem(
        "hu-zhang-lemma2", "Hu & Zhang 2018, Lemma 2", "arrangements", EXACT, BEST,
        Other.UNBOUNDED_REGIONS, "one layer of rectifiers", "hu2018",
        _relu_layer(lambda c: arrangements.hu_zhang_lemma_2(c.widths[0], c.dimension)),
        "over all of space; (39) and (40) have misprints, the formula is right",
    ),
    Theorem(
        "central", "Schläfli's count of central hyperplanes (Zaslavsky 1975)", "arrangements",
        UPPER, THIS, REGIONS, "one layer of rectifiers, with weights and without biases",
        "zaslavsky1975", when(a.rectifiers, a.one_layer)(a.without_biases),
    ),
    Theorem(
        "raghu2017", "Raghu et al. 2017, Theorem 1", "rectifier", ORDER, EVERY, REGIONS,
        "rectifiers, equal widths", "raghu2017",
        when(a.rectifiers, a.equal_widths)(
            lambda c: rectifier.raghu_2017(c.dimension, c.widths[0], len(c.widths))),
        "O(k^{mn}) without its constant",
    ),
    Theorem(
        "montufar2017", "Montúfar 2017", "rectifier", UPPER, EVERY, REGIONS, "rectifiers",
        "montufar2017", _relu(lambda c: rectifier.montufar_2017(c.dimension, c.widths)),
    ),
    Theorem(
        "serra2018", "Serra et al. 2018, Theorem 1", "rectifier", UPPER, EVERY, REGIONS,
        "rectifiers", "serra2018",
        _relu(lambda c: rectifier.serra_2018(c.dimension, c.widths)), _SERRA,
    ),
    Theorem(
        "serra2018-rank", "Serra et al. 2018, Theorem 1 with ranks", "rectifier", UPPER, THIS,
        REGIONS, "rectifiers, with weights of which one is rank deficient", "serra2018",
        _relu(a.with_ranks),
        "the rank is carried on to later layers, which the remark after the theorem does not do",
    ),
    Theorem(
        "hinz2019", "Hinz & van de Geer 2019, provable gammas", "rectifier", UPPER, EVERY, REGIONS,
        "rectifiers, not too wide for the table of gammas", "hinz2019",
        _relu(lambda c: rectifier.hinz_van_de_geer(c.dimension, c.widths)),
        "their framework with gammas proved here; those of Hinz 2021 are slightly smaller",
    ),
    Theorem(
        "serra2018-1d", "Serra et al. 2018, Theorem 7", "rectifier", EXACT, BEST, REGIONS,
        "rectifiers, one input, every width at least 3", "serra2018",
        when(a.rectifiers, a.free, a.one_input)(
            lambda c: rectifier.serra_2018_one_input(c.widths)), _SERRA,
    ),
    Theorem(
        "one-two-n", "exact maximum 2n + 3 of 1-2-n (derived)", "rectifier", EXACT, BEST, REGIONS,
        "rectifiers, 1-2-n", "milpcount", when(a.rectifiers, a.free, a.one_input)(a.one_two_n),
        "Hu & Zhang 2018 claim Theorem 3 tight on one input for all widths; it gives 3n + 3",
    ),
    Theorem(
        "hu-zhang-3", "Hu & Zhang 2018, Theorem 3", "rectifier", UPPER, EVERY, Other.LIVE_REGIONS,
        "rectifiers", "hu2018",
        _relu(lambda c: rectifier.hu_zhang_theorem_3(c.dimension, c.widths)),
        "printed as a bound on linear regions, which it is not: x -> ReLU(x) has 2 and it gives 1",
    ),
    Theorem(
        "pascanu2013", "Pascanu et al. 2013", "rectifier_best", LOWER, BEST, REGIONS,
        "rectifiers, all widths but the last at least n_0", "pascanu2013",
        _best_relu(lambda c: rectifier_best.pascanu_2013(c.dimension, c.widths)),
    ),
    Theorem(
        "montufar2014", "Montúfar et al. 2014, Theorem 4", "rectifier_best", LOWER, BEST, REGIONS,
        "rectifiers, all widths but the last at least n_0", "montufar2014",
        _best_relu(lambda c: rectifier_best.montufar_2014(c.dimension, c.widths)),
    ),
    Theorem(
        "montufar2014-linear",
        "Montúfar et al. 2014, linear output (Nakahara et al. 2025, Proposition 1)",
        "rectifier_best", LOWER, BEST, LINEAR, "rectifiers, all widths at least n_0",
        "montufar2014",
        _best_relu(lambda c: rectifier_best.montufar_2014_linear_output(
            c.dimension, min(c.widths), len(c.widths) + 1)),
    ),
    Theorem(
        "arora2018", "Arora et al. 2018, zonotopes", "rectifier_best", LOWER, BEST, REGIONS,
        "rectifiers, two layers or more, widths at least 2", "arora2018",
        _best_relu(lambda c: rectifier_best.arora_2018(c.dimension, c.widths)),
        "with the factor 2 that some quotations leave out",
    ),
    Theorem(
        "serra2018-lower", "Serra et al. 2018, Theorem 8", "rectifier_best", LOWER, BEST, REGIONS,
        "rectifiers, all widths but the last at least 3 n_0", "serra2018",
        _best_relu(lambda c: rectifier_best.serra_2018_lower(c.dimension, c.widths)), _SERRA,
    ),
    Theorem(
        "serra2018-zonotope", "Serra et al. 2018, Theorem 9", "rectifier_best", LOWER, BEST,
        REGIONS, "rectifiers, two layers or more, later widths at least 3 (2 for two layers)",
        "serra2018",
        _best_relu(lambda c: rectifier_best.serra_2018_zonotope(c.dimension, c.widths)),
        "printed for widths from 2 on; two units do not fold an interval into three copies",
    ),
    Theorem(
        "hu-zhang-1", "Hu & Zhang 2018, Theorem 1", "piecewise", EXACT, BEST, REGIONS,
        "one layer of piecewise linear units", "hu2018",
        when(a.scalar, a.not_all_rectifiers, a.free, a.one_layer)(a.single_layer),
        "for n_1 <= n_0 it is (p+1)^{n_1}, printed (p+1)^{n_0}",
    ),
    Theorem(
        "hu-zhang-2", "Hu & Zhang 2018, Theorem 2", "piecewise", UPPER, EVERY, REGIONS,
        "piecewise linear units", "hu2018",
        _scalar(a.layer_product),
        "stated for one number of breakpoints in all layers, true layer by layer; for one "
        "breakpoint it is Montúfar 2017",
    ),
    Theorem(
        "telgarsky2015", "Telgarsky 2015", "piecewise", UPPER, EVERY, REGIONS,
        "one input", "telgarsky2015",
        when(a.one_input)(
            lambda c: piecewise.telgarsky_2015(c.widths, [k + 1 for k in c.cuts])),
    ),
    Theorem(
        "layer-product", "product of the layers' maxima (derived)", "piecewise", UPPER, EVERY,
        REGIONS, "maxout units in some layers and not in others", "montufar2022",
        when(a.mixed)(a.layer_product),
    ),
    Theorem(
        "serra2018-maxout", "Serra et al. 2018, Theorem 10", "maxout", UPPER, EVERY, REGIONS,
        "maxout units", "serra2018",
        when(a.maxouts)(
            lambda c: maxout.serra_2018_maxout(c.dimension, c.widths, a.unit_ranks(c))),
        "garbled on the poster; far above the product of the layers' maxima",
    ),
    Theorem(
        "montufar2022", "Montúfar, Ren & Zhang 2022, one layer", "maxout", EXACT, BEST, REGIONS,
        "one layer of maxout units", "montufar2022",
        when(a.maxouts, a.free, a.one_layer)(a.single_maxout),
    ),
    Theorem(
        "montufar2022-product", "Montúfar, Ren & Zhang 2022, layer by layer (derived)", "maxout",
        UPPER, EVERY, REGIONS, "maxout units", "montufar2022",
        when(a.maxouts)(a.layer_product),
        "the product over the layers, each in the least dimension before it",
    ),
    Theorem(
        "montufar2014-maxout", "Montúfar et al. 2014, Theorem 8", "maxout", LOWER, BEST, REGIONS,
        "maxout units, all widths at least n_0", "montufar2014", 
        when(a.maxouts, a.free)(
            lambda c: maxout.montufar_2014_maxout(c.dimension, c.widths, min(a.unit_ranks(c)))),
        "stated for widths n_0 and equal ranks",
    ),
    Theorem(
        "xiong2020-2", "Xiong et al. 2020, Theorem 2", "convolutional", EXACT, BEST, REGIONS,
        "one convolution of rectifiers, not too large", "xiong2020",
        _one_convolution(a.first_convolution),
    ),
    Theorem(
        "xiong2020-2-plane", "Xiong et al. 2020, Theorem 2", "convolutional", UPPER, EVERY, REGIONS,
        "one convolution of rectifiers in the plane, not too large", "xiong2020",
        _one_convolution(a.plane_convolution),
        "printed as the exact maximum; shared filters in the plane do not attain it",
    ),
    Theorem(
        "xiong2020-2-expected", "Xiong et al. 2020, Theorem 2", "convolutional", EXPECTED, RANDOM,
        REGIONS, "one convolution of rectifiers, not too large", "xiong2020",
        _one_convolution(a.first_convolution),
        "the expectation itself over all of space, for parameters with a density",
    ),
    Theorem(
        "xiong2024-1", "one piecewise linear convolution (derived; cf. Xiong et al. 2024)",
        "convolutional", EXACT, BEST, REGIONS, "one convolution, not too large", "xiong2024",
        _one_convolution_pwl(a.first_convolution),
        "derived here: the theorem's text was not at hand",
    ),
    Theorem(
        "xiong2024-1-plane", "one piecewise linear convolution (derived; cf. Xiong et al. 2024)",
        "convolutional", UPPER, EVERY, REGIONS, "one convolution in the plane, not too large",
        "xiong2024", _one_convolution_pwl(a.plane_convolution),
        "derived here: the theorem's text was not at hand",
    ),
    Theorem(
        "xiong2024-1-expected", "one piecewise linear convolution (derived; cf. Xiong et al. 2024)",
        "convolutional", EXPECTED, RANDOM, REGIONS, "one convolution, not too large", "xiong2024",
        _one_convolution_pwl(a.first_convolution),
        "the expectation itself over all of space; derived here",
    ),
    Theorem(
        "xiong2020-5-upper", "Xiong et al. 2020, Theorem 5", "convolutional", UPPER, EVERY, REGIONS,
        "convolutions of rectifiers", "xiong2020",
        when(a.convolutions, a.rectifiers, a.deep)(
            lambda c: convolutional.xiong_theorem_5_upper(a.filters(c))),
    ),
    Theorem(
        "xiong2024-upper", "piecewise linear convolutions (derived; cf. Xiong et al. 2024)",
        "convolutional", UPPER, EVERY, REGIONS, "convolutions", "xiong2024",
        when(a.convolutions, a.not_all_rectifiers, a.deep)(
            lambda c: convolutional.xiong_theorem_5_upper(a.filters(c), c.cuts)),
        "derived here: the theorem's text was not at hand",
    ),
    Theorem(
        "xiong2020-5-lower", "Xiong et al. 2020, Theorem 5", "convolutional", LOWER, BEST, REGIONS,
        "convolutions of rectifiers with no fewer channels than the input", "xiong2020",
        when(a.convolutions, a.rectifiers, a.deep, a.whole)(
            lambda c: convolutional.xiong_theorem_5_lower(a.filters(c))),
        "left out where the last layer's number by Theorem 2 is not attained",
    ),
    Theorem(
        "nakahara-1", "Nakahara et al. 2025, Theorem 1", "ternary", LOWER, BEST, LINEAR,
        "rectifiers on a domain with [0, 1]^{n_0} in it; ternary weights reach it", "nakahara2025",
        when(a.rectifiers, a.whole, a.on_the_cube)(a.ternary_lower),
        "(13) and (15) have a misprint, Lemma 1 is false as stated; the bound stands",
    ),
    Theorem(
        "hanin2019-regions", "Hanin & Rolnick 2019 (NeurIPS)", "expected", EXPECTED, RANDOM,
        REGIONS, "rectifiers on a box", "hanin2019b",
        when(a.rectifiers, a.free, a.on_a_box)(a.expected_regions), _CONSTANTS,
    ),
    Theorem(
        "hanin2019-volume", "Hanin & Rolnick 2019 (ICML)", "expected", EXPECTED, RANDOM,
        Other.BOUNDARY_VOLUME, "rectifiers on a box", "hanin2019a",
        when(a.rectifiers, a.free, a.on_a_box)(a.boundary_volume), _CONSTANTS,
    ),
    Theorem(
        "tseran2021", "Tseran & Montúfar 2021", "expected", EXPECTED, RANDOM, REGIONS,
        "maxout units on a box", "tseran2021",
        when(a.maxouts, a.free, a.on_a_box)(a.expected_maxout), _CONSTANTS,
    ),
    Theorem(
        "tseran2021-decision", "Tseran & Montúfar 2021, decision boundary", "expected", EXPECTED,
        RANDOM, Other.DECISION_PIECES, "maxout units on a box", "tseran2021",
        when(a.maxouts, a.free, a.on_a_box)(a.expected_decision), _CONSTANTS,
    ),
    Theorem(
        "serra2020", "Serra & Ramalingam 2020, empirical bound", "empirical", UPPER, THIS, REGIONS,
        "rectifiers, with weights", "serra2020", _relu(a.empirical_bound),
        "k_l = A_l(k_{l-1}) - j_l; the poster prints j_{l-1}, a misprint",
    ),
)  # fmt: skip


def families() -> list[str]:
    """Return the families of theorems."""
    return sorted({row.family for row in THEOREMS})


def evaluate(case: Case, family: str | None = None) -> list[Bound]:
    """Return the value of every theorem that applies.

    Parameters
    ----------
    case : Case
    family : str, optional
        Only theorems of this family.

    Raises
    ------
    OptionError
        If there is no such family.
    """
    if family is not None and family not in families():
        raise OptionError(f"family {family!r}: there are {', '.join(families())}")
    found = []
    for row in THEOREMS:
        if family in (None, row.family):
            value = row.value(case)
            if value is not None:
                found.append(Bound(row, value))
    return found
