import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount import Box, Network, Quantity
from milpcount.counters.brute_force import BruteForce
from milpcount.counters.driver import count
from milpcount.counters.exact_tree import ExactTree
from milpcount.errors import ContradictionError, FileFormatError, NetworkError, OptionError
from milpcount.exact.verify import verify
from milpcount.result import CountResult, Region

NET = Network.from_arrays([[[1.0, 0.5], [-1.0, 1.0]]], [[0.1, 0.0]], output=False)
DOMAIN = Box(-1, 1)
INPUTS = DOMAIN.bind(2)


@pytest.fixture
def result() -> CountResult:
    return count(NET, DOMAIN, ExactTree(), keep_regions=True)


def test_kept_regions_prove_the_count(result: CountResult) -> None:
    found = verify(result, NET, INPUTS)
    assert found
    assert (found.n_verified, found.n_failed, found.n_repeated) == (4, 0, 0)
    assert str(found) == (
        "lower bound 4 proved: 4 regions verified, 0 failed, 0 repeated; "
        "that there are no more is not proved by them"
    )


def test_a_repeated_region_is_not_counted_twice(result: CountResult) -> None:
    assert result.regions is not None
    result.regions[3] = result.regions[0]
    found = verify(result, NET, INPUTS)
    assert not found.is_proved
    assert (found.n_verified, found.n_repeated) == (3, 1)


def test_a_wrong_witness_fails(result: CountResult) -> None:
    assert result.regions is not None
    result.regions[2] = Region(result.regions[2].pattern, np.array([5.0, 0.0]))
    found = verify(result, NET, INPUTS)
    assert found.failed == (2,)
    assert "NOT proved" in str(found)


def test_a_claim_beyond_the_regions_is_not_proved(result: CountResult) -> None:
    found = verify(dataclasses.replace(result, lower=5, upper=5), NET, INPUTS)
    assert not found and "1 are missing" in str(found)


def test_more_regions_than_the_upper_bound_refute_it(result: CountResult) -> None:
    found = verify(dataclasses.replace(result, lower=3, upper=3), NET, INPUTS)
    assert not found and found.is_refuted and "REFUTED" in str(found)


@pytest.mark.parametrize(("lower", "upper"), [(5, 4), (-1, 4)])
def test_bounds_that_contradict_each_other_make_no_result(
    result: CountResult, lower: int, upper: int
) -> None:
    with pytest.raises(ContradictionError, match="no number is both"):
        dataclasses.replace(result, lower=lower, upper=upper)
    record = result.to_record() | {"lower": str(lower), "upper": str(upper)}
    with pytest.raises(FileFormatError, match="no number is both"):
        CountResult.from_record(record)


@pytest.mark.parametrize("record", [{}, [], {"lower": "1"}, {"quantity": "nothing"}, None])
def test_what_is_no_record(record: Any) -> None:
    with pytest.raises(FileFormatError, match="not the record of a result"):
        CountResult.from_record(record)


def test_a_result_with_regions_can_be_pickled_and_verified() -> None:
    found = pickle.loads(pickle.dumps(mc.count(NET, DOMAIN, ExactTree(), keep_regions=True)))
    assert found.verify() and found.verify(NET)
    with pytest.raises(NetworkError, match="the network that was counted"):
        found.verify(Network.from_arrays([[[1.0, 0.5], [-1.0, 2.0]]], [[0.1, 0.0]], output=False))


def test_attained_patterns_are_verified_in_the_closed_domain() -> None:
    pair = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    domain = Box(-1, 1)
    found = count(
        pair, domain, BruteForce(), quantity=Quantity.ACTIVATION_PATTERNS, keep_regions=True
    )
    assert found.lower == 3
    assert verify(found, pair, domain.bind(1))


def test_a_result_without_regions_is_refused(result: CountResult) -> None:
    with pytest.raises(OptionError, match="keep_regions=True"):
        verify(dataclasses.replace(result, regions=None), NET, INPUTS)


def test_another_network_is_refused(result: CountResult) -> None:
    other = Network.from_arrays([[[1.0, 0.5], [-1.0, 2.0]]], [[0.1, 0.0]], output=False)
    with pytest.raises(NetworkError, match="the network that was counted"):
        verify(result, other, INPUTS)


def test_another_quantity_is_refused(result: CountResult) -> None:
    with pytest.raises(OptionError, match="linear regions cannot be verified"):
        verify(dataclasses.replace(result, quantity=Quantity.LINEAR_REGIONS), NET, INPUTS)
