"""Sizes and kinds of layers, without weights: what theorems read of a network."""

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from milpcount.network import Activation, Network
from milpcount.network.chains import require_chain


@dataclass(frozen=True)
class Convolution:
    """The shape of a convolution without padding, in one or two dimensions.

    Attributes
    ----------
    space_in, space_out : tuple of int
        Length, or height and width, of input and output.
    channels_in, channels_out : int
    filter : tuple of int
    stride : int
    """

    space_in: tuple[int, ...]
    space_out: tuple[int, ...]
    channels_in: int
    channels_out: int
    filter: tuple[int, ...]
    stride: int = 1


@dataclass(frozen=True)
class Pooling:
    """The shape of a pooling, channel by channel, over windows that do not overlap.

    Attributes
    ----------
    space_in : tuple of int
        Length, or height and width; what does not fill a window is cut.
    channels : int
    window : tuple of int
    """

    space_in: tuple[int, ...]
    channels: int
    window: tuple[int, ...]

    @property
    def space_out(self) -> tuple[int, ...]:
        """Length, or height and width, of the output."""
        return tuple(n // k for n, k in zip(self.space_in, self.window, strict=True))


@dataclass(frozen=True)
class UnitLayer:
    """A hidden layer as far as theorems care.

    Attributes
    ----------
    width : int
        Number of units.
    breakpoints : int
        Of a scalar unit; 0 for the identity, which is no unit: such a layer is an affine map, and
        bounds the dimension of what later layers read.
    rank : int
        Pre-activations per unit; above 1 it is a maxout unit.
    is_table : bool
        Whether its units take several pre-activations and are no maxout units; `breakpoints` is
        then one less than their pieces.
    is_rectifier : bool
        Whether its units are rectifiers, shifted and scaled perhaps.
    convolution : Convolution or None
    pooling : Pooling or None
        Of a layer of maxima, or of means, which are no units. It has no weights to choose.
    """

    width: int
    breakpoints: int = 1
    rank: int = 1
    is_table: bool = False
    is_rectifier: bool = True
    convolution: Convolution | None = None
    pooling: Pooling | None = None

    @property
    def is_identity(self) -> bool:
        """Whether it is an affine map, without units."""
        return self.rank == 1 and self.breakpoints == 0

    @property
    def is_maxout(self) -> bool:
        """Whether its units are maxout units."""
        return self.rank > 1

    @property
    def cuts(self) -> int:
        """One less than the number of pieces of a unit."""
        return self.rank - 1 if self.is_maxout else self.breakpoints

    @property
    def text(self) -> str:
        """The layer as in an architecture string."""
        if self.pooling is not None:
            window = "x".join(map(str, self.pooling.window))
            return f"{'avg' if self.is_identity else 'max'}pool{window}"
        unit = "" if self.is_rectifier else f":p{self.breakpoints}"
        unit = ":id" if self.is_identity else unit
        unit = f":maxout{self.rank}" if self.is_maxout else unit
        conv = self.convolution
        if conv is None:
            return f"{self.width}{unit}"
        stride = f"/{conv.stride}" if conv.stride > 1 else ""
        return f"conv{conv.channels_out}@{'x'.join(map(str, conv.filter))}{stride}{unit}"


@dataclass(frozen=True)
class Architecture:
    """Sizes and kinds of layers, without weights.

    Attributes
    ----------
    n_inputs : int
    layers : tuple of UnitLayer
        The hidden ones.
    n_outputs : int or None
        Of the affine output layer, None where there is none.
    is_ternary : bool
        Whether weights and biases are -1, 0 or 1.
    density : Fraction or None
        The probability with which a weight is kept, the others being zero.
    """

    n_inputs: int
    layers: tuple[UnitLayer, ...]
    n_outputs: int | None = None
    is_ternary: bool = False
    density: Fraction | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def is_rectifier(self) -> bool:
        """Whether every hidden unit is a rectifier."""
        return all(layer.is_rectifier for layer in self.layers)

    @property
    def is_scalar(self) -> bool:
        """Whether every hidden unit is piecewise linear in one pre-activation."""
        return not any(layer.is_maxout or layer.is_table for layer in self.layers)

    @property
    def is_maxout(self) -> bool:
        """Whether every hidden unit is a maxout unit, and there are some."""
        return bool(self.layers) and all(layer.is_maxout for layer in self.layers)

    @property
    def is_dense(self) -> bool:
        """Whether no layer is a convolution or a pooling: only then are weights chosen freely."""
        return not any(layer.convolution or layer.pooling for layer in self.layers)

    @property
    def is_convolutional(self) -> bool:
        """Whether every hidden layer is a convolution, and there are some."""
        return bool(self.layers) and all(layer.convolution for layer in self.layers)

    @property
    def n_parameters(self) -> int:
        """Weights and biases of the hidden layers; those of a filter are shared by its places."""
        total, before = 0, self.n_inputs
        for layer in self.layers:
            conv = layer.convolution
            if conv is not None:
                total += conv.channels_out * layer.rank * (prod(conv.filter) * conv.channels_in + 1)
            elif layer.pooling is None:
                total += layer.width * layer.rank * (before + 1)
            before = layer.width
        return total

    @property
    def title(self) -> str:
        """What is counted and what is not, in one line."""
        hidden = " ".join(layer.text for layer in self.layers) or "none"
        output = "no output layer"
        if self.n_outputs is not None:
            output = f"affine output {self.n_outputs} (no units to count)"
        weights = "weights -1, 0, 1; " if self.is_ternary else ""
        if self.density is not None:
            weights = f"each weight kept with probability {float(self.density):g}; "
        return f"{weights}{self.n_inputs} inputs; hidden {hidden}; {output}"


def of_network(network: Network) -> Architecture:
    """Return the architecture of a network.

    Raises
    ------
    NetworkError
        If the network is no chain: the theorems that read architectures would be wrong.
    """
    require_chain(network, "each theorem")
    layers = []
    for layer in network.layers:
        unit = layer.activation
        if unit.is_maxout:
            layers.append(UnitLayer(layer.width, rank=unit.rank, is_rectifier=False))
        else:
            several, cuts = unit.rank > 1, unit.n_pieces - 1
            layers.append(UnitLayer(layer.width, cuts, 1, several, _is_rectifier(unit)))
    n_outputs = None if network.output is None else network.output.n_out
    return Architecture(network.n_inputs, tuple(layers), n_outputs)


def _is_rectifier(unit: Activation) -> bool:
    """Whether a scalar activation is the rectifier, but for shifts and a scale."""
    if unit.rank != 1 or unit.n_pieces != 2:
        return False
    left, right = unit.pieces
    there = right.slope * unit.rows[0].threshold + right.intercept
    return left.slope == 0 and right.slope != 0 and left.intercept == there
