"""``python -m milpcount``."""

from milpcount.cli import main

main()
