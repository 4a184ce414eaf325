"""Bounds from the command line: a network's if there is such a file, else an architecture's."""

from pathlib import Path

from milpcount.api import bound
from milpcount.bounds.table import BoundTable
from milpcount.cli.options import DomainChoice
from milpcount.errors import OptionError
from milpcount.network import Network

_SUFFIXES = {".npz", ".onnx", ".nnet"}


def table(
    subject: str, choice: DomainChoice | None, tighten: str, family: str | None, quantity: str
) -> BoundTable:
    """Return the bounds of a file or an architecture string.

    Parameters
    ----------
    subject : str
    choice : DomainChoice or None
        The domain options, None if there were none.
    tighten : {"interval", "lp", "milp"}
    family : str or None
        Theorems of one family only.
    quantity : str

    Raises
    ------
    InputError
        If the subject is neither, or an option does not fit.
    """
    path = Path(subject)
    is_file = path.suffix in _SUFFIXES or path.exists()
    if not is_file and tighten != "interval":
        raise OptionError(f"--tighten {tighten} needs a network file, not an architecture")
    domain = None if choice is None else choice.domain()
    network = Network.load(path) if is_file else subject
    return bound(network, domain, quantity=quantity, tighten=tighten, family=family)
