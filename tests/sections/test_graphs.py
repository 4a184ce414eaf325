"""The walk on random graph networks."""

from tests.sections.lines import difference


def test_random_graphs_against_the_exact_tree() -> None:
    assert [d for number in range(36) if (d := difference(number))] == []
