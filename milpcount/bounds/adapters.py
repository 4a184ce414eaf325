"""From a case to the arguments of a theorem's function; None where the theorem does not apply."""

from collections.abc import Callable

from milpcount.bounds import (
    arrangements,
    convolutional,
    empirical,
    expected,
    maxout,
    piecewise,
    ranks,
    rectifier,
    ternary,
)
from milpcount.bounds.layers import Convolution
from milpcount.bounds.theorem import Case, Value

_LARGEST_POWER = 10**8
"""Bits."""

Formula = Callable[[Case], Value | None]
Condition = Callable[[Case], bool]


def when(*conditions: Condition) -> Callable[[Formula], Formula]:
    """Return a wrapper that restricts a formula to the cases that meet all conditions.

    Theorems speak of hidden layers: where there are none, only the number of patterns is left,
    which is 1.
    """

    def restrict(formula: Formula) -> Formula:
        return lambda case: (
            formula(case) if case.widths and all(c(case) for c in conditions) else None
        )

    return restrict


def rectifiers(case: Case) -> bool:
    """Whether every unit is a rectifier."""
    return case.architecture.is_rectifier


def not_all_rectifiers(case: Case) -> bool:
    """Whether some unit is not a rectifier."""
    return not case.architecture.is_rectifier


def scalar(case: Case) -> bool:
    """Whether no unit is a maxout unit."""
    return case.architecture.is_scalar


def maxouts(case: Case) -> bool:
    """Whether every unit is a maxout unit."""
    return case.architecture.is_maxout


def mixed(case: Case) -> bool:
    """Whether some layers have maxout units and others not."""
    a = case.architecture
    return not (a.is_scalar or a.is_maxout or a.has_tables)


def convolutions(case: Case) -> bool:
    """Whether every layer is a convolution of scalar units."""
    return case.architecture.is_convolutional and case.architecture.is_scalar


def one_layer(case: Case) -> bool:
    """Whether there is one hidden layer."""
    return len(case.widths) == 1


def deep(case: Case) -> bool:
    """Whether there are two hidden layers or more."""
    return len(case.widths) > 1


def one_input(case: Case) -> bool:
    """Whether the domain is a line."""
    return case.dimension == 1


def free(case: Case) -> bool:
    """Whether the weights may be chosen at will, as theorems on the best network do."""
    return case.architecture.is_dense and not case.architecture.is_ternary


def whole(case: Case) -> bool:
    """Whether the domain has the dimension of the input space."""
    return case.dimension == case.architecture.n_inputs


def on_a_box(case: Case) -> bool:
    """Whether the domain is a box of full dimension."""
    return case.volume is not None and whole(case)


def on_the_cube(case: Case) -> bool:
    """Whether the domain includes the unit cube, which ternary weights cannot be scaled to."""
    return case.has_unit_cube


def equal_widths(case: Case) -> bool:
    """Whether all widths are equal, and their power an integer of a sensible size."""
    power = case.dimension * len(case.widths) * case.widths[0].bit_length()
    return len(set(case.widths)) == 1 and power < _LARGEST_POWER


def unit_ranks(case: Case) -> list[int]:
    """Return the rank of the maxout units of each layer."""
    return [layer.rank for layer in case.architecture.layers]


def filters(case: Case) -> list[Convolution]:
    """Return the convolutions."""
    layers = [layer.convolution for layer in case.architecture.layers]
    return [conv for conv in layers if conv is not None]


def one_two_n(case: Case) -> int | None:
    """Return the exact maximum of 1-2-n."""
    fits = len(case.widths) == 2 and case.widths[0] == 2
    return rectifier.one_two_n(case.widths[1]) if fits else None


def with_ranks(case: Case) -> int | None:
    """Return Serra's bound with ranks, where the ranks make a difference."""
    if case.network is None:
        return None
    bounds = ranks.rank_bounds(case.network)
    widest = zip(bounds, case.network.layers, strict=True)
    if all(r == min(layer.affine.n_in, layer.affine.n_out) for r, layer in widest):
        return None
    return rectifier.serra_2018(case.dimension, case.widths, bounds)


def without_biases(case: Case) -> int | None:
    """Return the most regions of one layer whose hyperplanes all pass through the origin."""
    if case.network is None or case.network.layers[0].affine.bias.any():
        return None
    return arrangements.central_regions(case.widths[0], case.architecture.n_inputs)


def empirical_bound(case: Case) -> int | None:
    """Return the empirical bound of the network."""
    if case.network is None:
        return None
    return empirical.empirical_bound(case.network, case.dimension, case.ranges)


def layer_product(case: Case) -> int:
    """Return the product of the layers' maxima: rank k counts as k - 1 breakpoints."""
    return piecewise.hu_zhang_theorem_2(case.dimension, case.widths, case.cuts)


def single_layer(case: Case) -> int:
    """Return the exact maximum of one layer: rank k counts as k - 1 breakpoints."""
    return piecewise.hu_zhang_theorem_1(case.dimension, case.widths[0], case.cuts[0])


def single_maxout(case: Case) -> int:
    """Return the exact maximum of one maxout layer."""
    return maxout.montufar_ren_zhang(case.dimension, unit_ranks(case) * case.widths[0])


def first_convolution(case: Case) -> int | None:
    """Return the exact maximum of one convolution, None where it is not known."""
    conv = filters(case)[0]
    attained = convolutional.is_attained(conv)
    return convolutional.xiong_theorem_2(conv, case.cuts[0]) if attained else None


def plane_convolution(case: Case) -> int | None:
    """Return an upper bound on a convolution whose exact maximum is not known."""
    conv = filters(case)[0]
    attained = convolutional.is_attained(conv)
    return None if attained else convolutional.xiong_theorem_2(conv, case.cuts[0])


def ternary_lower(case: Case) -> int | None:
    """Return the ternary bound where it says more than that there is a region."""
    a = case.architecture
    bound = ternary.nakahara_theorem_1(a.n_inputs, min(a.widths), len(a.widths) + 1)
    return bound if a.is_dense and bound > 1 else None


def boundary_volume(case: Case) -> Value:
    """Return the expected volume of the boundaries on a box."""
    return expected.hanin_rolnick_volume(sum(case.widths), 1, case.volume or 1)


def expected_regions(case: Case) -> Value:
    """Return the expected regions of rectifiers on a box."""
    return expected.hanin_rolnick_regions(sum(case.widths), case.dimension, case.volume or 1)


def expected_decision(case: Case) -> Value:
    """Return the expected pieces of the decision boundary of maxout units on a box."""
    return expected.tseran_montufar_decision(
        sum(case.widths), max(unit_ranks(case)), case.dimension, case.volume or 1
    )


def expected_maxout(case: Case) -> Value:
    """Return the expected regions of maxout units on a box."""
    return expected.tseran_montufar_regions(
        sum(case.widths), max(unit_ranks(case)), case.dimension, case.volume or 1
    )
