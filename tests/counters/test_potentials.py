"""What is likely to come below a node: fitted to choices, and to stages of walks."""

import numpy as np
import pytest

from milpcount import Network
from milpcount.counters.probing.potentials import improved, most_below, potentials

TRUE = np.array([[150.0, -20.0, 0.0, -1.5, 0.4], [90.0, -30.0, 0.0, -0.5, 0.1]])
MOST = np.array([1000.0, 500.0])


def features(rng: np.random.Generator, number: int) -> np.ndarray:
    place = rng.uniform(size=number)
    return np.column_stack(
        [np.ones(number), place, place**2, rng.normal(30.0, 5.0, number), 100.0 * (1.0 - place)]
    )


def test_they_are_fitted_layer_by_layer() -> None:
    rng, moments = np.random.default_rng(0), np.zeros((2, 8, 8))
    for number, true in enumerate(TRUE):
        known = features(rng, 20_000)
        below = known @ true + rng.normal(0.0, 3.0, size=len(known))
        row = np.column_stack([known, rng.normal(size=(len(known), 2)), below])
        moments[number] = row.T @ row
    found = potentials(moments)
    known = features(rng, 500)
    for own, true in zip(found, TRUE, strict=True):
        assert own[3] == pytest.approx(true[3], abs=0.05)
        assert (known @ own - known @ true).std() < 0.3


def test_too_few_choices_tell_nothing() -> None:
    assert not potentials(np.zeros((2, 8, 8))).any()


def stages(rng: np.random.Generator, number: int) -> np.ndarray:
    """Stages of two layers, gained so that `TRUE` is what comes below every node."""
    found = []
    for _ in range(number):
        layer = int(rng.integers(2))
        start = features(rng, 1)[0]
        if start[1] < 0.8:
            end, to = features(rng, 1)[0], layer
        elif layer == 0:
            end, to = features(rng, 1)[0], 1
        else:
            end, to = np.zeros(5), -1
        ahead = 0.0 if to < 0 else TRUE[to] @ end
        gained = TRUE[layer] @ start - ahead + rng.normal(0.0, 1.0)
        found.append([layer, *start, to, *end, gained])
    return np.array(found)


def test_stages_correct_what_was_wrong() -> None:
    rng = np.random.default_rng(1)
    wrong = TRUE.copy()
    wrong[:, 3] = 0.0
    found = improved(wrong, stages(rng, 4000), MOST)
    assert found[:, 3] == pytest.approx(TRUE[:, 3], abs=0.15)


def test_without_stages_they_stay() -> None:
    assert (improved(TRUE, np.zeros((0, 13)), MOST) == TRUE).all()


def test_what_is_right_stays() -> None:
    rng = np.random.default_rng(2)
    found, known = improved(TRUE, stages(rng, 200), MOST), features(rng, 100)
    for own, true in zip(found, TRUE, strict=True):
        assert (known @ own - known @ true).std() < 3.0


def test_they_stay_within_what_there_can_be() -> None:
    """A stage that ends further up than it began makes the iteration grow without end."""
    begin, end = np.array([1.0, 0.1, 0.0, 1.0, 5.0]), np.array([1.0, 0.1, 0.0, 1.0, 50.0])
    stage = [np.array([0, *begin, 0, *end, 3.0])] * 50
    found = improved(np.array([[0.0, 0.0, 0.0, 0.0, 1.0]]), np.array(stage), np.array([40.0]))
    assert np.isfinite(found).all()
    assert found @ begin < 50.0


def test_nothing_exceeds_all_patterns() -> None:
    network = Network.from_arrays([np.ones((3, 2)), np.ones((2, 3))], [np.zeros(3), np.zeros(2)])
    assert most_below(network) == pytest.approx(np.log([2.0**3]))
