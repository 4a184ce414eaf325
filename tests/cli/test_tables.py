"""Tables fit the terminal, and are written in letters that the stream has."""

import os
import subprocess
import sys

import pytest

from milpcount.cli import tables
from milpcount.cli.plain import writable

HEADER = ["method", "count", "status"]
ROWS = [
    ["tree", "1,024", "complete: every region was found"],
    ["pool pyscipopt one_tree", "-", "not asked: takes 500 regions at most"],
]


def test_without_a_limit_every_row_is_a_line():
    assert tables.table(HEADER, ROWS).splitlines() == [
        "method                   count  status",
        "-----------------------  -----  ------------------------------------",
        "tree                     1,024  complete: every region was found",
        "pool pyscipopt one_tree      -  not asked: takes 500 regions at most",
    ]


def test_columns_of_words_are_wrapped_and_numbers_are_not():
    assert tables.table(HEADER, ROWS, 48).splitlines() == [
        "method               count  status",
        "-------------------  -----  --------------------",
        "tree                 1,024  complete: every",
        "                            region was found",
        "pool pyscipopt           -  not asked: takes 500",
        "one_tree                    regions at most",
    ]


def test_where_columns_have_no_room_a_row_becomes_lines():
    assert tables.table(HEADER, ROWS, 30).splitlines() == [
        "method tree",
        "  count   1,024",
        "  status  complete: every",
        "          region was found",
        "method pool pyscipopt one_tree",
        "  count   -",
        "  status  not asked: takes 500",
        "          regions at most",
    ]


@pytest.mark.parametrize("most", range(24, 100))
def test_no_line_is_wider_than_the_terminal(most):
    text = tables.table(HEADER, [[row[0].split()[0], *row[1:]] for row in ROWS], most)
    assert max(map(len, text.splitlines())) <= most
    for word in ("tree", "pool", "1,024", "complete:", "found", "500", "most"):
        assert word in text


def test_facts_go_on_below_themselves_and_a_fingerprint_is_one_piece():
    facts = [("name", "a few words that are long"), ("fingerprint", "0123456789abcdef" * 4)]
    assert tables.facts(facts, 30).splitlines() == [
        "name         a few words that",
        "             are long",
        "fingerprint  " + "0123456789abcdef" * 4,
    ]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5 ≤ count ≤ 7", "5 <= count <= 7"),
        ("784-2 (relu) · box", "784-2 (relu) | box"),
        ("~1.7·10^43", "~1.7*10^43"),
        ("Montúfar, Schläfli", "Montufar, Schlafli"),
        ("1×2 – ρ ≥ −1 …", "1x2 - rho >= -1 ..."),
        ("━━╸│", "---|"),
        ("名", "\\u540d"),
    ],
)
def test_what_a_stream_lacks_is_written_in_ascii(text, plain, tmp_path):
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        assert writable(text, stream) == plain
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        assert writable(text, stream) == text


ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C"}, {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}]


@pytest.mark.parametrize("locale", ASCII, ids=str)
def test_the_command_in_a_locale_without_letters(locale):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO"))}
    done = subprocess.run(
        [sys.executable, "-m", "milpcount", "bound", "784-11-11-10"],
        capture_output=True,
        env={**kept, **locale},
        check=True,
    )
    shown = done.stdout.decode("ascii")
    assert "Montufar 2017" in shown and "~8.0*10^1632" in shown and "?" not in shown


@pytest.mark.parametrize("command", [["bound", "784-11-11-10"], ["bound", "64-32-32-10"]])
def test_bounds_on_sixty_columns(command):
    done = subprocess.run(
        [sys.executable, "-m", "milpcount", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "60"},
        check=True,
    )
    assert max(map(len, done.stdout.splitlines())) <= 60
    assert "cite KEY" in done.stdout and "[naive]" in done.stdout
