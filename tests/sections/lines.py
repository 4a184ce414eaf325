"""Random graph networks on random lines and planes, against the exact tree."""

import numpy as np

import milpcount as mc
from milpcount.domain import Domain
from milpcount.errors import DomainError
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.sections.exact import ExactSigns, corners
from milpcount.sections.findings import Settings
from milpcount.sections.network_program import program_of
from milpcount.sections.walk import Walk
from tests.graphs import KINDS


def case(number: int, seed: int = 0) -> tuple[mc.Network, Domain]:
    """Return a network of a kind in turn and a line or plane; each third of small integers."""
    random = np.random.default_rng([seed, number])
    kind, n, integer = KINDS[number % len(KINDS)], 2 + (number // len(KINDS)) % 4, number % 3 == 2
    net = kind(random, n, integer)

    def draw() -> np.ndarray:
        return random.integers(-2, 3, size=n).astype(float) if integer else random.normal(size=n)

    while True:
        points = draw(), draw(), draw()
        domain = (
            mc.Segment(2 * points[0], 2 * points[1])
            if number % 2
            else mc.Plane(*points, mc.Box(-2, 2))
        )
        try:
            domain.bind(n)
            return net, domain
        except DomainError:  # two points the same, or dependent directions
            continue


def difference(number: int, seed: int = 0, tolerance: float | None = None) -> str | None:
    """Return what the walk and the exact tree say differently.

    With a tolerance no errors are bounded, and only what is within it is computed exactly.
    """
    net, domain = case(number, seed)
    inputs = domain.bind(net.n_inputs)
    work = None if tolerance is None else 10**12
    walk = Walk(
        program_of(net, inputs),
        corners(inputs),
        Settings(regions=True, digests=True, tolerance=tolerance or 0.0),
        ExactSigns(lambda: net, inputs, work),
    )
    walk._certify = tolerance is None
    *_, found = walk.run()
    tree = ExactRegionTree(ExactNetwork(net, inputs))
    right = {cell.pattern for cell in tree.walk() if cell is not None}
    patterns = [tuple(row.tolist()) for part, _, _ in found.regions for row in part]
    digests = {digest for part in found.digests for digest in part}
    same = set(patterns) == right and len(patterns) == len(right) == len(digests)
    certain = found.rigorous or tolerance is not None
    if same and found.cells == found.most == len(right) and certain:
        return None
    return f"{KINDS[number % len(KINDS)].__name__} {number}: {found.cells}, right {len(right)}"
