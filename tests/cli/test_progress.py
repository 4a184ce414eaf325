"""What a listener shows of a run."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress as Display

from milpcount.cli import progress
from milpcount.events import Notice, Progress, Started, Waiting


def at(seconds: float, share: float | None = 0.5) -> Progress:
    return Progress(regions=1000, lps=2500, share=share, seconds=seconds)


def test_off_a_terminal_one_line_every_ten_seconds():
    stream = io.StringIO()
    listen = progress.Lines(stream, progress.EVERY)
    listen(Started("the title"))
    listen(Notice("compiling"))
    for tick in range(70):
        listen(at(tick / 2))
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["milpcount: the title", "milpcount: compiling"]
    assert [line.split()[1] for line in lines[2:]] == ["10.0", "20.0", "30.0"]
    assert "50.00 % closed" in lines[2]
    assert "1,000 regions   100 regions/s   2,500 programs" in lines[2]


def test_a_late_tick_does_not_bring_two_lines():
    stream = io.StringIO()
    listen = progress.Lines(stream, progress.EVERY)
    for seconds in (0.0, 39.0, 39.5, 40.5):
        listen(at(seconds))
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["39.0", "40.5"]


def test_a_count_goes_on_when_nobody_reads_its_progress():
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    listen = progress.Lines(Closed(), progress.EVERY)
    listen(Started("title"))
    listen(at(10.0))


def test_without_a_share_the_line_leaves_it_out():
    assert "closed" not in progress.line(at(1.0, share=None))


def test_before_the_clock_moves_the_rate_is_0():
    assert progress.rate(at(0.0)) == 0.0


@pytest.mark.parametrize("share", [0.5, None])
def test_the_bar_shows_the_run(share):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120)
    with Display(*progress.columns(), console=console) as display:
        listen = progress.Bar(display)
        listen(Started("the [title]"))
        listen(Notice("compiling"))
        listen(at(10.0, share))
    shown = stream.getvalue()
    assert "the [title]" in shown and "compiling" in shown
    assert "1,000 regions   100 regions/s   2,500 programs" in shown
    assert ("50.00 %" in shown) == (share is not None)


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    assert not progress.on_terminal()
    monkeypatch.setenv("TERM", "xterm")
    assert progress.on_terminal()


def test_waiting_is_shown_with_its_seconds():
    stream = io.StringIO()
    listen = progress.Lines(stream, progress.EVERY)
    listen(Started("title"))
    for tick in range(12):
        listen(Waiting("compiling", 2.0 * tick))
    assert [line.split()[1:] for line in stream.getvalue().splitlines()[1:]] == [
        ["10.0", "s", "compiling"],
        ["20.0", "s", "compiling"],
    ]
    console = Console(file=(shown := io.StringIO()), force_terminal=True, width=120)
    with Display(*progress.columns(), console=console) as display:
        progress.Bar(display)(Waiting("compiling", 0.0))
    assert "compiling" in shown.getvalue()
