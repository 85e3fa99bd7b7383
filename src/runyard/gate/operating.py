"""Commands that tell operations what happened, and what that makes of their jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.flow.operation import OperationDecision, decide, together
from runyard.flow.request import slots_of
from runyard.flow.standing import Places, places, standing, touched
from runyard.gate.asking import UNLIMITED, plan_of
from runyard.gate.operation_audit import ended_entries, said_entries
from runyard.model.audit import HERE, Origin
from runyard.model.effect import Pending, Perform
from runyard.model.errors import (
    CallerError,
    IllegalTransition,
    NotFound,
)
from runyard.model.ids import EffectId, OperationId
from runyard.model.operation import (
    Change,
    Expired,
    Operation,
    OperationEvent,
    OperationState,
    StepDelayed,
)
from runyard.store.deleted_jobs import DeletedJob
from runyard.store.jobs import JobRow
from runyard.store.working_set import Needs, WorkingSet


def row_of(work: WorkingSet, environment: str, key: tuple[str, str]) -> JobRow | None:
    """The job (project, name) in force, of those that were loaded."""
    found = work.jobs[environment, key[1]]
    return next((row for row in found if row.project == key[0]), None)


def take(
    work: WorkingSet,
    decision: OperationDecision,
    was: OperationState | None,
    now: datetime,
    *,
    new: bool = False,
) -> Operation:
    """Take a decision over, with what it makes of jobs. The jobs of its names were loaded."""
    operation = work.apply_operation(decision, now, new=new)
    steps = places(operation)
    for number in touched(operation, was):
        _settle_job(work, operation, number, now, steps)
    for entry in ended_entries(operation, now):
        work.record(entry)
    return operation


def _settle_job(
    work: WorkingSet, operation: Operation, number: int, now: datetime, steps: Places
) -> None:
    change = operation.jobs[number]
    row = row_of(work, operation.environment, change.key)
    before = row.standing if row is not None else None
    after = standing(operation, number, before, now, steps)
    complete = operation.state is OperationState.COMPLETE
    if after is None:
        if row is not None:
            work.drop_job(row)
            if complete:
                work.operations.bury(_deleted(operation, row, now))
        return
    if complete:
        work.operations.unbury((change.project, operation.environment, change.name))
    if after != before:
        revises = complete and change.change in (Change.CREATED, Change.UPDATED)
        renewed = revises or row is None or change.change is Change.RESTORED
        work.put_job(
            JobRow(
                change.project,
                operation.environment,
                change.name,
                after.revision,
                after.document,
                now if renewed or row is None else row.applied_at,
                operation.requested_by if renewed or row is None else row.applied_by,
                after.operation,
                after.blocked,
                after.conditions,
            ),
            revises=revises,
        )


def _deleted(operation: Operation, row: JobRow, now: datetime) -> DeletedJob:
    return DeletedJob(
        row.project,
        row.environment,
        row.name,
        row.revision,
        row.document,
        now,
        operation.requested_by,
        now + timedelta(seconds=operation.grace_seconds),
        operation.id,
    )


@dataclass(slots=True)
class TellOperation:
    """An event for an operation. The answer is its row after it.

    `settles` leaves the outbox in the same transaction, also when the event comes too late.
    `delays` stays in it, to be tried again at the event's instant, unless the event ended it.
    """

    operation: OperationId
    event: OperationEvent
    now: datetime
    settles: EffectId | None = None
    origin: Origin = HERE
    delays: Pending | None = None
    answer: Operation | CallerError | None = None

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.operations.load([self.operation])
        row = work.operations.rows.get(self.operation)
        if row is None:
            return
        await work.load_jobs((row.environment, job.name) for job in row.jobs)
        await work.operations.load_deleted(row.environment, [job.name for job in row.jobs])
        if together(row)[-1] + 1 >= len(row.steps):  # what may come into force now has its limits
            for job in _to_be(row):
                await work.load_slots(slots_of(plan_of(job)))

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        done = [self.settles] if self.settles is not None else []
        try:
            self.answer = tell_operation(work, self.operation, self.event, self.now)
            for entry in said_entries(self.answer, self.event, self.now, self.origin):
                work.record(entry)
        except (NotFound, IllegalTransition) as error:
            self.answer = error
        if self.delays is not None:
            late = isinstance(self.answer, CallerError)
            if late or not isinstance(self.event, StepDelayed) or self._ended():
                done.append(self.delays.id)
            else:
                work.delay(self.delays, self.event.until)
        for effect in done:
            work.settle(effect)

    def _ended(self) -> bool:
        """True when the event began the undoing, so that the effect is not wanted any more."""
        begun = isinstance(self.answer, Operation) and self.answer.state not in _FORWARD
        return begun and self.delays is not None and isinstance(self.delays.effect, Perform)

    def act(self, work: WorkingSet) -> Operation:
        """See `Command.act`."""
        if isinstance(self.answer, CallerError):
            raise self.answer
        return work.operations.rows[self.operation]


_FORWARD = frozenset({OperationState.RUNNING, OperationState.STOPPING})


def tell_operation(
    work: WorkingSet, operation: OperationId, event: OperationEvent, now: datetime
) -> Operation:
    """Decide one event on an operation of the working set.

    Raises NotFound or IllegalTransition; the working set is then as it was.
    """
    row = work.operations.rows.get(operation)
    if row is None:
        raise NotFound(
            f"there is no operation {operation}", hint="list them with `runyard operations`"
        )
    after = take(work, decide(row, event, now), row.state, now)
    if after.state is OperationState.COMPLETE:
        for job in _to_be(after):
            limit = job.document["concurrency"]["limit"]
            for name in slots_of(plan_of(job)):
                if limit or name in work.slots:
                    work.set_capacity(name, limit or UNLIMITED)
    return after


def _to_be(operation: Operation) -> list[JobRow]:
    """The jobs that an operation brings into force."""
    return [
        JobRow(
            job.project, operation.environment, job.name, job.revision, job.document,
            operation.requested_at, operation.requested_by,
        )
        for job in operation.jobs
        if job.document is not None and job.change is not Change.UNCHANGED
    ]  # fmt: skip


@dataclass(slots=True)
class ExpireOperations:
    """End the waiting of operations that nobody said yes to in time; the answer is how many."""

    now: datetime
    limit: int = 100
    ids: tuple[OperationId, ...] = ()

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        self.ids = tuple(await work.store.operations.due(work.tx, self.now, self.limit))
        await work.operations.load(self.ids)
        for each in self.ids:
            row = work.operations.rows[each]
            await work.load_jobs((row.environment, job.name) for job in row.jobs)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""
        for each in self.ids:
            try:
                tell_operation(work, each, Expired(), self.now)
            except IllegalTransition:
                continue  # somebody said yes in an earlier command of this batch

    def act(self, work: WorkingSet) -> int:
        """See `Command.act`."""
        return len(self.ids)


@dataclass(slots=True)
class Purge:
    """Forget deleted jobs for good, and operations that ended long ago."""

    jobs: tuple[DeletedJob, ...]
    operations: tuple[OperationId, ...]
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.extend((job.environment, job.name) for job in self.jobs)

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        store, tx = work.store, work.tx
        for job in self.jobs:
            others = work.jobs[job.environment, job.name]
            if not any(other.key == job.key for other in others):
                await store.jobs.forget_revisions(tx, job.key, job.revision)
                await store.deleted_jobs.purge(tx, [job.key])
        await store.operations.forget(tx, self.operations)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
