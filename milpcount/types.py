"""Types that are the same everywhere."""

import numpy as np

Array = np.ndarray
"""An array; the docstring beside it says its shape, and its type where that is not float64."""
Pattern = tuple[int, ...]
"""The piece of every unit, layer by layer; for a ReLU 1 is active and 0 inactive."""
OPEN = -1
"""Stands in a pattern for the piece of a unit that is not decided yet."""
