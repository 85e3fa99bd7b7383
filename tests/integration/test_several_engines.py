"""Several engine processes on one PostgreSQL: one is killed, one hangs and comes back, their
clocks differ. What ran is judged by what the cloud saw."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.database.postgresql import PostgresDatabase
from runyard.gate.asking import Apply
from runyard.gate.door import Gate, GateSettings
from runyard.model.run import Run, State
from runyard.store.memory import Store
from tests.support.databases import Grounds
from tests.support.engines import PATIENCE_SECONDS, Engines
from tests.support.postgresql import Server
from tests.support.runs import NOW, make_spec
from tests.support.witness import Seen, furnish, most_at_once, what_ran

LIMITS = {"single": 1, "pair": 2}
REGION_RUNS_MAX = 4
ATTEMPTS = 2
RETRY = {"attempts": ATTEMPTS, "backoff": {"initial": "0.05s", "max": "0.1s"}}
JOBS: dict[str, dict[str, Any]] = {
    "plain": {"retry": RETRY},
    "single": {"retry": RETRY, "concurrency": {"limit": 1}},
    "pair": {"retry": RETRY, "concurrency": {"limit": 2}},
    "newest": {"concurrency": {"limit": 1, "on_conflict": "cancel_older"}},
    "skipping": {"concurrency": {"limit": 1, "on_conflict": "skip"}},
}


@asynccontextmanager
async def engines(server: Server, grounds: Grounds, seed: int) -> AsyncIterator[Engines]:
    async with grounds.furnished() as database:
        gate = Gate(database, Store.of("postgresql"), GateSettings("", REGION_RUNS_MAX))
        specs = [make_spec(name, **beside) for name, beside in JOBS.items()]
        await gate.ask(Apply(specs, "local", "ann", NOW))
    cloud_url = await asyncio.to_thread(server.database)
    await furnish(cloud_url)
    several = Engines(grounds.urls["furnished"], cloud_url, seed, list(JOBS), REGION_RUNS_MAX)
    try:
        yield several
    finally:
        await several.stop()


@dataclass(frozen=True)
class Rows:
    """The rows at the end."""

    runs: dict[str, Run]
    slots: dict[str, int]
    charges: Counter[str]
    outbox: int
    histories: dict[str, list[int]]


async def rows(tx: Tx, store: Store) -> Rows:
    ids = [row[0] for row in await tx.fetch("SELECT id FROM runs")]
    charges = await tx.fetch("SELECT run_id FROM charges")
    histories: dict[str, list[int]] = defaultdict(list)
    for run, sequence in await tx.fetch("SELECT run_id, sequence FROM history ORDER BY sequence"):
        histories[run].append(sequence)
    return Rows(
        {run.id: run for run in await store.runs.get(tx, ids)},
        {slot.name: slot.used for slot in await store.slots.all(tx)},
        Counter(row[0] for row in charges),
        await store.outbox.count(tx),
        histories,
    )


async def at_rest(url: str) -> Rows:
    """The rows once nothing is left to do."""
    store, database = Store.of("postgresql"), await PostgresDatabase.open(url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                now = await database.read(lambda tx: rows(tx, store))
                if now.outbox == 0 and all(run.is_final for run in now.runs.values()):
                    return now
                await asyncio.sleep(0.2)
    finally:
        await database.close()


def judge(now: Rows, seen: list[Seen], said: list[dict[str, Any]]) -> None:
    """Every promise, by what the clients were told, what the rows say and what the cloud saw."""
    acknowledged = {run for one in said for run in one.get("runs", ())}
    assert acknowledged <= now.runs.keys(), "what was acknowledged is lost"
    by_key: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for one in said:
        if one.get("key"):
            by_key[one["key"]].add(tuple(one["runs"]))
    assert [key for key, answers in by_key.items() if len(answers) > 1] == []
    assert {name: used for name, used in now.slots.items() if used} == {}
    assert most_at_once(seen) <= REGION_RUNS_MAX
    for job, limit in LIMITS.items():
        assert most_at_once(one for one in seen if one.job == job) <= limit
    by_run: dict[str, list[Seen]] = defaultdict(list)
    for execution in seen:
        by_run[execution.run].append(execution)
    for name, executions in by_run.items():
        assert most_at_once(executions) <= 1, f"two attempts of {name} at once"
        assert len(executions) <= ATTEMPTS
    assert [one.key for one in seen if not one.released] == []
    for run in now.runs.values():
        assert now.charges[run.id] == run.attempt
        assert now.histories[run.id] == list(range(1, run.version + 1))
    for one in said:
        if "cancelled" in one:
            assert now.runs[one["cancelled"]].state in (
                State.CANCELLED,
                State.SUCCEEDED,
                State.DEAD,
            )


@pytest.mark.parametrize(("seed", "early_seconds"), [(1, -2.0), (2, -60.0)])
@pytest.mark.parametrize("grounds", ["postgresql"], indirect=True)
def test_engines_that_are_killed_hang_and_differ_break_no_promise(
    postgresql: Server, grounds: Grounds, seed: int, early_seconds: float
) -> None:
    async def scene() -> None:
        async with engines(postgresql, grounds, seed) as several:
            for name, skew_seconds in (("early", early_seconds), ("right", 0.0), ("late", 2.0)):
                await several.start(name, skew_seconds=skew_seconds, requests=14)
            await several.until(3, "up")
            await several.until(40, "runs")
            several.send("late", signal.SIGSTOP)  # wherever it is, also inside a transaction
            await several.until(70, "runs")
            several.send("early", signal.SIGKILL)
            await several.start("young", skew_seconds=-1.0, requests=14)
            await several.until(4, "up")
            await several.until(2, "asked")  # `right` and `young`: one is dead, one hangs
            several.send("late", signal.SIGCONT)
            await several.until(3, "asked")
            now = await at_rest(several.url)
            seen = await what_ran(several.cloud_url)
            judge(now, seen, several.said)
            assert [one for one in several.said if "failed" in one] == []
            assert len(seen) > 100

    asyncio.run(scene())
