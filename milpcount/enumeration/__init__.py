"""Enumeration of the patterns of a formulation, whatever solver proposes them."""
