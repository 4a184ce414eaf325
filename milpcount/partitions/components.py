"""Components: sets of regions that are joined two by two."""

import numpy as np

from milpcount.types import Array


class Components:
    """A partition of numbers 0 to n - 1 that becomes coarser (union-find, with path halving).

    Parameters
    ----------
    n : int

    Attributes
    ----------
    count : int
        Components that are left.
    """

    def __init__(self, n: int) -> None:
        self._parent = np.arange(n)
        self.count = n

    def find(self, i: int) -> int:
        """Return the representative of a number's component."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    def same(self, i: int, j: int) -> bool:
        """Return whether two numbers are in one component."""
        return self.find(i) == self.find(j)

    def join(self, i: int, j: int) -> None:
        """Make the components of two numbers one; the lowest number represents it."""
        a, b = sorted((self.find(i), self.find(j)))
        if a != b:
            self._parent[b] = a
            self.count -= 1

    def labels(self) -> Array:
        """Return the representative of every number."""
        parent = self._parent
        while True:
            above = parent[parent]
            if (above == parent).all():
                return np.asarray(above)
            parent[:] = above
