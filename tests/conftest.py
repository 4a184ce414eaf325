import signal
from pathlib import Path

import pytest

# A job in the background of a shell script ignores Ctrl-C, and so would every command it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party networks and known counts, which are not ours to distribute."""
    if not _SHARED.is_dir():
        pytest.skip("third-party networks are not here: the folder ../shared/data is absent")
    return _SHARED
