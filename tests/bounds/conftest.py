import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def known() -> dict[str, Any]:
    """Values computed apart from this package."""
    return json.loads((Path(__file__).parent / "known_values.json").read_text(encoding="utf-8"))
