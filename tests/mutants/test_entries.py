"""The list of mutants fits the project; `tests.mutants.run` runs them."""

import ast
from collections import Counter

import pytest

from tests.mutants.entries import ROOT, mutants

ALL = mutants()


@pytest.mark.parametrize("mutant", ALL, ids=lambda m: f"{m.group}-{m.title}")
def test_it_can_be_made(mutant):
    assert mutant.fault is None
    ast.parse(mutant.applied((ROOT / mutant.file).read_text(encoding="utf-8")))
    assert mutant.breaks and mutant.is_speed != bool(mutant.killed_by)


def test_no_two_are_the_same():
    assert max(Counter((m.file, m.before, m.after) for m in ALL).values()) == 1


def test_the_tests_that_kill_them_are_there():
    for name in {m.killed_by for m in ALL if not m.is_speed}:
        file, *names = name.partition("[")[0].split("::")
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for wanted in names:
            found = [d for d in body if getattr(d, "name", None) == wanted]
            assert found, name
            body = found[0].body
