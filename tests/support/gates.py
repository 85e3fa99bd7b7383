"""A gate on a database, for tests of what passes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from runyard.database.port import Database, Tx
from runyard.flow.audit import entry_of
from runyard.gate.asking import Apply, Request
from runyard.gate.door import Committed, Gate, GateSettings
from runyard.model.audit import AuditEntry
from runyard.model.effect import Effect
from runyard.model.event import Event
from runyard.model.ids import RunId, stamped
from runyard.model.job import JobSpec
from runyard.model.plan import RunRequest
from runyard.model.run import Run
from runyard.store.audit import AuditQuestion
from runyard.store.memory import Store
from runyard.store.runs import Happening
from tests.support.databases import IN_MEMORY, Grounds
from tests.support.runs import NOW

T = TypeVar("T")


@dataclass(slots=True)
class Yard:
    """A gate, its database, and what it committed. Time stands still until `later`."""

    gate: Gate
    database: Database
    store: Store
    committed: list[Committed] = field(default_factory=list)
    now: datetime = NOW
    numbers: count[int] = field(default_factory=lambda: count(1))

    def new_id(self) -> RunId:
        """Ids in the order of asking."""
        return RunId(stamped("run", self.now, next(self.numbers)))

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    async def apply(self, *specs: JobSpec) -> list[str]:
        """Put jobs in force; what was done to each."""
        done = await self.gate.ask(Apply(specs, "local", "ann", self.now))
        return [one.change for one in done]

    async def request(self, job: str = "report", **asked: Any) -> Run:
        """Ask for a run and look at it."""
        request = Request(RunRequest("local", job, "ann", **asked), self.now, self.new_id)
        accepted = await self.gate.ask(request)
        return await self.run(accepted.runs[0])

    async def tell(self, run: Run, event: Event) -> Run:
        """Tell a run something and look at it."""
        return await self.gate.tell(run.id, event, self.now)

    async def run(self, run: RunId) -> Run:
        """The run as it is now."""

        async def work(tx: Tx) -> list[Run]:
            return await self.store.runs.get(tx, [run])

        return (await self.database.read(work))[0]

    async def history(self, run: Run) -> list[Happening]:
        """What happened to a run."""

        async def work(tx: Tx) -> list[Happening]:
            return await self.store.runs.history(tx, run.id)

        return await self.database.read(work)

    async def slots(self) -> dict[str, tuple[int, int]]:
        """Every slot as (used, capacity)."""

        async def work(tx: Tx) -> dict[str, tuple[int, int]]:
            return {s.name: (s.used, s.capacity) for s in await self.store.slots.all(tx)}

        return await self.database.read(work)

    async def entries(self, action: str = "") -> Sequence[AuditEntry]:
        """What the audit log keeps of an action, or of all; oldest first."""

        async def work(tx: Tx) -> list[AuditEntry]:
            found = await self.store.audit.page(tx, AuditQuestion(action=action), None, 100)
            return [entry_of(one) for one in reversed(found)]

        return await self.database.read(work)

    async def outbox(self) -> int:
        """How many effects are not done."""
        return await self.database.read(self.store.outbox.count)

    def effects(self) -> list[Effect]:
        """Every effect handed over so far."""
        return [pending.effect for done in self.committed for pending in done.effects]


def yard_on(database: Database, *, region_runs_max: int = 10, engine: str = "me") -> Yard:
    """A yard on a database that has the store's schema."""
    store = Store.of(database.dialect)
    committed: list[Committed] = []
    gate = Gate(database, store, GateSettings(engine, region_runs_max), committed.append)
    return Yard(gate, database, store, committed)


def in_yard(
    scene: Callable[[Yard], Awaitable[T]], grounds: Grounds | None = None, **settings: Any
) -> T:
    """Play a scene in a fresh yard, on SQLite in memory unless `grounds` are said."""

    async def play() -> T:
        async with (grounds or IN_MEMORY).furnished() as database:
            return await scene(yard_on(database, **settings))

    return asyncio.run(play())
