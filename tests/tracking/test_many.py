"""Counts in balls round many points."""

from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, OptionError

pytest.importorskip("pandas")
RANDOM = np.random.default_rng(0)
NET = mc.Network.from_arrays(
    [RANDOM.normal(size=(5, 2)), RANDOM.normal(size=(4, 5))],
    [RANDOM.normal(size=5) * 0.3, RANDOM.normal(size=4) * 0.3],
    output=False,
)
POINTS = RANDOM.normal(size=(4, 2))


def test_boxes_round_points() -> None:
    frame = mc.count_many(NET, POINTS, radius=[0.5, 1.0], method=mc.SectionWalk())
    assert len(frame) == 8 and frame.exact.all()
    for _, row in frame.iterrows():
        reach = Fraction(row.radius)
        point = [Fraction(v) for v in POINTS[row.point]]
        box = mc.Box([v - reach for v in point], [v + reach for v in point])
        assert mc.count(NET, box, mc.ExactTree()).lower == row.lower


@pytest.mark.parametrize("method", [mc.RegionTree(), mc.ExactTree()])
def test_the_1_norm_is_the_polytope_of_all_faces(method: object) -> None:
    frame = mc.count_many(NET, POINTS, radius=0.75, norm="l1", method=method)  # type: ignore[arg-type]
    faces = [[s, t] for s in (1, -1) for t in (1, -1)]
    for point, lower in zip(POINTS, frame.lower, strict=True):
        level = [
            Fraction(3, 4) + sum(s * Fraction(x) for s, x in zip(face, point, strict=True))
            for face in faces
        ]
        assert mc.count(NET, mc.Polytope(faces, level), mc.ExactTree()).lower == lower


def test_workers_change_nothing_but_the_time() -> None:
    alone = mc.count_many(NET, POINTS, radius=0.5, method=mc.SectionWalk(), within=(-3, 3))
    said: list[tuple[int, int]] = []
    with ProcessPoolExecutor(2) as pool:
        shared = mc.count_many(
            NET, POINTS, radius=0.5, method=mc.SectionWalk(), within=(-3, 3), executor=pool,
            progress=lambda done, of: said.append((done, of)),
        )  # fmt: skip
    columns = ["point", "radius", "lower", "upper"]
    assert alone[columns].equals(shared[columns]) and said[-1] == (4, 4)


def test_refusals() -> None:
    with pytest.raises(DomainError, match="2-norm"):
        mc.count_many(NET, POINTS, radius=0.5, norm="l2")
    with pytest.raises(DomainError, match="positive"):
        mc.count_many(NET, POINTS, radius=-0.5)
    with pytest.raises(OptionError, match="one row for each point"):
        mc.count_many(NET, POINTS[0], radius=0.5)
