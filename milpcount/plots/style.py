"""How figures look: colours that colour-blind readers tell apart, markers and dashes for grey."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from milpcount import optional
from milpcount.errors import OptionError
from milpcount.network.paths import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#777777"
"""Okabe and Ito's palette, and a grey."""
SERIES = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, GREY)
"""Colours of what is numbered, from 0."""

FORMATS = (".pdf", ".svg", ".png")


def figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (7.0, 4.5)) -> Any:
    """Return a figure and its axes; no window is ever opened.

    Raises
    ------
    NotInstalledError
        Without matplotlib.
    """
    matplotlib = optional.require("matplotlib", "a figure", extra="plot")
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "milpcount",  # the same figure gives the same file
            "svg.fonttype": "path",
            "pdf.fonttype": 42,
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
        }
    )
    drawn = optional.load("matplotlib.figure").Figure(figsize=size, layout="constrained")
    return drawn, drawn.subplots(rows, columns)


def check_target(path: Path) -> None:
    """Refuse a file name that no figure can be written to.

    Raises
    ------
    OptionError
        If the suffix is none of `FORMATS`, or there is no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise OptionError(f"-o {path}: give a name that ends in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise OptionError(f"-o {path}: there is no folder {path.parent}")


def save(drawn: "Figure", path: Path) -> None:
    """Write a figure in the format of its suffix; without a date, so that it is reproducible."""
    check_target(path)
    dates = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}
    form = path.suffix.lower()
    write_atomically(
        path, lambda stream: drawn.savefig(stream, format=form[1:], metadata=dates[form], dpi=150)
    )


def svg(drawn: "Figure") -> str:
    """Return a figure as an SVG element for a page."""
    import io

    stream = io.StringIO()
    drawn.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
