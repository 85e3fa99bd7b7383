"""The lifecycle of a run. All of it; nothing about it lives elsewhere.

    QUEUED --Started--> LAUNCHING --Launched--> RUNNING --Done--> SUCCEEDED
      |  \\                  |                     |  |
      |   Skipped            +------- Retry -------+  +--GiveUp--> DEAD
      v                      v                     |
    SKIPPED             BACKING_OFF --Started--> LAUNCHING (the only arrow back)
    LAUNCHING, RUNNING --AwaitNetwork and its like--> AWAITING_NETWORK and its like
    AWAITING_...  --Restored--> BACKING_OFF, or --WaitOver--> DEAD
    any live state --CancelRequested--> CANCELLED, by way of STOPPING if an attempt is out
    any live state --DeadlinePassed--> DEAD, by way of STOPPING if an attempt is out

Rule 1  What may follow what is said by TRANSITIONS, and by nothing else.
Rule 2  This file reads no clock, no database, no network: `now` comes in, effects go out.
Rule 3  An effect is a request put in the outbox; only the engine carries one out.

Promises, each an invariant of the property and simulation tests: final is final; attempts never
exceed the policy; never two attempts of a run at once; one charge for each attempt; one alert
for each dead run; nothing is launched by a decision taken after an accepted cancel; a slot is
held exactly by the runs that `held` names, and never by more than its capacity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runyard.flow.budget import spend
from runyard.flow.costing import charge
from runyard.flow.failure.classify import classify
from runyard.flow.holding import (
    Await,
    AwaitCapacity,
    AwaitFix,
    AwaitNetwork,
    AwaitPermission,
    looked,
    over_words,
)
from runyard.flow.recovery import (
    DEADLINE,
    Done,
    GiveUp,
    Gone,
    Retry,
    Verdict,
    deadline_words,
    judge,
)
from runyard.model.cost import Charge
from runyard.model.effect import Alert, CancelOlder, Effect, Launch, Release, Stop
from runyard.model.errors import IllegalTransition
from runyard.model.event import (
    AttemptEnded,
    CancelRequested,
    DeadlinePassed,
    Delayed,
    Due,
    Ended,
    Event,
    Fact,
    Launched,
    Looked,
    Released,
    Restored,
    Skipped,
    SlotFreed,
    Started,
    Waited,
    WaitOver,
)
from runyard.model.ids import RunId
from runyard.model.recovery import UNSCALED
from runyard.model.run import FINAL, OnConflict, Run, Spent, State, TriggeredBy

Cause = (
    type[Started]
    | type[Waited]
    | type[SlotFreed]
    | type[Skipped]
    | type[Launched]
    | type[Delayed]
    | type[Done]
    | type[Retry]
    | type[GiveUp]
    | type[Gone]
    | type[Await]
    | type[Looked]
    | type[Restored]
    | type[WaitOver]
    | type[CancelRequested]
    | type[DeadlinePassed]
    | type[Released]
)

_WAITS: dict[Cause, State] = {
    AwaitNetwork: State.AWAITING_NETWORK,
    AwaitCapacity: State.AWAITING_CAPACITY,
    AwaitPermission: State.AWAITING_PERMISSION,
    AwaitFix: State.AWAITING_FIX,
}


def _awaiting(state: State) -> dict[Cause, State]:
    return {
        Looked: state,
        Restored: State.BACKING_OFF,
        WaitOver: State.DEAD,
        CancelRequested: State.CANCELLED,
        DeadlinePassed: State.DEAD,
        Released: state,
    }


# fmt: off
TRANSITIONS: dict[State, dict[Cause, State]] = {
    State.QUEUED:      {Started: State.LAUNCHING, Waited: State.QUEUED, SlotFreed: State.QUEUED,
                        Skipped: State.SKIPPED, CancelRequested: State.CANCELLED,
                        DeadlinePassed: State.DEAD},
    State.LAUNCHING:   {Launched: State.RUNNING, Delayed: State.LAUNCHING,
                        Done: State.SUCCEEDED, Retry: State.BACKING_OFF, GiveUp: State.DEAD,
                        Gone: State.CANCELLED, CancelRequested: State.STOPPING,
                        DeadlinePassed: State.STOPPING, Released: State.LAUNCHING, **_WAITS},
    State.RUNNING:     {Done: State.SUCCEEDED, Retry: State.BACKING_OFF, GiveUp: State.DEAD,
                        Gone: State.CANCELLED, CancelRequested: State.STOPPING,
                        DeadlinePassed: State.STOPPING, Released: State.RUNNING, **_WAITS},
    State.BACKING_OFF: {Started: State.LAUNCHING, Waited: State.BACKING_OFF,
                        SlotFreed: State.BACKING_OFF, CancelRequested: State.CANCELLED,
                        DeadlinePassed: State.DEAD, Released: State.BACKING_OFF},
    **{state: _awaiting(state) for state in _WAITS.values()},
    State.STOPPING:    {Launched: State.STOPPING, Done: State.SUCCEEDED, GiveUp: State.DEAD,
                        Gone: State.CANCELLED, Released: State.STOPPING},
    State.SUCCEEDED:   {Released: State.SUCCEEDED},
    State.DEAD:        {Released: State.DEAD},
    State.CANCELLED:   {Released: State.CANCELLED},
    State.SKIPPED:     {},
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for so many at once: a job's concurrency limit, or a region's runs."""

    name: str
    capacity: int
    used: int = 0

    @property
    def is_full(self) -> bool:
        """True when nobody more may take it."""
        return self.used >= self.capacity


@dataclass(frozen=True, slots=True)
class Facts:
    """The other rows a decision needs, loaded under a lock in the same transaction.

    `slots`: those `wanted` names. `rivals`: for `cancel_older`, the older live runs of the slot.
    `spent`: what its job has spent of its budget of retries.
    """

    slots: Mapping[str, Slot] = field(default_factory=dict)
    rivals: tuple[RunId, ...] = ()
    spent: Spent | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One step: the new row, the fact for the history, the requests for the outbox.

    `slots` are the changes of slot rows, as (name, +1 or -1).
    """

    run: Run
    fact: Fact
    effects: tuple[Effect, ...] = ()
    slots: tuple[tuple[str, int], ...] = ()
    charge: Charge | None = None
    spent: Spent | None = None


def region_slot(environment: str, region: str) -> str:
    """The name of the slot that counts the runs out in a region."""
    return f"region/{environment}/{region}"


def wanted(run: Run) -> tuple[str, ...]:
    """The slots a run needs to have an attempt out."""
    return (*run.own_slots, region_slot(run.environment, run.region))


def held(run: Run) -> frozenset[str]:
    """The slots a run holds: its own (its job's, its trigger's) from the first start until it is
    final, also while it backs off (or another run would overlap with its retry); its region's only
    while it is out."""
    names = run.own_slots if _holds_own_slots(run) else ()
    return frozenset((*names, region_slot(run.environment, run.region)) if run.is_out else names)


def _holds_own_slots(run: Run) -> bool:
    return run.attempt > 0 and not run.is_final


def decide(run: Run, event: Event, facts: Facts, now: datetime) -> Decision:
    """Say what `event`, at `now` (UTC), makes of `run`.

    Raises IllegalTransition when the table has no such step, or when `event` speaks of an
    attempt that is not out.
    """
    match event:
        case Due():
            decision = _due(run, facts, now)
        case Ended():
            decision = _ended(run, event, facts, now)
        case CancelRequested():
            decision = _cancel_requested(run, event, now)
        case DeadlinePassed():
            decision = _deadline_passed(run, event, now)
        case Skipped():
            decision = _skipped(run, event.reason, now)
        case Looked() | Restored():
            decision = _waited_for(run, event, now)
        case _:
            decision = Decision(_noted(run, event, now), event)
    changes = _slot_changes(run, decision.run)
    if not changes:
        return decision
    return replace(decision, slots=changes)


def is_late(by: TriggeredBy, now: datetime) -> bool:
    """True when what a trigger asked for must not start any more."""
    return by.start_by is not None and now > by.start_by


def _noted(run: Run, event: SlotFreed | Launched | Delayed | Released, now: datetime) -> Run:
    if isinstance(event, Launched | Delayed):
        _same_attempt(run, event.attempt)
    match event:
        case SlotFreed():
            return _step(run, SlotFreed, now, waiting_on="", due_at=now)
        case Launched():
            return _step(run, Launched, now, handle=event.handle)
        case _:
            return _step(run, type(event), now)


def _due(run: Run, facts: Facts, now: datetime) -> Decision:
    by = run.triggered_by
    if by is not None and run.attempt == 0 and is_late(by, now):
        return _skipped(run, f"it had to start by {by.start_by:%Y-%m-%d %H:%M:%S} UTC", now)
    full = [name for name in wanted(run) if name not in held(run) and facts.slots[name].is_full]
    if full:
        return _no_room(run, facts.slots[full[0]], facts, now)
    after = _step(
        run,
        Started,
        now,
        attempt=run.attempt + 1,
        due_at=None,
        waiting_on="",
        handle="",
        started_at=run.started_at or now,
    )
    waited_seconds = (now - (run.due_at or now)).total_seconds()
    if run.attempt == 0:
        waited_seconds = (now - run.requested_at).total_seconds()
    return Decision(after, Started(after.attempt, waited_seconds), (Launch(after.attempt),))


def _no_room(run: Run, slot: Slot, facts: Facts, now: datetime) -> Decision:
    of_job = slot.name == run.concurrency_slot
    if of_job and run.policy.on_conflict is OnConflict.SKIP:
        reason = f"its job runs {slot.used} times at once already, the limit is {slot.capacity}"
        return _skipped(run, reason, now)
    after = _step(run, Waited, now, due_at=None, waiting_on=slot.name)
    replaces = of_job and run.policy.on_conflict is OnConflict.CANCEL_OLDER
    effects = tuple(CancelOlder(older) for older in facts.rivals) if replaces else ()
    return Decision(after, Waited(slot.name, slot.capacity), effects)


def _skipped(run: Run, reason: str, now: datetime) -> Decision:
    after = _step(run, Skipped, now, due_at=None, waiting_on="", reason=reason)
    return Decision(after, Skipped(reason))


def _ended(run: Run, event: Ended, facts: Facts, now: datetime) -> Decision:
    _same_attempt(run, event.attempt)
    failure = classify(event.outcome, run.policy.failures)
    outcome = replace(event.outcome, failure=failure)
    verdict = judge(run, outcome, now, facts.spent)
    cost = charge(outcome.usage, run.region, now, key=run.attempt_key)
    retry_at = verdict.at if isinstance(verdict, Retry) else None
    way = verdict.way_back if isinstance(verdict, Retry) else None
    wait = verdict if isinstance(verdict, Await) else None
    after = _step(
        run,
        type(verdict),
        now,
        outcome=outcome,
        scaled=run.scaled if way is None else way.scaled,
        reason=verdict.reason,
        due_at=retry_at,
        awaiting=None if wait is None else wait.awaiting,
        cost_nano_dollars=run.cost_nano_dollars + cost.nano_dollars,
    )
    kept = replace(outcome, output="")  # a run has the last one; histories stay small
    told = way.told if way is not None else wait.told if wait is not None else None
    fact = AttemptEnded(event.attempt, kept, _name(verdict), verdict.reason, retry_at, told)
    effects: tuple[Effect, ...] = (Release(event.attempt),)
    if after.state is State.DEAD:
        effects += (Alert(verdict.reason),)
    return Decision(after, fact, effects, charge=cost, spent=_spent(run, verdict, facts, now))


def _spent(run: Run, verdict: Verdict, facts: Facts, now: datetime) -> Spent | None:
    """What its job has spent after a retry; None: it spends nothing, or has no budget."""
    budget = run.policy.budget
    if budget is None or not isinstance(verdict, Retry):
        return None
    return spend(run.job_key, budget, facts.spent, now)


def _waited_for(run: Run, event: Looked | Restored, now: datetime) -> Decision:
    if isinstance(event, Restored):
        after = _step(run, Restored, now, awaiting=None, due_at=now)
        if event.revision is not None:  # what it was given more is of the revision before
            after = after.evolve(revision=event.revision, scaled=UNSCALED)
        return Decision(after, event)
    seen = run.awaiting
    if seen is None or event.look != seen.looks + 1:
        raise IllegalTransition(f"{run.id}: look {event.look} is not the next while it {run.state}")
    if now >= seen.until:
        reason = over_words(run, seen, event.words)
        over = _step(run, WaitOver, now, awaiting=None, reason=reason)
        return Decision(over, WaitOver(reason), (Alert(reason),))
    return Decision(_step(run, Looked, now, awaiting=looked(run, seen, event.words, now)), event)


def _cancel_requested(run: Run, event: CancelRequested, now: datetime) -> Decision:
    reason = f"cancelled by {event.by}" + (f": {event.reason}" if event.reason else "")
    after = _stopped(run, CancelRequested, now, stop_cause="cancel", reason=reason)
    effects = (Stop(run.attempt),) if after.state is State.STOPPING else ()
    return Decision(after, event, effects)


def _deadline_passed(run: Run, event: DeadlinePassed, now: datetime) -> Decision:
    reason = f"{deadline_words(run)} while it was {run.state}"
    after = _stopped(run, DeadlinePassed, now, stop_cause=DEADLINE, reason=reason)
    stopping = after.state is State.STOPPING
    return Decision(after, event, (Stop(run.attempt),) if stopping else (Alert(reason),))


def _stopped(run: Run, cause: Cause, now: datetime, **why: str) -> Run:
    return _step(run, cause, now, due_at=None, waiting_on="", awaiting=None, **why)


def _same_attempt(run: Run, attempt: int) -> None:
    if attempt != run.attempt or not run.is_out:
        raise IllegalTransition(f"{run.id}: attempt {attempt} is not out while it is {run.state}")


def _slot_changes(before: Run, after: Run) -> tuple[tuple[str, int], ...]:
    """What `after` holds and `before` did not, and the other way round."""
    own = _holds_own_slots(after) - _holds_own_slots(before)
    of_region = after.is_out - before.is_out
    changes = [(name, own) for name in after.own_slots] if own else []
    if of_region:
        changes.append((region_slot(after.environment, after.region), of_region))
    return tuple(changes)


def _step(run: Run, cause: Cause, now: datetime, **changes: Any) -> Run:
    """The row after `cause`, as the table says; whatever makes a run final ends it `now`."""
    try:
        state = TRANSITIONS[run.state][cause]
    except KeyError:
        message = f"{run.id}: {cause.__name__} cannot happen while it is {run.state}"
        raise IllegalTransition(message) from None
    if state in FINAL and not run.is_final:
        changes["ended_at"] = now
    return run.evolve(state=state, version=run.version + 1, **changes)


def _name(verdict: Done | Retry | Await | GiveUp | Gone) -> str:
    if isinstance(verdict, Await):
        return "wait"
    return {Done: "done", Retry: "retry", GiveUp: "give_up", Gone: "gone"}[type(verdict)]
