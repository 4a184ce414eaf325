"""What can be counted, by name; `docs/definitions.md` has a picture of each."""

from enum import Enum


class Quantity(Enum):
    """What is counted (activation regions by default).

    A unit is active iff its pre-activation is positive.
    """

    ACTIVATION_REGIONS = "activation_regions"
    """Patterns whose set of inputs has non-empty interior relative to the domain. A unit whose
    pre-activation is identically zero there is inactive and adds no boundary."""
    ACTIVATION_PATTERNS = "activation_patterns"
    """Patterns attained anywhere in the domain, lower-dimensional sets included."""
    GRID_PATTERNS = "grid_patterns"
    """Patterns attained at points of the domain whose inputs are integers; no regions."""
    LINEAR_REGIONS = "linear_regions"
    """Maximal connected open sets on which the function, all of its outputs, is affine: activation
    regions with one affine map that share a facet are one."""
    CLOSED_LINEAR_REGIONS = "closed_linear_regions"
    """Components of the union of one map's closed activation regions: pieces with one affine map
    that touch anywhere are one."""
    AFFINE_PIECES = "affine_pieces"
    """Distinct affine maps among the activation regions, on the domain's affine hull."""
    LIVE_REGIONS = "live_regions"
    """Activation regions in which every layer of a chain of ReLUs has an active unit."""
    BOUNDARY_REGIONS = "boundary_regions"
    """Activation regions that the decision boundary of a classifier cuts: on open parts of one two
    different outputs are the largest, or a single output is above 0 and is not. Of outputs that are
    equal on a whole region the one of lowest index decides, so that they make no boundary there;
    nor does a boundary that runs along a facet of a region, or meets it in a corner, cut it."""
    BOUNDARY_PIECES = "boundary_pieces"
    """Facets of the decision in the activation regions: for each region, the pairs of outputs that
    are the largest on two parts of it which share a facet."""

    @property
    def title(self) -> str:
        """The name with a space instead of the underscore."""
        return self.value.replace("_", " ")


JOINED = frozenset(
    {Quantity.LINEAR_REGIONS, Quantity.CLOSED_LINEAR_REGIONS, Quantity.AFFINE_PIECES}
)
"""What is obtained by joining activation regions."""
DECIDED = frozenset({Quantity.BOUNDARY_REGIONS, Quantity.BOUNDARY_PIECES})
"""What is obtained from the decision of a classifier in each activation region."""
SOME_REGIONS = (Quantity.LIVE_REGIONS, Quantity.BOUNDARY_REGIONS)
"""Activation regions that have a property: no more of them than activation regions."""
FROM_REGIONS = JOINED | DECIDED | {*SOME_REGIONS}
"""What is obtained from all activation regions, whatever method finds them."""
