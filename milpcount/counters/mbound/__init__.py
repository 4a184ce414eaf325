"""MBound: bounds from what random XORs leave of the patterns of a network."""
