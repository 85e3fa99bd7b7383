"""Triggers as a manifest declares them: what is read, its canonical form, what it is called."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from runyard.model.errors import Fault
from runyard.model.job import JobSpec
from runyard.model.recurrence.nouns import Calendar, Dst, Gap, Overlap
from runyard.model.run import Overrides
from runyard.model.trigger.schedule import OverlapPolicy, Period, ScheduleSpec
from runyard.model.trigger.spec import named
from runyard.model.trigger.words import weekdays_of
from tests.support.manifests import Json, faults_of, make_job, make_text, read_job

DAILY = "30 2 * * *"


def schedule(**beside: Any) -> ScheduleSpec:
    """The one trigger of a job that has a schedule."""
    [spec] = read_job(make_job(triggers=[{"schedule": DAILY, **beside}])).triggers
    assert isinstance(spec, ScheduleSpec)
    return spec


def faults(*triggers: Any) -> list[Fault]:
    return faults_of(make_text(make_job(triggers=list(triggers))))


def test_a_schedule_that_says_only_when() -> None:
    spec = schedule()
    assert isinstance(spec.recurrence, Calendar)
    assert (spec.time_zone, spec.dst.rule()) == ("UTC", Dst())
    assert (spec.overlap, spec.enabled) == (OverlapPolicy.SKIP, True)
    assert (spec.catch_up.window_seconds, spec.catch_up.instants_max) == (86400, 1)
    assert (spec.start_by_seconds, spec.jitter_seconds) == (None, 0)
    assert spec.document() == {
        "name": "schedule",
        "schedule": DAILY,
        "timeZone": "UTC",
        "overlap": "skip",
        "catchUp": {"latest": "86400s"},
        "enabled": True,
    }


FULL: Json = {
    "name": "at-night",
    "schedule": "*/15 * * * *",
    "timeZone": "Europe/Berlin",
    "dst": {"gap": "skip", "overlap": "both"},
    "overlap": "queue",
    "catchUp": {"all": "21600s", "max": 7},
    "startBy": "21600s",
    "jitter": "30s",
    "startAt": "2026-12-01",
    "endAt": "2027-12-01T08:00:00+01:00",
    "windows": [{"days": "mon-fri,sun", "from": "22:00", "to": "06:00"}],
    "blackouts": [{"from": "2026-12-24", "to": "2026-12-26", "reason": "Christmas"}],
    "pauseOnFailures": 3,
    "enabled": False,
    "with": {
        "args": [],
        "env": {"MONTH": "12"},
        "taskCount": 3,
        "timeout": "60s",
        "priority": -1,
        "region": "us-east1",
        "labels": {"by": "clock"},
    },
}


BOTH = ["us-central1", "us-east1"]


def test_a_schedule_that_says_everything_is_its_own_document() -> None:
    spec = read_job(make_job(triggers=[FULL], regions=BOTH)).triggers[0]
    assert isinstance(spec, ScheduleSpec)
    assert spec.document() == FULL
    assert isinstance(spec.recurrence, Calendar)
    assert not spec.recurrence.by_clock
    assert spec.dst.rule() == Dst(Gap.SKIP, Overlap.BOTH)
    assert (spec.start_by_seconds, spec.jitter_seconds) == (21600, 30)
    assert (spec.catch_up.window_seconds, spec.catch_up.instants_max) == (21600, 7)
    assert spec.windows[0].weekdays == frozenset((0, 1, 2, 3, 4, 5))
    assert spec.windows[0].minutes == (22 * 60, 6 * 60)
    assert spec.asking.overrides() == Overrides((), (("MONTH", "12"),), 3, 60)


@pytest.mark.parametrize(
    ("said", "window_seconds", "instants_max", "written"),
    [
        ("none", 0, 0, "none"),
        ({}, 0, 0, "none"),
        ("latest", 86400, 1, {"latest": "86400s"}),
        ("all", 86400, 100, {"all": "86400s", "max": 100}),
        ({"latest": "6h"}, 21600, 1, {"latest": "21600s"}),
        ({"all": "6h", "max": 3}, 21600, 3, {"all": "21600s", "max": 3}),
    ],
)
def test_a_word_or_a_window_says_what_is_made_up_for(
    said: Any, window_seconds: int, instants_max: int, written: Any
) -> None:
    spec = schedule(catchUp=said, overlap="queue")
    assert spec.catch_up.window_seconds == window_seconds
    assert spec.catch_up.instants_max == instants_max
    assert spec.document()["catchUp"] == written


def test_a_job_without_triggers_has_the_document_it_had() -> None:
    assert "triggers" not in read_job(make_job()).document()
    assert "triggers" not in read_job(make_job(triggers=[])).document()


def test_a_job_with_triggers_is_read_from_its_document() -> None:
    job = read_job(make_job(triggers=[FULL, {"schedule": DAILY}], regions=BOTH))
    assert JobSpec.from_document(job.document()) == job


def test_a_job_is_made_of_triggers_too() -> None:
    job = read_job(make_job())
    spec = ScheduleSpec(schedule=DAILY)
    made = JobSpec.model_validate(dict(job) | {"triggers": (spec,)})
    assert made.triggers == (spec,)


def test_triggers_are_called_by_their_names_or_by_their_kind() -> None:
    job = read_job(
        make_job(
            triggers=[
                {"schedule": DAILY},
                {"schedule": DAILY, "name": "yearly"},
                {"schedule": DAILY},
            ]
        )
    )
    assert [name for name, _ in named(job.triggers)] == ["schedule", "yearly", "schedule-2"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", {1}), ("sun-sat", set(range(7))), ("fri-mon", {5, 6, 0, 1}), ("sat,sun", {6, 0}),
    ],
)  # fmt: skip
def test_days_of_the_week(text: str, days: set[int]) -> None:
    assert weekdays_of(text) == days


def test_a_period_has_edges() -> None:
    period = Period.model_validate({"from": "2026-12-24", "to": "2026-12-26T12:00:00Z"})
    assert period.edges == (date(2026, 12, 24), datetime(2026, 12, 26, 12, tzinfo=UTC))


@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "2026-12-24T08:00:00", "", "20261224"])
def test_what_names_neither_a_day_nor_an_instant(text: str) -> None:
    [fault] = faults({"schedule": DAILY, "endAt": text})
    assert (fault.path, fault.value) == ("jobs.job-0.triggers[0].endAt", f"'{text}'")


@pytest.mark.parametrize(
    ("beside", "field", "value", "expected", "hint"),
    [
        ({"schedule": "0 25 * * *"}, "schedule", "'0 25 * * *'",
         "an hour from 0 to 23, which '25' is not", ""),
        ({"schedule": "@reboot"}, "schedule", "'@reboot'",
         "five cron fields: minute, hour, day of the month, month, weekday, or one of @yearly, "
         "@annually, @monthly, @weekly, @daily, @midnight, @hourly", ""),
        ({"schedule": "0 9 * * L"}, "schedule", "'0 9 * * L'",
         "a weekday from 0 to 7 or SUN to SAT, which 'L' is not",
         "Cloud Scheduler has no L, W, # and ?; English has some: `1st monday of month 9:00`"),
        ({"timeZone": "Berlin!"}, "timeZone", "'Berlin!'", "a time zone such as Europe/Berlin", ""),
        ({"overlap": "skp"}, "overlap", "'skp'",
         "one of allow, skip, queue, cancel_running, queue_latest", "did you mean 'skip'?"),
        ({"dst": {"gap": "run"}}, "dst.gap", "'run'", "one of run_after, skip", ""),
        ({"startBy": 30}, "startBy", "30",
         "a duration such as 900s, 10m or 2h30m, from 1s to 8784h", "write 30s for seconds"),
        ({"startAt": "2026-12-24T08:00:00"}, "startAt", "'2026-12-24T08:00:00'",
         "an instant such as 2026-12-20T08:00:00Z, or a day such as 2026-12-20",
         "an instant needs Z or an offset such as +01:00"),
        ({"windows": [{"days": "weekdays"}]}, "windows[0].days", "'weekdays'",
         "days of the week such as mon-fri or sat,sun", ""),
        ({"windows": [{"to": "24:01"}]}, "windows[0].to", "'24:01'",
         "a time of day from 00:01 to 24:00", ""),
        ({"pauseOnFailures": 0}, "pauseOnFailures", "0", "a whole number from 1 to 100", ""),
        ({"with": {"env": {"PORT": "x"}}}, "with.env.PORT", "",
         "a name that Cloud Run does not set itself", "choose another name"),
        ({"with": {"env": {"A": "é" * 16385}}}, "with.env.A", "a value that is not shown",
         "a text of at most 32768 bytes, without NUL", ""),
        ({"with": {"args": ["x" * 131072]}}, "with.args[0]", "'" + "x" * 59 + "…'",
         "a text of fewer than 131072 bytes, without NUL", ""),
        ({"blackouts": [{"until": "2026-12-24"}]}, "blackouts[0]", "a mapping of 1",
         "a blackout with exactly one of from, calendar", ""),
        ({"blackouts": [{"from": "2026-12-24", "to": "2026-12-25", "too": 1}]},
         "blackouts[0].too", "",
         "a field that exists: one of from, reason, to", "did you mean 'to'?"),
        ({"catchup": "none"}, "catchup", "",
         "a field that exists: one of blackouts, catchUp, dst, enabled, endAt, jitter, name, "
         "overlap, pauseOnFailures, schedule, startAt, startBy, timeZone, windows, with",
         "did you mean 'catchUp'?"),
        ({"name": "At Night"}, "name", "'At Night'",
         "a name: at most 49 lower-case letters, digits and hyphens, a letter first, no hyphen "
         "last", ""),
    ],
)  # fmt: skip
def test_a_wrong_field_is_told_with_what_is_right(
    beside: Json, field: str, value: str, expected: str, hint: str
) -> None:
    found = faults({"schedule": DAILY} | beside)[0]
    assert found.path == f"jobs.job-0.triggers[0].{field}"
    assert (found.value, found.expected, found.hint) == (value, expected, hint)
    assert found.line == 1


@pytest.mark.parametrize("trigger", [{}, {"timeZone": "UTC"}, "@daily", 3])
def test_a_trigger_says_its_kind(trigger: Any) -> None:
    [fault] = faults(trigger)
    assert fault.path == "jobs.job-0.triggers[0]"
    assert fault.expected.startswith("a trigger with exactly one of schedule, event, webhook")
