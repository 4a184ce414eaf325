"""Text from files and options as it may be printed: on one line, and without commands to terminals.

A name in a file can hold anything, escape sequences that recolour or rewrite a terminal included,
or marks that reverse the direction of writing. Wherever text is shown to people it goes through
here; records for machines are JSON, which escapes by itself.
"""

from html import escape


def printable(text: str) -> str:
    r"""Return the text with everything that is not printed escaped, as in ``\x1b``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The same text if it holds letters, digits, marks, symbols and single spaces only.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )


def one_line(text: str, longest: int = 2_000) -> str:
    """Return a message as one printable line; newlines in it become spaces.

    Parameters
    ----------
    text : str
    longest : int
        Characters; the middle of what is longer is left out.
    """
    line = printable(" ".join(part.strip() for part in text.splitlines()))
    if len(line) <= longest:
        return line
    half = (longest - 5) // 2
    return f"{line[:half]} ... {line[-half:]}"


def as_html(text: str) -> str:
    """Return text as HTML that shows it; what is not printed is escaped as in `printable`."""
    return escape(printable(text))
