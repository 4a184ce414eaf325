"""VNN-LIB 2.0: a property parsed by the package vnnlib, as the expressions that 1.0 has.

The package checks types, shapes and indices, and keeps numbers as they are written; its own forms
for solvers (linear expressions, boxes) round and are not used. Syntax and meaning are those of
Roy et al., "VNN-LIB 2.0: Rigorous Foundations for Neural Network Verification" (CAV 2026).
"""

import json
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from milpcount import caps, optional
from milpcount.domain_files.expressions import Expression, commands
from milpcount.domain_files.linear import Element
from milpcount.errors import FileFormatError, NotInstalledError

VERSION = "vnnlib-version"
"""The command that a file of version 2 begins with."""
_OPERATIONS = {
    "Negate": "-", "Plus": "+", "Minus": "-", "Multiply": "*",
    "LessEqual": "<=", "LessThan": "<", "GreaterEqual": ">=", "GreaterThan": ">",
    "Equal": "==", "NotEqual": "!=", "And": "and", "Or": "or",
}  # fmt: skip
"""Classes of the package, and what stands for them in a file."""
_REAL = {"real", "float16", "bfloat16", "float32", "float64"}


def parsed(text: str) -> tuple[list[str], Iterator[Expression]]:
    """Return the names of the inputs, and the expressions that are asserted.

    Elements of tensors are `Element` words: inputs are numbered row by row, one tensor after the
    other in the order of their declarations, which is that of the network's file.

    Raises
    ------
    FileFormatError
        If the text is not VNN-LIB 2.0, or speaks of several networks, of hidden nodes, or of
        elements that are no real numbers.
    NotInstalledError
        If the package is missing.
    """
    package = _package()
    # The parser calls itself for every parenthesis, and a text ends for it at a zero byte.
    lists = [command for command in commands(text, caps.DEPTH) if isinstance(command, list)]
    asserted = sum(command[:1] == ["assert"] for command in lists)
    try:
        query = package.parse_query_string(text)
    # Beside its own exceptions there are those of C++, as for an integer of 20 digits.
    except Exception as error:
        reason = _reason(error)
        if named := _by_name(lists):
            reason += (
                f"; the package vnnlib may not take the name that {named} is given: leave such "
                "names out, and declare inputs in the order of the network's file"
            )
        raise FileFormatError(f"not valid as VNN-LIB 2.0: {reason}") from None
    if len(query.assertions) != asserted:
        raise FileFormatError(
            f"{asserted} assertions, of which the package vnnlib sees {len(query.assertions)}: "
            "the file may be damaged"
        )
    names, places = _inputs(query)
    return names, (_expression(package, assertion.expr, places) for assertion in query.assertions)


def _package() -> Any:
    what = "a file of VNN-LIB 2.0"
    found = optional.require("vnnlib", what, extra="vnnlib")
    if not hasattr(found, "parse_query_string"):
        state = "is installed in a version for VNN-LIB 1.0"
        command = "pip install --upgrade 'milpcount[vnnlib]'"
        raise NotInstalledError(what, "vnnlib", command=command, state=state)
    return found


def _reason(error: Exception) -> str:
    """Return the first of the errors that the package found, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    try:
        first = json.loads(str(error))["errors"][0]
        where, said = f"line {first['line']}", str(first["message"]).rstrip(".")
        return f"{where}: {said}: {first['offendingSymbol']}. {first['hint']}".rstrip(". ")
    except (ValueError, LookupError, TypeError):
        return text.removeprefix("Parse error: ")


def _by_name(lists: Sequence[Expression]) -> str | None:
    """Return an input or output that is declared with its name in an ONNX file, if there is one."""
    for command in lists:
        for part in command:
            match part:
                case ["declare-input" | "declare-output", str(name), _, *rest] if any(
                    isinstance(word, str) and word.startswith('"') for word in rest
                ):
                    return name
    return None


def _inputs(query: Any) -> tuple[list[str], dict[str, int]]:
    """Return the names of all inputs, and the number of the first one of each tensor."""
    if len(query.networks) != 1:
        several = ", ".join(network.name for network in query.networks)
        raise FileFormatError(
            f"declares the networks {several}: regions are counted of one network; give a file "
            "that speaks of it alone"
        )
    tensors = query.networks[0].inputs
    if len(tensors) > 1 and any(tensor.onnx_name is not None for tensor in tensors):
        raise FileFormatError(
            "declares several inputs by their names in an ONNX file: only their order is read; "
            "declare them in the order of that file, without the names"
        )
    names: list[str] = []
    places = {}
    for tensor in tensors:
        kind = str(tensor).split()[2]
        if kind.lower() not in _REAL:
            raise FileFormatError(
                f"the elements of input {tensor.name} are {kind}, and domains are sets of real "
                f"numbers: declare one of {', '.join(sorted(_REAL))}"
            )
        caps.NUMBERS.check(len(names) + prod(tensor.shape), f"input {tensor.name}")
        places[tensor.name] = len(names)
        names += [_named(tensor.name, _at(k, tensor.shape)) for k in range(prod(tensor.shape))]
    if not names:
        raise FileFormatError("declares inputs without elements")
    return names, places


def _at(place: int, shape: Sequence[int]) -> list[int]:
    """Return the indices of an element from its number, row by row."""
    found = []
    for size in reversed(shape):
        place, index = divmod(place, size)
        found.append(index)
    return found[::-1]


def _named(tensor: str, indices: Sequence[int]) -> str:
    return f"{tensor}[{','.join(map(str, indices))}]" if indices else tensor


def _expression(package: Any, root: Any, places: dict[str, int]) -> Expression:
    """Return what is asserted as nested lists of words, without recursion."""
    found: list[Expression] = []
    work = [(root, found)]
    while work:
        node, target = work.pop()
        if isinstance(node, package.Var):
            target.append(_element(package, node, places))
        elif isinstance(node, package.Literal):
            target.append(node.lexeme)
        else:
            name = type(node).__name__
            if name not in _OPERATIONS:
                raise FileFormatError(f"{str(node)[:60]}: a {name} is not supported")
            part: list[Expression] = [_OPERATIONS[name]]
            target.append(part)
            work += [(child, part) for child in reversed(node.children())]
    return found[0]


def _element(package: Any, node: Any, places: dict[str, int]) -> Element:
    name = _named(node.name, node.indices)
    if node.kind == package.SymbolKind.Output:
        return Element(name, -1)
    if node.kind != package.SymbolKind.Input:
        raise FileFormatError(
            f"line {node.line}: {name} is a value of the hidden node {node.onnx_name}, and a "
            "domain is a set of inputs: leave out what is asserted of it"
        )
    place = 0
    for index, size in zip(node.indices, node.shape, strict=True):
        place = place * size + index
    return Element(name, places[node.name] + place)
