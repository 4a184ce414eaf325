"""The network that a reader's affine expressions add up to."""

from dataclasses import dataclass, field

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.layer import Layer
from milpcount.network.network import Network


@dataclass
class NetworkBuilder:
    """Collects layers while a reader walks through a model from its input to its output."""

    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def activate(self, tensor: AffineTensor, activation: Activation) -> AffineTensor:
        """Add the layer whose pre-activations are `tensor`; return the outputs of its units.

        Raises
        ------
        NetworkError
            If the tensor comes from an earlier layer, or a number is not finite.
        """
        self._check_chain(tensor)
        self.layers.append(Layer(tensor.to_affine(), activation))
        return AffineTensor.identity(tensor.shape, len(self.layers))

    def note(self, text: str) -> None:
        """Keep a sentence about what was left out or rounded, once."""
        if text not in self.notes:
            self.notes.append(text)

    def finish(self, tensor: AffineTensor) -> Network:
        """Return the network whose output is `tensor`.

        An output that is the last layer of units unchanged adds no output layer.

        Raises
        ------
        NetworkError
            If there is no layer, or the output comes from an earlier one.
        """
        self._check_chain(tensor)
        bare = bool(self.layers) and not tensor.factors and tensor.is_identity
        output = None if bare else tensor.to_affine()
        return Network(tuple(self.layers), output, tuple(self.notes))

    def _check_chain(self, tensor: AffineTensor) -> None:
        if tensor.layer != len(self.layers):
            raise NetworkError(
                f"its values come from layer {tensor.layer}, but the layer before it is number "
                f"{len(self.layers)}: skip connections and parallel branches are not implemented"
            )
