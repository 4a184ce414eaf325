"""Piecewise linear and maxout units."""

from milpcount.bounds import conditions, maxout, piecewise
from milpcount.bounds.case import Case
from milpcount.bounds.rows import BEST, EVERY, EXACT, LOWER, REGIONS, UPPER
from milpcount.bounds.theorem import Theorem, known


def _ranks(case: Case) -> list[int]:
    """Return the rank of the maxout units of each layer."""
    return [layer.rank for layer in case.architecture.layers]


ROWS: tuple[Theorem, ...] = (
    Theorem(
        key="hu-zhang-1",
        title="Hu & Zhang 2018, Theorem 1",
        family="piecewise",
        direction=EXACT,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.OTHERS,
            conditions.FREE,
            conditions.ONE_LAYER,
        ),
        formula=lambda c: piecewise.hu_zhang_theorem_1(c.dimension, c.widths[0], c.cuts[0]),
        note="for n_1 <= n_0 it is (p+1)^{n_1}, printed (p+1)^{n_0}",
    ),
    Theorem(
        key="hu-zhang-2",
        title="Hu & Zhang 2018, Theorem 2",
        family="piecewise",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.OTHERS,
        ),
        formula=lambda c: piecewise.hu_zhang_theorem_2(c.dimension, c.widths, c.cuts),
        note=(
            "stated for one number of breakpoints in all layers, true layer by layer; for one "
            "breakpoint it is Montúfar 2017"
        ),
    ),
    Theorem(
        key="telgarsky2015",
        title="Telgarsky 2015",
        family="piecewise",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="telgarsky2015",
        conditions=(conditions.ONE_DIMENSION,),
        formula=lambda c: piecewise.telgarsky_2015(c.widths, [k + 1 for k in c.cuts]),
    ),
    Theorem(
        key="serra2018-maxout",
        title="Serra et al. 2018, Theorem 10",
        family="maxout",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(conditions.MAXOUT,),
        formula=lambda c: maxout.serra_2018_maxout(c.dimension, c.widths, _ranks(c)),
        note="garbled on the poster; far above the product of the layers' maxima",
    ),
    Theorem(
        key="montufar2022",
        title="Montúfar, Ren & Zhang 2022, one layer",
        family="maxout",
        direction=EXACT,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="montufar2022",
        conditions=(
            conditions.MAXOUT,
            conditions.FREE,
            conditions.ONE_LAYER,
        ),
        formula=lambda c: maxout.montufar_ren_zhang(c.dimension, _ranks(c) * c.widths[0]),
    ),
    Theorem(
        key="montufar2022-product",
        title="Montúfar, Ren & Zhang 2022, layer by layer (derived)",
        family="maxout",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="montufar2022",
        conditions=(conditions.MAXOUT,),
        formula=lambda c: piecewise.hu_zhang_theorem_2(c.dimension, c.widths, c.cuts),
        note="the product over the layers, each in the least dimension before it",
    ),
    Theorem(
        key="montufar2014-maxout",
        title="Montúfar et al. 2014, Theorem 8",
        family="maxout",
        direction=LOWER,
        subject=BEST,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="montufar2014",
        conditions=(
            conditions.MAXOUT,
            conditions.FREE,
            conditions.AT_LEAST_INPUTS,
        ),
        formula=lambda c: known(maxout.montufar_2014_maxout(c.dimension, c.widths, min(_ranks(c)))),
        note="stated for widths n_0 and equal ranks",
    ),
)
