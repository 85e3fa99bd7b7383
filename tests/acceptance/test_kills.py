"""Server, engine, spawner and PostgreSQL, killed again and again under load; `make chaos` is
longer."""

from __future__ import annotations

from tests.chaos.__main__ import Result, chaos
from tests.support.postgresql import DURABLE, running
from tests.support.reachable import reachable_folder

KILLS = 8


def judge(result: Result) -> None:
    assert result.is_clean, result
    assert result.runs > KILLS
    assert sum(result.kills.values()) >= KILLS


def test_nothing_is_lost_doubled_orphaned_or_left_behind() -> None:
    with reachable_folder() as folder:
        judge(chaos(folder, KILLS, seed=11))


def test_the_same_on_a_postgresql_that_is_killed_too() -> None:
    with reachable_folder() as folder, running(DURABLE) as server:
        result = chaos(folder, KILLS, seed=13, database=server)
    judge(result)
    assert result.kills["postgresql"] >= 2
