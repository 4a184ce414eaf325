"""`verify` on the command line: a file of kept regions against the network that was counted."""

import json
from pathlib import Path

import numpy as np

from milpcount import integers
from milpcount.cli.options import DomainOptions
from milpcount.errors import OptionError
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.verify import Verification, verify_regions
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.region_files import load_regions
from milpcount.region_files.files import arrays_in, first_release_regions, is_first_release


def run(
    file: Path,
    source: Path,
    options: DomainOptions,
    quantity: str | None,
    *,
    output: str | None = None,
    as_json: bool,
) -> bool:
    """Print what exact arithmetic says about a file and return whether it proves its claim.

    Raises
    ------
    InputError
        If the file or the network cannot be read, or do not belong to each other; or if a domain is
        given to a file that has its own, or none to one of the first release.
    """
    network = Network.load(source, output)
    arrays = arrays_in(file)
    if is_first_release(arrays):
        found, about = _first_release(arrays, network, source, options, quantity)
    else:
        given = [*options.given(), *(["--quantity"] if quantity else [])]
        if given:
            raise OptionError(
                f"{' and '.join(given)}: {file.name} names its own domain and quantity, leave "
                "these out"
            )
        result = load_regions(file, network)
        found = result.verify()
        about = f"{result.quantity.title} of {result.network} over {result.domain}"
    if as_json:
        print(json.dumps(_record(found, about)))
    else:
        print(f"{about}: {found}")
    return found.is_proved


def _first_release(
    arrays: dict[str, np.ndarray],
    network: Network,
    source: Path,
    options: DomainOptions,
    quantity: str | None,
) -> tuple[Verification, str]:
    if not options.given():
        raise OptionError(
            "the file was written by the first release, which did not note the domain: give the "
            "domain of the count, e.g. --box LO HI, and --quantity if it was not regions"
        )
    domain = options.domain(source)
    kind = Quantity(quantity or Quantity.ACTIVATION_REGIONS.value)
    if kind not in (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS):
        raise OptionError(f"--quantity {kind.value}: such a count has no regions to verify")
    regions = first_release_regions(arrays, network)
    exact = ExactNetwork(network, domain.bind(network.n_inputs))
    closed = kind is Quantity.ACTIVATION_PATTERNS
    found = verify_regions(exact, regions, len(regions), closed=closed)
    return found, f"{kind.title} of {network.title} over {domain.title}, as many as in the file"


def _record(found: Verification, about: str) -> dict[str, object]:
    return {
        "about": about,
        "proved": found.is_proved,
        "refuted": found.is_refuted,
        "claimed": integers.to_text(found.claimed),
        "verified": found.n_verified,
        **({} if found.sets is None else {"sets": found.sets}),
        "failed": found.n_failed,
        "repeated": found.n_repeated,
        "proves": "that so many distinct regions exist, not that there are no more",
    }
