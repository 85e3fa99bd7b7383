"""Commands about what is brought to triggers, by webhooks and as events: taken, doubted,
forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from runyard.flow.eventing import as_event, as_message, gather_event, take_event, together
from runyard.flow.lifecycle import Decision
from runyard.flow.request import request
from runyard.flow.webhook.taking import Filtered, take
from runyard.gate.asking import plan_in, plan_of
from runyard.gate.deciding import tell_in
from runyard.gate.readiness import as_it_was, job_in, revision_in
from runyard.model.audit import HERE, AuditEntry, Origin
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import CallerError, NotFound, Refused
from runyard.model.event import Due
from runyard.model.ids import RunId
from runyard.model.plan import RunRequest
from runyard.model.run import Overrides, TriggeredBy, TriggerKind
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.pointing import Told
from runyard.model.trigger.row import Trigger, TriggerKey, TriggerState
from runyard.model.trigger.webhook import WebhookSpec
from runyard.model.validation import read
from runyard.store.working_set import Needs, WorkingSet

VARIABLE = "RUNYARD_DELIVERY"  #: what a task finds the id of its delivery in
DOUBTS_KEY = "doubts/"  #: how our own keys begin; those of senders begin with `ID_KEY`
REASON_CHARACTERS_MAX = 2000
_NOUNS = {TriggerKind.WEBHOOK: "webhook", TriggerKind.EVENT: "event trigger"}


@dataclass(frozen=True, slots=True)
class Gathered:
    """It waits for others."""


Decided = Sequence[Decision] | Filtered | Gathered | CallerError
_KEPT = (DeliveryFate.ACCEPTED, DeliveryFate.GATHERED)  #: what is not taken again


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery. `again`: it had led to runs already. `error`: why it was refused,
    for who sent it."""

    delivery: Delivery
    again: bool = False
    error: CallerError | None = None


@dataclass(slots=True)
class Take:
    """Have a delivery that is believed do what its trigger says. The answer is `Taken`: also what
    is refused is kept. `told` is what it says, or the error, where that is not understood.
    `original` is the one that it brings again: when that leads to runs, its sender's next try
    finds them. With `revision` the job and its trigger are taken as that revision has them, and
    the runs are of it; the trigger has to be there still, and enabled.

    Raises NotFound when there is no such webhook.
    """

    key: TriggerKey
    delivery: Delivery
    told: Told | CallerError
    content: bytes
    now: datetime
    new_id: Callable[[], RunId]
    origin: Origin = HERE
    original: Delivery | None = None
    revision: int | None = None
    decided: Decided | None = field(default=None, init=False)

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""
        needs.jobs.append((self.key[1], self.key[2]))

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.triggers.load_jobs([(self.key[1], self.key[2])])
        row = work.triggers.rows.get(self.key)
        if row is None:
            return
        try:
            self.decided = await self._decided(work, row)
        except CallerError as error:
            self.decided = error
        for one in (self.delivery, self.original or self.delivery):
            await work.deliveries.load(row.path, one.key)
        if isinstance(self.decided, Sequence):
            await work.load_facts([decision.run for decision in self.decided])

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> Taken:
        """See `Command.act`."""
        if self.decided is None:
            raise NotFound("there is no such webhook")
        row = work.triggers.rows[self.key]
        known = work.deliveries.known(row.path, self.delivery.key)
        if known is not None and known.fate in _KEPT:
            again = known.evolve(count=known.count + 1, last_at=self.now)
            work.deliveries.put(again)
            return Taken(again, again=True)
        done = self._done(work, row)
        if known is not None:
            done = replace(done, delivery=_instead(known, done.delivery))
        work.deliveries.put(done.delivery, self.content)
        if self.original is not None:
            self._settle(work, self.original, done.delivery)
        return done

    def _settle(self, work: WorkingSet, original: Delivery, done: Delivery) -> None:
        """Note what became of one that was brought again."""
        work.record(_entry(done, self.origin))
        known = work.deliveries.known(original.trigger, original.key)
        led = DeliveryFate.ACCEPTED
        if known is not None and known.fate is not led and done.fate is led:
            reason = f"brought again by {done.by} as {done.id}; before: {known.reason}"
            work.deliveries.put(known.evolve(fate=led, runs=done.runs, reason=reason))

    async def _decided(self, work: WorkingSet, row: Trigger) -> Decided:
        revision, document = self.revision, None
        if revision is not None:
            document, row = await as_it_was(work, row, revision)
        else:
            revision = revision_in(work, row)
        self.delivery = self.delivery.evolve(revision=revision)
        if isinstance(self.told, CallerError):
            return self.told
        spec = event_of(row) if row.kind is TriggerKind.EVENT else spec_of(row)
        if isinstance(spec, EventSpec):
            taken = self._taken_as(spec, as_event(self.told))
        else:
            taken = take(spec, self.told)
        if not isinstance(taken, Overrides):
            return taken
        asked = asked_by(row, spec.asking, taken, self.delivery)
        job = job_in(work, row)
        if document is None:
            plan = plan_in(work, job)
        else:
            plan = plan_of(replace(job, revision=revision, document=document))
        return request(plan, asked, self.new_id, self.now)

    def _taken_as(self, spec: EventSpec, told: Told) -> Overrides | Filtered | Gathered:
        if spec.batch is None:
            return take_event(spec, told)
        left_out = gather_event(spec, told)
        if left_out is not None:
            return left_out
        if self.original is None:
            return Gathered()
        return together(spec, [as_message(told, self.original.id)])

    def _done(self, work: WorkingSet, row: Trigger) -> Taken:
        """Begin the runs, if there are to be any; as the rows are now."""
        decided = self.decided
        try:
            if isinstance(decided, Filtered):
                return self._taken(DeliveryFate.FILTERED, decided.reason)
            if isinstance(decided, CallerError):
                raise decided
            must_be_enabled(row)
            if isinstance(decided, Gathered):
                return self._taken(DeliveryFate.GATHERED, "")
            job_in(work, row)  # once more: another command of this batch may have changed it
        except CallerError as error:
            return replace(self._taken(DeliveryFate.REFUSED, words_of(error)), error=error)
        runs = decided or ()
        for decision in runs:
            work.apply(decision, self.now, new=True)
        for decision in runs:
            tell_in(work, decision.run.id, Due(), self.now)
        return self._taken(DeliveryFate.ACCEPTED, "", tuple(one.run.id for one in runs))

    def _taken(self, fate: DeliveryFate, reason: str, runs: tuple[RunId, ...] = ()) -> Taken:
        return Taken(self.delivery.evolve(fate=fate, reason=reason, runs=runs))


def asked_by(row: Trigger, asking: Asking, over: Overrides, delivery: Delivery) -> RunRequest:
    """What a trigger asks for because of a delivery, whose id the tasks find in `VARIABLE`."""
    env = dict(over.env) | {VARIABLE: str(delivery.redelivers or delivery.id)}
    return RunRequest(
        environment=row.environment,
        job=row.job,
        by=delivery.by or row.path,
        project=row.project,
        region=asking.region or "",
        overrides=replace(over, env=tuple(sorted(env.items()))),
        labels=tuple(sorted(asking.labels.items())),
        priority=asking.priority,
        trigger=row.kind,
        triggered_by=TriggeredBy(row.path, delivery.received_at),
    )


def spec_of(row: Trigger) -> WebhookSpec:
    """The webhook that a trigger is. Raises NotFound when it is none, Refused when this version
    does not understand it."""
    if row.kind is not TriggerKind.WEBHOOK:
        raise NotFound(f"trigger {row.path} is no webhook")
    spec, complaints = read(WebhookSpec, row.document)
    if spec is None:
        raise Refused(f"this version does not understand it: expected {complaints[0].expected}")
    return spec


def event_of(row: Trigger) -> EventSpec:
    """The event that a trigger is about. Raises NotFound when it is about none, Refused when this
    version does not understand it."""
    if row.kind is not TriggerKind.EVENT:
        raise NotFound(f"trigger {row.path} is about no event")
    spec, complaints = read(EventSpec, row.document)
    if spec is None:
        raise Refused(f"this version does not understand it: expected {complaints[0].expected}")
    return spec


def must_be_enabled(row: Trigger) -> None:
    """Raises Refused when a trigger asks for nothing now."""
    if row.state is not TriggerState.ENABLED:
        by = f" by {row.said_by}" if row.said_by else ""
        raise Refused(f"the {_NOUNS[row.kind]} is {row.state}{by}", hint=row.reason)


def words_of(error: CallerError) -> str:
    """An error as a row keeps it."""
    return "; ".join([error.message, *map(str, error.faults)])[:REASON_CHARACTERS_MAX]


def _instead(known: Delivery, new: Delivery) -> Delivery:
    """A delivery that came again, in place of what it was: the same one, as it went now."""
    return known.evolve(
        fate=new.fate,
        reason=new.reason,
        runs=new.runs,
        count=known.count + 1,
        last_at=new.last_at,
        headers=new.headers,
        address=new.address,
        body_bytes=new.body_bytes,
        revision=new.revision,
    )


def _entry(delivery: Delivery, origin: Origin) -> AuditEntry:
    return AuditEntry(
        delivery.received_at,
        delivery.by,
        "delivery.redeliver",
        f"delivery/{delivery.redelivers}",
        delivery.environment,
        after={
            "delivery": delivery.id,
            "fate": delivery.fate.value,
            "runs": list(delivery.runs),
            "revision": delivery.revision,
        },
        origin=origin,
    )


@dataclass(slots=True)
class Doubt:
    """Count deliveries that did not prove to be who they should be. There is one row for an hour
    of them, which keeps the last: whoever sends many of them fills no disk."""

    delivery: Delivery
    count: int
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        hour = self.delivery.received_at.strftime("%Y-%m-%dT%H")
        self.delivery = replace(self.delivery, key=f"{DOUBTS_KEY}{hour}")
        await work.deliveries.load(self.delivery.trigger, self.delivery.key)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
        new = self.delivery.evolve(fate=DeliveryFate.DOUBTED, count=self.count)
        known = work.deliveries.known(new.trigger, new.key)
        if known is not None:
            new = new.evolve(
                id=known.id, received_at=known.received_at, count=known.count + self.count
            )
        work.deliveries.put(new)


@dataclass(slots=True)
class ForgetDeliveries:
    """Remove deliveries that came last before an instant, and those that asked for no run and came
    last before another one."""

    before: datetime
    filtered_before: datetime
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""
        await work.store.deliveries.forget(work.tx, self.before, self.filtered_before)

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
