"""Experiments over many networks: read from TOML, run in parallel, resumed after any stop."""
