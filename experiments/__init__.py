"""Experiments: one configuration per table or figure of the papers, and the training."""
