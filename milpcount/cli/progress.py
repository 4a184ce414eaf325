"""What a running count shows on stderr: a live bar on a terminal, a line every 10 s elsewhere."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from milpcount.cli.plain import writable
from milpcount.events import Event, Finished, Listener, Notice, Progress, Started, Waiting, ignore
from milpcount.integers import human
from milpcount.printable import one_line

if TYPE_CHECKING:
    from rich.progress import Progress as Display

EVERY = 10.0
"""Seconds between lines where there is no terminal."""
GAP = "   "
_BARS = (24, 10, 0)
"""Widths of the bar, the first that leaves room for what is said."""


def rate(event: Progress) -> float:
    """Return what is found per second so far."""
    return event.regions / event.seconds if event.seconds > 0 else 0.0


def line(event: Progress | Waiting) -> str:
    """Return the state of a count as one line."""
    if isinstance(event, Waiting):
        return f"{event.seconds:8.1f} s   {event.text}"
    closed = "" if event.share is None else f"{100 * event.share:6.2f} % closed   "
    return f"{event.seconds:8.1f} s   {closed}{summary(event)}"


def summary(event: Progress) -> str:
    """Return what has been found so far, in the method's own words where it has some."""
    return GAP.join(parts(event))


def parts(event: Progress) -> tuple[str, ...]:
    """Return what `summary` says in parts, the most important first."""
    most = () if event.upper is None else (f"at most {human(event.upper, 20)}",)
    if event.note:
        return (event.note, *most)
    return (
        f"{event.regions:,} {event.what}",
        *most,
        f"{rate(event):,.0f} {event.what.split()[-1]}/s",
        f"{event.lps:,} programs",
    )


def duration(seconds: float) -> str:
    """Return a time for people: ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


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


def fitted(said: Sequence[str], width: int) -> tuple[int, str]:
    """Return the width of the bar and the text beside it that fit a line.

    What is said is left out from its end; then the bar goes; the last part is cut short.

    Parameters
    ----------
    said : sequence of str
        The most important first; the last one is the time, and stays.
    width : int
        Columns.
    """
    *rest, clock = said
    for kept in range(len(rest), 0, -1):
        text = GAP.join([*rest[:kept], clock])
        for bar in _BARS if kept <= 2 else _BARS[:-1]:
            if bar + bool(bar) + len(text) <= width:
                return bar, text
    text = "".join(rest[:1])[: max(0, width - len(clock) - len(GAP))]
    return 0, f"{text}{GAP}{clock}"[-width:]


class Bar:
    """A listener that moves a live bar, on one line whatever the width of the terminal.

    Parameters
    ----------
    display : rich.progress.Progress
        Running; made by `live`.
    """

    def __init__(self, display: "Display") -> None:
        self._display = display
        self._task = display.add_task("", total=None, said=(), visible=False)

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Started):
            self.say(event.title)
        elif isinstance(event, Notice):
            self.say(event.text)
        elif isinstance(event, Waiting):
            self.show(None, (event.text,), event.seconds)
        elif isinstance(event, Progress):
            percent = () if event.share is None else (f"{100 * event.share:.2f} %",)
            self.show(event.share, (*percent, *parts(event)), event.seconds)
        elif isinstance(event, Finished):
            self._display.update(self._task, visible=False)

    def show(self, share: float | None, said: Sequence[str], seconds: float) -> None:
        """Show a state.

        Parameters
        ----------
        share : float or None
            Done, in [0, 1].
        said : sequence of str
            The most important first.
        seconds : float
            Since the start.
        """
        stream = self._display.console.file
        self._display.update(
            self._task,
            total=None if share is None else 1.0,
            completed=share or 0.0,
            said=(*(writable(one_line(part), stream) for part in said), duration(seconds)),
            visible=True,
        )

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._display.console.print(one_line(text), style="dim", highlight=False, markup=False)


def live(stream: TextIO, **options: object) -> "Display":
    """Return a display for bars; it has to be entered, and vanishes when it is left.

    Parameters
    ----------
    stream : TextIO
    **options
        Of rich's Console.
    """
    from rich.console import Console
    from rich.progress import Progress as Display
    from rich.progress import ProgressColumn, Task
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, **options)  # type: ignore[arg-type]

    class Fitted(ProgressColumn):
        """A bar and what is said beside it, in one column that is laid out here."""

        def render(self, task: Task) -> Table:
            bar, text = fitted(task.fields["said"] or ("",), console.width - 1)
            grid = Table.grid(padding=(0, 1))
            cells = [ProgressBar(task.total, task.completed, width=bar)] if bar else []
            grid.add_row(*cells, Text(text, no_wrap=True, overflow="crop"))
            return grid

    return Display(Fitted(), console=console, transient=True)


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
        with live(sys.stderr) as display:
            yield Bar(display)
    else:
        yield Lines(sys.stderr, EVERY)
