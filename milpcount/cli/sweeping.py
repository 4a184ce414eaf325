"""A sweep from the command line: the experiment, its jobs on an executor, lines of progress."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from milpcount import caps, integers, optional
from milpcount.cli.counting import processes, terminable
from milpcount.cli.method_options import method_named
from milpcount.cli.outputs import check_target, deliver
from milpcount.cli.progress import EVERY, GAP, Bar, duration, live, on_terminal
from milpcount.counters.method import Method
from milpcount.errors import OptionError, SolverError
from milpcount.methods import METHODS
from milpcount.network import shipped
from milpcount.printable import one_line
from milpcount.quantities import Quantity
from milpcount.store import Record, Store, write_whole
from milpcount.sweep.experiment import Experiment, MethodSpec, read_experiment
from milpcount.sweep.jobs import Job, jobs_of
from milpcount.sweep.runner import Runner, SweepProgress, SweepResult, Watcher
from milpcount.workers import Here

_TIMEOUT = 30.0
"""Seconds for a scheduler to answer."""


@dataclass(frozen=True)
class Request:
    """A sweep as it was asked for.

    Attributes
    ----------
    experiment : Path
    store : Path or None
        See `store_path` for the default.
    workers : int
    scheduler : str or None
        Address of a Dask scheduler; its workers are then used.
    only : sequence of str
        Methods; all by default.
    seconds : float or None
        Stop after so long.
    report : Path or None
        Where to write a page of tables and figures.
    output : str or None
        Name of the networks' output, where they have several.
    """

    experiment: Path
    store: Path | None = None
    workers: int = 1
    scheduler: str | None = None
    only: Sequence[str] = ()
    seconds: float | None = None
    report: Path | None = None
    output: str | None = None


def store_path(experiment: Path) -> Path:
    """Return where the results of an experiment are kept if nothing else is said.

    Those of an experiment that comes with the package go below the current folder.
    """
    folder = Path() if experiment.parent == shipped.FOLDER else experiment.parent
    return folder / "results" / f"{experiment.stem}.jsonl"


def run(request: Request, *, quiet: bool = False) -> SweepResult:
    """Run a sweep; what its store holds is not done again.

    Raises
    ------
    InputError
        If the experiment or an option is wrong.
    """
    if request.seconds is not None:
        caps.check_seconds("--time", request.seconds)
    if request.report is not None:
        _check_report(request.report)
    experiment = read_experiment(request.experiment, request.output)
    with _showing(quiet=quiet) as show:
        return _run(request, experiment, show)


def _run(request: Request, experiment: Experiment, show: "_Shown") -> SweepResult:
    store = Store(request.store or store_path(request.experiment), show.say)
    jobs, missing = jobs_of(experiment, make, request.only)
    for line in missing:
        show.say(line)
    show.say(f"{experiment.title}: {len(jobs)} jobs, results in {store.path}")
    watcher = Watcher(show.say, show.finished, show.standing)
    with terminable(), _executor(request) as executor:
        return Runner(jobs, store, executor, watcher, request.seconds).run()


def complain(outcome: SweepResult) -> None:
    """Raise an error if jobs failed.

    Raises
    ------
    SolverError
        It names the first; the others are done and stored.
    """
    if outcome.failed:
        raise SolverError(f"{len(outcome.failed)} jobs failed, the first: {outcome.failed[0]}")


def _check_report(path: Path) -> None:
    """Refuse a report that could not be written before hours are spent on its content."""
    if path.suffix != ".html":
        raise OptionError(f"--report {path}: the report is a page, give a name that ends in .html")
    check_target(path, "--report")
    optional.require("matplotlib", "--report", extra="plot")


def write_report(request: Request) -> None:
    """Write the page of a sweep that has ended, if that was asked for.

    Raises
    ------
    OutputError
        If it cannot be written after all.
    """
    path = request.report
    if path is None:
        return
    from milpcount.plots.report import page

    title = read_experiment(request.experiment).title
    command = f"milpcount sweep {request.experiment} --report {path.name}"
    text = page(title, Store(request.store or store_path(request.experiment)), [command])
    deliver("--report", path, lambda: write_whole(path, text))


def make(spec: MethodSpec) -> Method:
    """Return the method that an experiment names.

    Raises
    ------
    OptionError
        If there is no such method, or it has no such option.
    ImportError
        If this version of milpcount does not have it.
    """
    if spec.name not in METHODS:
        raise OptionError(f"method {spec.name!r}: there are {', '.join(['bounds', *METHODS])}")
    return method_named(spec.name, **spec.options)


@contextmanager
def _executor(request: Request) -> Iterator[Executor]:
    if request.scheduler is None:
        with processes(request.workers) as pool:
            yield Here() if pool is None else pool
        return
    if request.workers != 1:
        raise OptionError("--workers and --scheduler exclude each other: a cluster has its own")
    distributed = optional.require("distributed", "--scheduler", extra="dask")
    try:
        client = distributed.Client(request.scheduler, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        raise OptionError(
            f"--scheduler {request.scheduler}: no Dask scheduler answers there ({error}); give "
            "its address, e.g. tcp://host:8786"
        ) from error
    with client:
        yield client.get_executor(pure=False)


class _Shown:
    """What a sweep shows: a line for each job, and how far it has come; here, nothing."""

    def say(self, text: str) -> None:
        """Show a line."""

    def standing(self, at: SweepProgress) -> None:
        """Show how far it has come."""

    def finished(self, job: Job, line: Record) -> None:
        """Show the answer to a job."""
        self.say(f"{job.title}: {answer(line)}, {line['seconds']:.2f} s")


class _Lines(_Shown):
    """Lines on stderr, how far it has come every ten seconds."""

    def __init__(self) -> None:
        self._open, self._due = True, 0.0

    def say(self, text: str) -> None:
        if not self._open:
            return
        try:
            print(f"milpcount: {one_line(text)}", file=sys.stderr, flush=True)
        except OSError:
            self._open = False  # nobody reads the progress any more: the sweep goes on

    def standing(self, at: SweepProgress) -> None:
        if at.seconds < self._due:
            return
        self._due = (at.seconds // EVERY + 1) * EVERY
        self.say(GAP.join([duration(at.seconds), *parts(at)]))


class _Live(_Shown):
    """A live bar on a terminal, and the lines above it."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def say(self, text: str) -> None:
        self._bar.say(text)

    def standing(self, at: SweepProgress) -> None:
        share = at.done / at.total if at.total else None
        self._bar.show(share, parts(at), at.seconds)


@contextmanager
def _showing(*, quiet: bool) -> Iterator[_Shown]:
    if quiet:
        yield _Shown()
    elif on_terminal():
        with live(sys.stderr) as display:
            yield _Live(Bar(display))
    else:
        yield _Lines()


def parts(at: SweepProgress) -> list[str]:
    """Return how far a sweep has come in parts, the most important first."""
    said = [f"{at.done} of {at.total} jobs"]
    working = zip(at.running, at.found, strict=True)
    lower = [f"{title} ≥ {found:,}" for title, found in working if found]
    said += lower[:1] or [f"now {title}" for title in at.running[:1]]
    if at.regions_per_second:
        # Of activation regions, whatever else is counted: they alone are found in parts.
        said.append(f"{at.regions_per_second:,.0f} regions/s")
    if at.seconds_left is not None and at.seconds >= EVERY:  # sooner it is a wild guess
        said.append(f"about {duration(at.seconds_left)} left")
    said += lower[1:]
    return said


def answer(line: Record) -> str:
    """Return what a line of the store says, in short."""
    if "bounds" in line:
        found = {
            key: integers.from_text(value)
            for key, value in (line["bounds"] | line.get("other_bounds", {})).items()
        }
        return ", ".join(f"{key} {integers.human(value)}" for key, value in found.items())
    lower = integers.human(integers.from_text(line["lower"]))
    what = Quantity(line["quantity"]).title
    if line["exact"] and line.get("confidence") is None:
        return f"{lower} {what}"
    sure = "" if line.get("confidence") is None else f" with confidence {line['confidence']:g}"
    guess = line.get("estimate")
    about = "" if guess is None else f", about {integers.human(integers.from_text(guess))}"
    return f"at least {lower} {what}{sure}{about}"
