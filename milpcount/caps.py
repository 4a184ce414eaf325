"""How much a file or an option may ask for. Above its cap it is refused, before anything is made.

Without caps a few bytes in a file, or a slip on the command line, fill the memory or run for ever.
Each cap is far above what counting can use, and says why it is there and what to do instead.
"""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import cast

from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.integers import human


@dataclass(frozen=True)
class Cap:
    """The most of something.

    Attributes
    ----------
    most : int
    unit : str
        What is counted.
    why : str
        What goes wrong above.
    remedy : str
        What to do, for the user.
    """

    most: int
    unit: str
    why: str
    remedy: str

    def check(self, amount: int, what: str, error: type[InputError] = FileFormatError) -> None:
        """Raise an error if there is more of it.

        Parameters
        ----------
        amount : int
        what : str
            Who asks for it, e.g. the name of an array or an option.
        error : type
            The error to raise.
        """
        if amount > self.most:
            raise error(
                f"{what}: {human(amount, 20)} {self.unit}, and {human(self.most, 20)} are the "
                f"most: {self.why}; {self.remedy}"
            )


MEBIBYTE = 1 << 20

TEXT = Cap(
    256 * MEBIBYTE, "bytes of text", "text takes several times its size in memory",
    "split the file, or store a network as .npz",
)  # fmt: skip
ARRAYS = Cap(
    2048 * MEBIBYTE, "bytes of arrays", "they are unpacked into memory",
    "store fewer or smaller arrays",
)  # fmt: skip
KEPT_REGIONS = Cap(
    65536 * MEBIBYTE, "bytes of kept regions", "they are unpacked into memory",
    "count parts of the domain, and keep the regions of each",
)  # fmt: skip
LINE = Cap(
    64 * MEBIBYTE, "bytes in one line", "a result takes a few thousand",
    "the file is damaged or none of this kind: name another",
)  # fmt: skip
WORDS = Cap(
    5_000_000, "words and parentheses in one command", "they are read into memory as a tree",
    "split the command into several assertions",
)  # fmt: skip
DEPTH = Cap(
    1_000, "parentheses within each other", "the parser of VNN-LIB 2.0 calls itself for each",
    "write conjunctions and sums of many terms instead of nested ones",
)  # fmt: skip
DIGITS = Cap(
    1_000, "digits or decimal places", "float64 has 17 digits and exponents up to 308",
    "write a shorter number",
)  # fmt: skip
PARTS = Cap(
    10_000, "boxes or polytopes", "each is counted by itself", "split the file into several",
)  # fmt: skip
NUMBERS = Cap(
    256 * MEBIBYTE, "numbers", "they are held as float64, in memory",
    "take a smaller network or a domain of fewer inputs",
)  # fmt: skip
LAYERS = Cap(10_000, "layers", "each is an object of its own", "merge layers without units")
UNITS = Cap(
    100_000_000, "pre-activations", "the number of patterns has as many digits in base 2",
    "give a smaller architecture",
)  # fmt: skip
PIECES = Cap(
    4_096, "pieces of a unit", "each has its own branch in the search",
    "give an activation with fewer breakpoints",
)  # fmt: skip
RANK = Cap(
    512, "pre-activations of a unit", "every two of them make a row",
    "take the maximum in two layers",
)  # fmt: skip
JOBS = Cap(
    1_000_000, "jobs", "each is an object of its own", "split the experiment into several files",
)  # fmt: skip
SPREAD = Cap(
    100_000, "numbers in a list of ranges", "each makes a job of its own",
    "give a shorter range, or split the experiment",
)  # fmt: skip
REGIONS = Cap(
    2**62, "regions", "they are counted in 64 bits, one by one", "leave the limit out",
)  # fmt: skip
SECONDS = Cap(
    10**9, "seconds", "that is 30 years", "leave the limit out",
)  # fmt: skip
SEED = Cap(2**64 - 1, "as a seed", "seeds have 64 bits", "give a smaller one")
PROBES = Cap(10**12, "walks", "no machine makes so many", "give fewer, and a limit on the time")
RUNS = Cap(
    2_000, "runs", "each adds less than the one before it", "a few hundred serve well",
)  # fmt: skip
COUNT_BELOW = Cap(
    1_000_000, "regions", "they are counted at every walk's end", "16 serve well",
)  # fmt: skip
DESCENTS = Cap(1_000, "descents", "they share the walk's first layers", "8 serve well")
POPULATION = Cap(1_000, "walks side by side", "each is held in memory", "16 serve well")
XOR_SIZE = Cap(
    1_000_000, "units in an XOR", "networks that can be counted have fewer",
    "give a smaller one, or 'dense' for half of the units",
)  # fmt: skip


def check_integer(name: str, value: object, *, least: int = 1, cap: Cap | None = None) -> int:
    """Return an option that is an integer, numpy's included, as a plain one.

    Raises
    ------
    OptionError
        If it is something else, too small, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        shown = human(value, 20) if type(value) is int else repr(value)[:60]
        raise OptionError(f"{name} {shown}: give an integer of at least {least}")
    if cap is not None:
        cap.check(int(value), name, OptionError)
    return int(value)


def check_number(name: str, value: object, allowed: str, *, above: float, below: float) -> float:
    """Return an option that is a real number in an open interval, as a plain one.

    Raises
    ------
    OptionError
        If it is something else, nan included.
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not (real and above < cast("float", value) < below):
        raise OptionError(f"{name} {value!r}"[:80] + f": give {allowed}")
    return cast("float", value) if isinstance(value, int | float) else float(cast("float", value))


def check_seconds(name: str, value: float) -> float:
    """Return a limit on the time.

    Raises
    ------
    OptionError
        If it is no positive and finite number, or too large.
    """
    allowed = "a number of seconds above 0, or leave it out"
    seconds = check_number(name, value, allowed, above=0.0, below=math.inf)
    SECONDS.check(math.floor(seconds), name, OptionError)
    return seconds


def check_seed(seed: object) -> int:
    """Return a seed: an integer of 64 bits, not negative.

    Raises
    ------
    OptionError
        If it is something else.
    """
    return check_integer("seed", seed, least=0, cap=SEED)
