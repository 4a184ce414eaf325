"""The self-test: it passes as things are, and fails when a method is wrong."""

import pytest

from milpcount import examples
from milpcount.cli import selftest
from milpcount.counters.method import Snapshot
from milpcount.quantities import Quantity

REGIONS, PATTERNS = Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS


def one() -> examples.Example:
    return examples.library()[0]


def test_every_method_is_right(invoke):
    done = invoke("selftest")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "braid arrangement" in done.stdout and "WRONG" not in done.stdout
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == last[2] and int(last[0]) > 50


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ((Snapshot(lower=3),), "3..3 WRONG"),
        ((Snapshot(lower=1),), "1..1 WRONG"),
        ((Snapshot(lower=1, uncertain=1),), "not finished"),
        ((RuntimeError("bug"),), None),
    ],
)
def test_a_wrong_method_is_found_out(scripted, script, text):
    method = scripted(*script)
    if text is None:
        with pytest.raises(RuntimeError):
            selftest.judge(one(), REGIONS, method)
        return
    verdict = selftest.judge(one(), REGIONS, method)
    assert verdict.wrong and text in verdict.text


def test_what_a_method_does_not_count_is_not_asked(scripted):
    assert selftest.judge(one(), PATTERNS, scripted()).text == "-"


def test_a_wrong_method_makes_the_command_exit_1(invoke, scripted, monkeypatch):
    method = scripted(Snapshot(lower=2))
    monkeypatch.setattr(selftest, "named_methods", lambda: {"scripted": method})
    done = invoke("selftest", "--quiet")
    assert done.exit_code == 1
    assert done.stdout.count("\n") == 1 and done.stdout.endswith("FAILED\n")
