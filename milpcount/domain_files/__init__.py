"""Readers of files that describe an input domain: JSON, VNN-LIB, and the header of ``.nnet``."""

from milpcount.domain_files.boxes import read_box, read_section
from milpcount.domain_files.vnnlib import read_vnnlib

__all__ = ["read_box", "read_section", "read_vnnlib"]
