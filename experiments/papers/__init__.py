"""What the source papers claim, one command each: ``python -m experiments.papers KEY``."""
