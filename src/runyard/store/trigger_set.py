"""The triggers that one batch of decisions works on, and what becomes of their instants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from runyard.database.port import Tx
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Instant
from runyard.model.trigger.row import Trigger, TriggerKey
from runyard.store.triggers import Follower, Triggers


class TriggerSet:
    """Loaded together, changed in memory, written together. A row that is here stays as the batch
    made it, whoever loads it again."""

    def __init__(self, triggers: Triggers, tx: Tx) -> None:
        self._triggers = triggers
        self._tx = tx
        self.rows: dict[TriggerKey, Trigger] = {}
        self.changed: dict[TriggerKey, None] = {}
        self._gone: list[TriggerKey] = []
        self._records: list[Instant] = []
        self._jobs: set[tuple[str, str]] = set()
        self._sources: dict[str, tuple[TriggerKind, Sequence[str]]] = {}

    async def load_jobs(self, jobs: Iterable[tuple[str, str]]) -> None:
        """Bring in the triggers of jobs (environment, name), in all projects."""
        missing = [job for job in dict.fromkeys(jobs) if job not in self._jobs]
        self._jobs.update(missing)
        self._take(await self._triggers.of_jobs(self._tx, missing))

    async def load_due(self, now: datetime, limit: int) -> list[TriggerKey]:
        """Bring in those that have to be looked at; their keys, the longest due first."""
        return self._take(await self._triggers.due(self._tx, now, limit))

    async def followers(self, jobs: Iterable[str]) -> dict[str, list[Follower]]:
        """What follows the runs of jobs (their paths), as it was before this batch."""
        return await self._triggers.followers(self._tx, jobs)

    def of_job(self, key: tuple[str, str, str]) -> list[Trigger]:
        """The triggers of a job (project, environment, name); those of its name were loaded."""
        return [row for row in self.rows.values() if row.key[:3] == key]

    def put(self, trigger: Trigger) -> None:
        """Keep a new or changed trigger."""
        self.rows[trigger.key] = trigger
        self.changed[trigger.key] = None

    def follow(self, trigger: Trigger, jobs: Sequence[str]) -> None:
        """Have a trigger told when runs of exactly these jobs (their paths) end."""
        self._sources[trigger.path] = (trigger.kind, jobs)

    def drop(self, key: TriggerKey) -> None:
        """This trigger is in force no more."""
        self.follow(self.rows.pop(key), ())
        self.changed.pop(key, None)
        self._gone.append(key)

    def record(self, instants: Sequence[Instant]) -> None:
        """Keep what became of instants."""
        self._records.extend(instants)

    async def write(self) -> None:
        """Write all of it."""
        await self._triggers.drop(self._tx, self._gone)
        await self._triggers.put(self._tx, [self.rows[key] for key in self.changed])
        await self._triggers.follow(self._tx, self._sources)
        await self._triggers.record(self._tx, self._records)

    def _take(self, found: Sequence[Trigger]) -> list[TriggerKey]:
        for row in found:
            if row.key not in self._gone:
                self.rows.setdefault(row.key, row)
        return [row.key for row in found if row.key in self.rows]
