"""What a running count shows on stderr: a live bar on a terminal, a line every 10 s elsewhere."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from milpcount.events import Event, Finished, Listener, Notice, Progress, Started, Waiting, ignore
from milpcount.printable import one_line

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import ProgressColumn

EVERY = 10.0
"""Seconds between lines where there is no terminal."""


def rate(event: Progress) -> float:
    """Return the regions per second so far."""
    return event.regions / event.seconds if event.seconds > 0 else 0.0


def line(event: Progress | Waiting) -> str:
    """Return the state of a count as one line."""
    if isinstance(event, Waiting):
        return f"{event.seconds:8.1f} s   {event.text}"
    closed = "" if event.share is None else f"{100 * event.share:6.2f} % closed   "
    return f"{event.seconds:8.1f} s   {closed}{summary(event)}"


def summary(event: Progress) -> str:
    """Return what has been found so far, in the method's own words where it has some."""
    return event.note or (
        f"{event.regions:,} regions   {rate(event):,.0f} regions/s   {event.lps:,} programs"
    )


class Lines:
    """A listener that writes plain lines, at most one every so many seconds.

    Parameters
    ----------
    stream : TextIO
    every : float
        Seconds, on the clock of the count.
    """

    def __init__(self, stream: TextIO, every: float) -> None:
        self._stream, self._every, self._due, self._open = stream, every, every, True

    def __call__(self, event: Event) -> None:
        """Write what is due."""
        if isinstance(event, Started):
            self._due = self._every
            self._write(event.title)
        elif isinstance(event, Notice):
            self._due = self._every
            self._write(event.text)
        elif isinstance(event, (Progress, Waiting)) and event.seconds >= self._due:
            self._due = (event.seconds // self._every + 1) * self._every
            self._write(line(event))

    def _write(self, text: str) -> None:
        if not self._open:
            return
        try:
            print(f"milpcount: {one_line(text)}", file=self._stream, flush=True)
        except OSError:
            self._open = False  # nobody reads the progress any more: the count goes on


class Bar:
    """A listener that moves a live bar.

    Parameters
    ----------
    display : rich.progress.Progress
        Running; made by `display`.
    """

    def __init__(self, display: "Display") -> None:
        self._display = display
        self._task = display.add_task("", total=None, what="", visible=False)

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Started):
            self._say(event.title)
        elif isinstance(event, Notice):
            self._say(event.text)
        elif isinstance(event, Waiting):
            self._display.update(self._task, total=None, what=event.text, visible=True)
        elif isinstance(event, Progress):
            what = one_line(summary(event))
            total = None if event.share is None else 1.0
            self._display.update(
                self._task, total=total, completed=event.share or 0.0, what=what, visible=True
            )
        elif isinstance(event, Finished):
            self._display.update(self._task, visible=False)

    def _say(self, text: str) -> None:
        self._display.console.print(one_line(text), style="dim", highlight=False, markup=False)


def columns() -> "list[str | ProgressColumn]":
    """Return the columns of the bar: share closed, regions, rate, programs, time."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    return [
        BarColumn(bar_width=24),
        TaskProgressColumn("{task.percentage:>6.2f} %"),
        TextColumn("{task.fields[what]}", markup=False),
        TimeElapsedColumn(),
    ]


def on_terminal() -> bool:
    """Return whether stderr can show a live bar."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def listening(*, quiet: bool = False) -> Iterator[Listener]:
    """Give the listener that suits stderr.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """
    if quiet:
        yield ignore
    elif on_terminal():
        from rich.console import Console
        from rich.progress import Progress as Display

        with Display(*columns(), console=Console(stderr=True), transient=True) as display:
            yield Bar(display)
    else:
        yield Lines(sys.stderr, EVERY)
