"""Counts over a training: of saved states, or of a module while it is trained."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount import arguments
from milpcount.api import count
from milpcount.counters import section_runs, sectioned_network
from milpcount.counters.method import Method
from milpcount.counters.section import SectionWalk
from milpcount.domain import Domain, Plane, Polyline, Segment
from milpcount.errors import NetworkError, OptionError
from milpcount.events import ignore
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee
from milpcount.tracking.frames import frame, row_of

if TYPE_CHECKING:
    import pandas

_COLUMNS = ("step", "domain", "quantity", "lower", "upper", "exact", "seconds")


@dataclass(eq=False)
class Tracker:
    """Counts a module on the same domains again and again: a callback for a training loop.

    The module is traced once; a step takes its numbers as they are then. On segments, polylines and
    planes it is counted as it is, on other domains as a `Network`.

    Parameters
    ----------
    domains : mapping of str to Domain
    quantities : str, Quantity, or several
    input_shape : sequence of int, optional
        Of one input, for domains that do not tell, as boxes.
    method : Method, optional
        As in `milpcount.count`.
    limits : Limits, optional
        Of each count.

    Examples
    --------
    ::

        tracker = mc.Tracker({"line": mc.Segment(a, b)})
        for step in range(steps):
            ...
            tracker(step, model, loss=loss.item())
        tracker.frame()
    """

    domains: Mapping[str, Domain]
    quantities: Any = Quantity.ACTIVATION_REGIONS
    input_shape: Sequence[int] | None = None
    method: Method | None = None
    limits: Limits | None = None
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    _traced: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.domains, Mapping) or not self.domains:
            raise OptionError('domains: give them by name, e.g. {"line": mc.Segment(a, b)}')
        for domain in self.domains.values():
            arguments.domain(domain)
        several = self.quantities
        if isinstance(several, str | Quantity):
            several = (several,)
        self.quantities = tuple(arguments.quantity(q) for q in several)

    def __call__(self, step: Any, model: Any, **measured: Any) -> list[CountResult]:
        """Count now, and add a row for each domain and quantity.

        Parameters
        ----------
        step : object
            A number, or a name.
        model : torch.nn.Module or Network
        **measured
            Further columns, e.g. ``loss=..``, ``accuracy=..``.

        Returns
        -------
        list of CountResult
            One for each row added.
        """
        network = model if isinstance(model, Network) else None
        results = []
        for name, domain in self.domains.items():
            for quantity in self.quantities:
                began = time.perf_counter()
                on_line = isinstance(domain, Polyline) or (
                    isinstance(domain, Segment | Plane) and quantity is Quantity.ACTIVATION_REGIONS
                )
                if network is None and on_line and isinstance(self.method, SectionWalk | None):
                    result = self._as_it_is(model, domain, quantity)
                else:
                    if network is None:
                        network = self._read(model, domain)
                    result = count(
                        network, domain, self.method, quantity=quantity, limits=self.limits,
                        listener=ignore,
                    )  # fmt: skip
                row = {"step": step, "domain": name, "quantity": quantity.value}
                row |= row_of(result) | {"seconds": time.perf_counter() - began} | measured
                self.rows.append(row)
                results.append(result)
        return results

    def frame(self) -> "pandas.DataFrame":
        """Return all rows so far: step, domain, quantity, lower, upper, seconds, and the others."""
        return frame(self.rows, _COLUMNS)

    def _as_it_is(self, module: Any, domain: Domain, quantity: Quantity) -> CountResult:
        subject = sectioned_network.of_traced(*self._graph(module, domain), module=module)
        method = self.method or SectionWalk()
        assert isinstance(method, SectionWalk)
        result = section_runs.run(
            subject, domain, method, quantity=quantity, limits=self.limits, listener=ignore
        )
        if result.guarantee is Guarantee.TOLERANCE or not result.is_exact:
            return count(module, domain, method, quantity=quantity, limits=self.limits,
                         listener=ignore)  # fmt: skip
        return result

    def _graph(self, module: Any, domain: Domain) -> tuple[Any, Mapping[str, Any] | None]:
        """Return a module's graph, traced once, and the numbers it has now.

        A module with numbers that a state dict does not hold is traced anew.
        """
        from milpcount.sections.torch_program import Traced

        shape = sectioned_network.input_shape(domain)
        key = id(module), shape
        state = module.state_dict()
        known = self._traced.get(key)
        if known is None or not known[1].follows(state):
            # The module is kept, so that no other one gets its identity.
            known = self._traced[key] = (module, Traced.of(module, shape))
        return known[1], state if known[1].follows(state) else None

    def _read(self, module: Any, domain: Domain) -> Network:
        shape = self.input_shape
        if shape is None and isinstance(domain, Segment | Polyline | Plane):
            shape = sectioned_network.input_shape(domain)
        return Network.from_torch(module, input_shape=shape)


def track(
    checkpoints: Any,
    domains: Mapping[str, Domain],
    quantities: Any = Quantity.ACTIVATION_REGIONS,
    *,
    model: Any = None,
    input_shape: Sequence[int] | None = None,
    method: Method | None = None,
    limits: Limits | None = None,
) -> "pandas.DataFrame":
    """Count over a training, from what was saved of it.

    Parameters
    ----------
    checkpoints : mapping, or iterable of (step, checkpoint)
        A checkpoint is a `Network`, a module, a state dict, or the path of a file of either: those
        that `Network.load` reads, or a ``.pt`` or ``.pth`` with a state dict.
    domains : mapping of str to Domain
    quantities : str, Quantity, or several
    model : torch.nn.Module, optional
        What state dicts belong to; it is left as it is.
    input_shape, method, limits
        As in `Tracker`.

    Returns
    -------
    pandas.DataFrame
        A row for each checkpoint, domain and quantity: step, domain, quantity, lower, upper, exact,
        seconds, status, guarantee.

    Raises
    ------
    InputError
        If what was given does not do.
    """
    tracker = Tracker(domains, quantities, input_shape, method, limits)
    pairs: Iterable[tuple[Any, Any]] = (
        checkpoints.items() if isinstance(checkpoints, Mapping) else checkpoints
    )
    from_state: Any = None
    for step, checkpoint in pairs:
        subject = _loaded(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
        if isinstance(subject, Mapping):
            if from_state is None:
                from_state = _copy(model)
            _take(from_state, subject, step)
            subject = from_state
        tracker(step, subject)
    return tracker.frame()


def _loaded(path: str | Path) -> Any:
    path = Path(path)
    if path.suffix not in (".pt", ".pth"):
        return Network.load(path)
    import torch

    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # a pickle may raise anything
        reason = " ".join(str(error).split())[:200]
        raise NetworkError(
            f"{path}: it holds more than numbers, which torch does not load safely ({reason}): "
            "save model.state_dict()"
        ) from None


def _copy(model: Any) -> Any:
    if not arguments.is_module(model):
        raise OptionError("checkpoints are state dicts: give model=, the module they belong to")
    from milpcount.network.torch_copies import traceable

    return traceable(model).module


def _take(model: Any, state: Mapping[str, Any], step: Any) -> None:
    try:
        model.load_state_dict({name: _tensor(value) for name, value in state.items()})
    except (RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise NetworkError(f"checkpoint {step!r} does not fit the model: {reason}") from None


def _tensor(value: Any) -> Any:
    import torch

    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value
