"""Random networks."""

from fractions import Fraction

from milpcount.bounds import conditions, expected, sparse
from milpcount.bounds.case import Case
from milpcount.bounds.costs import per_unit
from milpcount.bounds.rows import CONSTANTS, EXPECTED, RANDOM, REGIONS
from milpcount.bounds.theorem import Other, Theorem


def _rank(case: Case) -> int:
    """Return the largest rank of the maxout units."""
    return max(layer.rank for layer in case.architecture.layers)


def _sparse(case: Case) -> Fraction:
    density = case.architecture.density
    assert density is not None  # a condition asks for it
    return sparse.expected_sparse(case.dimension, case.widths, density)


ROWS: tuple[Theorem, ...] = (
    Theorem(
        key="cai2023",
        title="Cai et al. 2023, by rows that are not zero (derived)",
        family="expected",
        direction=EXPECTED,
        subject=RANDOM,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="cai2023",
        conditions=(
            conditions.SPARSE,
            conditions.RECTIFIERS,
            conditions.DENSE,
            conditions.FEW_UNITS,
        ),
        formula=_sparse,
        cost=per_unit(1.0, 1_500),
        note="an upper bound on the expectation; they sample ranks, of which the numbers of rows "
        "that are not zero are upper bounds",
    ),
    Theorem(
        key="hanin2019-regions",
        title="Hanin & Rolnick 2019 (NeurIPS)",
        family="expected",
        direction=EXPECTED,
        subject=RANDOM,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hanin2019b",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.BOX,
        ),
        formula=lambda c: expected.hanin_rolnick_regions(c.n_units, c.dimension, c.volume or 1),
        note=CONSTANTS,
    ),
    Theorem(
        key="hanin2019-volume",
        title="Hanin & Rolnick 2019 (ICML)",
        family="expected",
        direction=EXPECTED,
        subject=RANDOM,
        quantity=Other.BOUNDARY_VOLUME,
        speaks_of_chains=True,
        citation="hanin2019a",
        conditions=(
            conditions.RECTIFIERS,
            conditions.FREE,
            conditions.BOX,
        ),
        formula=lambda c: expected.hanin_rolnick_volume(c.n_units, 1, c.volume or 1),
        note=CONSTANTS,
    ),
    Theorem(
        key="tseran2021",
        title="Tseran & Montúfar 2021",
        family="expected",
        direction=EXPECTED,
        subject=RANDOM,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="tseran2021",
        conditions=(
            conditions.MAXOUT,
            conditions.FREE,
            conditions.BOX,
        ),
        formula=lambda c: expected.tseran_montufar_regions(
            c.n_units, _rank(c), c.dimension, c.volume or 1
        ),
        note=CONSTANTS,
    ),
    Theorem(
        key="tseran2021-decision",
        title="Tseran & Montúfar 2021, decision boundary",
        family="expected",
        direction=EXPECTED,
        subject=RANDOM,
        quantity=Other.DECISION_PIECES,
        speaks_of_chains=True,
        citation="tseran2021",
        conditions=(
            conditions.MAXOUT,
            conditions.FREE,
            conditions.BOX,
        ),
        formula=lambda c: expected.tseran_montufar_decision(
            c.n_units, _rank(c), c.dimension, c.volume or 1
        ),
        note=CONSTANTS,
    ),
)
