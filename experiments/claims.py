"""What the posters claim, measured: ``python -m experiments.claims [STORE]``.

Serra, Tjandraatmadja and Ramalingam (ICML 2018): (1) tighter bounds, (2) exact for one input, (3)
errors go with counts unless a layer is too narrow. Serra and Ramalingam (AAAI 2020): (4) lower
bounds of similar order of magnitude, (5) orders of magnitude faster on larger networks, (6) longer
XORs help, (7) the empirical bound is better where layers are narrow.
"""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

from experiments.figures import STORE
from milpcount import Unbounded, count
from milpcount.bounds.rectifier import serra_2018
from milpcount.cli.group import COMPLETE, USAGE, complain
from milpcount.errors import InputError
from milpcount.examples.zigzag import serra_2018_line
from milpcount.plots.accuracy import NARROW
from milpcount.plots.data import SMALL, NetworkRow, by_width, rank_correlation, rows_of
from milpcount.store import Store

Rows = Sequence[NetworkRow]


def tighter(rows: Rows) -> str:
    """Compare the bounds of the architectures, and count what they bound wrongly: nothing."""
    ratios = {n1: group[0].upper["montufar2017"] / group[0].upper["serra2018"]
              for n1, group in by_width(rows).items() if "serra2018" in group[0].upper}  # fmt: skip
    best = max(ratios, key=lambda n1: ratios[n1])
    counted = [row for row in rows if row.exact is not None and "serra2018" in row.upper]
    below = sum(row.exact <= row.upper["serra2018"] for row in counted if row.exact is not None)
    smaller = sum(ratio > 1 for ratio in ratios.values())
    return (
        f"Serra 2018 is below Montúfar 2017 for {smaller} of {len(ratios)} architectures, most for "
        f"n1 = {best}, by a factor of {ratios[best]:.1f}; {below} of {len(counted)} exact counts "
        "lie below both"
    )


def one_input(_: Rows) -> str:
    """Count the construction that attains the bound on one input."""
    found = []
    for depth in (1, 2, 3):
        network = serra_2018_line((3,) * depth).network
        regions = count(network, Unbounded()).lower
        found.append(f"1{'-3' * depth}: {regions} counted, {serra_2018(1, (3,) * depth)} the bound")
    return "; ".join(found)


def correlation(rows: Rows) -> str:
    """Rank correlation of errors and counts, apart for narrow layers."""
    values: tuple[tuple[str, Callable[[NetworkRow], int | None]], ...] = (
        ("exact counts", lambda row: row.exact),
        ("probing estimates", lambda row: row.estimate),
    )
    groups: tuple[tuple[str, Callable[[NetworkRow], bool]], ...] = (
        ("all", lambda row: True),
        (f"both layers above {NARROW}", lambda row: row.narrowest > NARROW),
        (f"second layer of at most {NARROW}", lambda row: row.n2 <= NARROW),
    )
    parts = []
    for name, value in values:
        for title, belongs in groups:
            chosen = [(x, r) for r in rows if belongs(r) and (x := value(r)) is not None]
            errors = ([r.train_error for _, r in chosen], [r.test_error for _, r in chosen])
            train, test = (rank_correlation([x for x, _ in chosen], e) for e in errors)
            parts.append(f"{name}, {title} ({len(chosen)}): train {train:.2f}, test {test:.2f}")
    return "; ".join(parts)


def order_of_magnitude(rows: Rows) -> str:
    """How far below the count the lower bounds are."""
    names = sorted({name for row in rows for name in row.lower})
    parts = []
    for name in names:
        gaps = [math.log10(row.exact / row.lower[name]) for row in rows
                if row.exact is not None and name in row.lower]  # fmt: skip
        if gaps:
            parts.append(f"{name}: {mean(gaps):.2f} decades on average, {max(gaps):.2f} at most")
    return "; ".join(parts)


def faster(rows: Rows) -> str:
    """Compare times with those of the exact count by the region tree, by size."""
    parts = []
    for title, low, high in (
        (f"below {SMALL:,} regions", 0, SMALL),
        ("up to 10^6", SMALL, 10**6),
        ("above 10^6", 10**6, 2**62),
    ):
        chosen = [r for r in rows if r.exact is not None and low <= r.exact < high]
        for name in ("probe", "mbound 5"):
            ratios = [r.exact_seconds / r.seconds[name] for r in chosen
                      if r.exact_seconds and name in r.seconds]  # fmt: skip
            if ratios:
                parts.append(f"{title}, {name}: {median(ratios):.2g} times as fast ({len(ratios)})")
    return "; ".join(parts)


def longer_xors(rows: Rows) -> str:
    """Compare bounds by the length of the XORs, on the networks that have all."""
    names = [f"mbound {size}" for size in (2, 3, 4, 5)]
    chosen = [row for row in rows if all(name in row.lower for name in names)]
    if not chosen:
        return "not run"
    means = [mean(math.log2(row.lower[name]) for row in chosen) for name in names]
    text = ", ".join(f"XOR-{name[-1]} 2^{m:.2f}" for name, m in zip(names, means, strict=True))
    return f"geometric mean over {len(chosen)} networks: {text}"


def narrow_layers(rows: Rows) -> str:
    """How far the empirical bound is below that of the architecture, by width."""
    parts = []
    for n1, group in by_width(rows).items():
        shares = [row.upper["serra2020"] / row.upper["serra2018"] for row in group
                  if "serra2020" in row.upper]  # fmt: skip
        if shares:
            parts.append(f"{n1}: {100 * mean(shares):.1f} %")
    return "empirical bound, share of Serra 2018 by n1: " + ", ".join(parts)


CLAIMS = (
    ("bounds are tighter", tighter),
    ("exact for one input", one_input),
    ("errors go with counts where no layer is too narrow", correlation),
    ("lower bounds are of similar order of magnitude", order_of_magnitude),
    ("orders of magnitude faster on larger networks", faster),
    ("longer XORs help", longer_xors),
    ("the empirical bound is better where layers are narrow", narrow_layers),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        rows = rows_of(Store(Path(given[0]) if given else STORE))
    except InputError as error:
        complain(str(error))
        return USAGE
    for number, (claim, measure) in enumerate(CLAIMS, 1):
        print(f"{number}. {claim}\n   {measure(rows)}")
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
