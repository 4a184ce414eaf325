"""The networks that speeds are quoted for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import milpcount as mc

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Case:
    """A network, its box, and the least ratio to the LP tree that the design asks for."""

    name: str
    network: mc.Network
    box: mc.Box
    wanted: float | None


def random_network(n_inputs: int, widths: tuple[int, ...], seed: int = 0) -> mc.Network:
    """Return a network with He weights, biases N(0, 0.1^2) and no output layer."""
    random = np.random.default_rng(seed)
    weights, biases, before = [], [], n_inputs
    for width in widths:
        weights.append(random.normal(0.0, np.sqrt(2.0 / before), (width, before)))
        biases.append(random.normal(0.0, 0.1, width))
        before = width
    return mc.Network.from_arrays(weights, biases, output=False)


def cases() -> list[Case]:
    """Return the networks of the benchmark, smallest input dimension first."""
    found = []
    for n_inputs, widths, wanted in (
        (2, (16, 16), 150.0),
        (2, (64, 64, 64), None),
        (4, (16, 16), 150.0),
        (4, (32, 32), 150.0),
        (10, (10, 10), 150.0),
        (784, (11, 11), 200.0),
        (784, (16, 6), 200.0),
    ):
        name = "-".join(map(str, (n_inputs, *widths)))
        box = mc.Box(0, 1) if n_inputs == 784 else mc.Box(-1, 1)
        found.append(Case(f"random {name}", random_network(n_inputs, widths), box, wanted))
    for split in ("8-14", "11-11"):
        file = ROOT / "data" / "mnist22" / f"784-{split}" / "seed0.npz"
        found.append(Case(f"trained 784-{split}", mc.Network.load(file), mc.Box(0, 1), 50.0))
    return found
