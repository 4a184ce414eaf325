"""HiGHS: one tree over its warm linear programs, or its MILPs with no-good cuts."""

from collections.abc import Mapping

from milpcount.backends.backend import Capability
from milpcount.enumeration.highs_programs import MixedInteger
from milpcount.enumeration.no_good import NoGoods
from milpcount.enumeration.one_tree import OneTree
from milpcount.enumeration.search import OnPattern, Search, with_rows
from milpcount.formulation import highs_model
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline


class Highs:
    """The backend ``highs``: one tree on warm linear programs, or MILPs with no-good cuts."""

    name = "highs"
    package = "highspy"
    modes: tuple[str, ...] = ("one_tree", "no_good")
    affordable: Mapping[str, int] = {"one_tree": 200_000, "no_good": 500}
    capabilities = frozenset(
        {
            Capability.REAL_COEFFICIENTS,
            Capability.ENUMERATION,
            Capability.LAZY_ROWS,
            Capability.RESTARTS,
            Capability.WARM_ROWS,
            Capability.INTERRUPT,
            Capability.PROVES_INFEASIBILITY,
            Capability.PARITY,
        }
    )

    def require(self) -> None:
        """Import the solver."""
        highs_model.highspy()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        if mode == "one_tree":
            return OneTree(formulation, on_pattern, deadline=deadline)
        return NoGoods(formulation, with_rows(on_pattern), MixedInteger, deadline=deadline)
