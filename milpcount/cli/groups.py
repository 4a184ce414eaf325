"""Groups of options that several commands share: dataclasses whose fields are options."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the fields of its groups as options of their own.

    Parameters
    ----------
    command : callable
        A parameter of it whose type is a dataclass stands for the fields of that class, each of
        which is annotated as an option; the command is given an instance.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[Parameter] = []
    groups: dict[str, tuple[type, list[str]]] = {}
    for name, parameter in signature(command).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and is_dataclass(kind):
            own = get_type_hints(kind, include_extras=True)
            groups[name] = kind, [one.name for one in fields(kind)]
            parameters += [_parameter(one.name, one.default, own[one.name]) for one in fields(kind)]
        else:
            parameters.append(_parameter(name, parameter.default, hints[name]))

    @wraps(command)
    def run(**given: Any) -> None:
        for name, (kind, own) in groups.items():
            given[name] = kind(**{option: given.pop(option) for option in own})
        command(**given)

    del run.__wrapped__  # its signature is not that of the command
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _parameter(name: str, default: Any, hint: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
