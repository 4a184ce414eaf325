"""Counts in bulk: round many points, and over a training."""
