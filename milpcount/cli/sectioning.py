"""Counts on lines and planes from the command line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from milpcount.api import count
from milpcount.cli.counting import terminable
from milpcount.cli.outputs import check_target, deliver
from milpcount.cli.progress import listening
from milpcount.counters.section import SectionWalk
from milpcount.domain import Box, Domain, Plane, Polyline, Segment
from milpcount.errors import FileFormatError, Interrupted, OptionError
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.result import CountResult

_LARGEST_FILE = 1 << 30


def domain_of(
    start: Path, ends: Sequence[Path], window: tuple[float, float] | None, *, plane: bool
) -> Domain:
    """Return the segment, polyline or plane of points in files.

    Raises
    ------
    InputError
        If a file holds no point, or the options do not go together.
    """
    points = [_point(path) for path in (start, *ends)]
    if not plane:
        if window is not None:
            raise OptionError("--window belongs to --plane: leave it out")
        if len(points) == 2:
            return Segment(*points)
        return Polyline(points)
    if len(points) != 3:
        raise OptionError(
            f"--plane goes through three points, and there are {len(points)}: give --from A --to B "
            "--to C"
        )
    box = Box() if window is None else Box(*window)
    return Plane.through(points[0], points[1], points[2], box)


def _point(path: Path) -> np.ndarray:
    if path.suffix != ".npy":
        raise OptionError(f"{path}: points are read from .npy files, as numpy.save writes them")
    if path.stat().st_size > _LARGEST_FILE:
        raise FileFormatError(f"{path}: a point of more than a gigabyte")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (EOFError, ValueError) as error:
        raise FileFormatError(f"{path}: not a .npy file of numbers ({error})") from None


def run(
    network: Path,
    name: str | None,
    domain: Domain,
    method: SectionWalk,
    limits: Limits,
    output: Path | None,
    *,
    quiet: bool,
) -> CountResult:
    """Count, and draw the section where that was asked for.

    Raises
    ------
    InputError
        If the network, the domain or an option is wrong.
    """
    if output is not None:
        from milpcount.plots import style

        style.check_target(output)
        check_target(output, "-o")
    subject = Network.load(network, name)
    with terminable(), listening(quiet=quiet) as listener:
        try:
            result = count(subject, domain, method, limits=limits, listener=listener)
        except Interrupted as stop:
            return stop.result
    if output is not None:
        from milpcount.plots import section, style

        figure = section.draw(subject, domain, method)
        deliver("-o", output, lambda: style.save(figure, output))
    return result
