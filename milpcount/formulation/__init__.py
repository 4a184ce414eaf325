"""The big-M MILP of a network over a domain, as plain arrays."""

from milpcount.formulation.formulate import Formulation, formulate
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.formulation.margins import Form
from milpcount.formulation.pattern_map import PatternMap

__all__ = [
    "Form",
    "Formulation",
    "LinearProgram",
    "PatternMap",
    "Row",
    "formulate",
]
