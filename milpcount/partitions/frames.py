"""A partition as a table of pandas."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.errors import NotInstalledError

if TYPE_CHECKING:
    from milpcount.partitions.partition import Partition


def frame(partition: "Partition") -> Any:
    """Return a table with one row a region.

    Columns: ``pattern`` (the pieces of all units as text), ``active`` (units on another piece than
    their first), ``x0``, ``x1``, .. (a point inside, rounded where it is no float64).

    Raises
    ------
    NotInstalledError
        If pandas is missing.
    """
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise NotInstalledError("a table of regions", "pandas", "pandas") from None
    patterns = partition.patterns
    wide = bool((patterns > 9).any())
    texts = [("," if wide else "").join(map(str, pattern)) for pattern in patterns.tolist()]
    points = np.array([region.witness.astype(np.float64) for region in partition])
    points = points.reshape(len(partition), partition.network.n_inputs)
    columns = {f"x{k}": points[:, k] for k in range(points.shape[1])}
    return pandas.DataFrame({"pattern": texts, "active": partition.active_units, **columns})
