"""Server, engine and spawner, killed again and again under load; `make chaos` is longer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.chaos.__main__ import chaos

KILLS = 8


@pytest.fixture
def folder() -> Path:
    """A folder that the tasks' user can reach, unlike pytest's own."""
    return Path(tempfile.mkdtemp(prefix="runyard-chaos-"))


def test_nothing_is_lost_doubled_orphaned_or_left_behind(folder: Path) -> None:
    result = chaos(folder, KILLS, seed=11)
    assert result.is_clean, result
    assert result.runs > KILLS
    assert sum(result.kills.values()) >= KILLS
