"""The rows of the registry, family by family: a theorem is a function and a row."""

from milpcount.bounds.theorem import Direction, Scope
from milpcount.quantities import Quantity

UPPER, LOWER, EXACT = Direction.UPPER, Direction.LOWER, Direction.EXACT
EXPECTED, ORDER = Direction.EXPECTED, Direction.ORDER
EVERY, BEST, THIS, RANDOM = Scope.EVERY, Scope.BEST, Scope.THIS, Scope.RANDOM
REGIONS, LINEAR = Quantity.ACTIVATION_REGIONS, Quantity.LINEAR_REGIONS
PATTERNS = Quantity.ACTIVATION_PATTERNS

SERRA = (
    "Theorem numbers are those of ICML 2018; the version submitted to ICLR numbers them otherwise"
)
CONSTANTS = (
    "An upper bound on the expectation, up to the constants of the distribution: C_grad = "
    "C_bias = 1 here, so T = 32; the domain is taken for a cube that is not too small"
)
DERIVED = "derived here: the theorem's text was not at hand"
