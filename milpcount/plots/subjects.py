"""What a figure of a partition is given: the partition, or a network and a domain to count on."""

from milpcount import arguments
from milpcount.api import partition
from milpcount.domain import Domain, InputSet
from milpcount.errors import DomainError, OptionError
from milpcount.network import Network
from milpcount.partitions.partition import Partition

Subject = Network | Partition


def inputs_of(subject: Subject, domain: Domain | None) -> InputSet:
    """Return the domain of a partition, or the one that is given, bound to the network.

    Raises
    ------
    OptionError
        If there is no domain, or one too many.
    """
    if isinstance(subject, Partition):
        if domain is not None:
            raise OptionError("a partition has its own domain: leave the second one out")
        return subject.inputs
    if domain is None:
        raise OptionError("a network is drawn over a domain: give one, e.g. mc.Box(-1, 1)")
    return arguments.domain(domain).bind(arguments.network(subject).n_inputs)


def plane_of(subject: Subject, domain: Domain | None) -> InputSet:
    """Return the same, checked to be a bounded plane before anything is counted.

    Raises
    ------
    DomainError
        If it is none.
    """
    inputs = inputs_of(subject, domain)
    if inputs.dimension != 2 or not inputs.is_boxed:
        what = f"has dimension {inputs.dimension}" if inputs.dimension != 2 else "is not bounded"
        raise DomainError(
            f"a partition is drawn in a bounded plane, and the domain {what}: give a Section with "
            "two directions, or a box with two free inputs"
        )
    return inputs


def partition_of(subject: Subject, domain: Domain | None) -> Partition:
    """Return a partition as it is given, or count it by the region tree."""
    if isinstance(subject, Partition):
        return subject
    assert domain is not None
    return partition(subject, domain)
