"""Stages of the search that carries vertices, and what becomes of its nodes."""

DONE, PAUSED, ASK_ROOM = range(3)
"""What the search wants: nothing more, another slice, or larger arrays."""

ENTER, DECIDE, CHILDREN, ROWS, DOMAIN, OVER = range(6)
"""Stages of a node: it enters a layer; looks for the next unit that splits it; goes through the
pieces of that unit; has some rows of a piece still to be cut along, or of the domain; is done."""

ENTERS, CUTS, BRANCHES, ENDS, LEAVES, GROWS = range(6)
"""What becomes of a node: it goes on to the next layer; its cell is cut along a row; it branches on
a unit of several rows; nothing is left below; it is left to others; it needs more room first."""
