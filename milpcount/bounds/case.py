"""What a theorem is applied to: a network or an architecture, and a domain."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from milpcount.bounds.independence import has_independent_rows
from milpcount.bounds.layers import Architecture, of_network
from milpcount.bounds.ranks import rank_bounds
from milpcount.domain import InputSet
from milpcount.errors import NetworkError
from milpcount.network import Network
from milpcount.network.chains import require_chain
from milpcount.preactivation import PreActivationBounds, interval_bounds


@dataclass(frozen=True, eq=False)
class Case:
    """What a theorem is applied to.

    Attributes
    ----------
    given : Architecture or None
        None for a graph, which has none; see `architecture`.
    dimension : int
        Of the domain; the number of inputs unless the domain is a section.
    network : Network or None
    known_ranges : PreActivationBounds or None
        On the whole domain; see `ranges`.
    volume : Fraction or None
        Of the domain where it is a box of full dimension.
    has_unit_cube : bool
        Whether the domain includes [0, 1]^n.
    inputs : InputSet or None
        The domain, where there is one.

    Raises
    ------
    NetworkError
        If there is neither an architecture nor a network, or an architecture is given with a
        network that is no chain.
    """

    given: Architecture | None
    dimension: int
    network: Network | None = None
    known_ranges: PreActivationBounds | None = None
    volume: Fraction | None = None
    has_unit_cube: bool = True
    inputs: InputSet | None = None

    def __post_init__(self) -> None:
        if self.given is None and self.network is None:
            raise NetworkError("a theorem needs a network or an architecture")
        if self.given is not None and self.network is not None:
            require_chain(self.network, "each theorem that reads an architecture")

    @classmethod
    def of(cls, network: Network, inputs: InputSet) -> "Case":
        """Return the case of a network on a domain, for upper bounds."""
        architecture = of_network(network) if network.is_chain else None
        return cls(architecture, inputs.dimension, network, inputs=inputs)

    @property
    def is_chain(self) -> bool:
        """Whether theorems on chains apply."""
        return self.given is not None

    @property
    def architecture(self) -> Architecture:
        """The architecture of a chain.

        Raises
        ------
        NetworkError
            For a graph.
        """
        if self.given is None:
            assert self.network is not None
            require_chain(self.network, "each theorem that reads an architecture")
        assert self.given is not None
        return self.given

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        if self.given is not None:
            return self.given.widths
        assert self.network is not None
        return self.network.widths

    @property
    def n_units(self) -> int:
        """Hidden units."""
        return sum(self.widths)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Of each layer of a chain, one less than the pieces of a unit."""
        return tuple(layer.cuts for layer in self.architecture.layers)

    @cached_property
    def ranges(self) -> PreActivationBounds | None:
        """Bounds on pre-activations: those known, else intervals where the domain is known."""
        if self.known_ranges is None and self.network is not None and self.inputs is not None:
            return interval_bounds(self.network, self.inputs)
        return self.known_ranges

    @property
    def is_whole_space(self) -> bool:
        """Whether the domain is all of input space, as it is where none is given."""
        inputs = self.inputs
        if inputs is None:
            return self.volume is None and self.dimension == self.n_inputs
        free = not (np.isfinite(inputs.lower).any() or np.isfinite(inputs.upper).any())
        return free and len(inputs.rows) == 0 and inputs.dimension == self.n_inputs

    @property
    def n_inputs(self) -> int:
        """Inputs of the network or architecture; the domain may have fewer dimensions."""
        if self.network is not None:
            return self.network.n_inputs
        return self.architecture.n_inputs

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Upper bounds on the ranks of the layers' weights; there must be a network."""
        assert self.network is not None
        return rank_bounds(self.network)

    @cached_property
    def has_independent_normals(self) -> bool:
        """Whether the normals of the first layer are linearly independent; there is a network."""
        assert self.network is not None
        return has_independent_rows(self.network.layers[0].affine)

    @cached_property
    def n_weights(self) -> int:
        """Weights that are written out."""
        if self.network is None:
            return 0
        maps = [layer.affine.matrix for layer in self.network.layers]
        return sum(int(m.size if isinstance(m, np.ndarray) else m.nnz) for m in maps)
