"""VNN-LIB: the input set of a property, as a box, a polytope or a union of these."""

from pathlib import Path

from milpcount.domain import Box, Polytope, Union
from milpcount.domain_files import vnnlib_2
from milpcount.domain_files.cases import Case, Outputs, all_of, cases_of
from milpcount.domain_files.expressions import NO_DEFINITIONS, commands, shown
from milpcount.domain_files.linear import index, is_input, is_output
from milpcount.errors import DomainError, FileFormatError, OptionError
from milpcount.network.paths import existing_file, read_text

_WITHOUT_EFFECT = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}
_DEFINITIONS = {"define-fun", "define-const", "define-fun-rec", "define-sort"}


def read_vnnlib(
    path: str | Path, n_inputs: int | None = None, *, outputs: Outputs = "refuse"
) -> Box | Polytope | Union:
    """Return the input set of a VNN-LIB file, of version 1.0 or 2.0; ``.gz`` is unpacked.

    Parameters
    ----------
    path : str or Path
        Every input has a lower and an upper bound. Comparisons of sums and differences of inputs
        and of their products with numbers make a polytope, disjunctions (``or``) a union. In
        version 1.0 inputs are ``X_0, X_1, ..``; in 2.0, which the package vnnlib parses, they are
        the elements of the tensors that are declared as inputs, row by row, one tensor after the
        other.
    n_inputs : int, optional
        Number of inputs that the file must have.
    outputs : {"refuse", "ignore"}
        What to do with constraints on outputs, which a count over the inputs does
        not heed: to refuse them, or to take the input set alone. Comparisons of inputs with
        outputs are always refused.

    Returns
    -------
    Box, Polytope or Union
        The set of the file's decimal numbers, exactly, but for these: a bound on a single input is
        the float64 nearest to it, and so are the coefficients of a row that no factor turns into
        integers below 2^53.

    Raises
    ------
    FileFormatError
        If the file is missing or truncated, uses a command or a constraint that is not supported,
        or constrains outputs or hidden nodes.
    NotInstalledError
        If the file is of version 2.0 and the package vnnlib is missing.
    DomainError
        If inputs lack a bound, a box is reversed or a point, the parts of a union are of several
        dimensions, or there is another number of inputs.
    """
    if outputs not in ("refuse", "ignore"):
        raise OptionError(f"outputs={outputs!r}: give 'refuse' or 'ignore'")
    source = existing_file(path, "a .vnnlib or .vnnlib.gz file")
    try:
        return _read(read_text(source), n_inputs, outputs)
    except (DomainError, FileFormatError) as error:
        text = str(error)
        raise type(error)(text if text.startswith(f"{source}") else f"{source}: {text}") from None


def _read(text: str, n_inputs: int | None, outputs: Outputs) -> Box | Polytope | Union:
    first = next(commands(text), None)
    if isinstance(first, list) and first[:1] == [vnnlib_2.VERSION]:
        names, assertions = vnnlib_2.parsed(text)
        cases = [cases_of(assertion, outputs) for assertion in assertions]
    else:
        names, cases = _parsed(text, outputs)
    n = len(names)
    if n_inputs is not None and n != n_inputs:
        raise DomainError(f"declares {n} inputs, but the network has {n_inputs}")
    found = all_of(cases)
    if not found:
        raise DomainError("no input satisfies all constraints: check the signs")
    parts = [case.domain(names) for case in found]
    domain = parts[0] if len(parts) == 1 else Union(parts)
    if isinstance(domain, Union):
        domain.hull(n)
    else:
        domain.bind(n)
    return domain


def _parsed(text: str, outputs: Outputs) -> tuple[list[str], list[list[Case]]]:
    """Return the names of the inputs, and the cases of each assertion, of a file of version 1.0."""
    declared: set[int] = set()
    assertions: list[list[Case]] = []
    for command in commands(text):
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                if is_input(name):
                    declared.add(index(name))
                elif not is_output(name):
                    raise FileFormatError(
                        f"{shown(command)}: only inputs X_0, X_1, .. and outputs Y_0, Y_1, .. "
                        "can be declared"
                    )
            case ["assert", expression]:
                assertions.append(cases_of(expression, outputs))
            case [str(word), *_] if word in _WITHOUT_EFFECT:
                pass
            case [str(word), *_] if word in _DEFINITIONS:
                raise FileFormatError(f"{shown(command)}: {NO_DEFINITIONS}")
            case [vnnlib_2.VERSION | "declare-network", *_]:
                raise FileFormatError(
                    f"command {shown(command)} is one of VNN-LIB 2.0, whose files begin with "
                    f"({vnnlib_2.VERSION} <2.0>)"
                )
            case _:
                raise FileFormatError(
                    f"command {shown(command)} is not supported: VNN-LIB 1.0 has declare-const "
                    f"and assert, and files of 2.0 begin with ({vnnlib_2.VERSION} <2.0>)"
                )
    if not declared or declared != set(range(len(declared))):
        raise FileFormatError(
            f"declares inputs {sorted(declared)[:5]}: X_0, X_1, .. without gaps are needed"
        )
    return [f"X_{i}" for i in range(len(declared))], assertions
