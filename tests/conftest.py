from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party networks and known counts, which are not ours to distribute."""
    if not _SHARED.is_dir():
        pytest.skip("third-party networks are not here: the folder ../shared/data is absent")
    return _SHARED
