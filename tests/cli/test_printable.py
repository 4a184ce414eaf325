"""Names from files cannot command the terminal: escape sequences and the like are spelled out."""

import io
import json

import pytest

import milpcount as mc
from milpcount.cli.progress import Bar, Lines, live
from milpcount.cli.tables import table
from milpcount.events import Notice, Progress, Started
from milpcount.plots.report import page
from milpcount.printable import as_html, one_line, printable
from milpcount.store import Store

EVIL = "\x1b[31mred\x1b]0;title\x07\u202eabc\x9b2J"
SPELLED = r"\x1b[31mred\x1b]0;title\x07\u202eabc\x9b2J"


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A network with such a title, in a folder of that name."""
    monkeypatch.setattr(mc.Network, "title", EVIL)
    path = tmp_path / "\x1b[31m" / "net.npz"
    path.parent.mkdir()
    mc.Network.from_arrays([[[1.0], [-2.0]]], [[0.0, 0.5]], output=False).save(path)
    return path


def test_spelling():
    assert printable(EVIL) == SPELLED
    assert printable("a\u2028b\n") == r"a\u2028b\n"
    assert printable("a ≤ b · ü 数") == "a ≤ b · ü 数"
    assert one_line("  two \r\n lines\tand \ud800  spaces") == r"two lines\tand \ud800  spaces"
    assert len(one_line("x" * 10**6)) < 2_000
    assert as_html("<\x1b>") == r"&lt;\x1b&gt;"


@pytest.mark.parametrize(
    "command",
    [
        ("count", "--box", -1, 1, "--method", "exact"),
        ("inspect", "--box", -1, 1),
        ("bound", "--box", -1, 1),
    ],
)
def test_titles_of_networks(invoke, evil, command):
    name, *options = command
    done = invoke(name, evil, *options)
    assert done.exit_code == 0, done.stderr
    assert SPELLED in done.stdout
    for text in (done.stdout, done.stderr):
        assert all(line.isprintable() for line in text.split("\n"))


def test_results_in_a_notebook(evil):
    result = mc.count(mc.Network.load(evil), mc.Box(-1, 1), mc.ExactTree())
    table = mc.bound(mc.Network.load(evil), mc.Box(-1, 1))
    for shown in (result, table):
        assert SPELLED in shown._repr_html_()
        assert SPELLED in str(shown)
        assert EVIL not in shown._repr_html_()


def test_errors_name_paths(invoke, evil):
    done = invoke("inspect", evil.with_suffix(".nnet"))
    assert done.exit_code == 2
    assert r"\x1b[31m/net.nnet does not exist" in done.stderr and "\x1b" not in done.stderr


def test_progress():
    events = (Started(EVIL), Notice(EVIL), Progress(1, 1, None, 1.0, EVIL))
    plain, shown = io.StringIO(), io.StringIO()
    lines = Lines(plain, every=0.5)
    with live(shown, width=300) as display:
        bar = Bar(display)
        for event in events:
            lines(event)
            bar(event)
    assert plain.getvalue().count(SPELLED) == 3
    assert shown.getvalue().count(SPELLED) == 2  # above the bar
    assert SPELLED in display.tasks[0].fields["said"]
    assert "\x1b" not in plain.getvalue() + shown.getvalue()


def test_tables():
    text = table(["name", "n"], [[EVIL, "1"]])
    assert SPELLED in text and all(line.isprintable() for line in text.split("\n"))


def test_sweeps_and_their_report(invoke, evil, tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(
        f"title = {json.dumps(EVIL)}\n"
        f'domain.box = [0, 1]\nnetworks.architectures = ["2-3:relu"]\n'
        '[[methods]]\nname = "bounds"\n'
    )
    done = invoke("sweep", path, "--store", tmp_path / "x.jsonl")
    assert done.exit_code == 0, done.stderr
    assert SPELLED in done.stderr and "\x1b" not in done.stdout + done.stderr


def test_the_page_of_a_sweep(tmp_path):
    store = Store(tmp_path / "x.jsonl")
    store.add(
        {
            "key": "k", "subject": EVIL, "method": "tree", "options": {"a": EVIL}, "n1": 1,
            "n2": 1, "network_seed": 0, "train_error": 0.1, "test_error": 0.1,
            "fingerprint": "f", "lower": "3", "upper": "3", "exact": True, "seconds": 1.0,
            "cpu_seconds": 1.0, "status": "complete", "milpcount": EVIL, "machine": EVIL,
            "finished": "2026-01-01", "quantity": "activation_regions", "domain": "box",
        }
    )  # fmt: skip
    text = page(EVIL, store, [EVIL])
    assert text.count(SPELLED) >= 4
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(text)
