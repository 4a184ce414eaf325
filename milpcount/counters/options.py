"""Options of methods, declared where they are: as fields of the method's dataclass.

A field says what the option is for, in which unit, and what values it takes; its default is the
field's. The check at construction, the record in results and the command line are derived from it.
"""

import math
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from milpcount import caps
from milpcount.caps import Cap
from milpcount.errors import OptionError

if TYPE_CHECKING:
    from milpcount.counters.method import Candidate

_KEY = "option"
CONFIDENCE = "Confidence of the lower bound."
Check = Callable[[str, Any], Any]
"""Takes an option's name and a value, and returns the value as a plain one, or raises."""


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, type and default.

    Attributes
    ----------
    help : str
        A line for the command line.
    unit : str
        What stands for its value there.
    check : callable
        See `Check`; not called for None where that is the default.
    kind : type
        int, float or str: what the command line reads.
    flag : bool
        Whether the command line offers it.
    recorded_if_none : bool
        Whether None is told among the options of a result.
    read : callable
        From text on the command line or in the file of an experiment, where `kind` is str.
    """

    help: str
    unit: str
    check: Check
    kind: type = str
    flag: bool = True
    recorded_if_none: bool = True
    read: Callable[[str], Any] = str


def number(
    default: float | None, help: str, allowed: str, *, unit: str, above: float = -math.inf,
    below: float = math.inf, flag: bool = True,
) -> Any:  # fmt: skip
    """Return a field for a number in an open interval.

    Parameters
    ----------
    default : float or None
    help : str
        A line for the command line.
    allowed : str
        What to give, after "give".
    unit : str
    above, below : float
        The interval.
    flag : bool
        Whether the command line offers it.
    """

    def check(name: str, value: Any) -> float:
        return caps.check_number(name, value, allowed, above=above, below=below)

    return _declared(default, Option(help, unit, check, float, flag))


def integer(
    default: int | None, help: str, cap: Cap | None = None, *, unit: str = "N", least: int = 1,
    flag: bool = True, recorded_if_none: bool = True,
) -> Any:  # fmt: skip
    """Return a field for an integer.

    Parameters
    ----------
    default : int or None
    help : str
        A line for the command line.
    cap : Cap, optional
        The most, and why.
    unit : str
    least : int
    flag, recorded_if_none : bool
        See `Option`.
    """

    def check(name: str, value: Any) -> int:
        return caps.check_integer(name, value, least=least, cap=cap)

    return _declared(default, Option(help, unit, check, int, flag, recorded_if_none))


def choice(default: str | None, help: str, values: tuple[str, ...]) -> Any:
    """Return a field for one of several words.

    Parameters
    ----------
    default : str or None
    help : str
        A line for the command line.
    values : tuple of str
    """

    def check(name: str, value: Any) -> Any:
        if value not in values:
            shown = (None, *values) if default is None else values
            raise OptionError(f"{name}={value!r}: give one of {', '.join(map(str, shown))}")
        return value

    return _declared(default, Option(help, "|".join(values), check))


def option(
    default: Any, help: str, *, unit: str, check: Check, kind: type = str,
    read: Callable[[str], Any] = str,
) -> Any:  # fmt: skip
    """Return a field for an option of any other kind.

    Parameters
    ----------
    default : object
    help : str
        A line for the command line.
    unit : str
    check : callable
        See `Check`.
    kind : type
        int, float or str: what the command line reads.
    read : callable
        See `Option`.
    """
    return _declared(default, Option(help, unit, check, kind, read=read))


def _declared(default: Any, described: Option) -> Any:
    return field(default=default, metadata={_KEY: described})


def as_it_is(name: str, value: Any) -> Any:
    """Return a value that is checked elsewhere."""
    return value


def option_fields(kind: type) -> dict[str, tuple[Field[Any], Option]]:
    """Return the options that a method's dataclass declares, by name."""
    return {one.name: (one, one.metadata[_KEY]) for one in fields(kind) if _KEY in one.metadata}


class Options:
    """What a method derives from the options that it declares; a base class without state."""

    theorem: ClassVar[str] = ""
    in_parts: ClassVar[bool] = False
    kernels: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name, (one, described) in option_fields(type(self)).items():
            value = getattr(self, name)
            if value is not None or one.default is not None:
                object.__setattr__(self, name, described.check(name, value))

    @classmethod
    def candidates(cls) -> "tuple[Candidate, ...]":
        """Return how it takes part in comparisons: not at all, unless a method says otherwise."""
        return ()

    def options(self) -> dict[str, Any]:
        """Return the options as JSON types."""
        return {
            name: getattr(self, name)
            for name, (_, described) in option_fields(type(self)).items()
            if described.recorded_if_none or getattr(self, name) is not None
        }
