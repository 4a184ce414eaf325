"""Copies of PyTorch modules that can be traced: without wrappers and hooks, in evaluation mode.

Hooks that may change what a module computes are refused by name. Those that cannot, on gradients
and state dicts, stay behind. Weights that torch itself computes before every call (pruning, weight
and spectral normalisation, parametrisations) are computed once, as it does in evaluation mode.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.torch_modules import (
    MACHINERY,
    NO_SIZE,
    check_forward_hooks,
    import_torch,
    is_of_torch,
)

_WRAPPERS = {
    ("torch._dynamo.eval_frame", "OptimizedModule"): "_orig_mod",
    ("torch.nn.parallel.data_parallel", "DataParallel"): "module",
    ("torch.nn.parallel.distributed", "DistributedDataParallel"): "module",
}
# Hooks of torch's own that make a tensor before every call, and whether that rounds.
_MAKERS = {
    ("torch.nn.utils.weight_norm", "WeightNorm"): True,
    ("torch.nn.utils.spectral_norm", "SpectralNorm"): True,
    ("torch.nn.utils.prune", "BasePruningMethod"): False,  # products with 0 and 1
}


@dataclass(frozen=True, eq=False)
class Traceable:
    """A copy of a module, and what was rounded when its weights were computed."""

    module: Any
    notes: tuple[str, ...]


def unwrapped(module: Any) -> Any:
    """Return the module inside ``torch.compile`` and data parallel wrappers.

    Raises
    ------
    NetworkError
        If a wrapper has hooks that may change what it computes.
    """
    while key := _WRAPPERS.get((type(module).__module__, type(module).__name__)):
        check_forward_hooks(module)
        module = vars(module)["_modules"][key]
    return module


def weight_hooks(module: Any) -> list[Any]:
    """Return the hooks of torch's own that compute weights of a module before every call."""
    hooks = vars(module)["_forward_pre_hooks"].values()
    return [hook for hook in hooks if _rounds(hook) is not None]


def traceable(module: Any) -> Traceable:
    """Return a copy of a module that computes the same and has no hooks.

    Raises
    ------
    NetworkError
        If hooks or patched methods may change what it computes, or it cannot be copied.
    """
    torch = import_torch()
    memo: dict[int, Any] = {}
    parts = dict(_parts(module))
    for name, part in parts.items():
        with _naming(_title(name, part)):
            _check_sized(part)
            memo |= _without_hooks(part)
    for part in reversed(parts.values()):  # inner wrappers first
        inner = unwrapped(part)
        if inner is not part:
            memo[id(part)] = _copied(inner, memo)
    found = _copied(unwrapped(module), memo)
    registered = {id(part) for _, part in _parts(found)}
    for part in list(memo.values()):
        if isinstance(part, torch.nn.Module) and id(part) not in registered:
            _check_stray(part)
    notes = []
    for name, part in _parts(found):
        with _naming(_title(name, part)):
            _check(part)
            vars(part)["training"] = False
            if _made(part):
                notes.append(rounded_weights(_title(name, part)))
    return Traceable(found, tuple(notes))


def loaded(module: Any, state_dict: Any) -> Any:
    """Return a copy of a module with the values of a state dict.

    Raises
    ------
    NetworkError
        If they do not fit.
    """
    memo: dict[int, Any] = {}
    for name, part in _parts(module):
        with _naming(_title(name, part)):
            memo |= _without_hooks(part)
    found = _copied(module, memo)
    try:
        import_torch().nn.Module.load_state_dict(found, state_dict)
    except (AttributeError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise NetworkError(f"the state_dict does not fit the module: {reason}") from None
    return found


def rounded_weights(title: str) -> str:
    """Return what a network says whose weights were computed in the module's precision."""
    return f"computed weights of {title} are taken as torch rounds them"


@contextmanager
def _naming(title: str) -> Iterator[None]:
    """Say of which module an error speaks."""
    try:
        yield
    except NetworkError as error:
        raise NetworkError(f"{title}: {error}") from None


def _title(name: str, part: Any) -> str:
    return f"{name or 'the module'} ({type(part).__name__})"


def _parts(module: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a module and all in it, without a call to methods of theirs."""
    yield prefix, module
    for key, child in vars(module)["_modules"].items():
        if child is not None:
            yield from _parts(child, f"{prefix}.{key}" if prefix else key)


def _rounds(hook: Any) -> bool | None:
    """Return whether a hook of torch's own rounds; None for one of the user's."""
    for cls in type(hook).__mro__:
        found = _MAKERS.get((cls.__module__, cls.__name__))
        if found is not None:
            # A subclass of the user's may choose what is pruned, not what is done with it.
            ours = ("__call__", "apply_mask", "remove", "compute_weight")
            same = all(getattr(type(hook), n, None) is getattr(cls, n, None) for n in ours)
            return found if same else None
    return None


def _without_hooks(part: Any) -> dict[int, Any]:
    """Return what a deep copy takes instead of hooks and of tensors that torch does not copy."""
    torch, own, found = import_torch(), vars(part), dict[int, Any]()
    kept = {k: hook for k, hook in own["_forward_pre_hooks"].items() if _rounds(hook) is not None}
    check_forward_hooks(part, list(kept.values()))
    for name, value in own.items():
        if name == "_forward_pre_hooks":
            found[id(value)] = OrderedDict(kept)
        elif name.endswith("_hooks") and isinstance(value, dict):
            found[id(value)] = OrderedDict()
        elif isinstance(value, torch.Tensor) and not value.is_leaf:
            found[id(value)] = value.detach().clone()
    return found


def _check_stray(part: Any) -> None:
    """Prepare the copy of a module that is held as no submodule, as in a list."""
    with _naming(f"a {type(part).__name__} that is not registered as a submodule"):
        check_forward_hooks(part)
    vars(part)["training"] = False
    for name, value in vars(part).items():
        if name.endswith("_hooks") and isinstance(value, dict):
            value.clear()


def _copied(module: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(module, memo)
    # Whatever a module holds that cannot be copied raises an error of its own.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NetworkError(f"the module cannot be copied: {reason}") from None


def _check_sized(part: Any) -> None:
    unsized = import_torch().nn.parameter.UninitializedTensorMixin
    if any(isinstance(value, unsized) for value in vars(part)["_parameters"].values()):
        raise NetworkError(NO_SIZE)


def _check(part: Any) -> None:
    """Raise NetworkError if a trace need not show what a module computes."""
    for name in MACHINERY:
        of_class = next((c for c in type(part).__mro__ if name in vars(c)), None)
        if name in vars(part) or (of_class is not None and not is_of_torch(of_class, module=True)):
            raise NetworkError(f"it has a {name} method of its own, which a trace does not show")
    if "forward" in vars(part):
        raise NetworkError("its forward is patched on the instance: define it in its class")


def _made(part: Any) -> bool:
    """Compute the weights that torch computes before every call; return whether that rounds."""
    torch, rounds = import_torch(), False
    with torch.no_grad():
        for key, hook in list(part._forward_pre_hooks.items()):
            rounds |= bool(_rounds(hook))
            hook.remove(part)
            part._forward_pre_hooks.pop(key, None)
        if torch.nn.utils.parametrize.is_parametrized(part):
            chains = part._modules["parametrizations"]._modules
            if all(is_of_torch(type(p)) for c in chains.values() for p in c._modules.values()):
                values = {name: chain.eval()() for name, chain in chains.items()}
                # Not torch's removal: it changes the class, which the user's module shares.
                del part._modules["parametrizations"]
                part.__class__ = type(part).__mro__[1]
                for name, value in values.items():
                    part.register_buffer(name, value.detach().clone())
                rounds = True
    return rounds
