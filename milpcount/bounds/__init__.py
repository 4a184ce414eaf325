"""Theorems: upper and lower bounds in closed form."""
