"""Server, engine and spawner, killed again and again under load; `make chaos` is longer."""

from __future__ import annotations

from tests.chaos.__main__ import chaos
from tests.support.reachable import reachable_folder

KILLS = 8


def test_nothing_is_lost_doubled_orphaned_or_left_behind() -> None:
    with reachable_folder() as folder:
        result = chaos(folder, KILLS, seed=11)
    assert result.is_clean, result
    assert result.runs > KILLS
    assert sum(result.kills.values()) >= KILLS
