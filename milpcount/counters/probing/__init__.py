"""Probing: lower bounds by random walks from the root of the region tree."""
