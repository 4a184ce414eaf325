"""Text for terminals, files and locales that have no letters of mathematics."""

import codecs
import os
import sys
import unicodedata
from pathlib import Path
from typing import IO

HANDLER = "milpcount-ascii"
"""The name of the error handler of the streams."""

_PLAIN = {
    "≤": "<=", "≥": ">=", "×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "→": "->",
    "ρ": "rho", "ε": "epsilon", "δ": "delta", "•": "*", "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def set_up() -> None:
    """Make stdout and stderr write what their encoding lacks in ASCII, never as ``?``.

    Python writes UTF-8 where the locale is C; somebody who asks for C by name gets ASCII. A stream
    that was closed before the start is None, which `print` takes for stdout: it becomes one that
    nobody reads, so that progress does not end among the answers, nor the count with it.
    """
    sys.stdout = sys.stdout or Path(os.devnull).open("w")
    sys.stderr = sys.stderr or Path(os.devnull).open("w")
    ascii_only = _asks_for_ascii()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = "ascii" if ascii_only else stream.encoding
            stream.reconfigure(encoding=encoding, errors=HANDLER)


def _asks_for_ascii() -> bool:
    given = os.environ.get
    if given("PYTHONIOENCODING") or given("PYTHONUTF8"):
        return False  # what is asked of Python itself goes first
    # At its start Python replaces LC_CTYPE=C, also where it only follows from LANG.
    kind = given("LC_CTYPE", "")
    asked = given("LC_ALL") or (kind if kind not in ("", "C.UTF-8") else given("LANG", ""))
    return asked in ("C", "POSIX")


def writable(text: str, stream: IO[str]) -> str:
    """Return a text as a stream will write it, whose letters can then be counted for columns."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, HANDLER).decode(encoding)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, start, end = error.object, error.start, error.end
    return "".join(_letter(text, at) for at in range(start, end)), end


def _letter(text: str, at: int) -> str:
    letter = text[at]
    if letter == "·":  # a product within a number, a separator between words
        return "|" if text[at - 1 : at].isspace() else "*"
    if letter in _PLAIN:
        return _PLAIN[letter]
    if "\u2500" <= letter <= "\u259f":  # frames and blocks
        return "|" if letter in "│┃║" else "-"
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return bare or letter.encode("ascii", "backslashreplace").decode()


codecs.register_error(HANDLER, _replace)
