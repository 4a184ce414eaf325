"""What the figure of an experiment shows, as its file says."""

from dataclasses import dataclass

from milpcount.sweep.toml_table import Table

FEATURES = {
    "inputs": "inputs",
    "layers": "hidden layers",
    "units": "units",
    "parameters": "weights and biases",
    "breakpoints": "breakpoints of a unit",
    "first": "units in the first layer",
    "density": "probability with which a weight is kept",
    "pruned": "share of the weights that is pruned",
    "kind": "kind",
}
"""What a figure may have on its axis, or tell apart, and how the axis is labelled."""


@dataclass(frozen=True)
class FigureSpec:
    """What the figure of an experiment shows; means over the networks that agree in x and split.

    Attributes
    ----------
    x : str
        One of `FEATURES`.
    lines : tuple of str
        Quantities, whose counts are drawn with their ranges, and keys of theorems.
    split : str or None
        One of `FEATURES`: a colour for each of its values.
    per_parameter : bool
        Whether numbers are divided by that of the weights and biases.
    log_x, log_y : bool
    """

    x: str
    lines: tuple[str, ...]
    split: str | None = None
    per_parameter: bool = False
    log_x: bool = False
    log_y: bool = True


def read_figure(table: Table) -> FigureSpec | None:
    """Return what a table says, None where it says nothing.

    Raises
    ------
    FileFormatError
        If a key or a value is not known.
    """
    x, split = table.take("x", str, None), table.take("split", str, None)
    lines = table.take("lines", list, [])
    flags = {key: table.take(key, bool, key == "log_y")
             for key in ("per_parameter", "log_x", "log_y")}  # fmt: skip
    table.finish()
    if x is None and split is None and not lines:
        return None
    for key, value in (("x", x), ("split", split)):
        if value not in (*FEATURES, *([None] if key == "split" else [])):
            raise table.wrong(key, value, ", ".join(FEATURES))
    if not lines or not all(isinstance(line, str) for line in lines):
        raise table.wrong("lines", lines, "a list of quantities and keys of theorems")
    return FigureSpec(x, tuple(lines), split, **flags)
