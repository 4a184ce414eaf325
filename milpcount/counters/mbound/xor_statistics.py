"""What XORs prove about a number of regions, in exact integers and fractions.

One XOR with a uniform right-hand side is satisfied by a given pattern with probability exactly 1/2.
Of a set F, s independent XORs leave ``|F| 2^-s`` patterns on average, so they leave at least m with
probability at most ``|F| 2^-s / m`` (Markov). Nothing else is used below; in particular the length
of the XORs does not matter, and patterns need not be independent of each other.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, floor, log
from statistics import fmean

from milpcount.errors import OptionError

_EULER = 0.5772156649015329
_SURPLUS = _EULER / log(2) + 0.5
"""XORs that a run needs on average beyond log2 N, for N patterns that are cut independently:
the sum over s >= 0 of 1 - exp(-N 2^-s) is log2 N + this, but for 2e-6 and O(1/N), as its Mellin
transform shows."""
_DENOMINATOR = 2**40


def error_rate(confidence: float) -> Fraction:
    """Return 1 - confidence, exactly as the confidence is written.

    Raises
    ------
    OptionError
        If the confidence is not between 0 and 1.
    """
    number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if not (number and 0 < confidence < 1):
        raise OptionError(
            f"confidence={confidence!r}: give a number between 0 and 1, such as 0.95; certainty "
            "is what the methods tree and exact are for"
        )
    return 1 - Fraction(repr(float(confidence)))


def tail(runs: int, feasible: int) -> Fraction:
    """Return the probability that at least `feasible` of `runs` fair coins show heads."""
    return Fraction(sum(comb(runs, k) for k in range(max(feasible, 0), runs + 1)), 2**runs)


def least_runs(error: Fraction) -> int:
    """Return the least number of runs that can show anything: all of them feasible."""
    runs = 1
    while Fraction(1, 2**runs) > error:
        runs += 1
    return runs


@lru_cache
def least_feasible(runs: int, error: Fraction) -> int:
    """Return how many of the runs must be feasible with s XORs to prove at least 2^(s-1) patterns.

    Raises
    ------
    OptionError
        If not even all of them would do.
    """
    heads, feasible = 0, runs + 1
    while (heads + comb(runs, feasible - 1)) * error.denominator <= error.numerator << runs:
        heads, feasible = heads + comb(runs, feasible - 1), feasible - 1
    if feasible <= runs:
        return feasible
    raise OptionError(
        f"runs={runs}: if all of them are feasible that proves a bound with confidence "
        f"{float(1 - Fraction(1, 2**runs)):.6g} and no more; give runs={least_runs(error)} or "
        "more, or a lower confidence"
    )


def exponent(xors: Sequence[int], runs: int, error: Fraction) -> int:
    """Return the largest j for which the runs prove at least 2^j patterns.

    With ``f_s`` runs feasible with s XORs, j is the largest with ``P[Bin(runs, 1/2) >= f_(j+1)] <=
    error``. *Proof that the error is at most `error`.* Let j* be the least exponent with ``|F| <
    2^j*``. With j* + 1 XORs a run is feasible with probability at most ``|F| 2^-(j*+1) < 1/2``, so
    ``f_(j*+1)`` is stochastically below Bin(runs, 1/2), and the event that its tail is at most
    `error` has probability at most `error`. As f falls with s, a wrong answer ``j >= j*`` implies
    that event: no correction for looking at many j is needed. The number of runs is fixed
    beforehand. (The probability is at most 1/2 at ``|F| = 2^j*`` too, so what is proved is even
    ``|F| > 2^j``; the bound is reported as it is published.)

    Parameters
    ----------
    xors : sequence of int
        Of every run the number of XORs after which it was infeasible; of a run that was cut short
        the number it had drawn, all but the last of which it has proved feasible. Runs that never
        began may be left out: they count as infeasible throughout.
    runs : int
        Fixed before the first run.
    error : Fraction

    Returns
    -------
    int
        0 if nothing is proved: there is always one region.
    """
    needed = least_feasible(runs, error)
    longest = sorted(xors, reverse=True)
    # f_s counts the runs with more than s XORs: f_(j+1) >= needed iff the needed-th has j + 2.
    return max(0, longest[needed - 1] - 2) if needed <= len(longest) else 0


@lru_cache
def share(runs: int, error: Fraction) -> Fraction:
    """Return the largest fraction q (to 40 bits, downwards) with ``q^runs <= error``."""
    low, high = 0, _DENOMINATOR
    while high - low > 1:
        middle = (low + high) // 2
        if middle**runs * error.denominator <= error.numerator * _DENOMINATOR**runs:
            low = middle
        else:
            high = middle
    return Fraction(low, _DENOMINATOR)


def hybrid_bound(residues: Sequence[int], runs: int, xors: int, error: Fraction) -> int:
    """Return the bound that counts of what s XORs leave prove (Hybrid-MBound).

    It is ``2^s q min M`` rounded up, with ``q^runs <= error`` (in Gomes et al. 2006, ``q =
    2^-alpha``). *Proof.* It exceeds ``|F|`` only if ``M_i > m = |F| / (2^s q)`` in every run.
    ``E[M_i] = |F| 2^-s = q m``, so one run does that with probability at most q (Markov), and all
    of them with at most ``q^runs <= error``. Any lower bound on M_i may stand for it: what was
    counted up to a threshold or a time limit, or 0 for a run that never began.

    Parameters
    ----------
    residues : sequence of int
        Patterns counted in every run; runs that never began may be left out.
    runs : int
        Fixed before the first run.
    xors : int
        s, fixed independently of these runs.
    error : Fraction

    Returns
    -------
    int
        1 if nothing is proved.
    """
    least = min(residues) if len(residues) == runs else 0
    bound = (1 << xors) * share(runs, error) * least
    return max(1, -(-bound.numerator // bound.denominator))


def estimate(xors: Sequence[int]) -> int | None:
    """Return an estimate of the number of patterns, no bound, from the XORs that runs needed.

    Parameters
    ----------
    xors : sequence of int
        Of runs that were not cut short.

    Returns
    -------
    int or None
        ``2^(mean - 1.3327)``: right on average of its logarithm if XORs cut patterns independently
        of each other; XORs of few units cut neighbours together, and it is then too low. None
        without runs.
    """
    if not xors:
        return None
    power = max(0.0, fmean(xors) - _SURPLUS)
    whole = floor(power)
    return max(1, int(2.0 ** (power - whole) * 2**30) << whole >> 30)
