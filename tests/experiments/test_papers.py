"""The claims of the papers: each command runs, and its verdict is the one on the page."""

from pathlib import Path

import pytest

from experiments.papers.__main__ import CLAIMS, main
from milpcount.bounds.ternary import nakahara_remark_1

SLOW = {"hu-zhang-1", "hu-zhang-2", "hu-zhang-11", "hu-zhang-3-live", "hu-zhang-3-line",
        "serra-zonotope"}  # fmt: skip
PAGE = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
LINES = {line.rsplit("`", 2)[1]: line for line in PAGE.splitlines() if line.endswith("` |")}


def test_every_claim_is_on_the_page():
    assert set(LINES) == set(CLAIMS)


@pytest.mark.parametrize(
    "key", [pytest.param(k, marks=pytest.mark.slow if k in SLOW else ()) for k in CLAIMS]
)
def test_a_claim(key, capsys):
    assert main([key]) == 0
    named, numbers, verdict = (line.strip() for line in capsys.readouterr().out.splitlines())
    assert named.startswith(f"{key}: ")
    assert f"| {verdict} | {numbers.replace('|', chr(92) + '|')} |" in LINES[key]


def test_what_cannot_be_measured_is_said(capsys):
    assert main(["hu-zhang-9"]) == 2
    assert "hu-zhang-9: there are hu-zhang-1, " in capsys.readouterr().err
    assert main([]) == 2
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CLAIMS)


def test_the_table_of_remark_1():
    for n0, p, layers in ((1, 2, 3), (2, 3, 5), (4, 4, 5)):
        free, deep, wide = nakahara_remark_1(n0, p, layers)
        line = (
            f"| {n0} | {p} | {layers} | {free.regions:,} | {free.width} | {deep.width}, "
            f"{deep.layers} | {wide.width}, {wide.layers} |"
        )
        assert line in PAGE
        assert free.regions == deep.regions == wide.regions
    assert len(nakahara_remark_1(1, 2, 4)) == 2  # an even number of layers: only deeper ones
