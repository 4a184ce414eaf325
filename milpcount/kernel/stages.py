"""What a search wants of Python, and where the nodes of its path are."""

DONE, PAUSED, ASK_SIDE, ASK_ROW, ASK_DOMAIN, ASK_ROOM = range(6)
"""What the kernel wants: nothing more, another slice, an exact decision, or larger arrays."""

ENTERED, BARRED, PASSED = -1, -2, -3
"""What becomes of a layer, besides what the kernel wants: it is entered, closed at once, or none of
its units splits the node's cell."""

ROOT, COMPOSE, TEST, DESCEND = 0, 1, 2, 3
"""Stages of a node."""
