"""Activation regions as objects: their maps, facets and neighbours, and what they join to."""
