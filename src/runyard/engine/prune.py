"""PRUNE: forgets what has been kept long enough, or takes too much room. The ledger keeps its
charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.database.port import Database, Tx
from runyard.gate.alerting import ForgetAlerts
from runyard.gate.delivering import ForgetDeliveries
from runyard.gate.door import Gate
from runyard.gate.filing import ExpireLetters, FileOld
from runyard.gate.operating import Purge
from runyard.gate.telling import Forget
from runyard.model.ids import OperationId, RunId, attempt_key
from runyard.model.run import Run
from runyard.provider.port import Provider
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.memory import Store

PAGE = 100  #: runs forgotten by one transaction
CUT = 10  #: runs whose logs go before it is looked again how much room the others take
EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept after a run has ended (`keys`: after the request; `deliveries`:
    after they came last, so long is a delivery known that comes again; `filtered` ones, which ask
    for nothing and may be very many, go earlier; `incidents`: after they are over, so that whole
    months can be summed up). `letters`: how long nobody may have dealt with a dead letter before it
    leaves the queue (None: it never does); its run is kept as long. When all logs take more than
    `logs_bytes_max` (0: no bound), those of the runs that ended first go, however young they
    are."""

    runs: timedelta = timedelta(days=30)
    logs: timedelta = timedelta(days=30)
    keys: timedelta = timedelta(days=7)
    deliveries: timedelta = timedelta(days=7)
    filtered: timedelta = timedelta(days=1)
    incidents: timedelta = timedelta(days=100)
    logs_bytes_max: int = 0
    letters: timedelta | None = timedelta(days=90)


class PruneLoop:
    """One tick: logs past their time, then runs past theirs."""

    def __init__(
        self,
        gate: Gate,
        database: Database,
        store: Store,
        provider: Provider,
        retention: Retention,
    ) -> None:
        self._gate = gate
        self._database = database
        self._store = store
        self._provider = provider
        self._retention = retention
        self._cut_to: Run | None = None  # whose logs went last because of their room
        self._old_filed = False  # the letters of runs that died before there were any

    async def tick(self, now: datetime) -> datetime | None:
        """Forget what is too old at `now`."""
        await self._file_old(now)
        await self._expire_letters(now)
        if self._retention.logs < self._retention.runs:
            await self._prune_logs(now)
        if self._retention.logs_bytes_max:
            await self._cut_logs(now)
        keys_before = now - self._retention.keys
        while runs := await self._to_forget(now - self._retention.runs):
            await self._forget_attempts(runs)
            await self._gate.ask(Forget(tuple(run.id for run in runs), keys_before, now))
        await self._gate.ask(Forget((), keys_before, now, now - self._retention.runs))
        await self._forget_deliveries(now)
        await self._purge(now)
        await self._gate.ask(ForgetAlerts(now - self._retention.incidents, now))
        return now + EVERY

    async def _file_old(self, now: datetime) -> None:
        after: str | None = None if self._old_filed else ""
        while after is not None:
            after = await self._gate.ask(FileOld(after, now, PAGE))
        self._old_filed = True

    async def _expire_letters(self, now: datetime) -> None:
        kept = self._retention.letters
        if kept is None:
            return
        days = kept / timedelta(days=1)
        words = f"nobody dealt with it for {days:g} days (setting dead_letter_retention_seconds)"
        while await self._gate.ask(ExpireLetters(now - kept, words, now, PAGE)) >= PAGE:
            pass

    async def _forget_deliveries(self, now: datetime) -> None:
        kept = self._retention
        await self._gate.ask(ForgetDeliveries(now - kept.deliveries, now - kept.filtered, now))

    async def _purge(self, now: datetime) -> None:
        """Deleted jobs that nobody can have back any more, and operations that ended long ago."""
        while True:

            async def work(tx: Tx) -> tuple[list[DeletedJob], list[OperationId]]:
                ended = now - self._retention.runs
                return (
                    await self._store.deleted_jobs.to_purge(tx, now, PAGE),
                    await self._store.operations.ended_before(tx, ended, PAGE),
                )

            jobs, operations = await self._database.read(work)
            if jobs or operations:
                await self._gate.ask(Purge(tuple(jobs), tuple(operations), now))
            if len(jobs) < PAGE and len(operations) < PAGE:
                return

    async def _prune_logs(self, now: datetime) -> None:
        before, after = now - self._retention.logs, None
        while runs := await self._ended_before(before, after):
            await self._forget_attempts(runs)
            after = runs[-1]

    async def _cut_logs(self, now: datetime) -> None:
        """The logs of the runs that ended first, until the others have room."""
        while await self._provider.log_bytes() > self._retention.logs_bytes_max:
            runs = (await self._ended_before(now, self._cut_to))[:CUT]
            if not runs:
                return  # what is left is of runs that go on, or that ended just now
            await self._forget_attempts(runs)
            self._cut_to = runs[-1]

    async def _to_forget(self, before: datetime) -> list[Run]:
        async def work(tx: Tx) -> list[Run]:
            ids = await self._store.runs.to_forget(tx, before, PAGE)
            return await self._store.runs.get(tx, ids)

        return await self._database.read(work)

    async def _ended_before(self, at: datetime, after: Run | None = None) -> list[Run]:
        async def work(tx: Tx) -> list[Run]:
            since = None if after is None else (after.ended_at, after.id)
            ids: list[RunId] = await self._store.runs.ended_before(tx, at, PAGE, since)
            found = await self._store.runs.get(tx, ids)
            return sorted(found, key=lambda run: (run.ended_at or at, run.id))

        return await self._database.read(work)

    async def _forget_attempts(self, runs: list[Run]) -> None:
        for run in runs:
            for number in range(1, run.attempt + 1):
                await self._provider.forget(attempt_key(run.id, number))
