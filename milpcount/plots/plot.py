"""One verb for all figures."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from milpcount import arguments
from milpcount.bounds.table import BoundTable
from milpcount.domain import Domain, Plane, Polyline, Segment
from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.network.paths import write_atomically
from milpcount.partitions.partition import Partition
from milpcount.plots import style
from milpcount.quantities import DECIDED
from milpcount.result import CountResult, patterns_of
from milpcount.store import Store


def plot(
    subject: Any,
    domain: Domain | None = None,
    kind: str | None = None,
    *,
    output: str | Path | None = None,
    interactive: bool = False,
    **options: Any,
) -> Any:
    """Draw a partition, a section, a network over a domain, counts, bounds, a sweep, a training.

    Parameters
    ----------
    subject : object
        What to draw, see the table.
    domain : Domain, optional
        With a network or a module.
    kind : str, optional
        Which figure; the first of the subject's by default.
    output : str or Path, optional
        A ``.pdf``, ``.svg`` or ``.png`` to write it to; of kind ``partition`` also a page,
        ``.html``.
    interactive : bool
        Draw by plotly instead, as a figure that says what is under the mouse: partitions
        (``partition``, ``function``), counts (``counts``) and bounds (``theorems``). Written as a
        page, ``.html``, that holds all that it needs.
    **options
        Those of the kind.

    Returns
    -------
    matplotlib.figure.Figure
        Of a page, its text; a ``plotly.graph_objects.Figure`` if it is interactive.

    Raises
    ------
    OptionError
        If the subject, the kind or an option is none of the table.
    InputError
        Where the figure cannot be drawn, e.g. of a domain that is no plane.
    NotInstalledError
        Without matplotlib, or plotly.

    Notes
    -----
    ================================== ============================================================
    subject                            kinds, with their options
    ================================== ============================================================
    `Partition`, or `Network` and      ``partition`` (`colour`: "region", "linear_region", "map",
    domain                             "layer"; `points`, `labels` to mark), of a line
                                       ``function`` (`component`: which output); ``boundary``
                                       (`threshold`); ``histogram`` of active units
    `Network` or PyTorch module, and   ``section`` (`method`, `points`, `labels`), of networks of
    `Segment`, `Plane`, `Polyline`     any size
    `CountResult`, or several, in a    ``counts``: intervals (`labels`); ``histogram`` of kept
    list or by their names             regions, of one
    `BoundTable`                       ``theorems`` (`result`: a count to compare with)
    a sweep's `Store`, or its file     ``bounds``, ``runtime``, ``accuracy``
    frame of `track` or a `Tracker`    ``training`` (`beside`: columns to draw below)
    ================================== ============================================================

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.load("example:folding.onnx")
    >>> figure = mc.plot(mc.partition(net, mc.Box(0, 1)), colour="map")
    >>> figure = mc.plot(net, mc.Box(0, 1), "boundary", output="boundary.pdf")
    """
    if arguments.flag(interactive, "interactive"):
        return _interactive(subject, domain, kind, output, options)
    kinds = _kinds(subject, domain)
    chosen = next(iter(kinds)) if kind is None else kind
    if chosen not in kinds:
        raise OptionError(f"kind={kind!r}: of this subject there are {', '.join(kinds)}")
    target = None if output is None else Path(output)
    if target is not None and target.suffix.lower() == ".html":
        return _page(subject, domain, chosen, target, options)
    if target is not None:
        style.check_target(target)
    figure = _called(kinds[chosen], chosen, options)
    if target is not None:
        style.save(figure, target)
    return figure


Drawing = Callable[..., Any]


def _interactive(
    subject: Any, domain: Domain | None, kind: str | None, output: Any, options: dict[str, Any]
) -> Any:
    from milpcount.plots import interactive

    figure = interactive.draw(subject, domain, kind, options)
    if output is not None:
        interactive.save(figure, Path(output))
    return figure


def _kinds(subject: Any, domain: Domain | None) -> dict[str, Drawing]:
    """Return the figures that there are of a subject, the one by default first."""
    is_network = isinstance(subject, Network) or arguments.is_module(subject)
    if isinstance(subject, Partition) or is_network:
        return _of_networks(subject, domain)
    if domain is not None:
        raise OptionError("a domain belongs to a network or a module: leave it out")
    if isinstance(subject, BoundTable):
        from milpcount.plots import theorems

        return {"theorems": partial(theorems.draw, subject)}
    if isinstance(subject, Store | str | Path):
        return _of_a_store(subject)
    if type(subject).__module__.partition(".")[0] == "pandas":
        from milpcount.plots import training

        return {"training": partial(training.draw, subject)}
    return _of_counts(subject)


def _of_networks(subject: Any, domain: Domain | None) -> dict[str, Drawing]:
    from milpcount.plots import boundary, counts, function, partition, section
    from milpcount.plots.subjects import inputs_of, partition_of

    if domain is not None:
        domain = arguments.domain(domain)
    if arguments.is_module(subject) or isinstance(domain, Polyline):
        if domain is None:
            raise OptionError("a module is drawn over a domain: give a Segment or a Plane")
        return {"section": partial(section.draw, subject, domain)}
    inputs = inputs_of(subject, domain)

    def histogram() -> Any:
        found = partition_of(subject, domain)
        title = f"{found.network.architecture}, {found.domain.title}: {len(found):,} regions"
        return counts.histogram(found.histogram, title)

    found: dict[str, Drawing] = {
        "partition": partial(partition.draw, subject, domain),
        "function": partial(function.draw, subject, domain),
        "boundary": partial(boundary.draw, subject, domain),
        "histogram": histogram,
    }
    if isinstance(domain, Segment | Plane):
        return {"section": partial(section.draw, subject, domain)} | found
    if inputs.dimension != 2:
        first = "function" if inputs.dimension == 1 else "histogram"
        return {first: found.pop(first)} | found
    return found


def _of_counts(subject: Any) -> dict[str, Drawing]:
    from milpcount.plots import counts

    if isinstance(subject, CountResult):
        found: dict[str, Drawing] = {"counts": partial(counts.draw, [subject])}
        # Of a boundary the parts of regions are kept, not the regions.
        return found if subject.quantity in DECIDED else found | {"histogram": lambda: _of(subject)}
    if isinstance(subject, Mapping):
        results, names = list(subject.values()), [str(name) for name in subject]
    else:
        results, names = list(subject) if isinstance(subject, Sequence) else [subject], []
    if not results or not all(isinstance(result, CountResult) for result in results):
        raise OptionError(
            f"there is no figure of a {type(subject).__name__}: give a partition, a network and a "
            "domain, counts, a table of bounds, a sweep's store or the frame of a training"
        )
    return {"counts": lambda labels=(): counts.draw(results, labels or names)}


def _of(result: CountResult) -> Any:
    """Return the histogram of a count."""
    from milpcount.plots import counts

    if not result.regions:
        raise OptionError("this count kept no regions: count with keep_regions=True")
    patterns = np.array(list(patterns_of(result.regions)))
    active = np.bincount((patterns != 0).sum(axis=1), minlength=patterns.shape[1] + 1)
    title = f"{result.network}, {result.domain}: {len(patterns):,} regions"
    return counts.histogram(active, title)


def _of_a_store(subject: Store | str | Path) -> dict[str, Drawing]:
    from milpcount.plots import accuracy, bounds, runtime
    from milpcount.plots.data import rows_of

    store = subject if isinstance(subject, Store) else Store(_existing(Path(subject)))
    rows = rows_of(store)
    return {
        "bounds": partial(bounds.draw, rows),
        "runtime": partial(runtime.draw, rows),
        "accuracy": partial(accuracy.draw, rows),
    }


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise OptionError(f"{path}: there is no such store of results")
    return path


def _page(
    subject: Any, domain: Domain | None, kind: str, target: Path, options: dict[str, Any]
) -> str:
    from milpcount.plots.partition_page import page

    if kind != "partition":
        raise OptionError(f"a {kind} is no page: give a name that ends in .pdf, .svg or .png")

    def drawn(colour: str = "region") -> str:
        return page(subject, domain, colour)

    text: str = _called(drawn, "page", options)

    def write(stream: BinaryIO) -> None:
        stream.write(text.encode())

    write_atomically(target, write)
    return text


def _called(drawing: Drawing, kind: str, options: dict[str, Any]) -> Any:
    """Draw with the options that were given, if they are the kind's."""
    try:
        signature(drawing).bind(**options)
    except TypeError as error:
        raise OptionError(f"a figure of kind {kind!r}: {error}; see help(milpcount.plot)") from None
    return drawing(**options)
