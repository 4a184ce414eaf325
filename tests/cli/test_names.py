"""The names that the package gives."""

import pytest

import milpcount


@pytest.mark.parametrize("name", milpcount.__all__)
def test_every_name_is_there(name):
    assert getattr(milpcount, name) is not None
    assert name in dir(milpcount)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'milpcount' has no attribute 'nothing'"):
        _ = milpcount.nothing


def test_the_homes_are_those_of_all_names():
    assert sorted(milpcount._HOMES) == sorted(milpcount.__all__)
