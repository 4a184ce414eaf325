"""The big-M MILP of a network over a domain, as plain arrays."""

from milpcount.formulation.big_m import Form, PatternMap
from milpcount.formulation.formulate import Formulation, formulate
from milpcount.formulation.linear_program import LinearProgram, Row

__all__ = [
    "Form",
    "Formulation",
    "LinearProgram",
    "PatternMap",
    "Row",
    "formulate",
]
