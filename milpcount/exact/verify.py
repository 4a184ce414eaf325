"""Exact verification of a result that kept its regions."""

from collections.abc import Iterable
from dataclasses import dataclass

from milpcount.domain import InputSet
from milpcount.errors import NetworkError, OptionError
from milpcount.exact.evaluate import attains_pattern, verify_region
from milpcount.exact.rows import ExactInputs, ExactNetwork
from milpcount.network import Network
from milpcount.result import CountResult, Quantity, Region


@dataclass(frozen=True)
class Verification:
    """What exact arithmetic says about the regions of a result.

    Attributes
    ----------
    n_verified : int
        Distinct regions whose witness proves them.
    n_failed : int
        Regions whose witness does not.
    n_repeated : int
        Regions whose pattern had come before.
    claimed : int
        The lower bound of the result.
    failed : tuple of int
        Indices of the first regions that failed.
    """

    n_verified: int
    n_failed: int
    n_repeated: int
    claimed: int
    failed: tuple[int, ...] = ()

    @property
    def is_proved(self) -> bool:
        """Whether the regions prove the lower bound that the result claims."""
        return not self.n_failed and not self.n_repeated and self.n_verified == self.claimed

    def __bool__(self) -> bool:
        return self.is_proved

    def __str__(self) -> str:
        verdict = "proved" if self.is_proved else "NOT proved"
        return (
            f"lower bound {self.claimed} {verdict}: {self.n_verified} regions verified, "
            f"{self.n_failed} failed, {self.n_repeated} repeated"
        )


def verify(result: CountResult, network: Network, inputs: InputSet | ExactInputs) -> Verification:
    """Check every kept region of a result in exact arithmetic.

    Parameters
    ----------
    result : CountResult
        Of activation regions or activation patterns, counted with its regions kept.
    network : Network
    inputs : InputSet
        The domain that the result is about, bound to the network.

    Returns
    -------
    Verification

    Raises
    ------
    OptionError
        If the result has no regions, or counts another quantity.
    NetworkError
        If the result is about another network.
    """
    if result.regions is None:
        raise OptionError("the result kept no regions: count with keep_regions=True to verify it")
    if result.fingerprint and result.fingerprint != network.fingerprint:
        raise NetworkError(
            f"the result is about the network {result.fingerprint[:12]}, not "
            f"{network.fingerprint[:12]}: give the network that was counted"
        )
    if result.quantity not in (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS):
        raise OptionError(
            f"a count of {result.quantity.title} cannot be verified region by region; activation "
            "regions and activation patterns can"
        )
    closed = result.quantity is Quantity.ACTIVATION_PATTERNS
    return verify_regions(
        ExactNetwork(network, inputs), result.regions, result.lower, closed=closed
    )


def verify_regions(
    network: ExactNetwork, regions: Iterable[Region], claimed: int, *, closed: bool = False
) -> Verification:
    """Check regions one by one.

    Parameters
    ----------
    network : ExactNetwork
    regions : iterable of Region
    claimed : int
        How many there should be.
    closed : bool
        Whether a pattern need only be attained, in the closed domain.

    Returns
    -------
    Verification
    """
    check = attains_pattern if closed else verify_region
    seen: set[tuple[int, ...]] = set()
    failed, repeated = [], 0
    for index, region in enumerate(regions):
        pattern = tuple(region.pattern)
        if pattern in seen:
            repeated += 1
        elif check(network, Region(pattern, region.witness)):
            seen.add(pattern)
        else:
            failed.append(index)
    return Verification(len(seen), len(failed), repeated, claimed, tuple(failed[:10]))
