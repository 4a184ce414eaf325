"""Measured speeds: ``python -m experiments.benchmarks`` or ``make bench``."""
