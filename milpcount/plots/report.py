"""A report of a sweep in one file: tables, figures, versions, how to do it again."""

from collections import Counter
from collections.abc import Sequence

from milpcount.errors import InputError
from milpcount.plots import accuracy, bounds, runtime, style
from milpcount.plots.data import NetworkRow, rows_of
from milpcount.plots.table import header, summary
from milpcount.printable import as_html
from milpcount.result import versions
from milpcount.store import Store
from milpcount.sweep.check import StoreCheck, check

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
h1, h2 { line-height: 1.2; overflow-wrap: break-word; }
table { border-collapse: collapse; }
th, td { padding: 0.15em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }
td { white-space: nowrap; } th { vertical-align: bottom; }
td:first-child, th:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
td:first-child { white-space: normal; min-width: 4em; max-width: 55vw; }
.wide { overflow-x: auto; margin: 1em 0; }
svg { max-width: 100%; min-width: 34em; height: auto; }
code { background: #f3f3f3; padding: 0 0.2em; overflow-wrap: anywhere; }
@media (max-width: 40em) { body { margin: 1em auto; } th, td { padding: 0.15em 0.4em; } }
"""

_PHONE = "<meta name='viewport' content='width=device-width, initial-scale=1'>"

_FIGURES = (
    ("Counts and bounds over the first layer's width", bounds.draw,
     "Means over the networks of each width, for counts also the range. Bounds that hold with a "
     "confidence hold for each network by itself."),
    ("Time of lower bounds and of exact counts", runtime.draw,
     "A point for each network and method; processor seconds of one core, compilation left out."),
    ("Errors and regions", accuracy.draw,
     "A point for each network; ρ is Spearman's rank correlation. APP-5 is the mean of the "
     "empirical upper bound and the lower bound by XORs of five units."),
)  # fmt: skip


def page(title: str, store: Store, commands: Sequence[str]) -> str:
    """Return the report as HTML that needs no other file.

    Parameters
    ----------
    title : str
    store : Store
    commands : sequence of str
        What makes the results and this page.

    Raises
    ------
    InputError
        If the store holds no results.
    NotInstalledError
        Without matplotlib.
    """
    rows = rows_of(store)
    parts = [
        f"<h1>{as_html(title)}</h1>",
        f"<p>{_extent(rows)}</p>",
        *(_figure(heading, draw, text, rows) for heading, draw, text in _FIGURES),
        "<h2>Table</h2>", _table(header(rows), summary(rows)),
        "<h2>Methods</h2>", _methods(store),
        "<h2>Consistency</h2>", f"<p>{_verdict(check(store))}</p>",
        "<h2>How to do it again</h2>",
        *(f"<p><code>{as_html(command)}</code></p>" for command in commands),
        f"<p>Computed on {as_html(_seen(store, 'machine'))}, by milpcount "
        f"{as_html(_seen(store, 'milpcount'))}, between {as_html(_span(store))}. This page: "
        f"{as_html(', '.join(f'{k} {v}' for k, v in versions('matplotlib').items()))}.</p>",
    ]  # fmt: skip
    head = f"<meta charset='utf-8'>{_PHONE}<title>{as_html(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>"


def _extent(rows: Sequence[NetworkRow]) -> str:
    counted = [row.exact for row in rows if row.exact is not None]
    return (
        f"{len(rows)} networks, {len(counted)} counted exactly: {sum(counted):,} activation "
        "regions, every one with a certificate."
    )


def _figure(heading: str, draw: object, text: str, rows: Sequence[NetworkRow]) -> str:
    try:
        drawn = _wide(style.svg(draw(rows)))  # type: ignore[operator]
    except InputError as error:
        drawn = f"<p>Not drawn: {as_html(str(error))}</p>"
    return f"<h2>{as_html(heading)}</h2><p>{as_html(text)}</p>{drawn}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = "".join(
        "<tr>" + "".join(f"<td>{as_html(c)}</td>" for c in row) + "</tr>" for row in rows
    )
    titles = "".join(f"<th>{as_html(c)}</th>" for c in header)
    return _wide(f"<table><tr>{titles}</tr>{lines}</table>")


def _wide(content: str) -> str:
    """Return what may be wider than a phone so that it is moved by itself, not with the page."""
    return f"<div class='wide' tabindex='0'>{content}</div>"


def _methods(store: Store) -> str:
    jobs: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for record in store.records.values():
        options = (f"{k}={v}" for k, v in record["options"].items() if not isinstance(v, list))
        name = " ".join([record["method"], *options])
        jobs[name] += 1
        seconds[name] += record["cpu_seconds"]
    rows = [[name, f"{jobs[name]}", f"{seconds[name]:,.0f}"] for name in sorted(jobs)]
    return _table(("method", "jobs", "processor seconds"), rows)


def _verdict(verdict: StoreCheck) -> str:
    impossible = "".join(f"<br>impossible: {as_html(line)}" for line in verdict.impossible)
    return (
        f"{len(verdict.comparisons):,} comparisons of lower bounds, counts and upper bounds, "
        f"{len(verdict.failed)} violations.{impossible}"
    )


def _seen(store: Store, field: str) -> str:
    return ", ".join(sorted({str(record[field]) for record in store.records.values()}))


def _span(store: Store) -> str:
    times = sorted(record["finished"] for record in store.records.values())
    return f"{times[0]} and {times[-1]}"
