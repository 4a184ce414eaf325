"""Exact rational arithmetic: rows, linear programs, witnesses, certificates."""
