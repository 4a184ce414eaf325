"""The options of the commands, and the domain that they name."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from milpcount.cli.methods import FormName, MethodName, ModeName, TightenName
from milpcount.errors import OptionError

if TYPE_CHECKING:
    from milpcount.domain import Domain


class QuantityName(StrEnum):
    """What some method counts; names as of `milpcount.Quantity`, which needs numpy."""

    activation_regions = "activation_regions"
    activation_patterns = "activation_patterns"
    grid_patterns = "grid_patterns"
    linear_regions = "linear_regions"
    closed_linear_regions = "closed_linear_regions"
    affine_pieces = "affine_pieces"
    live_regions = "live_regions"
    boundary_regions = "boundary_regions"
    boundary_pieces = "boundary_pieces"


class BoundedName(StrEnum):
    """What some theorem bounds from above."""

    activation_regions = "activation_regions"
    activation_patterns = "activation_patterns"
    grid_patterns = "grid_patterns"
    linear_regions = "linear_regions"
    closed_linear_regions = "closed_linear_regions"
    affine_pieces = "affine_pieces"
    live_regions = "live_regions"
    boundary_regions = "boundary_regions"


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
QuantityOption = Annotated[QuantityName, typer.Option("--quantity", help="What to count.")]
BoundedOption = Annotated[BoundedName, typer.Option("--quantity", help="What to bound.")]
MethodOption = Annotated[MethodName, typer.Option("--method", help="How to count it.")]
BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="Of --method pool: highs (default), cpsat, scip, pyomo:NAME; of mbound also tree.",
    ),
]
ModeOption = Annotated[
    ModeName | None,
    typer.Option("--mode", help="Enumeration of --method pool (the backend's own by default)."),
]
FormOption = Annotated[
    FormName | None, typer.Option("--form", help="MILP of --method pool --mode no_good.")
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
ConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--confidence", metavar="P", help="Of the lower bound of mbound and probe (0.95)."
    ),
]
RunsOption = Annotated[
    int | None, typer.Option("--runs", metavar="N", help="Of --method mbound (20).")
]
XorSizeOption = Annotated[
    str | None,
    typer.Option("--xor-size", metavar="K|dense", help="Units in an XOR of --method mbound (5)."),
]
ProbesOption = Annotated[
    int | None, typer.Option("--probes", metavar="N", help="Walks of --method probe (1000).")
]
GapOption = Annotated[
    float | None,
    typer.Option("--gap", metavar="BITS", help="Stop --method probe that close to its estimate."),
]
HybridOption = Annotated[
    int | None,
    typer.Option(
        "--hybrid", metavar="N", help="Count what XORs leave, up to N regions a run (mbound)."
    ),
]
EpsilonOption = Annotated[
    float | None,
    typer.Option(
        "--epsilon", metavar="E", help="Of --method approx: upper / lower <= (1 + E)^2 (0.2)."
    ),
]
DeltaOption = Annotated[
    float | None,
    typer.Option("--delta", metavar="D", help="Of --method approx: confidence 1 - D (0.05)."),
]
StrategyOption = Annotated[
    str | None,
    typer.Option("--strategy", metavar="NAME", help="Of --method approx: auto, strata, hashing."),
]
CountFirstOption = Annotated[
    int | None,
    typer.Option(
        "--count-first",
        metavar="N",
        help="Regions that --method approx counts before it leaves anything to chance (5000).",
    ),
]
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
class DomainChoice:
    """The domain options as they were given."""

    network: Path
    box: tuple[float, float] | None = None
    box_file: Path | None = None
    vnnlib: Path | None = None
    section: Path | None = None
    unbounded: bool = False
    header_box: bool = False
    vnnlib_inputs_only: bool = False

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

    def domain(self) -> "Domain":
        """Return the domain.

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
            header = ", --header-box" if self.network.suffix == ".nnet" else ""
            raise OptionError(
                "no domain, and the count depends on it: give one of --box LO HI, --box-file FILE, "
                f"--vnnlib FILE, --section FILE, --unbounded{header}"
            )
        if self.box is not None or self.unbounded:
            from milpcount.domain import Box, Unbounded

            return Unbounded() if self.box is None else Box(*self.box)
        return self._read()

    def _read(self) -> "Domain":
        from milpcount import domain_files

        if self.box_file is not None:
            return domain_files.read_box(self.box_file)
        if self.vnnlib is not None:
            outputs: Literal["ignore", "refuse"] = "ignore" if self.vnnlib_inputs_only else "refuse"
            return domain_files.read_vnnlib(self.vnnlib, outputs=outputs)
        if self.section is not None:
            return domain_files.read_section(self.section)
        if self.network.suffix != ".nnet":
            raise OptionError(
                f"--header-box: {self.network.name} has no such header, only .nnet files have"
            )
        return domain_files.read_box(self.network)
