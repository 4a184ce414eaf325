"""Exact verification of a result that kept its regions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from milpcount import integers
from milpcount.domain import Domain, InputSet, Union
from milpcount.errors import NetworkError, OptionError
from milpcount.exact.evaluate import attains_pattern, verify_region
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Region


@dataclass(frozen=True)
class Verification:
    """What exact arithmetic says about the regions of a result.

    Regions prove the lower end of a count: so many distinct ones exist. That there are no more is
    not proved by any list of regions; it rests on the method.

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
    most : int or None
        The upper bound of the result, which more regions would refute.
    sets : int or None
        Where sets of activation regions are counted, e.g. linear regions: how many of them the
        regions are proved to make.
    """

    n_verified: int
    n_failed: int
    n_repeated: int
    claimed: int
    failed: tuple[int, ...] = ()
    most: int | None = None
    sets: int | None = None

    @property
    def n_counted(self) -> int:
        """How many of what is counted are proved: regions, or sets of them."""
        return self.n_verified if self.sets is None else self.sets

    @property
    def is_proved(self) -> bool:
        """Whether the regions prove the lower bound that the result claims."""
        clean = not self.n_failed and not self.n_repeated and not self.is_refuted
        return clean and self.n_counted >= self.claimed

    @property
    def is_refuted(self) -> bool:
        """Whether there are more regions than the result's upper bound allows."""
        return self.most is not None and self.n_counted > self.most

    def __bool__(self) -> bool:
        return self.is_proved

    def __str__(self) -> str:
        verdict = "proved" if self.is_proved else "NOT proved"
        text = (
            f"lower bound {integers.human(self.claimed)} {verdict}: {self.n_verified} regions "
            f"verified, {self.n_failed} failed, {self.n_repeated} repeated"
        )
        if self.sets is not None:
            text += f", in {integers.human(self.sets)} sets"
        if self.n_counted < self.claimed and not self.n_failed:
            text += f"; {integers.human(self.claimed - self.n_counted)} are missing"
        if self.is_refuted:
            assert self.most is not None
            return f"{text}; the upper bound {integers.human(self.most)} is REFUTED"
        return f"{text}; that there are no more is not proved by them"


@dataclass(frozen=True)
class Verifier:
    """What `CountResult.verify` calls; it can be pickled with the result.

    Attributes
    ----------
    domain : Domain
    network : Network or None
        None where the result was read from a file, which does not hold its network.
    """

    domain: Domain
    network: Network | None = None

    def __call__(self, result: CountResult, network: Network | None = None) -> Verification:
        """Return what exact arithmetic says about a result; see `verify`."""
        given = self.network if network is None else network
        if given is None:
            raise OptionError(
                "a result read from a file does not hold its network: verify(network) is needed"
            )
        check_network(result, given)
        return verify_over(result, given, self.domain)


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
    check_network(result, network)
    if result.quantity not in (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS):
        raise OptionError(
            f"a count of {result.quantity.title} cannot be verified region by region; activation "
            "regions and activation patterns can"
        )
    closed = result.quantity is Quantity.ACTIVATION_PATTERNS
    found = verify_regions(
        ExactNetwork(network, inputs), result.regions, result.lower, closed=closed
    )
    return replace(found, most=result.upper)


def verify_over(result: CountResult, network: Network, domain: Domain) -> Verification:
    """Check every kept region of a result in exact arithmetic; in a union, each in some part.

    Parameters
    ----------
    result : CountResult
    network : Network
    domain : Domain

    Raises
    ------
    OptionError
        If the result has no regions, or counts another quantity.
    NetworkError
        If the result is about another network.
    """
    if not isinstance(domain, Union):
        return verify(result, network, domain.bind(network.n_inputs))
    parts = [part.bind(network.n_inputs) for part in domain.parts]
    verify(replace(result, regions=[], lower=0), network, parts[0])  # may refuse
    closed = result.quantity is Quantity.ACTIVATION_PATTERNS
    seen: set[tuple[int, ...]] = set()
    left: dict[int, Region] = {}
    for index, region in enumerate(result.regions or []):
        pattern = tuple(map(int, region.pattern))
        if pattern not in seen:
            left[index] = region
        seen.add(pattern)
    distinct = len(left)
    for part in parts:
        exact = ExactNetwork(network, part)
        for index, region in list(left.items()):
            if verify_regions(exact, [region], 1, closed=closed):
                del left[index]
    repeated = len(result.regions or []) - distinct
    failed = tuple(left)[:10]
    return Verification(
        distinct - len(left), len(left), repeated, result.lower, failed, result.upper
    )


def check_network(result: CountResult, network: Network) -> None:
    """Refuse a network that is not the one that was counted.

    Raises
    ------
    NetworkError
        If the fingerprints differ.
    """
    if result.fingerprint and result.fingerprint != network.fingerprint:
        raise NetworkError(
            f"the result is about the network {result.fingerprint[:12]}, not "
            f"{network.fingerprint[:12]}: give the network that was counted"
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
        pattern = tuple(map(int, region.pattern))
        if pattern in seen:
            repeated += 1
        elif check(network, region):
            seen.add(pattern)
        else:
            failed.append(index)
    return Verification(len(seen), len(failed), repeated, claimed, tuple(failed[:10]))
