"""Figures of a sweep's results and of partitions, as vector graphics that also read in grey."""
