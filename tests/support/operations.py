"""Operations for tests, and a site: a yard with hands that carry out what operations want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from runyard.database.port import Tx
from runyard.engine.doing import Doing
from runyard.engine.steps import TRIES_MAX, Steps
from runyard.flow.undertaking import Live, Wish
from runyard.gate.operating import TellOperation
from runyard.gate.reserving import Aim, Undertake, Undertaken
from runyard.model.deployed import Place
from runyard.model.effect import Compensate, Pending, Perform
from runyard.model.ids import OperationId, stamped
from runyard.model.job import JobSpec
from runyard.model.operation import (
    Change,
    JobChange,
    Operation,
    OperationEvent,
    OperationKind,
    Step,
    StepKind,
)
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.jobs import JobRow
from tests.support.fake_jobs import FakeAccess, FakeJobs, plain
from tests.support.gates import Yard
from tests.support.runs import NOW, make_spec

WAITS = timedelta(minutes=10)
GRACE_SECONDS = 3600.0
_NUMBERS = count(1)


def make_operation(*kinds: StepKind, **changes: Any) -> Operation:
    """An operation on one job that is created, with steps of `kinds`."""
    document = plain(make_spec().document())
    job = JobChange("shop", "report", Change.CREATED, 1, 0, document)
    operation = Operation(
        id=OperationId("op_1"),
        kind=OperationKind.APPLY,
        environment="local",
        requested_by="ann",
        requested_at=NOW,
        fence=10,
        jobs=(job,),
        steps=tuple(Step(kind, 0, _region(kind)) for kind in kinds),
    )
    return replace(operation, **changes)


def _region(kind: StepKind) -> str:
    return "us-central1" if kind in (StepKind.DEPLOY, StepKind.REMOVE) else ""


@dataclass(slots=True)
class Site:
    """A yard, a provider's jobs and access, and who carries steps out."""

    yard: Yard
    jobs: FakeJobs = field(default_factory=FakeJobs)
    access: FakeAccess = field(default_factory=FakeAccess)
    tries_max: int = TRIES_MAX
    seen: int = 0

    @property
    def steps(self) -> Steps:
        """Hands, which keep nothing between effects."""
        yard = self.yard
        doing = Doing(
            yard.gate, yard.database, yard.store, self.jobs, self.access, lambda: yard.now
        )
        return Steps(yard.gate, yard.database, yard.store, doing, lambda: yard.now, self.tries_max)

    # -- asking ----------------------------------------------------------------------------------
    async def apply(self, *specs: JobSpec, **how: Any) -> Undertaken:
        """Begin to put jobs in force."""
        aims = [await self.aim(spec.name, plain(spec.document())) for spec in specs]
        return await self.undertake(OperationKind.APPLY, aims, **how)

    async def delete(self, *names: str, **how: Any) -> Undertaken:
        """Begin to delete jobs."""
        aims = [await self.aim(name) for name in names]
        return await self.undertake(OperationKind.DELETE, aims, **how)

    async def undelete(self, name: str, **how: Any) -> Undertaken:
        """Begin to have a deleted job back."""
        aim = replace(await self.aim(name), restores=True)
        return await self.undertake(OperationKind.UNDELETE, [aim], **how)

    async def aim(self, name: str, document: Mapping[str, Any] | None = None) -> Aim:
        """What shall be of a job, as it is now."""
        row = await self.job(name)
        live: dict[str, Any] = {}
        for one in (document, row.document if row else None):
            for region in one["regions"] if one else ():
                live[region] = self.jobs.jobs.get(place(name, region))
        return Aim(("shop", name), row.revision if row else 0, live, document)

    async def undertake(
        self, kind: OperationKind, aims: Sequence[Aim], *, by: str = "ann", **how: Any
    ) -> Undertaken:
        """Begin an operation."""
        now = self.yard.now
        number = OperationId(stamped("op", now, next(_NUMBERS)))
        wish = Wish(number, kind, "local", by, now, grace_seconds=GRACE_SECONDS, **how)
        return await self.yard.gate.ask(Undertake(wish, aims, WAITS, now))

    async def tell(self, operation: Operation, event: OperationEvent) -> Operation:
        """Tell an operation something."""
        return await self.yard.gate.ask(TellOperation(operation.id, event, self.yard.now))

    # -- carrying out ----------------------------------------------------------------------------
    def handed(self) -> list[Pending]:
        """The effects that operations want done, since the last look."""
        committed = self.yard.committed[self.seen :]
        self.seen = len(self.yard.committed)
        effects = [pending for done in committed for pending in done.effects]
        return [one for one in effects if isinstance(one.effect, Perform | Compensate)]

    async def carry(self, pending: Pending) -> None:
        """Carry one effect out."""
        assert isinstance(pending.effect, Perform | Compensate)
        await self.steps.carry(pending, pending.effect)

    async def rest(self) -> None:
        """Carry everything out, and what follows from it."""
        while handed := self.handed():
            for pending in handed:
                await self.carry(pending)

    async def done(self, undertaken: Undertaken) -> Operation:
        """The operation, once nothing of it is left to carry out."""
        await self.rest()
        assert undertaken.operation is not None
        return await self.operation(undertaken.operation.id)

    async def put(self, *specs: JobSpec, **how: Any) -> Operation:
        """Put jobs in force, to the end."""
        return await self.done(await self.apply(*specs, **how))

    # -- looking ---------------------------------------------------------------------------------
    async def operation(self, operation: OperationId) -> Operation:
        """The operation as it is now."""

        async def work(tx: Tx) -> list[Operation]:
            return await self.yard.store.operations.get(tx, [operation])

        return (await self.yard.database.read(work))[0]

    async def job(self, name: str = "report") -> JobRow | None:
        """The job in force."""

        async def work(tx: Tx) -> list[JobRow]:
            return await self.yard.store.jobs.named(tx, "local", name)

        found = await self.yard.database.read(work)
        return found[0] if found else None

    async def deleted(self) -> list[DeletedJob]:
        """The jobs that can be had back."""

        async def work(tx: Tx) -> list[DeletedJob]:
            return await self.yard.store.deleted_jobs.all(tx, "local")

        return await self.yard.database.read(work)

    async def facts(self, operation: OperationId) -> list[str]:
        """What happened to an operation."""

        async def work(tx: Tx) -> list[str]:
            history = await self.yard.store.operations.history(tx, operation)
            return [fact.kind for fact in history]

        return await self.yard.database.read(work)


def wish(kind: OperationKind, now: datetime, number: int) -> Wish:
    """Ann's wish of a kind."""
    operation = OperationId(stamped("op", now, number << 40))
    return Wish(operation, kind, "local", "ann", now, grace_seconds=GRACE_SECONDS)


def place(name: str = "report", region: str = "us-central1") -> Place:
    """Where a job of tests is."""
    return Place("shop", "local", region, name)


def live(**jobs: Any) -> Live:
    """A job's resources by region, written with underscores."""
    return {region.replace("_", "-"): job for region, job in jobs.items()}
