"""The table of the page is the store's, and the figures of the sweep are there."""

import pytest

from experiments.figures import (
    BEGIN,
    END,
    IMAGES,
    PAGE,
    PLANE,
    STORE,
    plane,
    with_table,
    write_plane,
)
from milpcount.domain_files import read_section
from milpcount.errors import InputError
from milpcount.plots.data import rows_of
from milpcount.store import Store
from milpcount.sweep.check import check
from tests.plots.conftest import lines


def test_the_page_has_the_table_of_the_store():
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text, rows_of(Store(STORE))) == text


def test_the_store_that_is_shipped_is_possible():
    store = Store(STORE)
    assert len(rows_of(store)) == 210
    assert check(store).impossible == ()


def test_known_counts_are_in_the_store():
    known = {1: 13, 2: 101, 3: 344, 4: 2774, 5: 8436, 6: 22564, 7: 44118, 8: 105600, 9: 150159,
             10: 352193, 11: 675786, 12: 695491}  # fmt: skip
    found = {row.n1: row.exact for row in rows_of(Store(STORE)) if row.seed == 0}
    assert {n1: found[n1] for n1 in known} == known


def test_a_table_goes_between_its_marks(tmp_path):
    store = Store(tmp_path / "s.jsonl")
    for line in lines():
        store.add(line)
    text = with_table(f"a\n{BEGIN}\nold\n{END}\nb\n", rows_of(store))
    assert text.startswith(f"a\n{BEGIN}\n| n1-n2 |") and text.endswith(f"|\n{END}\nb\n")
    with pytest.raises(InputError, match="no place for the table"):
        with_table("nothing", rows_of(store))


def test_the_plane_goes_through_its_images(tmp_path):
    import numpy as np

    images = np.random.default_rng(0).integers(0, 256, (3, 6)).astype(np.uint8)
    write_plane(tmp_path / "plane.json", [7, 2, 1], plane(images))
    section = read_section(tmp_path / "plane.json")
    start, (a, b) = np.asarray(section.p0), np.asarray(section.directions)
    for image, point in zip(images, (start, start + a, start + b), strict=True):
        assert np.allclose(np.multiply(point, 255), image, atol=1e-3)


def test_the_plane_that_is_shipped():
    section = read_section(PLANE)
    assert section.bind(784).dimension == 2
    assert len(IMAGES) == 3


def test_the_store_answers_the_experiment():
    from milpcount.cli.sweeping import make
    from milpcount.sweep.experiment import read_experiment
    from milpcount.sweep.jobs import is_settled, jobs_of

    store = Store(STORE)
    jobs, missing = jobs_of(read_experiment(STORE.parents[1] / "mnist22.toml"), make)
    assert missing == []
    first = [job for job in jobs if job.subject.tags["n1"] == 1 and job.subject.tags["n2"] == 21]
    assert len(first) == 10 * 7
    assert all(is_settled(job, store.records.get(job.key)) for job in first)
