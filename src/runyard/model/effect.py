"""What must now be done, by the engine: requests put in the outbox with the decision's row.

Imperative. Each is carried out at least once, keyed so that a second time does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runyard.model.alert import IncidentId
from runyard.model.ids import EffectId, OperationId, RunId


@dataclass(frozen=True, slots=True)
class Launch:
    """Ask the provider to start an attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask the provider to end an attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Release:
    """Have the provider remove what an ended attempt held."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell people that a run is dead, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class CancelOlder:
    """Tell an older run that this one takes its place."""

    older: RunId


@dataclass(frozen=True, slots=True)
class Perform:
    """Have the provider do one step of an operation."""

    operation: OperationId
    step: int


@dataclass(frozen=True, slots=True)
class Compensate:
    """Have the provider undo one step of an operation, whether it was done or not."""

    operation: OperationId
    step: int


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell a channel what a fact of an incident says."""

    incident: IncidentId
    channel: str
    number: int


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell people of something that is about no run."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Have triggers (their paths) do what the end of a run is to them."""

    triggers: tuple[str, ...]


Effect = (
    Launch
    | Stop
    | Release
    | Alert
    | CancelOlder
    | Perform
    | Compensate
    | Announce
    | Notify
    | Follow
)
KINDS: dict[str, type[Effect]] = {
    "launch": Launch,
    "stop": Stop,
    "release": Release,
    "alert": Alert,
    "cancel_older": CancelOlder,
    "perform": Perform,
    "compensate": Compensate,
    "announce": Announce,
    "notify": Notify,
    "follow": Follow,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def kind_of(effect: Effect) -> str:
    """The one spelling of an effect's kind."""
    return _NAMES[type(effect)]


@dataclass(frozen=True, slots=True)
class Pending:
    """An effect in the outbox. `tries` counts the times it was begun and could not be done. `run`
    is empty for what is about none, and for what an operation wants done: such an effect names its
    operation itself."""

    id: EffectId
    run: RunId
    effect: Effect
    due_at: datetime
    tries: int = 0
