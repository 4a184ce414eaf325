from collections.abc import Iterator

import pytest

from milpcount.exact.arithmetic import use_flint


@pytest.fixture(params=["python-flint", "standard library"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test with both engines for linear systems."""
    wanted = request.param == "python-flint"
    if wanted:
        pytest.importorskip("flint")
    before = use_flint(wanted)
    yield request.param
    use_flint(before)
