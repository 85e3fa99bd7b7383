"""Waits for what may pass by itself, or be mended: what is waited for, how often somebody looks,
and for how long at most.

1. A wait is only for its own failure: `network` for a peer that was not reached, `capacity` for a
   want of room or quota, `permission` for a refusal, `application` for the program itself.
2. Somebody looks after pauses that grow as a backoff does, within LOOK_SECONDS_MAX; nobody looks
   for a new revision, since that is seen when it comes.
3. What is there lets the run go on at once. What is not there when the declared time is up, or
   while the run has had all its attempts, is a death, and says which it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runyard.flow.backoff import delay_seconds
from runyard.flow.recovering import NoWayBack
from runyard.flow.wording import span
from runyard.model.failure import Failure, FailureClass, Shortage
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Outcome
from runyard.model.recovery import Awaiting
from runyard.model.run import Run, State

LOOK_SECONDS_MIN = 0.5  #: after the first look; a backoff of nothing would look all the time
LOOK_SECONDS_MAX = {"network": 60.0, "capacity": 60.0, "permission": 300.0}
#: Of each wait: what is waited for, in words.
UNTIL = {
    "network": "until what it needs can be reached",
    "capacity": "until there is room",
    "permission": "until it may do what it needs",
    "application": "for a newer revision of its job, or for somebody who resumes it",
}
#: Of each state that waits: its name in `recovery`.
NAMES = {
    State.AWAITING_NETWORK: "network",
    State.AWAITING_CAPACITY: "capacity",
    State.AWAITING_PERMISSION: "permission",
    State.AWAITING_FIX: "application",
}


@dataclass(frozen=True, slots=True)
class Await:
    """No attempt helps before something else has changed: wait for it."""

    awaiting: Awaiting
    reason: str
    told: str


class AwaitNetwork(Await):
    """Wait until what it needs can be reached."""


class AwaitCapacity(Await):
    """Wait until there is room, or quota."""


class AwaitPermission(Await):
    """Wait until it may do what it must."""


class AwaitFix(Await):
    """Wait for a newer revision of its job, or for somebody who says so."""


_VERDICTS: dict[str, type[Await]] = {
    "network": AwaitNetwork,
    "capacity": AwaitCapacity,
    "permission": AwaitPermission,
    "application": AwaitFix,
}


def wait_for(run: Run, outcome: Outcome, now: datetime) -> Await | NoWayBack | None:
    """The wait that is declared for the failure of `outcome`; None when none is."""
    name = "" if outcome.failure is None else _kind(outcome.failure)
    hold = getattr(run.policy.recovery, name) if name else None
    if hold is None:
        return None
    rule = f"recovery.{name}"
    if run.attempt >= hold.attempts_max:
        return NoWayBack(f"attempt {run.attempt} of {hold.attempts_max} by {rule}.attempts")
    until = now + timedelta(seconds=hold.wait_seconds)
    awaiting = Awaiting(now, until, until)
    awaiting = replace(awaiting, look_at=_next_look(run, name, awaiting, now))
    told = f"it waits {UNTIL[name]}, at most {span(hold.wait_seconds)} ({rule})"
    return _VERDICTS[name](awaiting, outcome.message, told)


def _kind(failure: Failure) -> str:
    match failure.failure_class:
        case FailureClass.NETWORK | FailureClass.PERMISSION | FailureClass.APPLICATION as one:
            return str(one)
        case FailureClass.RESOURCE if failure.shortage is Shortage.CAPACITY:
            return "capacity"
        case _:
            return ""


def looked(run: Run, awaiting: Awaiting, words: str, now: datetime) -> Awaiting:
    """What is known of a wait after one more look, which found it missing still."""
    seen = replace(awaiting, looks=awaiting.looks + 1, words=words)
    return replace(seen, look_at=_next_look(run, NAMES[run.state], seen, now))


def over_words(run: Run, awaiting: Awaiting, words: str) -> str:
    """That what a run waited for did not come in time; `words` say what is missing."""
    name = NAMES[run.state]
    waited = span((awaiting.until - awaiting.since).total_seconds())
    last = f": {words}" if words else ""
    return f"{run.reason} (waited {waited} by recovery.{name}.wait{last})"


def _next_look(run: Run, name: str, seen: Awaiting, now: datetime) -> datetime:
    longest = LOOK_SECONDS_MAX.get(name)
    if longest is None:
        return seen.until
    key = AttemptKey(f"{run.attempt_key}/{seen.looks}")
    seconds = delay_seconds(run.policy.backoff, key, run.attempt + seen.looks)
    if seen.looks:
        seconds = max(seconds, LOOK_SECONDS_MIN)
    return min(seen.until, now + timedelta(seconds=min(seconds, longest)))
