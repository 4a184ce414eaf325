"""The walk through an exported program: each ATen operator on values that are affine or constant.

Between units every value is an affine function of the inputs and of the units before it, as in
`milpcount.network.onnx_reader`. Constants are computed by torch in the precision of the module, as
the module would; where that rounds, the network says so.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from milpcount.errors import InputError, NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.aten_calls import AtenCall, AtenOperator, array, leaves, replaced
from milpcount.network.aten_choices import as_numbers, with_choices
from milpcount.network.aten_inputs import inputs_of
from milpcount.network.aten_names import onnx_name, why_not
from milpcount.network.aten_operators import MOVING, OPERATORS_OF_ATEN, called
from milpcount.network.aten_outputs import chosen
from milpcount.network.aten_units import UNITS_OF_ATEN
from milpcount.network.builder import NetworkBuilder
from milpcount.network.choices import Choice
from milpcount.network.network import Network
from milpcount.network.onnx_ending import LeftOut, ending, starts_ending
from milpcount.network.torch_modules import import_torch

_OPERATORS: dict[str, AtenOperator] = {**OPERATORS_OF_ATEN, **UNITS_OF_ATEN}
_SIZES = ("sym_size", "sym_numel")
ROUNDED = "constants that the module computes are taken as torch rounds them"
Values = dict[Any, Any]


def read_program(program: Any, output: str | int | None = None) -> Network:
    """Return the network of an exported program.

    Parameters
    ----------
    program : torch.export.ExportedProgram
        Of sizes that are known. Several inputs are one: row by row of their batch, where they have
        one, and one after the other in a row.
    output : str or int, optional
        Name or place of the output to take, where there are several.

    Raises
    ------
    NetworkError
        If an operator is not supported, named in the message, or a number is not finite.
    """
    from milpcount.network.torch_export import decomposed

    core = decomposed(program)
    inputs = inputs_of(core)
    builder = NetworkBuilder(inputs.size)
    if inputs.note is not None:
        builder.note(inputs.note)
    end = chosen(core, output, builder)
    with np.errstate(all="ignore"):  # overflow is reported where the weights are checked
        found = _Walk(builder, end).value(core, inputs.tensors())
    if isinstance(found, LeftOut):
        builder.note(found.note)
        found = found.source
    if isinstance(found, Choice):
        raise NetworkError("the output is a comparison: count what it compares")
    if not isinstance(found, AffineTensor):
        raise NetworkError("the output does not depend on the input")
    return builder.finish(found)


@dataclass
class _Walk:
    """One pass through a graph, to the node whose value is wanted."""

    builder: NetworkBuilder
    end: Any
    values: Values = field(default_factory=dict)

    def value(self, program: Any, tensors: Sequence[AffineTensor]) -> Any:
        """Return the value of the wanted node."""
        self.values = _placeholders(program, tensors)
        needed = _needed(self.end)
        for node in program.graph.nodes:
            if node in needed and node not in self.values:
                try:
                    self.values[node] = self._evaluate(node)
                except InputError as error:
                    if str(error).startswith("node "):
                        raise NetworkError(str(error)) from None
                    raise NetworkError(f"{_label(node)}: {error}") from None
                # Torch and numpy raise all kinds of errors on arguments that do not fit.
                except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                    reason = " ".join(str(error).split()) or type(error).__name__
                    raise NetworkError(f"{_label(node)}: {reason}") from None
        return self.values[self.end]

    def _evaluate(self, node: Any) -> Any:
        import torch

        if node.op != "call_function":
            raise NetworkError("control flow and submodules in a program are not implemented")
        known = torch.fx.node.map_arg((node.args, node.kwargs), lambda n: self.values[n])
        args, kwargs = known
        if node.target is operator.getitem:
            return _item(*args)
        if not isinstance(node.target, torch._ops.OpOverload):
            if any(isinstance(v, AffineTensor | Choice) for v in leaves(known)):
                raise NetworkError("control flow in a program is not implemented")
            return node.target(*args, **kwargs)
        name = name_of(node.target)
        arguments = _by_name(node.target, args, kwargs)
        if torch.Tag.nondeterministic_seeded in node.target.tags or arguments.get("train") is True:
            raise NetworkError(
                "random numbers are not supported, as of a dropout in training mode: call eval()"
            )
        values = leaves(arguments)
        if any(isinstance(v, LeftOut) for v in values):
            return ending(_as_onnx(node, name), [array_or_none(v) for v in values])
        if any(isinstance(v, AffineTensor | Choice) for v in values):
            call = AtenCall(node.target, arguments, self.builder)
            found = with_choices(name, call)
            if found is not None:
                return found
            arguments = as_numbers(call)
            values = leaves(arguments)
        if not any(isinstance(v, AffineTensor) for v in values):
            return self._constant(node.target, name, arguments)
        if name in _SIZES:
            return _size(arguments)
        return self._applied(node, name, arguments)

    def _applied(self, node: Any, name: str, arguments: dict[str, Any]) -> Any:
        found = _OPERATORS.get(name)
        is_last = self.end is node
        if found is None and starts_ending(onnx_name(name)):
            source = next(v for v in arguments.values() if isinstance(v, AffineTensor))
            kind = onnx_name(name)
            return LeftOut(source, _as_onnx(node, name), why_not(name, is_last=False), (kind,))
        if found is None:
            raise NetworkError(why_not(name, is_last=is_last))
        dtype = arguments.get("dtype")
        if dtype is not None and name not in MOVING:
            torch, given = import_torch(), node.args[0].meta["val"].dtype
            if dtype not in (torch.float32, torch.float64, given):
                raise NetworkError("a cast that rounds is not implemented")
        return found.apply(AtenCall(node.target, arguments, self.builder))

    def _constant(self, target: Any, name: str, arguments: dict[str, Any]) -> Any:
        """Return what torch makes of constants, and note whether it rounds."""
        import torch

        if name.startswith(("empty", "new_empty")):
            target, name = torch.ops.aten.zeros.default, "zeros"
            arguments = {"size": arguments["size"], "dtype": arguments.get("dtype")}
        found = called(target, arguments)
        tensors = [v for v in leaves(arguments) if isinstance(v, torch.Tensor)]
        if not any(t.is_floating_point() for t in tensors) or name in (*MOVING, "_to_copy"):
            return found
        wide = replaced(arguments, _widened)
        again = called(target, wide)
        for a, b in zip(leaves(found), leaves(again), strict=True):
            if not isinstance(a, torch.Tensor) or not a.is_floating_point():
                continue
            is_wide = any(t.dtype is torch.float64 for t in tensors)
            if is_wide or not torch.equal(a.double(), b.double()):
                self.builder.note(ROUNDED)
        return found


def name_of(target: Any) -> str:
    """Return the name of an operator without its namespace and overload."""
    return str(target.name().split("::")[1].split(".")[0])


def array_or_none(value: Any) -> Any:
    """Return a constant as an array if it is one."""
    torch = import_torch()
    return (
        array(value)
        if isinstance(value, torch.Tensor | AffineTensor)
        else (value if isinstance(value, LeftOut) else None)
    )


def _placeholders(program: Any, tensors: Sequence[AffineTensor]) -> Values:
    """Return the values of a graph's inputs: parameters, buffers, constants and the inputs."""
    given, signature, found = iter(tensors), program.graph_signature, Values()
    held = {**program.state_dict, **program.constants}
    names = {s.arg.name: s for s in signature.input_specs}
    for node in program.graph.nodes:
        if node.op == "placeholder":
            spec = names[node.name]
            is_input = spec.kind.name == "USER_INPUT"
            found[node] = next(given) if is_input else held.get(spec.target)
    return found


def _needed(end: Any) -> set[Any]:
    """Return the nodes that a node depends on."""
    found, pending = {end}, [end]
    while pending:
        for node in pending.pop().all_input_nodes:
            if node not in found:
                found.add(node)
                pending.append(node)
    return found


def _item(values: Any, place: Any) -> Any:
    found = values[place]
    if found is None:
        raise NetworkError("of its outputs only the values are implemented, not their places")
    return found


def _by_name(target: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return arguments by name; those that are left out have their defaults."""
    schema, found = target._schema.arguments, dict[str, Any]()
    for number, argument in enumerate(schema):
        if number < len(args):
            found[argument.name] = args[number]
        elif argument.name in kwargs:
            found[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            found[argument.name] = argument.default_value
    return found


def _size(arguments: dict[str, Any]) -> int:
    tensor, dim = arguments["self"], arguments.get("dim")
    return int(tensor.size if dim is None else tensor.shape[dim])


def _widened(value: Any) -> Any:
    torch = import_torch()
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.double()
    return value


def _label(node: Any) -> str:
    """Return the name and operator of a node, and the module that it is part of."""
    where = ""
    for path, cls in (node.meta.get("nn_module_stack") or {}).values():
        name = cls if isinstance(cls, str) else f"{cls.__module__}.{cls.__qualname__}"
        path = path.removeprefix("L['self']").strip(".")
        where = f" of {path or 'the module'} ({name.split('.')[-1]})"
    target = getattr(node.target, "name", None)
    kind = name_of(node.target) if callable(target) and "::" in target() else str(node.target)
    return f"node {node.name!r} ({kind}){where}"


def _as_onnx(node: Any, name: str) -> Any:
    """Return a node in the form that the endings of ONNX graphs are in."""
    kind = "Reshape" if name in MOVING else onnx_name(name)
    if name in _OPERATORS and name not in MOVING:
        kind = _OPERATORS[name].name
    return SimpleNamespace(op_type=kind, name=node.name, output=[])
