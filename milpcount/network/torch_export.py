"""Reader of PyTorch modules with any ``forward``: the graph that ``torch.export`` traces.

A copy of the module is traced, without hooks and in evaluation mode; the trace calls its `forward`.
What comes out is a graph of ATen operators, which `milpcount.network.aten_walk` reads.
"""

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.aten_inputs import inputs_of
from milpcount.network.aten_names import WHOLE
from milpcount.network.aten_operators import OPERATORS_OF_ATEN
from milpcount.network.aten_units import UNITS_OF_ATEN
from milpcount.network.aten_walk import read_program
from milpcount.network.batch import without_batch
from milpcount.network.network import Network
from milpcount.network.torch_copies import traceable
from milpcount.network.torch_modules import import_torch

_BATCH = 2
_LONGEST_REASON = 300
_NOT_PROVED = (
    "the module was read for a batch of 1: that it treats the inputs of a batch alike is not proved"
)
# What torch itself raises while it exports, on every module.
_OF_TORCH = (r".*isinstance\(treespec, LeafSpec\)", r".*is deprecated.*treespec")


_REPORTING = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes")


def read_forward(
    module: Any, shapes: Sequence[Sequence[int]] | None, example: Any, output: str | int | None
) -> Network:
    """Return the network that a module's `forward` computes in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
    shapes : sequence of sequences of int, optional
        Of one input, each of its tensors. A batch of two is traced, and it is proved that its
        inputs do not meet.
    example : torch.Tensor or sequence of torch.Tensor, optional
        An input with its batch, in place of the shapes. Rows of a batch that do not meet are taken
        apart; else they are parts of one input.
    output : str or int, optional
        Which output to take, where there are several.
    """
    copied = traceable(module)
    if example is not None:
        program = exported(copied.module, examples_of(example))
        found = inputs_of(program).of_one_row(read_program(program, output))
    elif shapes is None:
        raise NetworkError(
            f"the {type(copied.module).__name__} does not tell the shape of its inputs: give "
            "input_shape, without the batch, e.g. input_shape=(1, 28, 28)"
        )
    else:
        found = _of_one_input(copied.module, shapes, output)
    return replace(found, notes=(*copied.notes, *found.notes))


def _of_one_input(
    module: Any, shapes: Sequence[Sequence[int]], output: str | int | None
) -> Network:
    """Return what a module does to one input of a batch, if it keeps them apart."""

    def read(rows: int) -> Network:
        examples = [_zeros(module, (rows, *shape)) for shape in shapes]
        return read_program(exported(module, examples), output)

    network = read(_BATCH)
    try:
        found = without_batch(network, _BATCH)
    except NetworkError:  # they do not meet, but whether they are treated alike is not clear
        alone = read(1)
        return replace(alone, notes=(*alone.notes, _NOT_PROVED))
    if found is network:
        raise NetworkError(
            "the module mixes the inputs of a batch: give example_input, with a batch of 1 to "
            "count on one input"
        )
    return replace(found, notes=network.notes)


def _zeros(module: Any, shape: tuple[int, ...]) -> Any:
    """Return an input of the precision and on the device of a module's numbers."""
    torch = import_torch()
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return torch.zeros(shape, dtype=tensor.dtype, device=tensor.device)
    return torch.zeros(shape)


def examples_of(given: Any) -> list[Any]:
    """Return zeros of the shapes and kinds of an example.

    Raises
    ------
    NetworkError
        If it is no tensor of floating numbers, nor several.
    """
    torch = import_torch()
    tensors = list(given) if isinstance(given, tuple | list) else [given]
    for tensor in tensors or [None]:
        if not isinstance(tensor, torch.Tensor) or not tensor.dim():
            raise NetworkError(
                "example_input: give a tensor with its batch, or a tuple of tensors for a module "
                "with several inputs"
            )
        if not tensor.is_floating_point():
            raise NetworkError(
                f"example_input: a tensor of {tensor.dtype} is not one of real numbers"
            )
    return [torch.zeros_like(tensor.detach()) for tensor in tensors]


def exported(module: Any, examples: Sequence[Any]) -> Any:
    """Return the program of ATen operators that a module runs on inputs, one for each argument.

    Raises
    ------
    NetworkError
        If it cannot be traced.
    """
    torch = import_torch()
    with silenced(), torch.no_grad():
        try:
            return torch.export.export(module, tuple(examples))
        # A trace runs the user's code: any error may come of it.
        except Exception as error:
            raise NetworkError(_why(module, error, [tuple(e.shape) for e in examples])) from None


def decomposed(program: Any) -> Any:
    """Return a program in the core operators of ATen, those that are read whole left as they are.

    Raises
    ------
    NetworkError
        If torch is too old, or cannot do it.
    """
    torch = import_torch()
    if not hasattr(torch.export, "default_decompositions"):
        raise NetworkError("modules with a forward of their own need torch 2.6 or later")
    whole = WHOLE | {name for name in OPERATORS_OF_ATEN if name not in _SPLIT} | {*UNITS_OF_ATEN}
    with silenced(), torch.no_grad():
        table = torch.export.default_decompositions()
        for operator in list(table.keys()):
            if operator.name().split("::")[1].split(".")[0] in whole:
                table.pop(operator)
        try:
            _rewrite_shrinking(program)
            return program.run_decompositions(table)
        except Exception as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise NetworkError(f"torch cannot decompose the program: {reason}") from None


def _rewrite_shrinking(program: Any) -> None:
    """Write shrinking by other units: torch always decomposes it, to choices by comparison."""
    aten, graph = import_torch().ops.aten, program.graph

    for node in list(graph.nodes):
        name = getattr(node.target, "name", str)() if node.op == "call_function" else ""
        if name not in ("aten::softshrink", "aten::hardshrink"):
            continue
        x, limit = node.args[0], float(node.args[1]) if len(node.args) > 1 else 0.5
        with graph.inserting_before(node):
            if name == "aten::softshrink":  # x minus what is cut off
                parts = [x, graph.call_function(aten.hardtanh.default, (x, -limit, limit))]
            else:
                minus = graph.call_function(aten.neg.default, (x,))
                parts = [
                    graph.call_function(aten.threshold.default, (v, limit, 0.0)) for v in (x, minus)
                ]
                minus.meta = node.meta
            found = graph.call_function(aten.sub.Tensor, tuple(parts))
        for new in (*parts[1:], *parts[:1], found):
            if new is not x:
                new.meta = dict(node.meta)
        node.replace_all_uses_with(found)
        program.graph_signature.replace_all_uses(node.name, found.name)
        graph.erase_node(node)
    program.graph_module.recompile()


# Decomposed where torch does so: their own forms have arguments that are not read.
_SPLIT = frozenset(("matmul", "adaptive_avg_pool1d", "reshape", "flatten", "stack", "chunk"))


@contextmanager
def silenced() -> Iterator[None]:
    """Leave out what torch says about itself, and its reports of errors that it raises anyway."""
    loggers = [logging.getLogger(name) for name in _REPORTING]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            for message in _OF_TORCH:
                warnings.filterwarnings("ignore", message=message, category=FutureWarning)
            yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _why(module: Any, error: Exception, shapes: Sequence[tuple[int, ...]]) -> str:
    """Return in one line why a module cannot be traced."""
    text = str(error)
    title = type(module).__name__
    if "DataDependent" in type(error).__name__ or "data-dependent" in text.lower():
        return (
            f"the forward of {title} decides by the values of a tensor (if, while, int() or "
            f"item()): such control flow is not implemented{_place(text)}"
        )
    said = " ".join(text.split()) or type(error).__name__
    if len(said) > _LONGEST_REASON:
        said = said[:_LONGEST_REASON] + " .."
    where = f"an input of shape {shapes[0]}" if len(shapes) == 1 else f"inputs of shapes {shapes}"
    return f"the forward of {title} cannot be traced on {where}: {said}"


def _place(text: str) -> str:
    """Return which line of the user's a report of torch's names."""
    for line in text.splitlines():
        if line.strip().startswith("(_") or "in forward" not in line:
            continue
        return f" ({' '.join(line.split())})"
    return ""
