"""The search that drives the kernel: slices, exact answers, parts, regions that are kept."""
