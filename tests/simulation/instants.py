"""What is promised of schedules: every instant that came is one run or one reason (promise 6), and
an enabled schedule always has a next one (promise 7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from runyard.database.port import Database, Tx
from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.model.run import Run, TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.store.memory import Store

_END = datetime(9000, 1, 1, tzinfo=UTC)


async def check_schedules(
    database: Database, store: Store, jobs: Iterable[str], runs: Iterable[Run], *, ended: bool
) -> None:
    """Look at every trigger of the jobs, and at all runs there ever were. `ended`: every schedule
    has come to its end."""

    async def work(tx: Tx) -> list[tuple[Trigger, list[Instant]]]:
        rows = await store.triggers.of_jobs(tx, [("local", job) for job in jobs])
        found = [row for row in rows if row.kind is TriggerKind.SCHEDULE]
        return [(row, await store.triggers.instants(tx, row.path, _END, 10_000)) for row in found]

    by_instant: dict[tuple[str, datetime], list[Run]] = {}
    for run in runs:
        by = run.triggered_by
        if by is not None and by.instant is not None and not run.replays:
            by_instant.setdefault((by.trigger, by.instant), []).append(run)
    for row, kept in await database.read(work):
        _check(row, kept, by_instant)
        assert not ended or row.state is TriggerState.ENDED, f"{row.path} is {row.state}"


def _check(row: Trigger, kept: list[Instant], runs: dict[tuple[str, datetime], list[Run]]) -> None:
    if row.state is TriggerState.ENABLED:
        assert row.next_at is not None, f"{row.path} has no next instant"
    schedule = compiled(row, ZoneInfo)
    assert isinstance(schedule, Compiled)
    timing = schedule.schedule.timing
    last = row.last_instant
    came = (
        [] if last is None else list(takewhile(lambda at: at <= last, timing.instants(row.since)))
    )
    assert sum(one.count for one in kept) == len(came), f"{row.path}: {kept} for {came}"
    for one in kept:
        assert {one.at, one.end} <= set(came), f"{row.path}: {one} is no instant of it"
        mine = runs.pop((row.path, one.at), [])
        assert sorted(run.id for run in mine) == sorted(one.runs), f"{row.path}: {one}"
        assert bool(one.runs) is (one.fate is Fate.RUN)
    assert not [key for key in runs if key[0] == row.path], f"{row.path}: runs of no instant"
