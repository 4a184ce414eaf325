"""The examples that the self-test counts."""

from milpcount.domain import Box, Unbounded
from milpcount.examples.arrangements import arrangement, braid
from milpcount.examples.convolution import convolution
from milpcount.examples.definitions import opposite_units, stargalla_2025
from milpcount.examples.example import Example, known
from milpcount.examples.folding import folding, tent
from milpcount.examples.zigzag import arora_2018, serra_2018_line, zigzag


def library() -> list[Example]:
    """Return small examples, those on which methods go wrong among them."""
    one, cube = Box(-1, 1), Box(0, 1)
    lines = arrangement([[1, 0], [0, 1], [1, 1], [1, -2], [3, 1]], [0, -1, -3, 3, 5])
    copies = arrangement([[1, 0], [2, 0], [-1, 0], [0, 1], [0, -3], [1, 1]], [-1, -2, 1, 0, 0, -3])
    constant = arrangement([[0, 0], [0, 0], [0, 0], [1, 0], [0, 1]], [1, 0, -1, 0, 0])
    return [
        Example("one rectifier", arrangement([[1]], [0]), one, known(2, 2, 2, 2), "by inspection"),
        opposite_units(),
        Example("copies of units", copies, Box(-4, 4), known(7, 14), "three lines, six units"),
        Example("constant units", constant, one, known(4, 4), "one of them is exactly zero"),
        Example("five lines", lines, Unbounded(), known(16, 16), "Zaslavsky 1975"),
        Example("braid arrangement", braid(4), one, known(24, 24), "4!, Stanley 2007"),
        Example("tent, folded 3 times", tent(3), cube, known(8, 11, 8, 8), "Telgarsky 2015"),
        Example("folding of a square", folding(2, 2, 2), cube, known(16, 36), "Montúfar 2014"),
        Example("zigzag 1-3-3", zigzag(2), Box(0, 6), known(16, 16), "Serra et al. 2018"),
        stargalla_2025(),
        serra_2018_line([4, 3]),
        arora_2018(2, 2, [3]),
        convolution((1, 3, 1), (1, 2), 2),
    ]
