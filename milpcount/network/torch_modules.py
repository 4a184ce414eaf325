"""What a PyTorch module is known to compute: copies of supported classes without anything added.

Hooks, overridden methods and patched instances can change what a module computes without a trace
in its weights. They are refused; what cannot change it, as hooks on gradients and on the state
dict, is left out of the copy. Nothing of the user's is called.
"""

import copy
from collections.abc import Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from milpcount import optional
from milpcount.errors import NetworkError
from milpcount.network.unsupported import is_known, reason

UNCHANGED = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
LINEAR = (
    *("Linear", "Flatten", "Unflatten", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
    *("Conv1d", "Conv2d", "Conv3d", "AvgPool1d", "AvgPool2d", "AvgPool3d"),
)
UNITS = (
    *("ReLU", "LeakyReLU", "PReLU", "Hardtanh", "ReLU6", "MaxPool1d", "MaxPool2d", "MaxPool3d"),
)
AT_THE_END = ("Softmax", "LogSoftmax", "Sigmoid", "Tanh")

# What a subclass may define without a say in what the module computes in evaluation mode.
_HARMLESS = frozenset(
    (
        *("__init__", "__module__", "__doc__", "__annotations__", "__dict__", "__weakref__"),
        *("__init_subclass__", "__repr__", "__hash__", "__eq__", "__getstate__", "__setstate__"),
        *("__deepcopy__", "__reduce__", "__reduce_ex__", "__dir__", "__constants__", "_version"),
        *("_get_name", "extra_repr", "reset_parameters", "reset_running_stats", "state_dict"),
        *("load_state_dict", "_load_from_state_dict", "_save_to_state_dict", "__subclasshook__"),
    )
)
# Methods that decide which other methods run: a trace does not show what they do.
MACHINERY = ("__call__", "_call_impl", "_wrapped_call_impl", "train", "eval")
NO_SIZE = "its size is not known yet (uninitialized parameter): call the module on an input first"
# Hooks of torch's own that make a weight before every call.
_REMEDIES = {
    ("torch.nn.utils.weight_norm", "WeightNorm"): "remove_weight_norm(module)",
    ("torch.nn.utils.spectral_norm", "SpectralNorm"): "remove_spectral_norm(module)",
    ("torch.nn.utils.prune", "BasePruningMethod"): "prune.remove(module, name of the tensor)",
}


class NeedsTracing(NetworkError):
    """A module need not compute what its class in torch does: only a trace tells what it does."""


def import_torch() -> Any:
    """Return the package torch.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("torch", "reading a PyTorch module", extra="torch")


def check_global_hooks() -> None:
    """Raise NetworkError if torch calls something of the user's for every module."""
    state = import_torch().nn.modules.module
    for kind, hooks in (
        ("forward_hook", state._global_forward_hooks),
        ("forward_pre_hook", state._global_forward_pre_hooks),
    ):
        for hook in hooks.values():
            raise NetworkError(
                f"torch runs the global hook {_named(hook)} with every module, which may change "
                "what it computes: remove it with the remove() of the handle that "
                f"register_module_{kind} returned"
            )


def kind_of(module: Any) -> str | None:
    """Return the supported class whose forward method a module runs; None for another class.

    Raises
    ------
    NetworkError
        If the module has hooks or methods that may change what that class computes.
    """
    nn = import_torch().nn
    supported = {getattr(nn, n): n for n in ("Sequential", *UNCHANGED, *LINEAR, *UNITS)}
    supported |= {getattr(nn, n): n for n in AT_THE_END}
    found = next((cls for cls in type(module).__mro__ if cls in supported), None)
    if found is None:
        return None
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        raise NetworkError(NO_SIZE)
    check_forward_hooks(module)
    _check_class(module, found)
    return supported[found]


def unsupported(module: Any, *, is_last: bool) -> str | None:
    """Return why a module of no supported class cannot be read; None if a trace may tell more."""
    where = type(module).__module__
    if isinstance(module, import_torch().jit.ScriptModule):
        return "TorchScript is not implemented: give the module that it was made from"
    if where.startswith("torch.") and ("quantized" in where or ".qat" in where):
        return "quantised modules round, which is not implemented: give the module in floats"
    if is_of_torch(type(module)) and is_known(type(module).__name__):
        found = reason(type(module).__name__, is_last=is_last)
        return found if "not piecewise linear" in found else None
    return None


def plain_copy(module: Any, kind: str) -> Any:
    """Return a module of class `kind` in evaluation mode, with a module's values and no hooks.

    Parametrised weights are taken in the precision of the module, as
    ``torch.nn.utils.parametrize.remove_parametrizations`` leaves them.

    Raises
    ------
    NetworkError
        If a value is not a plain tensor, or is parametrised by a class of the user's.
    """
    torch = import_torch()
    cls = getattr(torch.nn, kind)
    plain = cls.__new__(cls)
    torch.nn.Module.__init__(plain)
    own, settings = vars(module), vars(plain)
    added = {k: v for k, v in own.items() if k not in settings and k != "_compiled_call_impl"}
    values = {k: v for k, v in added.items() if isinstance(v, torch.Tensor)}
    settings |= {k: v for k, v in added.items() if k not in values}
    for key, value in {**own["_parameters"], **own["_buffers"], **values}.items():
        plain._buffers[key] = None if value is None else _plain_tensor(value, key)
    for key, value in _parametrised(module).items():
        plain._buffers[key] = _plain_tensor(value, key)
    plain.training = False
    return plain


def _plain_tensor(value: Any, name: str) -> Any:
    torch = import_torch()
    if isinstance(value, torch.nn.parameter.UninitializedTensorMixin):
        raise NetworkError(NO_SIZE)
    data = value.detach()
    if type(data) is not torch.Tensor or data.layout is not torch.strided or data.is_quantized:
        raise NetworkError(
            f"{name} is a {type(value).__name__} of {value.layout} and {value.dtype}: a plain "
            "tensor of real numbers is needed"
        )
    if data.is_complex() or data.is_meta:
        what = "holds complex numbers" if data.is_complex() else "has no values (device meta)"
        raise NetworkError(f"{name} {what}: real numbers are needed")
    return data.cpu().clone()


def _parametrised(module: Any) -> dict[str, Any]:
    """Return the values of parametrised tensors in evaluation mode."""
    torch = import_torch()
    if not torch.nn.utils.parametrize.is_parametrized(module):
        return {}
    found = {}
    for name, chain in module._modules["parametrizations"]._modules.items():
        for part in (chain, *chain._modules.values()):
            check_forward_hooks(part)
        foreign = [p for p in chain._modules.values() if not is_of_torch(type(p))]
        if foreign:
            raise NetworkError(
                f"{name} is parametrised by a {type(foreign[0]).__name__} of your own: fix its "
                "value with torch.nn.utils.parametrize.remove_parametrizations(module, "
                f"{name!r}) on a copy"
            )
        with torch.no_grad():
            # A copy: in training mode a spectral norm goes on estimating at every call.
            found[name] = copy.deepcopy(chain).eval()()
    return found


def is_of_torch(cls: type, *, module: bool = False) -> bool:
    """Return whether a class is one of torch's; its bare ``Module`` only if `module` says so."""
    return cls.__module__.split(".")[0] == "torch" and (module or cls.__name__ != "Module")


def check_forward_hooks(module: Any, known: Sequence[Any] = ()) -> None:
    """Raise NetworkError if a module has hooks that may change what it computes, but known ones."""
    for kind in ("forward_hook", "forward_pre_hook"):
        for hook in vars(module).get(f"_{kind}s", {}).values():
            if any(hook is one for one in known):
                continue
            raise NetworkError(
                f"it has the {kind.replace('_', ' ')} {_named(hook)}, which may change what it "
                f"computes: remove it with {_remedy(hook, kind)}"
            )


def _remedy(hook: Any, kind: str) -> str:
    """Return how to remove a hook."""
    for cls in type(hook).__mro__:
        remedy = _REMEDIES.get((cls.__module__, cls.__name__))
        if remedy:
            return f"torch.nn.utils.{remedy}, which keeps its effect"
    return f"the remove() of the handle that register_{kind} returned"


def _named(hook: Any) -> str:
    callables = FunctionType | MethodType | BuiltinFunctionType
    return hook.__qualname__ if isinstance(hook, callables) else type(hook).__name__


def _check_class(module: Any, kind: type) -> None:
    """Raise NetworkError if a module is not sure to compute what its supported class does."""
    added = [cls for cls in type(module).__mro__ if cls not in kind.__mro__]
    if import_torch().nn.utils.parametrize.is_parametrized(module):
        added = added[1:]  # made by torch: it reads the parametrised tensors
    own = vars(module)
    declared = {name for cls in kind.__mro__ for name in vars(cls).get("__annotations__", {})}
    values = {*own, *own["_parameters"], *own["_buffers"], *declared}
    for cls in added:
        for name in vars(cls):
            if name not in _HARMLESS and (name in values or hasattr(kind, name)):
                traced = callable(getattr(kind, name, None)) and name not in MACHINERY
                raise (NeedsTracing if traced else NetworkError)(_of_its_own(name, kind))
    for name in own:
        if callable(getattr(kind, name, None)):
            raise NetworkError(_of_its_own(name, kind))


def _of_its_own(name: str, kind: type) -> str:
    what = "method" if callable(getattr(kind, name, None)) else "attribute"
    return (
        f"it has a {name} {what} of its own, so it need not compute what nn.{kind.__name__} does: "
        "it is not read; wrap the layers that it stands for in a plain nn.Sequential"
    )
