"""Compiled code of the region tree."""
