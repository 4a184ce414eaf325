"""All bounds of one case, sorted: what holds, what the best network reaches, what is expected."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from milpcount import integers
from milpcount.bounds.theorem import Bound, Direction, Scope, Standing, Value
from milpcount.printable import as_html, printable, rich_table
from milpcount.quantities import Quantity


@dataclass(frozen=True)
class BoundTable:
    """Every theorem that applies to a network or an architecture.

    Attributes
    ----------
    subject : str
        The network or the architecture, in one line.
    domain : str
        One line, empty where none was given.
    quantity : Quantity
        What is bounded.
    bounds : tuple of Bound
        Of all kinds, in the order of the registry.
    """

    subject: str
    domain: str
    quantity: Quantity
    bounds: tuple[Bound, ...]

    @property
    def upper_bounds(self) -> list[Bound]:
        """Upper bounds on the quantity, tightest first."""
        return sorted((b for b in self.bounds if b.is_upper(self.quantity)), key=_by_value)

    @property
    def best_network_bounds(self) -> list[Bound]:
        """Lower bounds on the best network of the architecture, tightest (largest) first.

        They are no lower bounds for any given network.
        """
        found = [b for b in self.bounds if b.is_best_lower(self.quantity)]
        return sorted(found, key=_by_value, reverse=True)

    @property
    def expected_values(self) -> list[Bound]:
        """Expectations over random networks, smallest first."""
        return sorted((b for b in self.bounds if b.is_expected(self.quantity)), key=_by_value)

    @property
    def other_bounds(self) -> list[Bound]:
        """Theorems on other quantities, and orders of growth."""
        shown = [*self.upper_bounds, *self.best_network_bounds, *self.expected_values]
        return [b for b in self.bounds if b not in shown]

    @property
    def upper(self) -> int:
        """The tightest upper bound.

        Raises
        ------
        LookupError
            If the table was restricted to a family that has none.
        """
        return int(self._tightest().value)

    @property
    def upper_source(self) -> str:
        """The theorem that gives `upper`."""
        return self._tightest().theorem.title

    def _tightest(self) -> Bound:
        if not self.upper_bounds:
            raise LookupError(f"no theorem of this table bounds {self.quantity.title} from above")
        return self.upper_bounds[0]

    def __getitem__(self, key: str) -> Bound:
        for bound in self.bounds:
            if bound.theorem.key == key:
                return bound
        raise KeyError(f"{key!r}: there are {', '.join(b.theorem.key for b in self.bounds)}")

    def blocks(self) -> list[tuple[str, list[Bound]]]:
        """Return the blocks of the table that are not empty, with their titles."""
        what = self.quantity.title
        found = [
            (f"upper bounds on {what}, tightest first", self.upper_bounds),
            (f"{what} of the best network (no given one), at least", self.best_network_bounds),
            (f"expected {what} of random networks", self.expected_values),
            ("other quantities", self.other_bounds),
        ]
        return [(title, bounds) for title, bounds in found if bounds]

    def to_record(self) -> dict[str, Any]:
        """Return a record for JSON; numbers are strings, so that no reader rounds them."""
        return {
            "subject": self.subject,
            "domain": self.domain,
            "quantity": self.quantity.value,
            "upper": integers.to_text(self.upper) if self.upper_bounds else None,
            "upper_source": self.upper_source if self.upper_bounds else None,
            "bounds": [_record(bound, self.quantity) for bound in self.bounds],
        }

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(self.to_record(), allow_nan=False)

    def __str__(self) -> str:
        head = [self.subject, *([f"domain: {self.domain}"] if self.domain else [])]
        rows = {title: [row_of(b) for b in bounds] for title, bounds in self.blocks()}
        everything = [row for block in rows.values() for row in block]
        widths = [max((len(row[i]) for row in everything), default=0) for i in range(3)]
        parts = ["\n".join(map(printable, head))]
        for title, block in rows.items():
            lines = [_line(row, widths) for row in block]
            parts.append("\n".join([title, *lines]))
        parts.append("`milpcount cite KEY` prints the reference of a [KEY]")
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        blocks = "".join(
            f"<tr><th colspan='4' style='text-align:left'>{as_html(title)}</th></tr>"
            + "".join(_html(row_of(bound)) for bound in bounds)
            for title, bounds in self.blocks()
        )
        domain = f"<br>domain: {as_html(self.domain)}" if self.domain else ""
        return f"<p>{as_html(self.subject)}{domain}</p><table>{blocks}</table>"

    def __rich__(self) -> Any:
        rows: list[list[str]] = []
        for title, bounds in self.blocks():
            rows += [["", title, "", ""], *(row_of(bound) for bound in bounds)]
        return rich_table(rows, f"{self.subject}, {self.domain}" if self.domain else self.subject)


def _by_value(bound: Bound) -> Value:
    return bound.value


def text_of(value: Value) -> str:
    """Return a value for people: exact where short, ``~1.7·10^4312`` beyond."""
    if isinstance(value, int):
        return integers.human(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if value.denominator == 1:
        return integers.human(value.numerator)
    if value >= 10**6:
        return f"{integers.human(value.numerator // value.denominator)}.."
    return f"{float(value):.6g}"


def _exact(value: Value) -> str:
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{integers.to_text(value.numerator)}/{integers.to_text(value.denominator)}"
    return repr(value) if isinstance(value, float) else integers.to_text(int(value))


def row_of(bound: Bound) -> list[str]:
    """Return a bound for people: value, theorem, whom and what it speaks of, key."""
    row = bound.theorem
    remark = _SUBJECTS[row.subject]
    if row.direction is Direction.EXACT:
        one = row.subject is Scope.THIS
        remark = "exact, of this network" if one else "exact maximum of the architecture"
    if row.standing is Standing.CONJECTURED:
        remark = f"{remark}, conjectured"
    if row.direction is Direction.ORDER:
        remark = "order of growth, no bound"
    if not isinstance(row.quantity, Quantity) or row.quantity is Quantity.LIVE_REGIONS:
        remark = f"{row.quantity.title}, {remark}"
    return [text_of(bound.value), row.title, remark, f"[{row.key}]"]


_SUBJECTS = {
    Scope.EVERY: "every network",
    Scope.BEST: "the best network",
    Scope.THIS: "this network",
    Scope.RANDOM: "random networks",
}


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    value, title, kind, key = row
    return f"  {value:>{widths[0]}}  {title:<{widths[1]}}  {kind:<{widths[2]}}  {key}"


def _html(row: Sequence[str]) -> str:
    value, *rest = (as_html(cell) for cell in row)
    cells = "".join(f"<td style='text-align:left'>{cell}</td>" for cell in rest)
    return f"<tr><td style='text-align:right'>{value}</td>{cells}</tr>"


def _record(bound: Bound, quantity: Quantity) -> dict[str, Any]:
    row = bound.theorem
    return {
        "key": row.key,
        "theorem": row.title,
        "family": row.family,
        "value": _exact(bound.value),
        "direction": row.direction.name.lower(),
        "subject": row.subject.name.lower(),
        "quantity": row.quantity.value,
        "bounds_from_above": bound.is_upper(quantity),
        "bounds_best_network_from_below": bound.is_best_lower(quantity),
        "applies": row.applies,
        "citation": row.citation,
        "note": row.note,
        "standing": row.standing.name.lower(),
        "counterexample": row.counterexample,
    }
