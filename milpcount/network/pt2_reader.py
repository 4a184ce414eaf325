"""Reader of ``.pt2`` files: programs that ``torch.export.save`` wrote.

Loading one with torch may unpickle what it holds, which runs code, and may evaluate expressions in
it. A file is therefore looked through first: only plain tensors, sizes that are numbers or simple
sums and products of them, and operators of ATen are let in.
"""

import io
import json
import operator
import re
import zipfile
from pathlib import Path
from typing import Any

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.network import Network
from milpcount.network.torch_modules import import_torch

# Without a dot or a name of Python's, an expression reaches nothing when it is evaluated.
_EXPRESSION = re.compile(
    r"(?:'[su]\d+'|[su]\d+|\d+|[-+*/()=, ]|Symbol|Integer|Add|Mul|Pow|Mod|FloorDiv|Max|Min"
    r"|positive|nonnegative|integer|True|False)*"
)
_PLAIN_PARTS = ("weight_", "tensor_")
_ARITHMETIC = (
    *(operator.getitem, operator.add, operator.sub, operator.mul, operator.floordiv, operator.eq),
    *(operator.ge, operator.gt, operator.le, operator.lt, operator.ne, operator.mod, operator.neg),
)
_MOST_BYTES = 2**32


def read_pt2(path: str | Path, output: str | None = None) -> Network:
    """Return the network of an exported program.

    Parameters
    ----------
    path : str or Path
    output : str, optional
        Name of the output to take, where there are several: its key, or its place.

    Returns
    -------
    Network
        As `Network.from_torch` reads the module: a first dimension of unknown size is a batch, and
        so is a fixed one whose rows never meet.

    Raises
    ------
    FileFormatError
        If the file is corrupt, or holds anything but tensors and operators.
    NetworkError
        If an operator is not supported.
    NotInstalledError
        If torch is missing.
    """
    torch = import_torch()
    source = Path(path)
    _check_archive(source)
    from milpcount.network.aten_inputs import inputs_of
    from milpcount.network.aten_walk import read_program
    from milpcount.network.torch_export import silenced

    with silenced():
        try:
            program = torch.export.load(str(source))
        # What torch raises on a bad file is not documented.
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise FileFormatError(
                f"torch cannot load it as an exported program: {reason}"
            ) from None
    _check_operators(program, torch)
    return inputs_of(program).of_one_row(read_program(program, output))


def _check_archive(source: Path) -> None:
    """Raise FileFormatError if a file holds more than numbers and a graph."""
    try:
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _MOST_BYTES:
                raise FileFormatError(f"it unpacks to more than {_MOST_BYTES:.1e} bytes")
            for info in infos:
                _check_member(info, archive)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise FileFormatError(f"not a readable program, it may be truncated: {error}") from None


def _check_member(info: zipfile.ZipInfo, archive: zipfile.ZipFile) -> None:
    torch, name = import_torch(), info.filename
    if "aotinductor" in name or name.endswith((".so", ".o", ".py", ".pkl", ".cubin")):
        raise FileFormatError(f"its part {name!r} is code: give the program of torch.export.save")
    if name.endswith(".json"):
        try:
            found = json.loads(archive.read(info))
        except (ValueError, RecursionError) as error:
            raise FileFormatError(f"its part {name!r} is no JSON: {error}") from None
        _check_json(found, name)
    elif name.endswith(".pt") and info.file_size:
        try:
            torch.load(io.BytesIO(archive.read(info)), weights_only=True)
        # Whatever it holds besides tensors is refused by an error of torch's.
        except Exception:
            raise FileFormatError(
                f"its part {name!r} holds more than tensors: loading it would run code"
            ) from None


def _check_json(value: Any, name: str) -> None:
    """Raise FileFormatError if a description asks for code to be run."""
    if isinstance(value, list):
        for part in value:
            _check_json(part, name)
        return
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        if key == "use_pickle" and part:
            raise FileFormatError(f"{name!r} asks for a pickle: loading it would run code")
        if key == "path_name" and not str(part).startswith(_PLAIN_PARTS):
            raise FileFormatError(f"{name!r} asks for the object {part!r}, which is no tensor")
        if key == "expr_str" and not _EXPRESSION.fullmatch(str(part)):
            raise FileFormatError(f"{name!r} holds the size {part!r}, which is not read")
        if key == "target" and isinstance(part, str) and part.startswith(("torch", "math", "#")):
            if not part.startswith(("torch.ops.aten.", "torch.ops.higher_order.", "torch.sym_")):
                raise FileFormatError(f"{name!r} calls {part!r}: only operators of ATen are known")
        _check_json(part, name)


def _check_operators(program: Any, torch: Any) -> None:
    """Raise NetworkError if a program calls anything but operators of ATen and arithmetic."""
    for node in program.graph.nodes:
        if node.op != "call_function" or node.target in _ARITHMETIC:
            continue
        overload = isinstance(node.target, torch._ops.OpOverload)
        if not overload or node.target.namespace not in ("aten", "prims"):
            raise NetworkError(f"node {node.name!r} calls {node.target}: it is not implemented")
