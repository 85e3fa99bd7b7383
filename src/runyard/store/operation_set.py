"""The operations that one batch of decisions works on, and what they make of jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runyard.database.port import Tx
from runyard.flow.operation import OperationDecision
from runyard.model.ids import OperationId, RunId
from runyard.model.operation import Operation
from runyard.store.deleted_jobs import DeletedJob, JobKey
from runyard.store.memory import Store
from runyard.store.operations import OperationFact


class OperationSet:
    """A batch's operations, deleted jobs, and the runs that stand in a change's way."""

    def __init__(self, store: Store, tx: Tx) -> None:
        self._store = store
        self._tx = tx
        self.rows: dict[OperationId, Operation] = {}
        self.changed: set[OperationId] = set()
        self.deleted: dict[JobKey, DeletedJob] = {}
        self.live_runs: dict[JobKey, list[RunId]] = {}
        self.facts: list[OperationFact] = []
        self._new: set[OperationId] = set()
        self._gone: list[JobKey] = []
        self._buried: list[DeletedJob] = []
        self._unburied: list[JobKey] = []

    async def load(self, ids: Iterable[OperationId]) -> None:
        """Bring in operations; those that are here stay."""
        missing = [each for each in dict.fromkeys(ids) if each not in self.rows]
        if missing:
            found = await self._store.operations.get(self._tx, missing)
            self.rows |= {one.id: one for one in found}

    async def load_deleted(self, environment: str, names: Iterable[str]) -> None:
        """Bring in the deleted jobs of these names."""
        for name in dict.fromkeys(names):
            for job in await self._store.deleted_jobs.named(self._tx, environment, name):
                self.deleted.setdefault(job.key, job)

    async def load_live_runs(self, key: JobKey, limit: int) -> None:
        """Bring in a job's runs that have not ended, the first `limit` of them."""
        self.live_runs[key] = await self._store.runs.live_of_job(self._tx, key, limit)

    def apply(self, decision: OperationDecision, now: datetime, *, new: bool = False) -> Operation:
        """Take a decision over: its row and its fact."""
        row = decision.operation
        self.rows[row.id] = row
        self.changed.add(row.id)
        if new:
            self._new.add(row.id)
        self.facts.append((row, decision.fact, now))
        return row

    def drop(self, key: JobKey) -> None:
        """There is no such job in force any more."""
        self._gone.append(key)

    def bury(self, job: DeletedJob) -> None:
        """A job was deleted, and can be had back."""
        self.deleted[job.key] = job
        self._buried.append(job)

    def unbury(self, key: JobKey) -> None:
        """A job of this name is in force again, so the deleted one cannot be had back."""
        if self.deleted.pop(key, None) is not None:
            self._unburied.append(key)

    async def write(self) -> None:
        """Write all of it; what is in force is written after."""
        if not self.changed:
            return
        store, tx = self._store, self._tx
        rows = [self.rows[each] for each in sorted(self.changed)]
        await store.operations.insert(tx, [one for one in rows if one.id in self._new])
        await store.operations.update(tx, [one for one in rows if one.id not in self._new])
        await store.operations.record(tx, self.facts)
        await store.jobs.drop(tx, self._gone)
        await store.deleted_jobs.unbury(tx, self._unburied)
        await store.deleted_jobs.bury(tx, self._buried)
