"""What callers send about alerts, incidents and silences."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import WAIT_SECONDS, IdempotencyKey, WaitSeconds, Whole
from runyard.api.people_bodies import PrincipalName, Reason, Why
from runyard.model.cloudrun.words import JobName
from runyard.model.dead_letter import PER_MINUTE, PER_MINUTE_MAX
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting, MemoryAmount, Shaped
from runyard.model.job import EnvironmentName
from runyard.model.rule_parts import RuleName
from runyard.model.strict import Strict
from runyard.model.trigger.words import TriggerName

SILENCE_SECONDS_MAX = 90 * 24 * 3600


class SilenceBody(Strict):
    """Of what nobody is told, and how long."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="Else of every job.")
    rule: RuleName | None = Field(default=None, description="Else of every rule.")
    lasting: Annotated[str, Lasting(1, SILENCE_SECONDS_MAX, "2160h")] = "1h"
    reason: Why = ""

    @property
    def seconds(self) -> float:
        """How long."""
        return seconds_of(self.lasting)


class AckIncidentBody(Strict):
    """That somebody has it, and a word on it."""

    note: Why = ""


class AssignBody(Strict):
    """Whose an incident is; nobody's, if no name is given."""

    to: PrincipalName | None = None


class NoteBody(Strict):
    """Something to write down."""

    text: Reason


class ResolveBody(Strict):
    """Why it is over."""

    reason: Why = ""


class RemedyBody(Strict):
    """Why something is done about an incident. The same key again does nothing a second time."""

    reason: Why = ""
    idempotency_key: IdempotencyKey | None = None


class ReplayIncidentBody(RemedyBody):
    """Which of its dead runs; else all of them. `verify_first`: the first must succeed before any
    other is asked for, which is usual where there are several."""

    run: Annotated[str, Shaped(r"run_[0-9a-z]{26}", "a run's id", 30)] | None = None
    verify_first: bool = True
    per_minute: Annotated[int, Between(1, PER_MINUTE_MAX), Whole] = PER_MINUTE


class ChangeIncidentJobBody(RemedyBody):
    """How the job of an incident is changed."""

    confirm: bool = Field(default=False, description="What is unsafe about it is wanted.")
    wait_seconds: WaitSeconds = WAIT_SECONDS


class RollBackIncidentBody(ChangeIncidentJobBody):
    """To which revision; else to that which succeeded last."""

    to: Annotated[int, Between(1, 2**31 - 1), Whole] | None = None


class PauseIncidentBody(RemedyBody):
    """Which trigger of the job; else each of its schedules."""

    trigger: TriggerName | None = None


class RaiseMemoryBody(ChangeIncidentJobBody):
    """How much a task gets; else what is suggested."""

    to: Annotated[str, MemoryAmount()] | None = None


class ChangeWatchBody(ChangeIncidentJobBody):
    """Which of the offers; `GET /incidents/{id}/watch-changes` names them."""

    name: Annotated[str, Shaped("[a-z0-9_-]{1,80}", "the name of an offer", 80)]


ALERT_BODIES: tuple[type[Strict], ...] = (
    SilenceBody,
    AckIncidentBody,
    AssignBody,
    NoteBody,
    ResolveBody,
    ReplayIncidentBody,
    RollBackIncidentBody,
    PauseIncidentBody,
    RaiseMemoryBody,
    ChangeWatchBody,
)
