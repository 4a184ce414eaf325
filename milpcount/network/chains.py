"""What speaks of chains of layers refuses every other network, in one line."""

from milpcount.errors import NetworkError
from milpcount.network.network import Network


def require_chain(network: Network, what: str) -> None:
    """Refuse a graph, and a network with a layer whose units differ.

    Theorems about chains say nothing of graphs: an upper bound would be wrong, not weak.

    Parameters
    ----------
    network : Network
    what : str
        What is for chains only, as the beginning of a sentence in the singular.

    Raises
    ------
    NetworkError
        Unless `Network.is_chain`.
    """
    if network.is_chain:
        return
    if all(layer.is_uniform for layer in network.layers):
        why = "is a graph, in which layers read others than the one before"
    else:
        why = "has a layer whose units differ"
    raise NetworkError(
        f"{what} is for chains of layers with units of one kind each, and this network {why}: "
        "count it with the region tree"
    )
