"""What has to be compiled before a method can count: announced, and no part of its time."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from functools import partial
from weakref import WeakKeyDictionary

from milpcount.counters.method import Problem
from milpcount.errors import OptionError
from milpcount.events import Listener, Notice, Waiting, log
from milpcount.methods import METHODS, load
from milpcount.workers import Lasting, count_workers, failure

_TICK_SECONDS = 2.0
_START_SECONDS, _COMPILE_SECONDS = 20.0, 300.0
"""For a further worker to report, without and with something to compile."""
_prepared: WeakKeyDictionary[Executor, set[str]] = WeakKeyDictionary()
"""Kernels that the workers of an executor are ready with."""

OTHERS = {"points": ("points",), "proof": ("proof",)}
"""What else is compiled: for points of kept regions of many inputs, and for proofs."""


def kernels() -> dict[str, tuple[str, ...]]:
    """Return what is compiled for each method that needs compiled code, and for what else does."""
    own = {name: load(name).kernels for name in METHODS}
    return {name: found for name, found in own.items() if found} | OTHERS


def warm_up(*methods: str, listener: Listener = log) -> float:
    """Compile what methods need, now instead of at their first use; return the seconds it took.

    Parameters
    ----------
    *methods : str
        Of ``tree``, ``probe``, ``mbound``, ``points`` (of kept regions of many inputs) and
        ``proof``; all of them by default.
    listener : callable
        Receives notices, and every other second that it goes on; by default notices are logged.

    Returns
    -------
    float
        Next to nothing if all has been compiled before, on this machine.

    Raises
    ------
    OptionError
        If a method is none of these.
    """
    known = kernels()
    for method in methods:
        if method not in known:
            raise OptionError(f"warm_up({method!r}): give methods out of {', '.join(known)}")
    began = time.perf_counter()
    for method in methods or known:
        for kernel in known[method]:
            compile_kernel(
                kernel,
                lambda text: listener(Notice(text)),
                lambda text, seconds: listener(Waiting(text, seconds)),
            )
    return time.perf_counter() - began


def prepare(problem: Problem, kernel: str) -> None:
    """Compile or load what a method needs, here and in all workers.

    Parameters
    ----------
    problem : Problem
    kernel : str
        A key of `tree.warm_up.KERNELS`.
    """
    compile_kernel(kernel, problem.notice, problem.waiting)
    executor = problem.executor
    given = executor.given if isinstance(executor, Lasting) else executor
    if executor is None or given is None or kernel in _prepared.setdefault(given, set()):
        return
    _prepare_workers(executor, kernel)
    _prepared[given].add(kernel)


def compile_kernel(
    name: str,
    notice: Callable[[str], None],
    waiting: Callable[[str, float], None] = lambda text, seconds: None,
) -> None:
    """Compile or load what a method needs.

    Parameters
    ----------
    name : str
        A key of `tree.warm_up.KERNELS`.
    notice : callable
        Takes a line before, and one after, if something is to be compiled.
    waiting : callable
        Takes what is being done and the seconds since it began, every other second.
    """
    from milpcount.tree.warm_up import KERNELS, warm_up

    kernel = KERNELS[name]
    if kernel.after is not None:
        compile_kernel(kernel.after, notice, waiting)
    if kernel.is_compiled:
        warm_up(name)
        return
    notice(f"compiling {kernel.title}: once per machine, about {kernel.seconds} s of one core")
    began = time.perf_counter()
    with _ticking(partial(waiting, f"compiling {kernel.title}")):
        warm_up(name)
    seconds, folder = time.perf_counter() - began, kernel.kept_in
    if folder is None:
        notice(
            f"compiled in {seconds:.0f} s, for this process only: no folder to keep it in can be "
            "written; set NUMBA_CACHE_DIR to one that can"
        )
    else:
        notice(f"compiled in {seconds:.0f} s, kept in {folder}")


@contextmanager
def _ticking(tick: Callable[[float], None]) -> Iterator[None]:
    """Call a function with the seconds that have passed, at once and every other second.

    It is called in a thread of its own, since the compiler leaves no room in this one; what it
    raises is raised at the end.
    """
    began, over = time.perf_counter(), threading.Event()
    raised: list[BaseException] = []

    def go_on() -> None:
        try:
            while not over.wait(_TICK_SECONDS):
                tick(time.perf_counter() - began)
        except BaseException as error:
            raised.append(error)

    tick(0.0)
    thread = threading.Thread(target=go_on, name="milpcount-ticks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if raised:
        raise raised[0]


def _prepare_workers(executor: Executor, kernel: str) -> None:
    """Let every worker compile or load what a method needs.

    A task goes to whichever worker is free, so tasks are sent until all workers have reported, or
    no further one has for some seconds. What goes wrong here is met and told in the run.
    """
    from milpcount.tree.warm_up import KERNELS, warm_up_worker

    seconds = _COMPILE_SECONDS if KERNELS[kernel].kept_in is None else _START_SECONDS
    workers, seen = count_workers(executor), set[tuple[str, int, int]]()
    running: set[Future[tuple[str, int, int]]] = set()
    until = time.monotonic() + seconds
    try:
        while len(seen) < workers and time.monotonic() < until:
            while len(running) < workers:
                running.add(executor.submit(warm_up_worker, kernel))
            done, running = wait(running, 1.0, FIRST_COMPLETED)
            if any(failure(future) is not None for future in done):
                return
            reports = {future.result() for future in done}
            if reports - seen:
                seen |= reports
                until = time.monotonic() + seconds
    except BrokenExecutor:
        return
    finally:
        for future in running:
            future.cancel()
