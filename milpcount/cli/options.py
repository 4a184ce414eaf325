"""The options of the commands, and the domain that they name."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from milpcount.errors import OptionError
from milpcount.methods import METHODS
from milpcount.quantities import Quantity

if TYPE_CHECKING:
    from milpcount.domain import Domain
    from milpcount.limits import Limits


class TightenName(StrEnum):
    """How pre-activation bounds are found."""

    interval = "interval"
    lp = "lp"
    milp = "milp"


class ColourName(StrEnum):
    """What tells the regions of a partition apart in a figure."""

    region = "region"
    linear_region = "linear_region"
    map = "map"
    layer = "layer"


class FigureName(StrEnum):
    """What can be drawn."""

    bounds = "bounds"
    runtime = "runtime"
    accuracy = "accuracy"
    partition = "partition"  # type: ignore[assignment]  # the name of a method of str
    function = "function"
    experiment = "experiment"
    boundary = "boundary"


def located(path: Path | None) -> Path | None:
    """Return a path, that of a file of the package where ``example:NAME`` is given."""
    if path is None or not str(path).startswith("example:"):
        return path
    from milpcount.network import shipped

    return shipped.located(path)


NetworkPath = Annotated[
    Path,
    typer.Argument(
        metavar="NET",
        callback=located,
        help="The network: .npz, .onnx, .pt2 or .nnet, or example:mnist-784-2-20.npz.",
    ),
]
OutputName = Annotated[
    str | None,
    typer.Option("--output-name", metavar="NAME", help="Of an .onnx file with several outputs."),
]
BoxOption = Annotated[
    tuple[float, float] | None,
    typer.Option("--box", metavar="LO HI", help="The same bounds for every input."),
]
BoxFile = Annotated[
    Path | None,
    typer.Option(
        "--box-file", metavar="FILE", callback=located, help='JSON {"lower": .., "upper": ..}.'
    ),
]
VnnlibFile = Annotated[
    Path | None,
    typer.Option(
        "--vnnlib", metavar="FILE", callback=located, help="The input set of a VNN-LIB file."
    ),
]
VnnlibInputsOnly = Annotated[
    bool,
    typer.Option("--vnnlib-inputs-only", help="Leave out what the file says of outputs."),
]
SectionFile = Annotated[
    Path | None,
    typer.Option(
        "--section",
        metavar="FILE",
        callback=located,
        help='JSON {"p0": .., "directions": .., "box": ..}.',
    ),
]
UnboundedFlag = Annotated[bool, typer.Option("--unbounded", help="All of input space.")]
HeaderBox = Annotated[
    bool, typer.Option("--header-box", help="The box in the header of a .nnet file.")
]
QuantityOption = Annotated[Quantity, typer.Option("--quantity", help="What to count, or to bound.")]
MethodOption = Annotated[
    str, typer.Option("--method", metavar="|".join(METHODS), help="How to count it.")
]
TightenOption = Annotated[
    TightenName | None,
    typer.Option("--tighten", help="How bounds on pre-activations are found."),
]
TimeOption = Annotated[
    float | None, typer.Option("--time", metavar="S", help="Stop after so many seconds.")
]
RegionsOption = Annotated[
    int | None, typer.Option("--regions", metavar="N", help="Stop after so many regions.")
]
MemoryOption = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="SIZE", help="Stop at so much memory: 2GB, 500MB, or plain bytes."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of all randomness.")]
WorkersOption = Annotated[
    int,
    typer.Option("--workers", metavar="N", help="Processes; the answer does not depend on it."),
]
KeepOption = Annotated[
    Path | None,
    typer.Option("--keep", metavar="FILE", help="Write patterns and witnesses (.npz, .parquet)."),
]
ProofOption = Annotated[
    Path | None,
    typer.Option(
        "--proof", metavar="FILE", help="Write a proof of both bounds, for `milpcount check`."
    ),
]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="One line of JSON on stdout.")]


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_UNITS |= {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}


def parse_size(text: str) -> int:
    """Return the bytes of a size such as 2GB, 1.5 GiB or 500000000.

    Raises
    ------
    OptionError
        If it is not one.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?", text.strip().lower(), re.ASCII)
    size = Decimal(found[1]) * _UNITS.get(found[2], 0) if found else 0
    if size < 1:
        raise OptionError(f"--memory {text!r}: give a size such as 2GB, 500MB or 500000000")
    return int(size)


@dataclass(frozen=True)
class LimitOptions:
    """The limits as they were given."""

    time: TimeOption = None
    regions: RegionsOption = None
    memory: MemoryOption = None

    def limits(self) -> "Limits":
        """Return the limits.

        Raises
        ------
        OptionError
            If one is out of its range.
        """
        from milpcount.limits import Limits

        memory = None if self.memory is None else parse_size(self.memory)
        return Limits(self.time, self.regions, memory)


@dataclass(frozen=True)
class DomainOptions:
    """The domain options as they were given."""

    box: BoxOption = None
    box_file: BoxFile = None
    vnnlib: VnnlibFile = None
    vnnlib_inputs_only: VnnlibInputsOnly = False
    section: SectionFile = None
    unbounded: UnboundedFlag = False
    header_box: HeaderBox = False

    def __post_init__(self) -> None:
        if self.vnnlib_inputs_only and self.vnnlib is None:
            raise OptionError("--vnnlib-inputs-only belongs to --vnnlib FILE: leave it out")

    def given(self) -> list[str]:
        """Return the names of the options that were given."""
        named = {
            "--box": self.box is not None,
            "--box-file": self.box_file is not None,
            "--vnnlib": self.vnnlib is not None,
            "--section": self.section is not None,
            "--unbounded": self.unbounded,
            "--header-box": self.header_box,
        }
        return [name for name, present in named.items() if present]

    def domain(self, network: Path) -> "Domain":
        """Return the domain.

        Parameters
        ----------
        network : Path
            The network's file, whose header may have a box.

        Raises
        ------
        OptionError
            If none or more than one was given: there is no silent default.
        InputError
            If its file cannot be read.
        """
        given = self.given()
        if len(given) > 1:
            raise OptionError(f"{' and '.join(given)} exclude each other: give one domain")
        if not given:
            header = ", --header-box" if network.suffix == ".nnet" else ""
            raise OptionError(
                "no domain, and the count depends on it: give one of --box LO HI, --box-file FILE, "
                f"--vnnlib FILE, --section FILE, --unbounded{header}"
            )
        if self.box is not None or self.unbounded:
            from milpcount.domain import Box, Unbounded

            return Unbounded() if self.box is None else Box(*self.box)
        return self._read(network)

    def _read(self, network: Path) -> "Domain":
        from milpcount import domain_files

        if self.box_file is not None:
            return domain_files.read_box(self.box_file)
        if self.vnnlib is not None:
            outputs: Literal["ignore", "refuse"] = "ignore" if self.vnnlib_inputs_only else "refuse"
            return domain_files.read_vnnlib(self.vnnlib, outputs=outputs)
        if self.section is not None:
            return domain_files.read_section(self.section)
        if network.suffix != ".nnet":
            raise OptionError(
                f"--header-box: {network.name} has no such header, only .nnet files have"
            )
        return domain_files.read_box(network)
