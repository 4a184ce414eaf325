"""Progress in Python: what suits the place, a terminal, a notebook or a file, or a callback."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from milpcount import optional
from milpcount.cli.progress import EVERY, Bar, Lines, duration, live, on_terminal, summary
from milpcount.errors import OptionError
from milpcount.events import Event, Finished, Listener, Notice, Progress, Started, Waiting
from milpcount.printable import as_html

if TYPE_CHECKING:
    from rich.progress import Progress as Live

WHERE = ("auto", "terminal", "notebook", "lines")
_REDRAWN = 0.25
"""Seconds between two pictures in a notebook, which are messages to a browser."""


def progress(
    where: str | Callable[[Progress], Any] = "auto", *, stream: TextIO | None = None
) -> Listener:
    """Return a listener that shows how a count goes: ``mc.count(.., listener=mc.progress())``.

    Parameters
    ----------
    where : {"auto", "terminal", "notebook", "lines"} or callable
        ``terminal`` is a live bar, ``notebook`` a bar below the cell, ``lines`` a line every ten
        seconds; ``auto`` takes the one that suits where Python runs. A callable is called with
        every `milpcount.events.Progress`: regions and upper bound so far, share of the tree that is
        closed, seconds. What it raises ends the count.
    stream : TextIO, optional
        Of a terminal or lines; stderr by default.

    Returns
    -------
    callable
        Of one event. It may be used for several counts, one after the other.

    Raises
    ------
    OptionError
        If `where` is none of these.
    NotInstalledError
        For ``notebook`` without IPython.

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.load("example:mnist-784-4-18.npz")
    >>> seen = []
    >>> result = mc.count(net, mc.Box(0, 1), listener=mc.progress(seen.append))
    >>> seen[-1].regions <= result.lower
    True
    """
    if callable(where):
        return _Callback(where)
    if where not in WHERE:
        raise OptionError(
            f"where={where!r}: give one of {', '.join(WHERE)}, or a function of milpcount.events."
            "Progress"
        )
    if where == "auto":
        where = _suitable(stream)
    if where == "notebook":
        return _Notebook()
    return _Terminal(stream) if where == "terminal" else Lines(stream or sys.stderr, EVERY)


def _suitable(stream: TextIO | None) -> str:
    """Return the place that Python runs in."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and hasattr(shell, "kernel"):
        return "notebook"
    has_bar = on_terminal() if stream is None else stream.isatty()
    return "terminal" if has_bar else "lines"


class _Callback:
    """A listener that passes on the state of a count and nothing else."""

    def __init__(self, called: Callable[[Progress], Any]) -> None:
        self._called = called

    def __call__(self, event: Event) -> None:
        """Pass the event on."""
        if isinstance(event, Progress):
            self._called(event)


class _Terminal:
    """A live bar that comes with the first event of a count and goes with its last."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream, self._bar = stream, None  # type: tuple[TextIO | None, Bar | None]
        self._display: Live | None = None

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Started):
            self._close()  # of a count that ended in an error
        if self._display is None:
            self._display = live(self._stream or sys.stderr)
            self._display.start()
            self._bar = Bar(self._display)
        assert self._bar is not None
        self._bar(event)
        if isinstance(event, Finished):
            self._close()

    def _close(self) -> None:
        if self._display is not None:
            self._display.stop()
            self._display = self._bar = None


class _Notebook:
    """A bar below a cell, drawn anew in its place."""

    def __init__(self) -> None:
        self._ipython = optional.require("IPython.display", "progress in a notebook", "ipython")
        self._handle: Any = None
        self._title, self._notice, self._due = "", "", 0.0

    def __call__(self, event: Event) -> None:
        """Show the event."""
        if isinstance(event, Started):
            self._handle, self._title, self._notice, self._due = None, event.title, "", 0.0
        elif isinstance(event, Notice):
            self._notice = event.text
        elif isinstance(event, Waiting):
            self._draw(None, event.text, event.seconds)
        elif isinstance(event, Progress) and time.monotonic() >= self._due:
            self._due = time.monotonic() + _REDRAWN
            self._draw(event.share, summary(event), event.seconds)
        elif isinstance(event, Finished):
            result = event.result
            self._draw(1.0, result.rows()[0][1] + ", " + result.status.value, result.seconds)

    def _draw(self, share: float | None, text: str, seconds: float) -> None:
        html = self._ipython.HTML(picture(self._title, share, text, seconds, self._notice))
        if self._handle is None:
            self._handle = self._ipython.display(html, display_id=True)
        elif self._handle is not None:
            self._handle.update(html)


def picture(title: str, share: float | None, text: str, seconds: float, notice: str = "") -> str:
    """Return the state of a count as HTML.

    Parameters
    ----------
    title : str
    share : float or None
        Done, in [0, 1]; None where that is not known.
    text : str
    seconds : float
    notice : str
    """
    value = "" if share is None else f" value='{share:.4f}'"
    noted = f"<br><small>{as_html(notice)}</small>" if notice else ""
    return (
        f"<div><small>{as_html(title)}</small><br><progress max='1'{value}></progress> "
        f"{as_html(text)} · {duration(seconds)}{noted}</div>"
    )
