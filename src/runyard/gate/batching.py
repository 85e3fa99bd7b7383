"""The command that makes one run of the messages that a trigger has gathered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from runyard.flow.eventing import (
    as_message,
    batch_due,
    batch_size,
    gather_event,
    together,
    told_by,
)
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.flow.webhook.taking import Filtered
from runyard.gate.asking import plan_in
from runyard.gate.deciding import tell_in
from runyard.gate.delivering import asked_by, event_of, must_be_enabled, words_of
from runyard.gate.readiness import job_in, revision_in
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import CallerError, InvalidSpec
from runyard.model.event import Due
from runyard.model.ids import DeliveryId, RunId
from runyard.model.run import TriggerKind
from runyard.model.trigger.event import BATCH_MAX, EventSpec
from runyard.model.trigger.pointing import Told
from runyard.model.trigger.row import Trigger, TriggerKey
from runyard.store.working_set import Needs, WorkingSet

BYTES_MAX = 16 * 2**20  #: of content that is looked at together; beyond it a batch is shorter
RETRY = timedelta(seconds=10)  #: when a batch that cannot run now is looked at again
GONE = "its trigger is gone"


@dataclass(frozen=True, slots=True)
class Batched:
    """So many were decided on. When none was: when to look again (None: when more have come)."""

    count: int = 0
    next_at: datetime | None = None


@dataclass(slots=True)
class TakeBatch:
    """Have the messages that a trigger gathered first become one run, if they are enough or the
    first has waited for long enough: all of it in one transaction. The answer is `Batched`.

    Those that fit no more, and a batch that does not fit the map together, are refused with the
    reason. While the job cannot run, or the trigger is paused, they wait on, with the reason. When
    the trigger is gone, so is what they waited for.
    """

    key: TriggerKey
    now: datetime
    new_id: Callable[[], RunId]
    waiting: list[Delivery] = field(default_factory=list, init=False)
    unfit: dict[DeliveryId, Filtered | InvalidSpec] = field(default_factory=dict, init=False)
    decided: Sequence[Decision] | CallerError | datetime | None = field(default=None, init=False)
    revision: int = field(default=0, init=False)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.append((self.key[1], self.key[2]))

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        path = "/".join(self.key)
        self.waiting = await work.store.deliveries.gathered(work.tx, path, BATCH_MAX)
        row = self._row(work)
        if row is None or not self.waiting:
            return
        try:
            self.decided = await self._decided(work, row)
        except CallerError as error:
            self.decided = error
        if isinstance(self.decided, Sequence):
            await work.load_facts([decision.run for decision in self.decided])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Batched:
        """See `Command.act`."""
        waiting = [work.deliveries.current(one) for one in self.waiting]
        if not waiting:
            return Batched()
        if any(one.fate is not DeliveryFate.GATHERED for one in waiting):
            return Batched(next_at=self.now)  # another command of this batch was there first
        row, decided = self._row(work), self.decided
        if row is None:
            for one in waiting:
                work.deliveries.put(one.evolve(fate=DeliveryFate.REFUSED, reason=GONE))
            return Batched(len(waiting))
        if isinstance(decided, datetime):
            return Batched(next_at=decided)
        try:
            if isinstance(decided, CallerError):
                raise decided
            must_be_enabled(row)
            job_in(work, row)  # once more: another command of this batch may have changed it
        except CallerError as error:
            return self._wait(work, waiting, words_of(error))
        return self._begin(work, waiting, decided or ())

    def _wait(self, work: WorkingSet, waiting: list[Delivery], why: str) -> Batched:
        for one in waiting:
            if one.reason != why:
                work.deliveries.put(one.evolve(reason=why))
        return Batched(next_at=self.now + RETRY)

    def _begin(
        self, work: WorkingSet, waiting: list[Delivery], runs: Sequence[Decision]
    ) -> Batched:
        for decision in runs:
            work.apply(decision, self.now, new=True)
        for decision in runs:
            tell_in(work, decision.run.id, Due(), self.now)
        ids = tuple(one.run.id for one in runs)
        for one in waiting:
            unfit = self.unfit.get(one.id)
            if unfit is None:
                done = one.evolve(fate=DeliveryFate.ACCEPTED, reason="", runs=ids)
            elif isinstance(unfit, Filtered):
                done = one.evolve(fate=DeliveryFate.FILTERED, reason=unfit.reason)
            else:
                done = one.evolve(fate=DeliveryFate.REFUSED, reason=words_of(unfit))
            work.deliveries.put(done.evolve(revision=self.revision))
        return Batched(len(waiting))

    def _row(self, work: WorkingSet) -> Trigger | None:
        row = work.triggers.rows.get(self.key)
        return row if row is not None and row.kind is TriggerKind.EVENT else None

    async def _decided(self, work: WorkingSet, row: Trigger) -> Sequence[Decision] | datetime:
        """The runs; or when they are to be. Afterwards `waiting` are those that it is about."""
        spec = event_of(row)
        due = batch_due(spec, len(self.waiting), min(one.received_at for one in self.waiting))
        if due > self.now:
            return due
        sums = accumulate(one.body_bytes for one in self.waiting[: batch_size(spec)])
        count = max(1, sum(size <= BYTES_MAX for size in sums))
        self.waiting = self.waiting[:count]
        self.revision = revision_in(work, row)
        job = job_in(work, row)
        many = await self._told(work, spec)
        if not many:
            return ()
        first = next(one for one in self.waiting if one.id not in self.unfit)
        try:
            asked = asked_by(row, spec.asking, together(spec, many), first)
            return request(plan_in(work, job), asked, self.new_id, self.now)
        except InvalidSpec as error:  # as it stands it can never run
            self.unfit |= {one.id: error for one in self.waiting if one.id not in self.unfit}
            return ()

    async def _told(self, work: WorkingSet, spec: EventSpec) -> list[Told]:
        """What those that fit say; what the others lack is in `unfit`."""
        last = self.waiting[-1]
        contents = await work.store.deliveries.gathered_content(work.tx, last.trigger, last.id)
        found: list[Told] = []
        for one, content in zip(self.waiting, contents, strict=True):
            try:
                told = told_by(one.headers, content)
                unfit: Filtered | InvalidSpec | None = gather_event(spec, told)
            except InvalidSpec as error:
                unfit = error
            if unfit is None:
                found.append(as_message(told, one.id))
            else:
                self.unfit[one.id] = unfit
        return found
