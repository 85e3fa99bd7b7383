"""A server killed in the middle of applies, roll-backs and deletes: complete or undone, never
between. `python -m tests.chaos.operations` is longer."""

from __future__ import annotations

from tests.chaos.operations import play
from tests.support.reachable import reachable_folder

KILLS = 3


def test_nothing_is_left_between() -> None:
    with reachable_folder() as folder:
        result = play(folder, KILLS, seed=7)
    assert result.is_clean, result
    assert (result.kills, result.operations >= 1) == (KILLS, True)
