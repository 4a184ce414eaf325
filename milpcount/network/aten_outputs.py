"""The outputs of an exported program, and which of them is taken."""

from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.builder import NetworkBuilder


def chosen(program: Any, wanted: str | int | None, builder: NetworkBuilder) -> Any:
    """Return the node of the output to take.

    Raises
    ------
    NetworkError
        If there are several and none or an unknown one is named, or the program changes buffers.
    """
    specs = program.graph_signature.output_specs
    for spec in specs:
        if spec.kind.name == "BUFFER_MUTATION":
            raise NetworkError(
                f"the module changes its buffer {spec.target!r} when it is called: its function "
                "depends on the calls before"
            )
    nodes = {n.name: n for n in program.graph.nodes}
    found = [nodes.get(getattr(s.arg, "name", "")) for s in specs if s.kind.name == "USER_OUTPUT"]
    names = output_names(program, len(found))
    tensors = {n: node for n, node in zip(names, found, strict=True) if node is not None}
    if not tensors:
        raise NetworkError("the module returns no tensor that depends on its input")
    if wanted is None:
        if len(tensors) > 1:
            raise NetworkError(
                f"the module has outputs {list(tensors)}: choose one by output=, its name or place"
            )
        return next(iter(tensors.values()))
    if isinstance(wanted, int) and 0 <= wanted < len(tensors):
        wanted = list(tensors)[wanted]
    if wanted not in tensors:
        raise NetworkError(f"the module has no output {wanted!r}: it has {list(tensors)}")
    if len(tensors) > 1:
        builder.note(f"the output {wanted!r} was chosen among {list(tensors)}")
    return tensors[wanted]


def output_names(program: Any, n: int) -> list[str]:
    """Return the names of outputs: keys and places, joined by dots."""
    from torch.utils import _pytree as pytree

    spec = program.call_spec.out_spec
    if spec is None or spec.num_leaves != n:
        return [str(k) for k in range(n)]
    pairs, _ = pytree.tree_flatten_with_path(pytree.tree_unflatten(list(range(n)), spec))
    return [".".join(_key(key) for key in path) or "output" for path, _ in pairs]


def _key(key: Any) -> str:
    for attribute in ("key", "idx", "name"):
        if hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)
