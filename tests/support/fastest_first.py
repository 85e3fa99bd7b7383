"""A plugin of pytest for mutants: quick tests come first, so that what they notice need not wait
for slow ones. How long each test takes is in what mutmut has measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

MEASURED = Path("mutmut-stats.json")  #: in the folder that mutmut runs tests in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order by seconds taken; a test that was never measured is quick."""
    if MEASURED.exists():
        seconds = json.loads(MEASURED.read_bytes())["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))
