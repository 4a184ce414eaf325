"""The options of all methods on the command line, derived from the methods' dataclasses."""

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from milpcount.errors import OptionError
from milpcount.methods import METHODS, load, make

if TYPE_CHECKING:
    from dataclasses import Field

    from milpcount.counters.method import Method
    from milpcount.counters.options import Option

_AFTER = "method"
"""The parameter of the command behind which the methods' options stand."""


class MethodCommand(TyperCommand):
    """A command with ``--method`` that takes the options of every method, too.

    They are imported when the command's options are asked for: the list of all commands must not
    wait for numpy. What is given is in ``context.obj`` when the command runs.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the command's own parameters and those of the methods."""
        if not hasattr(self, "of_methods"):
            self.of_methods = _parameters()
            names = [parameter.name for parameter in self.params]
            place = names.index(_AFTER) + 1
            self.params[place:place] = self.of_methods
        return list(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        given = {str(one.name): ctx.params.pop(one.name) for one in self.of_methods}
        ctx.obj = {name: value for name, value in given.items() if value is not None}
        return super().invoke(ctx)


def owners() -> dict[str, list[tuple[str, "Field[Any]", "Option"]]]:
    """Return every option with the methods that have it, their fields, and what they say of it."""
    from milpcount.counters.options import option_fields

    found: dict[str, list[tuple[str, Field[Any], Option]]] = {}
    for method in METHODS:
        for option, (field, described) in option_fields(load(method)).items():
            found.setdefault(option, []).append((method, field, described))
    return found


def _parameters() -> list[Any]:
    """Return the options as typer makes them of a function's parameters."""
    hints = {
        name: Annotated[
            own[0][2].kind | None,
            typer.Option(flag(name), metavar=own[0][2].unit, help=_help(own)),
        ]
        for name, own in owners().items()
        if all(described.flag for _, _, described in own)
    }

    def nothing(**_: Any) -> None: ...

    nothing.__annotations__ = hints
    nothing.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=hint)
            for name, hint in hints.items()
        ]
    )
    holder = typer.Typer(add_completion=False)
    holder.command()(nothing)
    return typer.main.get_command(holder).params


def flag(option: str) -> str:
    """Return an option as it is on the command line."""
    return f"--{option.replace('_', '-')}"


def _help(own: list[tuple[str, "Field[Any]", "Option"]]) -> str:
    """Return what an option is for, with its default in each method."""
    sentences: dict[str, list[str]] = {}
    for method, field, described in own:
        default = "" if field.default is None else f" ({field.default})"
        sentences.setdefault(described.help, []).append(method + default)
    return " ".join(f"{said} Of {', '.join(who)}." for said, who in sentences.items())


def method_named(name: str, **options: Any) -> "Method":
    """Return the method that the options name; an option that is None was not given.

    Raises
    ------
    OptionError
        If there is no such method, or an option does not belong to it, or is outside its range.
    """
    if name not in METHODS:
        raise OptionError(f"method {name!r}: give one of {', '.join(METHODS)}")
    given = {option: value for option, value in options.items() if value is not None}
    known = owners()
    for option in given:
        having = [method for method, _, _ in known.get(option, ())]
        if name not in having:
            where = f"--method {' and '.join(having)}" if having else "no method"
            raise OptionError(
                f"{flag(option)} belongs to {where}, not to --method {name}: leave it out"
            )
        [described] = [one for method, _, one in known[option] if method == name]
        if isinstance(given[option], str):
            given[option] = described.read(given[option])
    return make(name, **given)
