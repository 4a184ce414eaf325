"""A network with its decision as a last unit: which of its outputs is the largest.

A classifier decides for the largest of its outputs, for the one of lowest index where several are
equal; one output is compared with a threshold. The decision is the piece that a further unit is on:
a maximum over all outputs, or a unit that breaks at the threshold.
"""

import numpy as np
from scipy.sparse import csr_array, eye_array

from milpcount.errors import OptionError
from milpcount.network.activation import maxout, piecewise_linear, relu
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.sparse import Sparse

MOST_OUTPUTS = 512
"""Outputs of which a decision is taken at most: their pairs are compared."""


def n_outputs(network: Network) -> int:
    """Return how many outputs a network has."""
    return network.widths[-1] if network.output is None else network.output.n_out


def n_pairs(network: Network) -> int:
    """Return how many pairs of outputs may tie; a single output ties with its threshold."""
    outputs = n_outputs(network)
    return max(1, outputs * (outputs - 1) // 2)


def with_decision(network: Network, threshold: float = 0.0) -> Network:
    """Return the network with a last layer of one unit, whose piece is the decision.

    Parameters
    ----------
    network : Network
    threshold : float
        Of a network with one output, which decides 1 where the output is above it, and 0 elsewhere.

    Returns
    -------
    Network
        Without an affine output. Over the real numbers nothing is rounded.

    Raises
    ------
    OptionError
        If there are more than 512 outputs, a threshold for several outputs, or one that is not
        finite.
    """
    outputs = n_outputs(network)
    if outputs > MOST_OUTPUTS:
        raise OptionError(
            f"the network has {outputs} outputs: decisions between at most {MOST_OUTPUTS} are "
            "taken; leave out those that are never the largest"
        )
    if outputs > 1 and threshold != 0:
        raise OptionError(
            f"threshold={threshold!r}: of {outputs} outputs the largest decides, a threshold is "
            "that of a single output; leave it out"
        )
    if not np.isfinite(threshold):
        raise OptionError(f"threshold={threshold!r}: give a finite number")
    at = float(threshold)
    if outputs > 1:
        unit = maxout(outputs)
    else:
        unit = piecewise_linear([at], [0.0, 1.0], [at, 0.0]) if at else relu()
    if network.output is None:
        same = Sparse(csr_array(eye_array(outputs)), np.zeros(outputs))
        last = Layer(same, unit)
    else:
        last = Layer(network.output, unit, network.output_reads)
    return Network((*network.layers, last), notes=network.notes, inputs=network.n_inputs)
