"""The steps of a PyTorch module, as it was exported: its own operators on all points at once.

A copy of the module is traced on one input, as `milpcount.network.torch_export` does it. Affine
operators are run by torch in float64, on the device of the module; operators that only give numbers
another shape are no steps. Units, windows of a maximum and sorting are taken from the readers'
table, `milpcount.network.aten_units`: each such operator is a small network of its own.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import NetworkError
from milpcount.network import Network, relu
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.aten_calls import AtenCall, leaves, replaced
from milpcount.network.aten_inputs import inputs_of
from milpcount.network.aten_names import why_not
from milpcount.network.aten_operators import OPERATORS_OF_ATEN, called
from milpcount.network.aten_outputs import chosen
from milpcount.network.aten_units import UNITS_OF_ATEN
from milpcount.network.aten_walk import name_of
from milpcount.network.builder import NetworkBuilder
from milpcount.network.layer import Group
from milpcount.network.torch_copies import traceable
from milpcount.network.torch_export import decomposed, exported
from milpcount.network.torch_modules import check_global_hooks, import_torch
from milpcount.sections.arrays import NumpyArrays
from milpcount.sections.network_program import SectionInputs
from milpcount.sections.program import Program, Step
from milpcount.sections.torch_arrays import TorchArrays
from milpcount.sections.torch_steps import Gather, Hosted, Normalise, SparseMap, TorchCall
from milpcount.types import Array

_SAME = frozenset(
    (
        *("view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"),
        *("alias", "detach", "clone", "contiguous", "lift_fresh_copy", "lift_fresh", "view_copy"),
    )
)
"""Operators that give the same numbers, in the same order, another shape."""
_PRODUCTS = frozenset(
    ("mul", "div", "mm", "bmm", "mv", "dot", "matmul", "addmm", "addmv", "baddbmm", "linear")
) | {"convolution"}
_BATCH_NORM = "_native_batch_norm_legit_no_training"


@dataclass(frozen=True)
class Live:
    """A value that depends on the input: its name in the walk, and its shape for one input."""

    name: Any
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Traced:
    """A module's graph, traced once: its numbers may change, its operators may not.

    Attributes
    ----------
    core : torch.export.ExportedProgram
    end : torch.fx.Node
        The output.
    shape : tuple of int
        Of one input, with its batch of 1.
    title : str
    notes : tuple of str
    """

    core: Any
    end: Any
    shape: tuple[int, ...]
    title: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, module: Any, shape: tuple[int, ...], output: str | int | None = None) -> "Traced":
        """Trace a copy of a module, without hooks and in evaluation mode.

        Parameters
        ----------
        module : torch.nn.Module
        shape : tuple of int
            Of one input, without the batch.
        output : str or int, optional
            Which output is meant, where there are several.

        Raises
        ------
        NetworkError
            If hooks may change what it computes, or it cannot be traced.
        """
        torch = import_torch()
        if not isinstance(module, torch.nn.Module):
            raise NetworkError(f"a {type(module).__name__} is not a torch.nn.Module")
        check_global_hooks()
        copied = traceable(module)
        numbers = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
        like = numbers[0] if numbers else torch.zeros(())
        example = torch.zeros((1, *shape), dtype=like.dtype, device=like.device)
        core = decomposed(exported(copied.module, [example]))
        builder = NetworkBuilder(0)
        end = chosen(core, output, builder)
        notes = (*copied.notes, *builder.notes)
        (of_one,) = inputs_of(core).shapes
        return cls(core, end, of_one, type(module).__name__, notes)

    @property
    def state(self) -> dict[str, Any]:
        """The numbers that it was traced with."""
        return {**self.core.state_dict, **self.core.constants}

    def program(
        self, inputs: InputSet, state: Mapping[str, Any] | None = None, *, on_host: bool = True
    ) -> Program:
        """Return the steps up to the last unit.

        Parameters
        ----------
        inputs : InputSet
        state : mapping of str to torch.Tensor, optional
            Numbers in place of those that it was traced with, by the names of a state dict.
        on_host : bool
            Whether a module on the CPU is walked through in numpy's arrays; a GPU's never is.

        Raises
        ------
        NetworkError
            If an operator is not piecewise linear, or not implemented.
        """
        if inputs.directions.shape[0] != prod(self.shape):
            raise NetworkError(
                f"the module takes inputs of shape {self.shape[1:]}, and the domain has "
                f"{inputs.directions.shape[0]}"
            )
        held = self.state
        if state is not None:
            if not self.follows(state):
                raise NetworkError("the state does not fit the module that was traced")
            held |= {name: value.detach() for name, value in state.items() if name in held}
        return _Steps(self, held, on_host=on_host).program(inputs)

    def follows(self, state: Mapping[str, Any]) -> bool:
        """Whether a state dict has all numbers of the graph, so that no old one is left in it."""
        constants = [v for v in self.core.constants.values() if hasattr(v, "is_floating_point")]
        if any(v.is_floating_point() for v in constants):
            return False
        return all(
            name in state and state[name].shape == value.shape
            for name, value in self.core.state_dict.items()
        )

    @property
    def outline(self) -> str:
        """The graph's operators in one text: with the numbers it tells what is computed."""
        return "\n".join(f"{node.op} {node.target} {node.args}" for node in self.core.graph.nodes)


class _Steps:
    """Makes the steps of a graph, node by node."""

    def __init__(self, traced: Traced, held: Mapping[str, Any], *, on_host: bool = True) -> None:
        self._traced, self._held = traced, held
        self._steps: list[Step] = []
        self._weights = 0
        self._torch = import_torch()
        numbers = [t for t in held.values() if hasattr(t, "is_floating_point")]
        self._device = numbers[0].device if numbers else self._torch.device("cpu")
        self._on_host = on_host and self._device.type == "cpu"

    def program(self, inputs: InputSet) -> Program:
        """Return the program; see `Traced.program`."""
        core, end = self._traced.core, self._traced.end
        values = self._placeholders(core)
        needed = _before(end)
        last = max(
            (i for i, n in enumerate(core.graph.nodes) if n in needed and _is_unit(n)), default=-1
        )
        for i, node in enumerate(core.graph.nodes):
            if i > last:
                break
            if node in needed and node not in values:
                values[node] = self._value(node, values)
        steps = self._steps
        while steps and steps[-1].affine is not None:
            steps.pop()
        start = SectionInputs(inputs)
        if self._on_host:
            # Numpy's arrays and torch's tensors are the same memory there, and numpy does not
            # hand small work to threads.
            wrapped = [
                s if s.affine is None else replace(s, affine=Hosted(s.affine)) for s in steps
            ]
            return Program(NumpyArrays(), _pruned(wrapped), start, "input", self._weights)

        def begin(t: Array) -> tuple[Any, Any]:
            x, e = (self._torch.from_numpy(v).to(self._device) for v in start(t))
            return x, e

        return Program(TorchArrays(self._device), _pruned(steps), begin, "input", self._weights)

    def _placeholders(self, core: Any) -> dict[Any, Any]:
        names = {s.arg.name: s for s in core.graph_signature.input_specs}
        found: dict[Any, Any] = {}
        for node in core.graph.nodes:
            if node.op == "placeholder":
                spec = names[node.name]
                if spec.kind.name == "USER_INPUT":
                    found[node] = Live("input", self._traced.shape)
                else:
                    found[node] = self._wide(self._held.get(spec.target))
        return found

    def _wide(self, value: Any) -> Any:
        if isinstance(value, self._torch.Tensor) and value.is_floating_point():
            if not value.isfinite().all():
                raise NetworkError("the module holds a number that is not finite")
            return value.detach().to(device=self._device, dtype=self._torch.float64)
        return value

    def _value(self, node: Any, values: dict[Any, Any]) -> Any:
        torch = self._torch
        if node.op != "call_function":
            raise NetworkError(f"node {node.name!r}: control flow is not implemented")
        args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda n: values[n])
        if node.target is operator.getitem:
            return self._item(node, *args)
        if not isinstance(node.target, torch._ops.OpOverload):
            return node.target(*args, **kwargs)
        name = name_of(node.target)
        arguments = _by_name(node.target, args, kwargs)
        live = [v for v in leaves(arguments) if isinstance(v, Live)]
        if not live:
            return self._constant(node.target, arguments)
        try:
            return self._applied(node, name, arguments, live)
        except NetworkError as error:
            raise NetworkError(f"node {node.name!r} ({name}): {error}") from None

    def _constant(self, target: Any, arguments: dict[str, Any]) -> Any:
        if arguments.get("dtype") in (self._torch.float32, self._torch.float16):
            arguments = arguments | {"dtype": self._torch.float64}
        return replaced(called(target, arguments), self._wide)

    def _applied(self, node: Any, name: str, arguments: dict[str, Any], live: list[Live]) -> Any:
        shape = _shape(node)
        if name in UNITS_OF_ATEN:
            return self._units(node, name, arguments, live)
        if name not in OPERATORS_OF_ATEN:
            raise NetworkError(why_not(name, is_last=False))
        if (name in _SAME and shape is not None) or name == "_to_copy":
            dtype = arguments.get("dtype")
            if dtype not in (None, self._torch.float32, self._torch.float64):
                raise NetworkError("a cast that rounds is not implemented")
            return Live(live[0].name, shape or live[0].shape)
        if name == _BATCH_NORM:
            return [self._step(node, live, Normalise.of(arguments, live[0].shape), live[0].shape)]
        if name in _PRODUCTS:
            self._check_product(name, arguments)
        if shape is None:  # several outputs: made where they are taken
            return node, arguments
        return self._step(node, live, TorchCall(node.target, name, arguments, live), shape)

    def _item(self, node: Any, values: Any, place: int) -> Any:
        if isinstance(values, tuple) and len(values) == 2 and isinstance(values[1], dict):
            maker, arguments = values
            live = [v for v in leaves(arguments) if isinstance(v, Live)]
            call = TorchCall(maker.target, name_of(maker.target), arguments, live, place)
            shape = _shape(node)
            assert shape is not None
            return self._step(node, live, call, shape)
        if place >= len(values) or values[place] is None:
            raise NetworkError(
                f"node {node.name!r}: of its outputs only the values are implemented, "
                "not their places"
            )
        return values[place]

    def _check_product(self, name: str, arguments: dict[str, Any]) -> None:
        operands = list(arguments.values())
        pair = operands[1:3] if name in ("addmm", "addmv", "baddbmm") else operands[:2]
        if all(isinstance(v, Live) for v in pair):
            raise NetworkError("a product of two values of the network is not piecewise linear")
        if name == "div" and (isinstance(pair[1], Live) or arguments.get("rounding_mode")):
            raise NetworkError(
                "dividing by a value of the network, or rounding, is not implemented"
            )

    def _step(self, node: Any, live: list[Live], affine: Any, shape: tuple[int, ...]) -> Live:
        reads = tuple(dict.fromkeys(v.name for v in live))
        self._steps.append(Step(node.name, reads, affine))
        self._weights += prod(shape) * (affine.terms if isinstance(affine, TorchCall) else 1)
        return Live(node.name, shape)

    # Units ----------------------------------------------------------------------------------------

    def _units(self, node: Any, name: str, arguments: dict[str, Any], live: list[Live]) -> Any:
        if name == "relu":
            group = Group(relu(), slice(None), slice(None))
            width = prod(live[0].shape)
            self._steps.append(Step(node.name, (live[0].name,), None, (group,), width))
            return Live(node.name, live[0].shape)
        sizes = [prod(v.shape) for v in live]
        firsts = dict(zip((id(v) for v in live), np.cumsum([0, *sizes]).tolist(), strict=False))

        def tensor(value: Any) -> Any:
            if isinstance(value, Live):
                return AffineTensor.of_columns(value.shape, firsts[id(value)])
            return value

        builder = NetworkBuilder(sum(sizes))
        made = UNITS_OF_ATEN[name].apply(
            AtenCall(node.target, replaced(arguments, tensor), builder)
        )
        outputs = made if isinstance(made, list) else [made]
        return_all = [
            None if out is None else self._small(f"{node.name}.{k}", builder.finish(out), live, out)
            for k, out in enumerate(outputs)
        ]
        return return_all if isinstance(made, list) else return_all[0]

    def _small(self, name: str, network: Network, live: list[Live], out: AffineTensor) -> Live:
        """Add the steps of a small network on values that it reads one after the other."""
        names: list[Any] = [v.name for v in live]
        start = names[0]
        if len(names) > 1:
            start = f"{name}.input"
            sizes = [prod(v.shape) for v in live]
            self._steps.append(
                Step(start, tuple(dict.fromkeys(names)), Gather.joining(names, sizes))
            )
        made = {0: start}
        for number, affine in enumerate(network.maps):
            sources = network.sources[number]
            reads = tuple(made[source.number] for source in sources)
            is_output = number == len(network.layers)
            label = name if is_output else f"{name}.v{number}"
            step = SparseMap.of(affine, sources, self._device)
            if step is None:  # all of one source, as it is
                label = reads[0]
            else:
                self._steps.append(Step(label, reads, step))
            if is_output:
                return Live(label, out.shape)
            layer = network.layers[number]
            made[number + 1] = f"{name}.{number}"
            self._steps.append(Step(made[number + 1], (label,), None, layer.groups, layer.width))
        return Live(made[len(network.layers)], out.shape)


def _pruned(steps: list[Step]) -> tuple[Step, ...]:
    """Return the steps that lead to units."""
    kept: list[Step] = []
    wanted: set[Any] = set()
    for step in reversed(steps):
        if step.affine is None or step.name in wanted:
            kept.append(step)
            wanted |= set(step.reads)
    return tuple(replace(step) for step in reversed(kept))


def _is_unit(node: Any) -> bool:
    return hasattr(node.target, "_schema") and name_of(node.target) in UNITS_OF_ATEN


def _before(end: Any) -> set[Any]:
    found, pending = {end}, [end]
    while pending:
        for node in pending.pop().all_input_nodes:
            if node not in found:
                found.add(node)
                pending.append(node)
    return found


def _shape(node: Any) -> tuple[int, ...] | None:
    """Return the shape of a node's value; None if there are several."""
    value = node.meta.get("val")
    return tuple(int(n) for n in value.shape) if hasattr(value, "shape") else None


def _by_name(target: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return arguments by name; those that are left out have their defaults."""
    found = dict[str, Any]()
    for number, argument in enumerate(target._schema.arguments):
        if number < len(args):
            found[argument.name] = args[number]
        elif argument.name in kwargs:
            found[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            found[argument.name] = argument.default_value
    return found
