"""Counts stopped at random moments, in every way: the interval always contains the count."""

import os
import signal
import threading
import time
from _thread import interrupt_main
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import MilpcountError
from milpcount.events import Progress
from milpcount.workers import Processes
from tests.graphs import graphs
from tests.networks import random_network

CASES = int(os.environ.get("MILPCOUNT_STOPPED", "250"))
_LONGEST = 4.0
"""Seconds of a count; those that take longer are left out."""
_TOGETHER = 20
STOPS = ("regions", "seconds", "interrupt", "killed")


@pytest.fixture(scope="module")
def pool():
    pool = Processes(2)
    yield pool
    pool.stop()


def case(rng, number):
    """Return a network with up to some ten thousand regions, its domain and a quantity."""
    if number % 5 == 0:
        *_, (_, network) = graphs(1 + number % 40, number)
    else:
        inputs = int(rng.choice([2, 3, 5, 8, 20, 40]))
        most = 12 if inputs < 8 else 8
        widths = tuple(rng.integers(2, most, size=int(rng.integers(2, 5))).tolist())
        widths = widths[: 2 if inputs > 5 else 4]
        network = random_network(number, inputs, widths)
    quantity = "activation_patterns" if rng.random() < 0.15 else "activation_regions"
    domain = mc.Unbounded() if rng.random() < 0.1 else mc.Box(-1, 1)
    return network, domain, quantity


def stopped(how, network, domain, quantity, seconds, regions, pool):
    """Count until something stops it; return the result and the events."""
    events: list[Progress] = []
    killed: list[int] = []

    def listen(event):
        if isinstance(event, Progress):
            events.append(event)
            if how == "killed" and event.regions and not killed and pool._pool is not None:
                process = next(iter(pool._pool._processes.values()))
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

    options = {"quantity": quantity, "listener": listen}
    if how == "regions":
        return mc.count(network, domain, limits=mc.Limits(regions=regions), **options), events
    if how == "seconds":
        return mc.count(network, domain, limits=mc.Limits(seconds=seconds), **options), events
    if how == "killed":
        limits = mc.Limits(seconds=2.0 + seconds)
        return mc.count(network, domain, limits=limits, executor=pool, **options), events
    done = threading.Event()

    def interrupt():
        if not done.wait(seconds):
            interrupt_main()

    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        result = mc.count(network, domain, **options)
        done.set()
    except mc.Interrupted as stop:
        result = stop.result
    finally:
        done.set()
        thread.join()
    return result, events


def check(number, pool):
    rng = np.random.default_rng(number)
    network, domain, quantity = case(rng, number)
    try:
        began = time.perf_counter()
        count = mc.count(network, domain, quantity=quantity, limits=mc.Limits(seconds=_LONGEST))
        took = time.perf_counter() - began
    except MilpcountError:
        return None
    if not count.is_exact:
        return None
    how = STOPS[number % 3] if number % 25 else "killed"
    seconds = max(1e-3, float(rng.random()) * took)
    regions = max(1, int(rng.random() * count.lower))
    for _ in range(3):
        try:
            found, events = stopped(how, network, domain, quantity, seconds, regions, pool)
            break
        except KeyboardInterrupt:  # before the count has begun, or when it had ended
            continue
    else:
        return None
    assert found.lower <= count.lower <= found.upper, (number, how)
    uppers = [event.upper for event in events if event.upper is not None]
    assert all(a >= b >= count.lower for a, b in pairwise([*uppers, found.upper])), (number, how)
    return how, found.is_exact


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, CASES, _TOGETHER))
def test_the_interval_contains_the_count_wherever_it_is_stopped(pool, first):
    numbers = range(first, min(CASES, first + _TOGETHER))
    ways = [way for number in numbers if (way := check(number, pool)) is not None]
    how = {stop: sum(way == (stop, False) for way in ways) for stop in STOPS}
    print(f"{first}: of {len(ways)} counts, {how} were stopped before their end")
    assert sum(how.values()) > 0


def test_the_interval_contains_the_count_of_some(pool):
    for number in (1, 2, 3, 4, 5):
        check(number, pool)
