"""Piecewise linear and maxout units."""

from fractions import Fraction

from milpcount.bounds import any_network, conditions, maxout, piecewise
from milpcount.bounds.case import Case
from milpcount.bounds.costs import per_unit, recursion
from milpcount.bounds.rows import BEST, EVERY, EXACT, LOWER, REGIONS, THIS, UPPER
from milpcount.bounds.theorem import Other, Standing, Theorem, known


def _ranks(case: Case) -> list[int]:
    """Return the rank of the maxout units of each layer."""
    return [layer.rank for layer in case.architecture.layers]


def _patterns_of_one_layer(case: Case) -> int:
    """Return (p + 1)^n."""
    return int((case.cuts[0] + 1) ** case.widths[0])


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
        standing=Standing.CORRECTED,
        counterexample="one unit of two breakpoints on two inputs: 3 regions, printed 9",
    ),
    Theorem(
        key="hu-zhang-prop1",
        title="Hu & Zhang 2018, Proposition 1",
        family="piecewise",
        direction=EXACT,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.WEIGHTS,
            conditions.ONE_LAYER,
            conditions.NO_MORE_UNITS,
            conditions.ELIMINATED,
            conditions.WHOLE_SPACE,
            conditions.INDEPENDENT,
        ),
        formula=_patterns_of_one_layer,
        cost=per_unit(0.3, 30),
        note="(p+1)^n, over all of space; the normals' independence is proved modulo primes",
    ),
    Theorem(
        key="hu-zhang-prop1-fewer",
        title="Hu & Zhang 2018, Proposition 1, dependent normals",
        family="piecewise",
        direction=UPPER,
        subject=THIS,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.WEIGHTS,
            conditions.ONE_LAYER,
            conditions.NO_MORE_UNITS,
            conditions.ELIMINATED,
            conditions.DEPENDENT,
        ),
        formula=lambda c: _patterns_of_one_layer(c) - 1,
        cost=per_unit(0.3, 30),
        note="(p+1)^n, less one pattern at least that is not met",
    ),
    Theorem(
        key="hu-zhang-11",
        title="Hu & Zhang 2018, equation (11)",
        family="piecewise",
        direction=UPPER,
        subject=EVERY,
        quantity=Other.BEFORE_LAST,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.DEEP,
        ),
        formula=lambda c: piecewise.hu_zhang_after_layers(c.dimension, c.widths, c.cuts)[-2],
        note="regions after layer L - 1; `hu_zhang_after_layers` has those after every layer",
    ),
    Theorem(
        key="hu-zhang-prop2",
        title="Hu & Zhang 2018, Proposition 2",
        family="piecewise",
        direction=UPPER,
        subject=EVERY,
        quantity=Other.PER_PARAMETER,
        speaks_of_chains=True,
        citation="hu2018",
        conditions=(
            conditions.SCALAR,
            conditions.FREE,
        ),
        formula=lambda c: Fraction(
            piecewise.hu_zhang_theorem_2(c.dimension, c.widths, c.cuts),
            c.architecture.n_parameters,
        ),
        note="Theorem 2 over the number of weights and biases of hidden layers; the printed orders "
        "of growth, O((p+n)^{L n_0}), rest on Lemma 4 and are wrong where p grows too",
        standing=Standing.CORRECTED,
        counterexample="Lemma 4 for p = 3, d = 1, n = 4: 13 regions, printed less than 12.88",
    ),
    Theorem(
        key="serra2018-linear",
        title="Serra et al. 2018, Theorem 1, with affine layers (derived)",
        family="any_network",
        direction=UPPER,
        subject=EVERY,
        quantity=REGIONS,
        speaks_of_chains=True,
        citation="serra2018",
        conditions=(conditions.LINEAR_LAYERS,),
        formula=any_network.recursion,
        cost=recursion,
        note="an affine layer cuts nothing; its width bounds the dimension from there on",
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
