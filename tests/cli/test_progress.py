"""What a listener shows of a run."""

import io

import pytest

from milpcount.cli import progress
from milpcount.cli.plain import HANDLER
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
    with progress.live(stream, force_terminal=True, width=120) as display:
        listen = progress.Bar(display)
        listen(Started("the [title]"))
        listen(Notice("compiling"))
        listen(at(10.0, share))
    shown = stream.getvalue()
    assert "the [title]" in shown and "compiling" in shown
    assert "1,000 regions   100 regions/s   2,500 programs   0:10" in shown
    assert ("50.00 %" in shown) == (share is not None)


SAID = ("22.93 %", "1,255,617 regions", "17,880 regions/s", "1,061,903 programs", "1:00:03")


@pytest.mark.parametrize(
    ("width", "bar", "text"),
    [
        (119, 24, "   ".join(SAID)),
        (79, 10, "22.93 %   1,255,617 regions   17,880 regions/s   1:00:03"),
        (59, 10, "22.93 %   1,255,617 regions   1:00:03"),
        (39, 0, "22.93 %   1,255,617 regions   1:00:03"),
        (25, 0, "22.93 %   1:00:03"),
    ],
)
def test_a_narrow_bar_says_less_and_the_most_important(width, bar, text):
    assert progress.fitted(SAID, width) == (bar, text)


@pytest.mark.parametrize("width", range(8, 130))
def test_a_bar_never_needs_a_second_line(width):
    for said in (SAID, ("a note of a method that is longer than most terminals" * 3, "0:07")):
        bar, text = progress.fitted(said, width)
        assert bar + bool(bar) + len(text) <= width
        assert text.endswith(said[-1])


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_bar_is_there_at_every_width(width):
    stream = io.StringIO()
    with progress.live(stream, force_terminal=True, width=width) as display:
        progress.Bar(display)(at(10.0))
        display.refresh()
    drawn = [line for line in stream.getvalue().splitlines() if "50.00 %" in line]
    assert drawn and all("1,000 regions" in line and "━" in line for line in drawn)


def test_a_bar_in_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors=HANDLER)
    with progress.live(stream, force_terminal=True, width=60) as display:
        progress.Bar(display)(Progress(1, 1, 0.5, 10.0, note="2 ≤ 3 · more"))
    stream.flush()
    shown = stream.buffer.getvalue().decode("ascii")
    assert "2 <= 3 | more" in shown and "?" not in shown.replace("\x1b[?", "")


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
    shown = io.StringIO()
    with progress.live(shown, force_terminal=True, width=120) as display:
        progress.Bar(display)(Waiting("compiling", 0.0))
    assert "compiling" in shown.getvalue()


def test_the_upper_end_is_told_where_there_is_one():
    event = Progress(1000, 2500, 0.5, 10.0, what="activation patterns")
    assert progress.summary(event) == (
        "1,000 activation patterns   100 patterns/s   2,500 programs"
    )
    event = Progress(1000, 2500, 0.5, 10.0, upper=2_449_835)
    assert "1,000 regions   at most 2,449,835   100 regions/s" in progress.line(event)
    assert "at most" not in progress.line(at(10.0))
    assert progress.summary(Progress(1, 1, None, 1.0, "words", 10**400)).startswith(
        "words   at most ~1.0·10^400"
    )
