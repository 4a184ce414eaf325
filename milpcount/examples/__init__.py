"""Networks whose counts are known by proof: for the self-test, for tests, for a first try.

One function for every construction of the literature; it returns an `Example`, which names what
it attains and where. `arrangement`, `braid`, `tent`, `folding`, `zigzag` and `nested_minimum`
return bare networks; `to_ternary` converts one.
"""

from milpcount.examples.arrangements import (
    arrangement,
    braid,
    braid_arrangement,
    catalan_arrangement,
    central_general_position,
    general_position,
    resonance_arrangement,
    shi_arrangement,
    threshold_arrangement,
    type_b_arrangement,
    whitney,
)
from milpcount.examples.convolution import convolution, xiong_2020
from milpcount.examples.definitions import nested_minimum, opposite_units, stargalla_2025
from milpcount.examples.example import Example
from milpcount.examples.folding import (
    folding,
    montufar_2014,
    nakahara_ternary,
    patterns_of_folding,
    telgarsky_2015,
    tent,
)
from milpcount.examples.library import library
from milpcount.examples.maxout import maxout_layer
from milpcount.examples.ternary import to_ternary
from milpcount.examples.zigzag import arora_2018, serra_2018, serra_2018_line, zigzag
from milpcount.examples.zigzag_convolutions import piecewise_convolutions

__all__ = [
    "Example",
    "arora_2018",
    "arrangement",
    "braid",
    "braid_arrangement",
    "catalan_arrangement",
    "central_general_position",
    "convolution",
    "folding",
    "general_position",
    "library",
    "maxout_layer",
    "montufar_2014",
    "nakahara_ternary",
    "nested_minimum",
    "opposite_units",
    "patterns_of_folding",
    "piecewise_convolutions",
    "resonance_arrangement",
    "serra_2018",
    "serra_2018_line",
    "shi_arrangement",
    "stargalla_2025",
    "telgarsky_2015",
    "tent",
    "threshold_arrangement",
    "to_ternary",
    "type_b_arrangement",
    "whitney",
    "xiong_2020",
    "zigzag",
]
