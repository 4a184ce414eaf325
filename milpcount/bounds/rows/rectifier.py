"""Rectifiers: what every network of an architecture stays below, and one given network."""

from milpcount.bounds import arrangements, conditions, empirical, rectifier
from milpcount.bounds.case import Case
from milpcount.bounds.costs import histograms, per_unit, weights
from milpcount.bounds.rows import BEST, EVERY, EXACT, ORDER, REGIONS, SERRA, THIS, UPPER
from milpcount.bounds.theorem import Other, Theorem, known
from milpcount.result import Quantity


def _empirical(case: Case) -> int:
    assert case.network is not None
    found = empirical.empirical_bound(case.network, case.dimension, case.ranges)
    assert found is not None  # the conditions ask for rectifiers that can be read
    return found


ROWS: tuple[Theorem, ...] = (
    Theorem(
        key="zaslavsky1975",
        title="Zaslavsky 1975",
        family="arrangements",
        direction=EXACT,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="zaslavsky1975",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.ONE_LAYER,
        ),
        formula=lambda c: arrangements.zaslavsky_regions(c.widths[0], c.dimension),
    ),
    Theorem(
        key="zaslavsky1975-bounded",
        title="Zaslavsky 1975, bounded regions",
        family="arrangements",
        direction=EXACT,
        subject=BEST,
        quantity=Other.BOUNDED_REGIONS,
        speaks_of_chains=True,
        citation="zaslavsky1975",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.ONE_LAYER,
        ),
        formula=lambda c: arrangements.zaslavsky_bounded(c.widths[0], c.dimension),
        note="over all of space",
    ),
    Theorem(
        key="hu-zhang-lemma2",
        title="Hu & Zhang 2018, Lemma 2",
        family="arrangements",
        direction=EXACT,
        subject=BEST,
        quantity=Other.UNBOUNDED_REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.ONE_LAYER,
        ),
        formula=lambda c: arrangements.hu_zhang_lemma_2(c.widths[0], c.dimension),
        note="over all of space; (39) and (40) have misprints, the formula is right",
    ),
    Theorem(
        key="central",
        title="Schläfli's count of central hyperplanes (Zaslavsky 1975)",
        family="arrangements",
        direction=UPPER,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="zaslavsky1975",
        conditions=(
            conditions.RECTIFIERS,
            conditions.ONE_LAYER,
            conditions.CENTRAL,
        ),
        formula=lambda c: arrangements.central_regions(c.widths[0], c.architecture.n_inputs),
    ),
    Theorem(
        key="raghu2017",
        title="Raghu et al. 2017, Theorem 1",
        family="rectifier",
        direction=ORDER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="raghu2017",
        conditions=(
            conditions.RECTIFIERS,
            conditions.EQUAL_WIDTHS,
            conditions.SHORT_POWER,
        ),
        formula=lambda c: rectifier.raghu_2017(c.dimension, c.widths[0], len(c.widths)),
        note="O(k^{mn}) without its constant",
    ),
    Theorem(
        key="montufar2017",
        title="Montúfar 2017",
        family="rectifier",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="montufar2017",
        conditions=(conditions.RECTIFIERS,),
        formula=lambda c: rectifier.montufar_2017(c.dimension, c.widths),
    ),
    Theorem(
        key="serra2018",
        title="Serra et al. 2018, Theorem 1",
        family="rectifier",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(conditions.RECTIFIERS,),
        formula=lambda c: rectifier.serra_2018(c.dimension, c.widths),
        cost=per_unit(0.002, 40_000),
        note=SERRA,
    ),
    Theorem(
        key="serra2018-rank",
        title="Serra et al. 2018, Theorem 1 with ranks",
        family="rectifier",
        direction=UPPER,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.WEIGHTS,
            conditions.DEFICIENT,
        ),
        formula=lambda c: rectifier.serra_2018(c.dimension, c.widths, c.ranks),
        cost=weights,
        note=(
            "the rank is carried on to later layers, which the remark after the theorem does not do"
        ),
    ),
    Theorem(
        key="hinz2019",
        title="Hinz & van de Geer 2019, provable gammas",
        family="rectifier",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hinz2019",
        conditions=(
            conditions.RECTIFIERS,
            conditions.SMALL_GAMMAS,
        ),
        formula=lambda c: known(rectifier.hinz_van_de_geer(c.dimension, c.widths)),
        cost=histograms,
        note="their framework with gammas proved here; those of Hinz 2021 are slightly smaller",
    ),
    Theorem(
        key="serra2018-1d",
        title="Serra et al. 2018, Theorem 7",
        family="rectifier",
        direction=EXACT,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.ONE_DIMENSION,
            conditions.FROM_THREE,
        ),
        formula=lambda c: known(rectifier.serra_2018_one_input(c.widths)),
        note=SERRA,
    ),
    Theorem(
        key="one-two-n",
        title="exact maximum 2n + 3 of 1-2-n (derived)",
        family="rectifier",
        direction=EXACT,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="milpcount",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.ONE_DIMENSION,
            conditions.TWO_UNITS_FIRST,
        ),
        formula=lambda c: rectifier.one_two_n(c.widths[1]),
        note=("Hu & Zhang 2018 claim Theorem 3 tight on one input for all widths; it gives 3n + 3"),
    ),
    Theorem(
        key="hu-zhang-3",
        title="Hu & Zhang 2018, Theorem 3",
        family="rectifier",
        direction=UPPER,
        subject=EVERY,
        quantity=Quantity.LIVE_REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(conditions.RECTIFIERS,),
        formula=lambda c: rectifier.hu_zhang_theorem_3(c.dimension, c.widths),
        note=(
            "printed as a bound on linear regions, which it is not: x -> ReLU(x) has 2 and it "
            "gives 1"
        ),
    ),
    Theorem(
        key="serra2020",
        title="Serra & Ramalingam 2020, empirical bound",
        family="empirical",
        direction=UPPER,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2020",
        conditions=(
            conditions.PLAIN,
            conditions.WEIGHTS,
            conditions.WRITTEN_OUT,
        ),
        formula=_empirical,
        cost=per_unit(0.05, 1_500),
        note="k_l = A_l(k_{l-1}) - j_l; the poster prints j_{l-1}, a misprint",
    ),
)
