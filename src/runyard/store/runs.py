"""Runs, their history and their labels, asked for in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from runyard.database.port import Tx
from runyard.model.event import Fact, kind_of
from runyard.model.ids import AttemptKey, RunId, attempt_key
from runyard.model.instants import from_micros, to_micros
from runyard.model.run import Run, RunView, State
from runyard.store.documents import dumps, fact_data, loads
from runyard.store.run_rows import insert_params, instant, run_of, update_params

NOTHING: Mapping[RunId, Run] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Happening:
    """One fact of a run's history. `state` is the run's after it."""

    sequence: int
    at: datetime
    kind: str
    state: State
    data: Mapping[str, Any]


class Runs:
    """The runs' port to the database; every method works inside a transaction."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(
        self, tx: Tx, ids: Iterable[RunId], known: Mapping[RunId, Run] = NOTHING
    ) -> list[Run]:
        """The runs with these ids; unknown ids are left out, the order is free. A run of `known`
        that has the version of its row is not made anew."""
        wanted = list(ids)
        if not wanted:
            return []
        rows = await tx.fetch(self._q["runs_by_id"], (dumps(wanted),))
        return [run_of(row, known.get(row[0])) for row in rows]

    async def insert(self, tx: Tx, runs: Sequence[Run]) -> None:
        """Add new runs with their labels."""
        await tx.execute_many(self._q["run_insert"], [insert_params(run) for run in runs])
        labels = [(key, value, run.id) for run in runs for key, value in run.labels]
        await tx.execute_many(self._q["run_label_insert"], labels)

    async def update(self, tx: Tx, runs: Sequence[Run]) -> None:
        """Write what a decision may change."""
        await tx.execute_many(self._q["run_update"], [update_params(run) for run in runs])

    async def record(self, tx: Tx, facts: Sequence[tuple[Run, Fact, datetime]]) -> None:
        """Add to the history: the run after the decision, the fact, the instant."""
        rows = [
            (run.id, run.version, to_micros(at), kind_of(fact), run.state, fact_data(fact))
            for run, fact, at in facts
        ]
        await tx.execute_many(self._q["history_insert"], rows)

    async def last_ended(
        self, tx: Tx, job: tuple[str, str, str], states: Iterable[State], after: datetime
    ) -> tuple[State, datetime] | None:
        """How and when a run of a job (project, environment, name) last ended in one of `states`
        after an instant; None where none did."""
        params = (*job, dumps(sorted(states)), to_micros(after))
        rows = await tx.fetch(self._q["run_last_ended"], params)
        return (State(rows[0][0]), from_micros(rows[0][1])) if rows else None

    async def history(self, tx: Tx, run: RunId, after: int = 0) -> list[Happening]:
        """What happened to a run after sequence number `after`, in order."""
        rows = await tx.fetch(self._q["history_of_run"], (run, after))
        return [
            Happening(row[0], from_micros(row[1]), row[2], State(row[3]), loads(row[4]))
            for row in rows
        ]

    async def due(self, tx: Tx, now: datetime, limit: int) -> list[RunId]:
        """The best ranked runs whose instant has come."""
        return await self._ids(tx, "runs_due", to_micros(now), limit)

    async def succeeded_of(self, tx: Tx, key: tuple[str, str, str], limit: int) -> list[RunId]:
        """The newest runs of a job (project, environment, name) that succeeded, newest first."""
        project, environment, job = key
        return await self._ids(tx, "runs_succeeded_of_job", job, environment, project, limit)

    async def recent_of(
        self, tx: Tx, key: tuple[str, str, str], since: datetime, limit: int
    ) -> list[RunView]:
        """The newest runs of a job (project, environment, name) that were asked for since an
        instant, newest first."""
        project, environment, job = key
        params = (job, environment, project, to_micros(since), limit)
        rows = await tx.fetch(self._q["runs_recent_of_job"], params)
        return [
            RunView(
                RunId(row[0]),
                State(row[1]),
                row[2],
                from_micros(row[3]),
                instant(row[4]),
                instant(row[5]),
                row[6],
            )
            for row in rows
        ]

    async def past_deadline(self, tx: Tx, now: datetime, limit: int) -> list[RunId]:
        """Live runs whose deadline has passed and that are not being stopped yet."""
        return await self._ids(tx, "runs_past_deadline", to_micros(now), limit)

    async def waiting_on(self, tx: Tx, slot: str, limit: int) -> list[RunId]:
        """The best ranked runs that wait for `slot`."""
        return await self._ids(tx, "runs_waiting_on", slot, limit)

    async def live_in_slot(self, tx: Tx, slot: str) -> list[RunId]:
        """Every run counted or waiting in a job's slot, oldest first."""
        return await self._ids(tx, "runs_live_in_slot", slot)

    async def live_of_job(self, tx: Tx, key: tuple[str, str, str], limit: int) -> list[RunId]:
        """Runs of a job (project, environment, name) that have not ended, oldest first."""
        return await self._ids(tx, "runs_live_of_job", *key, limit)

    async def live_of_triggers(self, tx: Tx, keys: Sequence[str]) -> list[RunId]:
        """Runs that triggers with these keys asked for and that have not ended, oldest first."""
        return await self._ids(tx, "runs_live_of_triggers", dumps(list(keys)))

    async def out(self, tx: Tx, after: str = "", limit: int = 500) -> list[RunId]:
        """Runs with an attempt out, in order of their ids, after one of them."""
        return await self._ids(tx, "runs_out", after, limit)

    async def tried_since(self, tx: Tx, at: datetime) -> list[AttemptKey]:
        """The attempts of all runs that are live, or ended at an instant or later."""
        rows = await tx.fetch(self._q["runs_tried_since"], (to_micros(at),))
        return [attempt_key(row[0], n) for row in rows for n in range(1, row[1] + 1)]

    async def ended_before(
        self, tx: Tx, at: datetime, limit: int, after: tuple[datetime | None, str] | None = None
    ) -> list[RunId]:
        """Final runs that ended before `at` and have nothing left in the outbox, oldest first;
        after the run that ended at an instant and has an id, if given."""
        since_at, since_id = after or (None, "")
        since = 0 if since_at is None else to_micros(since_at)
        return await self._ids(tx, "runs_ended_before", to_micros(at), since, since_id, limit)

    async def to_forget(self, tx: Tx, before: datetime, limit: int) -> list[RunId]:
        """Final runs that ended before an instant, have nothing left in the outbox, and no letter
        in the queue of the dead; oldest first."""
        return await self._ids(tx, "runs_to_forget", to_micros(before), limit)

    async def next_instants(self, tx: Tx) -> tuple[datetime | None, datetime | None]:
        """When the next run is due, and when the next deadline passes."""
        due, deadline = (await tx.fetch(self._q["runs_next_instants"]))[0]
        return instant(due), instant(deadline)

    async def to_look_at(self, tx: Tx, now: datetime, limit: int) -> list[RunId]:
        """Runs that wait for something and are to be looked at by now, and those that wait for a
        newer revision of their job that there is."""
        due = await self._ids(tx, "runs_to_look_at", to_micros(now), limit)
        mended = await self._ids(tx, "runs_mended", limit)
        return list(dict.fromkeys((*mended, *due)))[:limit]

    async def next_look(self, tx: Tx) -> datetime | None:
        """When a run that waits for something is to be looked at next."""
        return instant((await tx.fetch(self._q["runs_next_look"]))[0][0])

    async def that_wait(self, tx: Tx, limit: int) -> dict[RunId, int]:
        """Runs that wait for something, with their versions; the first to be looked at first."""
        rows = await tx.fetch(self._q["runs_that_wait"], (limit,))
        return {RunId(row[0]): row[1] for row in rows}

    async def counts(self, tx: Tx) -> dict[State, int]:
        """How many runs are in each state."""
        rows = await tx.fetch(self._q["runs_by_state_counts"])
        return {State(state): count for state, count in rows}

    async def delete(self, tx: Tx, ids: Sequence[RunId]) -> None:
        """Remove runs with their history and labels. The ledger keeps their charges."""
        for query in ("history_delete", "run_labels_delete", "runs_delete"):
            await tx.execute(self._q[query], (dumps(list(ids)),))

    async def _ids(self, tx: Tx, query: str, *params: str | int) -> list[RunId]:
        return [RunId(row[0]) for row in await tx.fetch(self._q[query], params)]
