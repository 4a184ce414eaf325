"""Files of kept regions: what a third party needs to check a count without the tool that made it.

The file is an ``.npz`` archive of plain arrays; nothing in it is pickled. Its keys:

``patterns``
    Unsigned integers, shape (regions, units): the piece of every unit, layer by layer.
``witnesses``
    float64, shape (regions, inputs): a point of input space in every region, exactly.
``parameters``
    Instead of `witnesses` where a float64 point of input space need not lie in the domain, as in a
    section: float64, shape (regions, d). On a section these are the numbers t whose bounds differ.
``rational_index``, ``rational_points``
    Regions with a point that no float64 numbers name, and their points as text ``p/q``, shape (k,
    inputs or d); `witnesses` or `parameters` then hold its rounding. Integers are decimal, or
    hexadecimal with ``0x`` beyond 4,000 digits.
``domain_lower``, ``domain_upper``, ``domain_A``, ``domain_b``, ``domain_p0``, ``domain_directions``
    The numbers of the domain, as its kind has them: float64, or text ``p/q`` where float64 would
    round one of them. Of the parts of a union: ``domain0_lower``, .., ``domain1_lower``, ..
``metadata``
    JSON text: ``format``, ``version`` of the format, ``network`` (one line), ``fingerprint``,
    ``domain`` (``box``, ``polytope``, ``section`` or ``unbounded``; of a union a list of them), and
    ``result``, the record of the count with its quantity, bounds, method and versions.

A ``.parquet`` file has the same: see `milpcount.region_files.parquet`.
"""

from milpcount.region_files.files import load_regions, save_regions
from milpcount.region_files.partitions import load_partition, save_partition

__all__ = ["load_partition", "load_regions", "save_partition", "save_regions"]
