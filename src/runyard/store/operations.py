"""Operations and their history, asked for in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Tx
from runyard.model.event import kind_of
from runyard.model.ids import OperationId
from runyard.model.instants import from_micros, to_micros
from runyard.model.operation import Operation, OperationEvent, OperationState
from runyard.store.documents import dumps, loads
from runyard.store.operation_rows import insert_params, operation_of, update_params
from runyard.store.run_rows import instant

_FAR_FUTURE = 2**62
OperationFact = tuple[Operation, OperationEvent, datetime]


@dataclass(frozen=True, slots=True)
class OperationHappening:
    """One fact of an operation's history. `state` is the operation's after it."""

    sequence: int
    at: datetime
    kind: str
    state: OperationState
    data: Mapping[str, Any]


class Operations:
    """The operations' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def get(self, tx: Tx, ids: Iterable[OperationId]) -> list[Operation]:
        """The operations with these ids; unknown ids are left out, the order is free."""
        wanted = dumps(list(ids))
        return [operation_of(row) for row in await tx.fetch(self._q["operations_by_id"], (wanted,))]

    async def insert(self, tx: Tx, operations: Sequence[Operation]) -> None:
        """Add new operations, each known by its jobs."""
        rows = [insert_params(one) for one in operations]
        await tx.execute_many(self._q["operation_insert"], rows)
        jobs = [
            (one.environment, job.name, job.project, one.id)
            for one in operations
            for job in one.jobs
        ]
        await tx.execute_many(self._q["operation_job_insert"], jobs)

    async def update(self, tx: Tx, operations: Sequence[Operation]) -> None:
        """Write what a decision may change."""
        rows = [update_params(one) for one in operations]
        await tx.execute_many(self._q["operation_update"], rows)

    async def record(self, tx: Tx, facts: Sequence[OperationFact]) -> None:
        """Add to the history: the operation after the decision, the fact, the instant."""
        rows = [
            (one.id, one.version, to_micros(at), kind_of(fact), one.state, dumps(fact))
            for one, fact, at in facts
        ]
        await tx.execute_many(self._q["operation_fact_insert"], rows)

    async def history(
        self, tx: Tx, operation: OperationId, after: int = 0
    ) -> list[OperationHappening]:
        """What happened to an operation after sequence number `after`, in order."""
        rows = await tx.fetch(self._q["operation_history"], (operation, after))
        return [
            OperationHappening(
                row[0], from_micros(row[1]), row[2], OperationState(row[3]), loads(row[4])
            )
            for row in rows
        ]

    async def page(
        self,
        tx: Tx,
        environment: str,
        before: tuple[int, str] | None,
        limit: int,
        job: str = "",
    ) -> list[Operation]:
        """Operations, newest first, older than (requested_at in microseconds, id); of
        one job, if it is named."""
        place = before or (_FAR_FUTURE, "")
        if job:
            params = (environment, *place, limit, job)
            rows = await tx.fetch(self._q["operations_page_of_job"], params)
        else:
            rows = await tx.fetch(self._q["operations_page"], (environment, *place, limit))
        found = await self.get(tx, [OperationId(row[0]) for row in rows])
        return sorted(found, key=lambda one: (one.requested_at, one.id), reverse=True)

    async def due(self, tx: Tx, now: datetime, limit: int) -> list[OperationId]:
        """Those that nobody said yes to in time."""
        rows = await tx.fetch(self._q["operations_due"], (to_micros(now), limit))
        return [OperationId(row[0]) for row in rows]

    async def next_instant(self, tx: Tx) -> datetime | None:
        """When the next one has waited long enough."""
        return instant((await tx.fetch(self._q["operations_next_instant"]))[0][0])

    async def last_fence(self, tx: Tx) -> int:
        """The greatest fence there is."""
        return int((await tx.fetch(self._q["operations_last_fence"]))[0][0])

    async def live_count(self, tx: Tx) -> int:
        """How many have not ended."""
        return int((await tx.fetch(self._q["operations_live_count"]))[0][0])

    async def ended_before(self, tx: Tx, at: datetime, limit: int) -> list[OperationId]:
        """Those that ended before an instant, oldest first."""
        rows = await tx.fetch(self._q["operations_ended_before"], (to_micros(at), limit))
        return [OperationId(row[0]) for row in rows]

    async def forget(self, tx: Tx, ids: Sequence[OperationId]) -> None:
        """Remove operations with their history."""
        for query in ("operation_history_delete", "operation_jobs_delete", "operation_delete"):
            await tx.execute_many(self._q[query], [(one,) for one in ids])
