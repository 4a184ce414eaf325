"""What a running count tells the outside: values, sent to a listener the caller gives.

A listener is any callable that takes one event. It is called in the thread that counts; while that
thread compiles it may be called in another, by one at a time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milpcount.result import CountResult


@dataclass(frozen=True)
class Started:
    """A method has begun.

    Attributes
    ----------
    title : str
        One line: network, domain, method, seed.
    """

    title: str


@dataclass(frozen=True)
class Notice:
    """Something the user should know while waiting, e.g. that a kernel is being compiled."""

    text: str


@dataclass(frozen=True)
class Waiting:
    """Every other second while a count cannot begin.

    Attributes
    ----------
    text : str
        What it waits for.
    seconds : float
        Since that began.
    """

    text: str
    seconds: float


@dataclass(frozen=True)
class Progress:
    """The state of a running count.

    Attributes
    ----------
    regions : int
        Regions proved so far: a valid lower bound at this moment.
    lps : int
        Linear (or quadratic) programs solved so far.
    share : float or None
        Share of the search tree that is closed, in [0, 1]; None where a method has none.
    seconds : float
        Seconds since the start.
    note : str
        What else the method has to say at this moment, e.g. runs done.
    upper : int or None
        A valid upper bound at this moment, where the method has one of its own; it never grows.
    what : str
        What `regions` are, for people: the quantity's name.
    """

    regions: int
    lps: int
    share: float | None
    seconds: float
    note: str = ""
    upper: int | None = None
    what: str = "regions"


@dataclass(frozen=True)
class Finished:
    """A method has ended; `result` is what it returns."""

    result: "CountResult"


Event = Started | Notice | Waiting | Progress | Finished
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


def log(event: Event) -> None:
    """Pass notices on to the logger ``milpcount``, and leave out all else.

    Python writes them to stderr unless logging is set up otherwise;
    ``logging.getLogger("milpcount").setLevel("ERROR")`` silences them.
    """
    if isinstance(event, Notice):
        logging.getLogger("milpcount").warning(event.text)
