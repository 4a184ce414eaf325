"""What theorems ask of a case, each with the words for it.

Conditions on architectures are for rows that speak of chains: these are asked whether the case is
one before anything else.
"""

from milpcount.bounds import convolutional, convolutional_best, empirical, rectifier
from milpcount.bounds.case import Case
from milpcount.bounds.layers import Convolution
from milpcount.bounds.theorem import Condition

_LARGEST_POWER = 10**8
"""Bits."""
_MOST_ELIMINATED = 5 * 10**7
"""Units squared times inputs."""


def filters(case: Case) -> list[Convolution]:
    """Return the convolutions."""
    layers = [layer.convolution for layer in case.architecture.layers]
    return [conv for conv in layers if conv is not None]


def piecewise_lower(case: Case) -> int | None:
    """Return what the best convolutional network of an architecture reaches at least."""
    rectifiers = [layer.is_rectifier for layer in case.architecture.layers]
    return convolutional_best.piecewise_lower(filters(case), case.cuts, rectifiers)


def _is_deficient(case: Case) -> bool:
    """Whether a rank makes a difference."""
    if case.network is None:
        return False
    layers = zip(case.ranks, case.network.layers, strict=True)
    return any(r < min(layer.affine.n_in, layer.affine.n_out) for r, layer in layers)


def _has_short_power(case: Case) -> bool:
    return case.dimension * len(case.widths) * case.widths[0].bit_length() < _LARGEST_POWER


def _has_plain_rectifiers(case: Case) -> bool:
    """Whether all units are max(0, v), neither shifted nor scaled."""
    if case.network is None:
        return case.architecture.is_rectifier
    return all(layer.activation.is_relu for layer in case.network.layers)


def _is_central(case: Case) -> bool:
    # A shifted rectifier breaks elsewhere than at zero, so that its hyperplane is not central.
    return (
        case.network is not None
        and _has_plain_rectifiers(case)
        and not case.network.layers[0].affine.bias.any()
    )


def _is_nakaharas(case: Case) -> bool:
    """Whether all units are rectifiers, or those of odd layers are left out."""
    layers = enumerate(case.architecture.layers)
    return all(y.is_rectifier or (y.is_identity and k % 2 == 0) for k, y in layers)


def _has_linear_layers(case: Case) -> bool:
    return case.network is None and any(y.is_identity for y in case.architecture.layers)


def _is_one_pooling(case: Case) -> bool:
    layers = case.architecture.layers
    return len(layers) == 1 and layers[0].pooling is not None


def _is_mixed(case: Case) -> bool:
    a = case.architecture
    return not (a.is_scalar or a.is_maxout)


UNITS = Condition("hidden units", lambda case: bool(case.widths))
WEIGHTS = Condition("known weights", lambda case: case.network is not None)
NO_MORE_UNITS = Condition("no more units than inputs", lambda case: case.widths[0] <= case.n_inputs)
ELIMINATED = Condition(
    "normals that are eliminated in a second or so",
    lambda case: case.widths[0] ** 2 * case.n_inputs <= _MOST_ELIMINATED,
)
INDEPENDENT = Condition("linearly independent normals", lambda case: case.has_independent_normals)
DEPENDENT = Condition("linearly dependent normals", lambda case: not case.has_independent_normals)
WHOLE_SPACE = Condition("all of input space", lambda case: case.is_whole_space)
LINEAR_LAYERS = Condition("an affine layer in an architecture", _has_linear_layers)
SPARSE = Condition("sparse random weights", lambda case: case.architecture.density is not None)
FEW_UNITS = Condition("at most 500 units in a layer", lambda case: max(case.widths) <= 500)
ONE_POOLING = Condition("one layer of pooling", _is_one_pooling)
RECTIFIERS = Condition("rectifiers", lambda case: case.architecture.is_rectifier)
OTHERS = Condition("not rectifiers alone", lambda case: not case.architecture.is_rectifier)
SCALAR = Condition("units that are scalar functions", lambda case: case.architecture.is_scalar)
MAXOUT = Condition("maxout units", lambda case: case.architecture.is_maxout)
CONVOLUTIONS = Condition(
    "convolutions of units that are scalar functions",
    lambda case: case.architecture.is_convolutional and case.architecture.is_scalar,
)
PLAIN = Condition("rectifiers max(0, v)", _has_plain_rectifiers)
NO_PLAIN_CHAIN = Condition(
    "a graph, or not rectifiers max(0, v) alone",
    lambda case: not (case.is_chain and _has_plain_rectifiers(case)),
)
GRAPH_OR_MIXED = Condition(
    "a graph, or a chain that has units of several values but not maxout units alone",
    lambda case: not case.is_chain or _is_mixed(case),
)
ONE_LAYER = Condition("one layer", lambda case: len(case.widths) == 1)
DEEP = Condition("two layers or more", lambda case: len(case.widths) > 1)
TWO_UNITS_FIRST = Condition(
    "two layers, two units in the first", lambda case: len(case.widths) == 2 and case.widths[0] == 2
)
EQUAL_WIDTHS = Condition("equal widths", lambda case: len(set(case.widths)) == 1)
SHORT_POWER = Condition("a power of less than 10^8 bits", _has_short_power)
FROM_THREE = Condition("every width at least 3", lambda case: min(case.widths) >= 3)
AT_LEAST_INPUTS = Condition(
    "all widths at least n_0", lambda case: min(case.widths) >= case.dimension
)
FOLDING = Condition(
    "all widths but the last at least n_0",
    lambda case: all(n >= case.dimension for n in case.widths[:-1]),
)
FOLDING_TRIPLY = Condition(
    "all widths but the last at least 3 n_0",
    lambda case: all(n >= 3 * case.dimension for n in case.widths[:-1]),
)
FROM_TWO = Condition("widths at least 2", lambda case: min(case.widths) >= 2)
ZONOTOPE = Condition(
    "first width at least 2, later ones at least 3 (2 for two layers)",
    lambda case: (
        case.widths[0] >= 2 and min(case.widths[1:]) >= (2 if len(case.widths) == 2 else 3)
    ),
)
FREE = Condition(
    "weights that may be chosen at will",
    lambda case: (
        case.architecture.is_dense
        and not case.architecture.is_ternary
        and case.architecture.density is None
    ),
)
NAKAHARA = Condition("rectifiers, but for affine layers in odd places", _is_nakaharas)
DENSE = Condition("dense layers", lambda case: case.architecture.is_dense)
WIDE_TERNARY = Condition(
    "three affine layers or more, every width at least 4 (n_0 + 1)",
    lambda case: len(case.widths) > 1 and min(case.widths) >= 4 * (case.architecture.n_inputs + 1),
)
ONE_DIMENSION = Condition("a domain of one dimension", lambda case: case.dimension == 1)
WHOLE = Condition(
    "a domain of the inputs' dimension", lambda case: case.dimension == case.architecture.n_inputs
)
BOX = Condition(
    "a box of full dimension",
    lambda case: case.volume is not None and case.dimension == case.architecture.n_inputs,
)
CUBE = Condition("a domain with [0, 1]^{n_0} in it", lambda case: case.has_unit_cube)
CENTRAL = Condition("known weights without biases, units max(0, v)", _is_central)
DEFICIENT = Condition("a weight whose rank is deficient", _is_deficient)
SMALL_GAMMAS = Condition(
    "not too wide for the table of gammas",
    lambda case: rectifier.has_histograms(case.dimension, case.widths),
)
ATTAINED = Condition(
    "filters that overlap along one axis at most, or one channel",
    lambda case: convolutional.is_attained(filters(case)[0]),
)
NOT_ATTAINED = Condition(
    "filters shared in a plane", lambda case: not convolutional.is_attained(filters(case)[0])
)
SUMMABLE = Condition(
    "not too large to be summed",
    lambda case: convolutional.xiong_theorem_2(filters(case)[0], case.cuts[0]) is not None,
)
WITH_CHANNELS = Condition(
    "no fewer channels than the input, and a last layer that reaches Theorem 2",
    lambda case: convolutional_best.xiong_theorem_5_lower(filters(case)) is not None,
)
WITH_PIECES = Condition(
    "no fewer channels than the input, and a last layer that reaches its maximum",
    lambda case: piecewise_lower(case) is not None,
)
WRITTEN_OUT = Condition(
    "weights that can be written out",
    lambda case: case.network is not None and empirical.is_written_out(case.network),
)
