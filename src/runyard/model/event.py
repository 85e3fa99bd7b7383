"""What happens to a run: events that are told, and facts that its history keeps.

Events are past tense. What is told may differ from what is kept: `Due` becomes `Started`,
`Waited` or `Skipped`, and `Ended` becomes `AttemptEnded` with the verdict beside the outcome.
A fact's `kind` in history, API and logs is its class name in snake case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from runyard.model.ids import RunId
from runyard.model.outcome import Outcome
from runyard.model.run import TriggerKind


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody or something asked for the run."""

    trigger: TriggerKind
    by: str
    revision: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """Its instant has come: it may start if there is room."""


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt was taken up; its launch is on the way to the provider."""

    attempt: int
    waited_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Waited:
    """It was due and there was no room: `slot` is full."""

    slot: str
    capacity: int


@dataclass(frozen=True, slots=True)
class SlotFreed:
    """There is room again in the slot it waited for."""

    slot: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """It will never start, and why. Told of a run that has not started: something newer or
    better takes its place."""

    reason: str


@dataclass(frozen=True, slots=True)
class Launched:
    """The provider has the attempt, under the name `handle`. `warnings`: what it will not keep."""

    attempt: int
    handle: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delayed:
    """The provider could not take the attempt just now; it is asked again at `until`."""

    attempt: int
    message: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The provider reports the end of an attempt."""

    attempt: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt ended and was judged: `verdict` is done, retry, wait, give_up or gone.

    `way_back` is what recovery gives the next attempt more, or what is waited for, and by which
    rule, in words.
    """

    attempt: int
    outcome: Outcome
    verdict: str
    reason: str
    retry_at: datetime | None = None
    way_back: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody looked, for the `look`th time, whether what the run waits for is there, and it is
    not: `words` say what is missing."""

    look: int
    words: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What the run waited for is there, or somebody said so (`by`; empty: it was seen). With a
    `revision` its next attempt is of that one."""

    words: str
    revision: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class WaitOver:
    """What the run waited for did not come in time."""

    reason: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants it to end. `newer` is the run that takes its place, if that is why."""

    by: str
    reason: str = ""
    newer: RunId | None = None


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """It was not final when its deadline came."""


@dataclass(frozen=True, slots=True)
class Released:
    """What an ended attempt held was removed: (what, how many); `left` could not be."""

    attempt: int
    removed: tuple[tuple[str, int], ...] = ()
    left: tuple[str, ...] = ()


Event = (
    Due
    | SlotFreed
    | Skipped
    | Launched
    | Delayed
    | Ended
    | Looked
    | Restored
    | CancelRequested
    | DeadlinePassed
    | Released
)
Fact = (
    Requested
    | Started
    | Waited
    | SlotFreed
    | Skipped
    | Launched
    | Delayed
    | AttemptEnded
    | Looked
    | Restored
    | WaitOver
    | CancelRequested
    | DeadlinePassed
    | Released
)


def kind_of(fact: object) -> str:
    """The one spelling of a fact's kind: `attempt_ended`."""
    return _in_snake_case(type(fact).__name__)


@cache
def _in_snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
