"""Commands that say what is known without a count: `bound`, `inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.quantities import Quantity


def bound(
    *,
    subject: Annotated[
        str, typer.Argument(metavar="ARCH|NET", help="E.g. 784-11-11-10, or a network file.")
    ],
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    tighten: opt.TightenOption = None,
    family: Annotated[
        str | None,
        typer.Option("--family", metavar="NAME", help="One family: rectifier, maxout, .."),
    ] = None,
    quantity: opt.QuantityOption = Quantity.ACTIVATION_REGIONS,
    json: opt.JsonFlag = False,
) -> None:
    """Bound the regions by every theorem that applies, tightest first.

    A plain number at the end of an architecture is its affine output; 784-11-11:relu has none.
    """
    from milpcount.cli import bounding

    network = opt.located(Path(subject)) or Path(subject)
    subject = subject if network == Path(subject) else str(network)
    found = bounding.table(
        subject,
        domain,
        (tighten or "interval"),
        family,
        quantity.value,
        output=output_name,
    )
    bounding.show(found, as_json=json)


def inspect(
    *,
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    tighten: opt.TightenOption = None,
    json: opt.JsonFlag = False,
) -> None:
    """Show layers, widths and fingerprint; over a domain also stable units and ranges."""
    from milpcount.cli import inspection

    if tighten is not None and not domain.given():
        domain.domain(network)  # raises: there are no ranges without a domain
    over = domain.domain(network) if domain.given() else None
    inspection.show(network, over, (tighten or "interval"), output=output_name, as_json=json)
