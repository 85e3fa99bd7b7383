"""An absence: runs the job, or tells people, when something has not happened for too long."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.durations import seconds_of
from runyard.model.forms import Lasting
from runyard.model.kinds import Kinds
from runyard.model.strict import Strict
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.chain import AfterJob
from runyard.model.trigger.event import EventSource
from runyard.model.trigger.words import TriggerName

WITHIN_SECONDS_MAX = 366 * 24 * 3600


class AbsenceAct(StrEnum):
    """What is done about it."""

    RUN = "run"
    ALERT = "alert"


class OfEvent(Strict):
    """Messages of a topic are waited for."""

    event: EventSource = Field(description="Which messages.")

    @property
    def jobs(self) -> tuple[str, ...]:
        """No job is followed."""
        return ()


Awaited = Annotated[AfterJob | OfEvent, Kinds({"job": AfterJob, "event": OfEvent}, "a mapping")]


class Absence(Strict):
    """No run of `of` has ended so, or no such message has come, within `within` of the last one."""

    of: Awaited = Field(
        description="The job whose runs are waited for, and how they have to end; or an event."
    )
    within: Annotated[str, Lasting(1, WITHIN_SECONDS_MAX, "8784h")] = Field(
        description="Since the last one, or since this came into force."
    )


class AbsenceSpec(Strict):
    """Does something once when a job has not ended as it should, or no event has come, for too
    long. The next one has it watch again."""

    model_config = ConfigDict(alias_generator=to_camel)
    kind: ClassVar[str] = "absence"

    name: TriggerName | None = None
    absence: Absence
    act: AbsenceAct = Field(
        default=AbsenceAct.RUN, alias="do", description="Ask for a run, or tell people."
    )
    enabled: bool = True
    asking: Asking = Field(default=Asking(), alias="with")

    @property
    def within_seconds(self) -> float:
        """How long may pass between two of what is waited for."""
        return seconds_of(self.absence.within)

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        nothing = isinstance(value, Asking) and not value.document()
        return nothing or super()._is_left_out(name, value, field)
