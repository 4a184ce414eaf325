"""The region tree: kernel, rows, search."""
