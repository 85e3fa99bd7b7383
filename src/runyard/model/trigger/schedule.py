"""A schedule: when it asks for runs, and what becomes of instants that meet trouble."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Counted, Lasting
from runyard.model.kinds import Kinds
from runyard.model.places import ZoneName
from runyard.model.recurrence import reading
from runyard.model.recurrence.nouns import Dst, Gap, Overlap, Recurrence
from runyard.model.strict import Strict
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.words import (
    ClockEndText,
    ClockText,
    DaysText,
    EdgeText,
    ReasonText,
    RecurrenceText,
    TriggerName,
    edge_of,
    minutes_of,
    weekdays_of,
)

CATCH_UP_SECONDS_MAX = 366 * 24 * 3600
START_BY_SECONDS_MAX = 366 * 24 * 3600
JITTER_SECONDS_MAX = 24 * 3600  #: a day; more is another schedule
CATCH_UP_MAX = 10_000  #: instants that are made up for at once
FAILURES_MAX = 100
WINDOWS_MAX = 50
BLACKOUTS_MAX = 1000
DAY_WINDOW = "86400s"  #: how far back a bare `latest` or `all` goes


class OverlapPolicy(StrEnum):
    """What an instant does that comes while a run of its trigger is not over."""

    ALLOW = "allow"  # runs side by side, as far as the job's concurrency lets them
    SKIP = "skip"  # recorded, with the reason
    QUEUE = "queue"  # waits for its turn
    CANCEL_RUNNING = "cancel_running"  # takes its place
    QUEUE_LATEST = "queue_latest"  # waits; of several that wait only the latest is kept


class DstSpec(Strict):
    """What becomes of times of day that clocks skip or show twice; else what fits the schedule."""

    gap: Gap | None = None
    overlap: Overlap | None = None

    def rule(self) -> Dst:
        """As the instants of a schedule are reckoned by."""
        return Dst(self.gap, self.overlap)


def _catch_up(value: Any) -> Any:
    words: dict[Any, Any] = {"none": {}, "latest": {"latest": "24h"}, "all": {"all": "24h"}}
    return words.get(value, value) if isinstance(value, str) else value


class CatchUp(Strict):
    """What is made up for after nobody fired: `latest`, the last instant of so long a time;
    `all`, each instant of it, the latest `max`; neither: nothing."""

    latest: Annotated[str, Lasting(1, CATCH_UP_SECONDS_MAX, "8784h")] | None = None
    all: Annotated[str, Lasting(1, CATCH_UP_SECONDS_MAX, "8784h")] | None = None
    max: Annotated[int, Between(1, CATCH_UP_MAX)] = 100

    @property
    def window_seconds(self) -> float:
        """How old an instant may be that is made up for; 0: none is."""
        window = self.latest or self.all
        return 0.0 if window is None else seconds_of(window)

    @property
    def instants_max(self) -> int:
        """How many instants are made up for, at most."""
        return self.max if self.all else int(self.latest is not None)

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return value is None or (name == "max" and self.all is None)


#: As people write it: by a word, whose window is 24h, or with a window.
CatchUpInput = Literal["none", "latest", "all"] | CatchUp


class Window(Strict):
    """Times of day on days of the week, in the schedule's zone; `to` itself is outside. Where
    `to` is before `from`, it is the next day's."""

    days: DaysText = "sun-sat"
    begin: ClockText = Field(default="00:00", alias="from")
    to: ClockEndText = "24:00"

    @property
    def weekdays(self) -> frozenset[int]:
        """Days on which it begins; 0 is Sunday."""
        return weekdays_of(self.days)

    @property
    def minutes(self) -> tuple[int, int]:
        """From when until when, in minutes since midnight."""
        return minutes_of(self.begin), minutes_of(self.to)


class Period(Strict):
    """From an instant or a day until another. A day is meant whole, both at the beginning and at
    the end; an instant at the end is outside."""

    begin: EdgeText = Field(alias="from")
    to: EdgeText
    reason: ReasonText = ""

    @property
    def edges(self) -> tuple[date | datetime, date | datetime]:
        """Where it begins and ends. Days are days of the schedule's zone."""
        return edge_of(self.begin), edge_of(self.to)

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return not value


class OfCalendar(Strict):
    """The days of a calendar of the manifest. A job that was loaded has its days instead."""

    calendar: TriggerName


Blackout = Annotated[
    Period | OfCalendar, Kinds({"from": Period, "calendar": OfCalendar}, "a blackout")
]


class ScheduleSpec(Strict):
    """Asks for runs at the instants of a schedule."""

    model_config = ConfigDict(alias_generator=to_camel)
    kind: ClassVar[str] = "schedule"

    name: TriggerName | None = None
    schedule: RecurrenceText
    time_zone: ZoneName = "UTC"
    dst: DstSpec = DstSpec()
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    catch_up: Annotated[
        CatchUp, BeforeValidator(_catch_up, json_schema_input_type=CatchUpInput)
    ] = CatchUp(latest=DAY_WINDOW)
    start_by: Annotated[str, Lasting(1, START_BY_SECONDS_MAX, "8784h")] | None = None
    jitter: Annotated[str, Lasting(0, JITTER_SECONDS_MAX, "24h")] | None = None
    start_at: EdgeText | None = None
    end_at: EdgeText | None = None
    windows: Annotated[tuple[Window, ...], Counted(0, WINDOWS_MAX)] = ()
    blackouts: Annotated[tuple[Blackout, ...], Counted(0, BLACKOUTS_MAX)] = ()
    pause_on_failures: Annotated[int, Between(1, FAILURES_MAX)] | None = None
    enabled: bool = True
    asking: Asking = Field(default=Asking(), alias="with")

    def document(self) -> dict[str, Any]:
        """The canonical JSON of it. No catch-up is said by its word, since silence means one."""
        found = super().document()
        return found if found["catchUp"] else found | {"catchUp": "none"}

    @property
    def recurrence(self) -> Recurrence:
        """What `schedule` means."""
        return reading.read(self.schedule)

    @property
    def start_by_seconds(self) -> float | None:
        """How long after its instant a run may still start; None: always."""
        return None if self.start_by is None else seconds_of(self.start_by)

    @property
    def jitter_seconds(self) -> float:
        """Below this lies the offset of each instant."""
        return 0.0 if self.jitter is None else seconds_of(self.jitter)

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        nothing = isinstance(value, DstSpec | Asking) and not value.document()
        return nothing or super()._is_left_out(name, value, field)
