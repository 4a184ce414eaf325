"""A claim of a paper, what was measured, and the verdict that follows from it."""

from collections.abc import Callable
from dataclasses import dataclass

import milpcount as mc

HOLDS, FAILS, EXCEPTION = "holds", "fails", "holds, with an exception"
SPACE, CUBE = mc.Unbounded(), mc.Box(0, 1)


@dataclass(frozen=True)
class Finding:
    """What was measured.

    Attributes
    ----------
    text : str
        Our numbers.
    verdict : str
        `HOLDS`, `FAILS` or `EXCEPTION`.
    """

    text: str
    verdict: str


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    key : str
        The name on the command line.
    where : str
        Theorem, section or sentence.
    statement : str
        What is claimed.
    measure : callable
        Returns a `Finding`.
    """

    key: str
    where: str
    statement: str
    measure: Callable[[], Finding]


def finding(text: str, *, holds: bool, exception: bool = False) -> Finding:
    """Return a finding: whether the claim holds where it should, and fails somewhere as printed."""
    if not holds:
        return Finding(text, FAILS)
    return Finding(text, EXCEPTION if exception else HOLDS)


def regions(
    network: mc.Network, domain: object = SPACE, quantity: str = "activation_regions"
) -> int:
    """Count a network; the count must be exact."""
    found = mc.count(network, domain, quantity=quantity)  # type: ignore[arg-type]
    if not found.is_exact:
        raise AssertionError(str(found))
    return found.lower


def all_three(network: mc.Network, domain: object = SPACE) -> tuple[int, int, int]:
    """Count activation regions, linear regions and affine pieces (R2, R4, R6)."""
    names = ("activation_regions", "linear_regions", "affine_pieces")
    one, two, three = (regions(network, domain, name) for name in names)
    return one, two, three


def value(subject: object, key: str) -> int:
    """Return the value of a theorem in whole numbers."""
    return int(mc.bound(subject)[key].value)  # type: ignore[arg-type]
