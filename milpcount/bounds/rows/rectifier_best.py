"""Rectifiers: what the best network of an architecture reaches."""

from milpcount.bounds import conditions, rectifier_best, ternary
from milpcount.bounds.rows import BEST, LINEAR, LOWER, REGIONS, SERRA
from milpcount.bounds.theorem import Standing, Theorem, known

ROWS: tuple[Theorem, ...] = (
    Theorem(
        key="pascanu2013",
        title="Pascanu et al. 2013",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="pascanu2013",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.FOLDING,
        ),
        formula=lambda c: known(rectifier_best.pascanu_2013(c.dimension, c.widths)),
    ),
    Theorem(
        key="montufar2014",
        title="Montúfar et al. 2014, Theorem 4",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="montufar2014",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.FOLDING,
        ),
        formula=lambda c: known(rectifier_best.montufar_2014(c.dimension, c.widths)),
    ),
    Theorem(
        key="montufar2014-linear",
        title="Montúfar et al. 2014, linear output (Nakahara et al. 2025, Proposition 1)",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=LINEAR,
        speaks_of_chains=True,
        citation="montufar2014",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.AT_LEAST_INPUTS,
        ),
        formula=lambda c: known(
            rectifier_best.montufar_2014_linear_output(
                c.dimension, min(c.widths), len(c.widths) + 1
            )
        ),
    ),
    Theorem(
        key="arora2018",
        title="Arora et al. 2018, zonotopes",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="arora2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.DEEP,
            conditions.FROM_TWO,
        ),
        formula=lambda c: known(rectifier_best.arora_2018(c.dimension, c.widths)),
        note="with the factor 2 that some quotations leave out",
    ),
    Theorem(
        key="serra2018-lower",
        title="Serra et al. 2018, Theorem 8",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.FOLDING_TRIPLY,
        ),
        formula=lambda c: known(rectifier_best.serra_2018_lower(c.dimension, c.widths)),
        note=SERRA,
    ),
    Theorem(
        key="serra2018-zonotope",
        title="Serra et al. 2018, Theorem 9",
        family="rectifier_best",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.DEEP,
            conditions.ZONOTOPE,
        ),
        formula=lambda c: known(rectifier_best.serra_2018_zonotope(c.dimension, c.widths)),
        note=("printed for widths from 2 on; two units do not fold an interval into three copies"),
        standing=Standing.CORRECTED,
        counterexample="1-2-n has 2n + 3 regions at most: two units waste a piece",
    ),
    Theorem(
        key="nakahara-1",
        title="Nakahara et al. 2025, Theorem 1",
        family="ternary",
        direction=LOWER,
        subject=BEST,
        quantity=LINEAR,
        speaks_of_chains=True,
        citation="nakahara2025",
        conditions=(
            conditions.NAKAHARA,
            conditions.WHOLE,
            conditions.CUBE,
            conditions.DENSE,
            conditions.WIDE_TERNARY,
        ),
        formula=lambda c: ternary.nakahara_theorem_1(
            c.architecture.n_inputs, min(c.widths), len(c.widths) + 1
        ),
        note="(13) and (15) have a misprint, Lemma 1 is false as stated; the bound stands",
    ),
)
