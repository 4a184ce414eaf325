"""Exact integers of any size: text for people, text for machines, logarithms.

Bounds of wide networks pass 10^4300, where Python refuses ``str(int)``; everything
that turns an integer into text goes through here.
"""

import math

_LONGEST = 4000
"""Digits up to which Python's own conversion is used; its limit is 4300."""


def log2(value: int) -> float:
    """Return the base-2 logarithm of a non-negative integer of any size (-inf for 0)."""
    if value < 0:
        raise ValueError(f"log2 of a negative count: {value:#x}")
    if value == 0:
        return -math.inf
    shift = max(0, value.bit_length() - 64)
    return math.log2(value >> shift) + shift


def digits(value: int) -> int:
    """Return an upper estimate, off by at most one, of the number of decimal digits."""
    return int(abs(value).bit_length() * math.log10(2)) + 1


def to_text(value: int) -> str:
    """Return a string that `from_text` turns back into the same integer.

    Decimal up to 4000 digits, hexadecimal (``0x...``) beyond.
    """
    return str(value) if digits(value) <= _LONGEST else hex(value)


def from_text(text: str) -> int:
    """Return the integer written by `to_text`.

    Raises
    ------
    ValueError
        If the text is neither a decimal nor a hexadecimal integer.
    """
    return int(text, 16) if text.lower().lstrip("-").startswith("0x") else int(text)


def human(value: int, longest: int = 15) -> str:
    """Return an integer for people: ``509,027``, or ``~1.7·10^4312`` beyond `longest` digits."""
    if digits(value) <= longest:
        return f"{value:,}"
    sign = "-" if value < 0 else ""
    exponent, fraction = divmod(log2(abs(value)) * math.log10(2), 1.0)
    return f"{sign}~{10**fraction:.1f}·10^{int(exponent)}"
