"""Errors of rows, forms and vertices, of what their bounds allow: less than all, and not nothing.

A bound that is too small is wrong; one that is too large by many orders of magnitude sends to exact
arithmetic what floating point could have decided.
"""

import pytest

from tests import observed

LEAST = 1e-6


@pytest.mark.parametrize("engine", observed.ENGINES)
def test_rows(engine):
    found = observed.largest(engine)
    assert len(found) >= 3
    assert all(LEAST < share < 1.0 for share in found.values()), found


def test_forms_and_vertices():
    for found in observed.largest_of_vertices().values():
        assert len(found) >= 3
        assert all(LEAST < share < 1.0 for share in found.values()), found
