"""Policies of triggers that contradict each other are refused in words; surprises are told."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from runyard.model.errors import Fault
from runyard.model.job import JobSpec
from runyard.model.manifest.calendars import standing_alone
from runyard.model.manifest.report import Part, Report
from runyard.model.manifest.tree import Node, Place
from runyard.model.recurrence.nouns import Calendar
from runyard.model.recurrence.reach import passed_over, shortest_seconds
from runyard.model.recurrence.reading import read
from runyard.model.trigger.webhook import WebhookSpec
from runyard.model.zones import ZoneBook
from tests.support.manifests import (
    Json,
    changed,
    faults_of,
    load_texts,
    make_job,
    make_text,
    read_job,
    warnings_of,
)

DAILY = "30 2 * * *"
ZONES = ZoneBook(ZoneInfo, available_timezones)
SKIPPING = {"concurrency": {"limit": 1, "on_conflict": "skip"}}


def faults(*triggers: Any, job: Json | None = None, **how: Any) -> list[Fault]:
    return faults_of(
        make_text(make_job(triggers=list(triggers), **(job or {}))), zones=ZONES, **how
    )


# fmt: off
CONTRADICTIONS: list[tuple[Json, str, str, str, str]] = [
    ({"catchUp": "all"}, "catchUp", "'all'",
     "latest or none where overlap is skip: of all only one would run",
     "write overlap: queue, or allow; or catchUp: latest"),
    ({"catchUp": {"all": "6h"}, "overlap": "cancel_running"}, "catchUp", "a mapping of 1",
     "latest or none where overlap is cancel_running: of all only one would run",
     "write overlap: queue, or allow; or catchUp: latest"),
    ({"catchUp": {"all": "6h", "max": 3}, "overlap": "queue_latest"}, "catchUp", "a mapping of 2",
     "latest or none where overlap is queue_latest: of all only one would run",
     "write overlap: queue, or allow; or catchUp: latest"),
    ({"catchUp": {"latest": "1h", "all": "6h"}, "overlap": "queue"}, "catchUp", "a mapping of 2",
     "latest or all, not both", "remove one"),
    ({"catchUp": {"latest": "1h", "max": 3}}, "catchUp.max", "",
     "nothing: it says how many of `all`, which is not there", ""),
    ({"startBy": "10s", "jitter": "20s"}, "startBy", "'10s'",
     "at least the jitter, 20s: later ones never start in time", ""),
    ({"startBy": "1h", "catchUp": {"latest": "6h"}}, "startBy", "'1h'",
     "at least the window of catchUp, 21600s: what is made up for is older",
     "write a shorter window, or a longer startBy"),
    ({"startBy": "1h", "catchUp": {"all": "6h"}, "overlap": "allow"}, "startBy", "'1h'",
     "at least the window of catchUp, 21600s: what is made up for is older",
     "write a shorter window, or a longer startBy"),
    ({"startAt": "2026-12-24", "endAt": "2026-12-24"}, "endAt", "'2026-12-24'",
     "later than startAt, 2026-12-24", ""),
    ({"startAt": "2026-12-24", "endAt": "2026-12-23T22:00:00Z", "timeZone": "Europe/Berlin"},
     "endAt", "'2026-12-23T22:00:00Z'", "later than startAt, 2026-12-24", ""),
    ({"schedule": "every 15m", "dst": {"gap": "skip"}}, "dst", "",
     "nothing: every 15m counts real time, and no change of clocks touches it", "remove it"),
    ({"schedule": "every 15m", "jitter": "15m"}, "jitter", "'15m'",
     "shorter than 900s, the shortest time between two instants", ""),
    ({"schedule": "0,10 9 * * *", "jitter": "10m"}, "jitter", "'10m'",
     "shorter than 600s, the shortest time between two instants", ""),
    ({"schedule": "0 1,23 * * *", "jitter": "3h"}, "jitter", "'3h'",
     "shorter than 7200s, the shortest time between two instants", ""),
    ({"schedule": "0 9 * * 1-5", "jitter": "24h"}, "jitter", "'24h'",
     "shorter than 86400s, the shortest time between two instants", ""),
    ({"windows": [{"from": "08:00", "to": "18:00"}]}, "windows", "a list of 1",
     "a window that an instant falls into: 30 2 * * * has none in these",
     "widen one, or move the schedule"),
    ({"schedule": "0 9 * * 1-5", "windows": [{"days": "sat-sun"}]}, "windows", "a list of 1",
     "a window that an instant falls into: 0 9 * * 1-5 has none in these",
     "widen one, or move the schedule"),
    ({"windows": [{"from": "08:00", "to": "08:00"}]}, "windows[0].to", "'08:00'",
     "another time than from; a whole day is from 00:00 to 24:00", ""),
    ({"blackouts": [{"from": "2026-12-26", "to": "2026-12-24"}]}, "blackouts[0].to",
     "'2026-12-24'", "later than from, 2026-12-26", ""),
    ({"timeZone": "Europe/Berln"}, "timeZone", "'Europe/Berln'",
     "a time zone of the tz database such as Europe/Berlin", "did you mean Europe/Berlin?"),
    ({"timeZone": "Mars"}, "timeZone", "'Mars'",
     "a time zone of the tz database such as Europe/Berlin", "names are like America/New_York"),
    ({"with": {"region": "us-east1"}}, "with.region", "'us-east1'",
     "us-central1: the regions of the job", ""),
    ({"blackouts": [{"calendar": "holidays"}]}, "blackouts[0].calendar", "'holidays'",
     "a calendar of the manifest",
     "`calendars` at the top of the manifest has them"),
]
# fmt: on


@pytest.mark.parametrize(("beside", "field", "value", "expected", "hint"), CONTRADICTIONS)
def test_a_contradiction_is_refused(
    beside: Json, field: str, value: str, expected: str, hint: str
) -> None:
    [fault] = faults({"schedule": DAILY} | beside)
    assert fault.path == f"jobs.job-0.triggers[0].{field}"
    assert (fault.value, fault.expected, fault.hint) == (value, expected, hint)
    assert (fault.file, fault.line, fault.column > 1) == ("0.yaml", 1, True)


@pytest.mark.parametrize("overlap", ["queue", "queue_latest"])
def test_what_waits_for_its_turn_must_not_be_skipped_by_the_job(overlap: str) -> None:
    [fault] = faults({"schedule": DAILY, "overlap": overlap}, job=SKIPPING)
    assert (fault.path, fault.value) == ("jobs.job-0.triggers[0].overlap", f"'{overlap}'")
    assert fault.expected == (
        "allow, skip or cancel_running where concurrency.on_conflict is skip: what waits for its "
        "turn would be skipped then"
    )
    assert fault.hint == "write concurrency: {on_conflict: queue}"


@pytest.mark.parametrize(
    ("beside", "job"),
    [
        ({"overlap": "queue"}, {"concurrency": {"on_conflict": "skip"}}),  # no limit, no conflict
        ({"overlap": "skip"}, SKIPPING),
        ({"startBy": "1h"}, {}),  # the default window was not written
        ({"startBy": "1h", "catchUp": "latest"}, {}),
        ({"startBy": "20s", "jitter": "10s"}, {}),
        ({"startBy": "6h", "catchUp": {"latest": "6h"}}, {}),
        ({"startAt": "2026-12-24", "endAt": "2026-12-24T01:00:00Z"}, {}),
        ({"schedule": "0 9 * * 1", "jitter": "24h", "startBy": "25h"}, {}),  # a week apart
        ({"schedule": "every 15m", "windows": [{"from": "22:00", "to": "23:00"}]}, {}),
        ({"windows": [{"from": "22:00", "to": "06:00"}]}, {}),  # over midnight
        ({"schedule": "0 2 * * 1", "windows": [{"days": "sun", "from": "23:00", "to": "03:00"}]},
         {}),
        ({"blackouts": [{"from": "2026-12-24", "to": "2026-12-24", "reason": "Eve"}]}, {}),
        ({"with": {"region": "us-east1"}}, {"regions": ["us-central1", "us-east1"]}),
        ({"catchUp": {"all": "6h"}, "overlap": "queue"}, {}),
        ({"schedule": "*/15 * * * *", "dst": {"gap": "skip"}}, {}),
    ],
)  # fmt: skip
def test_what_agrees_is_taken(beside: Json, job: Json) -> None:
    assert faults({"schedule": DAILY} | beside, job=job) == []


def test_two_triggers_have_two_names() -> None:
    same = {"schedule": DAILY, "name": "nightly"}
    [fault] = faults(same, {"schedule": DAILY}, same)
    assert (fault.path, fault.value) == ("jobs.job-0.triggers[2].name", "'nightly'")
    assert fault.expected == "each name once in a job; the trigger at line 1 is called nightly too"


def test_a_trigger_without_a_name_may_not_be_called_as_another_one_is() -> None:
    [fault] = faults({"schedule": DAILY, "name": "schedule"}, {"schedule": DAILY})
    assert (fault.path, fault.hint) == ("jobs.job-0.triggers[1]", "give it a name of its own")
    assert "is called schedule too" in fault.expected


def test_the_kind_that_may_have_been_meant_is_told() -> None:
    whole, key = faults({"schedul": DAILY, "timeZone": "UTC"})
    assert whole.path == "jobs.job-0.triggers[0]"
    assert whole.expected.startswith("a trigger with exactly one of schedule, ")
    assert (key.path, key.hint) == ("jobs.job-0.triggers[0].schedul", "did you mean 'schedule'?")
    assert key.expected.startswith("one of schedule, ")


def test_what_is_no_trigger_has_no_name() -> None:
    found = faults({"timeZone": "UTC"}, {"timeZone": "UTC"})
    assert [fault.path for fault in found] == [
        "jobs.job-0.triggers[0]", "jobs.job-0.triggers[1]",
    ]  # fmt: skip


def test_regions_with_a_fault_do_not_hide_it() -> None:
    asking = {"schedule": DAILY, "with": {"region": "us-east1"}}
    for regions in (3, [3]):
        paths = [fault.path for fault in faults(asking, job={"regions": regions})]
        assert paths != []
        assert not [path for path in paths if "triggers" in path]


def test_a_fault_has_its_line_and_column() -> None:
    text = (
        "project: shop\njobs:\n  report:\n    template: {template: {containers: [{image: x}]}}\n"
        "    triggers:\n      - schedule: 30 2 * * *\n        timeZone: Europe/Berln\n"
        "        overlap: skp\n        jitter: 24h\n"
    )
    found = faults_of(text, zones=ZONES)
    assert [(fault.line, fault.column, fault.path.rpartition(".")[2]) for fault in found] == [
        (7, 19, "timeZone"), (8, 18, "overlap"),
    ]  # fmt: skip


def test_secrets_in_variables_of_a_trigger_are_not_shown() -> None:
    [fault] = faults({"schedule": DAILY, "with": {"env": {"TOKEN": 12345}}})
    assert fault.path == "jobs.job-0.triggers[0].with.env.TOKEN"
    assert "12345" not in f"{fault.value}{fault.expected}{fault.hint}"


# fmt: off
SURPRISES = [
    ("0 9 1 * 1", "a day of the month or a weekday: with both, it runs on days that fit either"),
    ("0 9 31 * *", "a day that each of its months has every year: it does not always run in "
                   "Feb, Apr, Jun, Sep, Nov"),
    ("0 9 29 * *", "a day that each of its months has every year: it does not always run in Feb"),
]
# fmt: on


@pytest.mark.parametrize(("schedule", "expected"), SURPRISES)
def test_days_that_surprise_are_told(schedule: str, expected: str) -> None:
    [warning] = warnings_of(make_job(triggers=[{"schedule": schedule}]))
    assert (warning.path, warning.expected) == ("jobs.job-0.triggers[0].schedule", expected)


@pytest.mark.parametrize("schedule", ["0 9 29 2 *", "0 9 1 * *", "every 15m", "0 9 28-31 * *"])
def test_days_that_do_not_surprise(schedule: str) -> None:
    assert warnings_of(make_job(triggers=[{"schedule": schedule}])) == []


def test_runs_that_wait_and_come_faster_than_they_end_are_told() -> None:
    trigger = {"schedule": "* * * * *", "overlap": "queue"}
    [warning] = warnings_of(make_job(triggers=[trigger]))
    assert (warning.path, warning.value) == ("jobs.job-0.triggers[0].overlap", "'queue'")
    assert warning.expected == (
        "queue_latest, or tasks that end before the next instant: it may come 60s later, and a "
        "task may take 600s"
    )
    assert warning.hint == "else more and more runs may wait"


@pytest.mark.parametrize(
    ("trigger", "timeout"),
    [
        ({"schedule": "* * * * *", "overlap": "queue"}, "60s"),
        ({"schedule": "* * * * *", "overlap": "queue_latest"}, "10m"),
        ({"schedule": "@hourly", "overlap": "queue"}, "10m"),
    ],
)
def test_runs_that_end_in_time(trigger: Json, timeout: str) -> None:
    job = changed(make_job(triggers=[trigger]), ("template", "template", "timeout"), timeout)
    assert warnings_of(job) == []


def test_a_wrong_timeout_is_told_once() -> None:
    job = make_job(triggers=[{"schedule": "* * * * *", "overlap": "queue"}])
    text = make_text(changed(job, ("template", "template", "timeout"), "soon"))
    assert [fault.path for fault in faults_of(text)] == ["jobs.job-0.template.template.timeout"]


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("* * * * *", 60), ("0 0 * * *", 86400), ("59 23 * * *", 86400), ("0,59 * * * *", 60),
        ("0 9 * * 1", 172800), ("every 90s", 90), ("0 0,1 * * 1", 3600), ("0 0,23 28-31 * *", 3600),
    ],
)  # fmt: skip
def test_the_shortest_time_between_two(schedule: str, seconds: int) -> None:
    assert shortest_seconds(read(schedule)) == seconds


def test_no_month_is_passed_over_where_a_weekday_will_do() -> None:
    calendar = read("0 9 31 * 1")
    assert isinstance(calendar, Calendar)
    assert passed_over(calendar.days) == []


CALENDARS = {
    "holidays": ["2026-12-25", {"from": "2026-12-31", "to": "2027-01-01", "reason": "New Year"}],
    "freeze": [{"from": "2026-11-27T00:00:00Z", "to": "2026-11-30T12:00:00Z"}],
}


def test_a_job_has_the_days_of_the_calendars_it_names() -> None:
    blackouts = [
        {"calendar": "holidays"},
        {"from": "2026-05-01", "to": "2026-05-01"},
        {"calendar": "freeze"},
    ]
    text = make_text(
        make_job(triggers=[{"schedule": DAILY, "blackouts": blackouts}]), calendars=CALENDARS
    )
    [job] = load_texts(text).jobs
    [document] = job.document()["triggers"]
    assert document["name"] == "schedule"
    assert document["blackouts"] == [
        {"from": "2026-12-25", "to": "2026-12-25", "reason": "calendar holidays"},
        {"from": "2026-12-31", "to": "2027-01-01", "reason": "New Year"},
        {"from": "2026-05-01", "to": "2026-05-01"},
        {"from": "2026-11-27T00:00:00Z", "to": "2026-11-30T12:00:00Z", "reason": "calendar freeze"},
    ]
    assert JobSpec.from_document(job.document()) == job


# fmt: off
CALENDAR_FAULTS: list[tuple[Any, str, str, str]] = [
    ({"holidays": ["2026-13-25"]}, "calendars.holidays[0]", "'2026-13-25'",
     "a day such as 2026-12-24, or a period with from and to"),
    ({"holidays": ["2026-12-25T00:00:00Z"]}, "calendars.holidays[0]", "'2026-12-25T00:00:00Z'",
     "a day such as 2026-12-24, or a period with from and to"),
    ({"holidays": [{"from": "2026-12-25", "until": "2026-12-25", "to": "2026-12-25"}]},
     "calendars.holidays[0].until", "", "a field that exists: one of from, reason, to"),
    ({"holidays": []}, "calendars.holidays", "a list of 0", "a list of 1 to 1000"),
    ({"holidays": {"from": "2026-12-25"}}, "calendars.holidays", "a mapping of 1",
     "a list of days such as 2026-12-24, or of {from, to, reason}"),
    ({"Holidays": ["2026-12-25"]}, "calendars.Holidays", "",
     "a name: at most 49 lower-case letters, digits and hyphens, a letter first, no hyphen last"),
    (["2026-12-25"], "calendars", "a list of 1", "a mapping of names to calendars"),
]
# fmt: on


@pytest.mark.parametrize(("calendars", "path", "value", "expected"), CALENDAR_FAULTS)
def test_a_calendar_with_a_fault_is_told_once(
    calendars: Any, path: str, value: str, expected: str
) -> None:
    [fault] = faults_of(make_text(make_job(), make_job(), calendars=calendars))
    assert (fault.path, fault.value, fault.expected) == (path, value, expected)


def test_a_calendar_is_looked_for_among_those_there_are() -> None:
    text = make_text(
        make_job(triggers=[{"schedule": DAILY, "blackouts": [{"calendar": "holidayz"}]}]),
        calendars=CALENDARS,
    )
    [fault] = faults_of(text)
    assert fault.expected == "a calendar of the manifest: one of holidays, freeze"
    assert fault.hint == "did you mean 'holidays'?"


def test_calendars_may_not_make_a_job_too_long() -> None:
    many = {"days": [f"{2000 + number}-01-01" for number in range(600)]}
    twice = [{"calendar": "days"}, {"calendar": "days"}]
    text = make_text(make_job(triggers=[{"schedule": DAILY, "blackouts": twice}]), calendars=many)
    [fault] = faults_of(text)
    assert fault.path == "jobs.job-0.triggers[0].blackouts"
    assert fault.expected == "at most 1000 days in all, those of calendars included"


def test_a_job_without_triggers_of_its_own_has_those_of_the_defaults() -> None:
    text = make_text(
        make_job(),
        make_job(triggers=[{"schedule": "@daily"}]),
        make_job(triggers=[]),
        defaults={"triggers": [{"schedule": "@hourly"}]},
    )
    found = [[one.document()["schedule"] for one in job.triggers] for job in load_texts(text).jobs]
    assert found == [["@hourly"], ["@daily"], []]


@pytest.mark.parametrize(
    ("override", "schedules", "enabled"),
    [
        ([{"name": "nightly", "enabled": False}], [DAILY, "@hourly"], [False, True]),
        ([{"name": "nightly", "schedule": "@daily"}], ["@daily", "@hourly"], [True, True]),
        ([{"name": "new", "schedule": "@daily"}], [DAILY, "@hourly", "@daily"], [True] * 3),
        ([], [], []),
    ],
)
def test_an_environment_changes_triggers_by_their_names(
    override: list[Json], schedules: list[str], enabled: list[bool]
) -> None:
    triggers = [{"schedule": DAILY, "name": "nightly"}, {"schedule": "@hourly", "name": "often"}]
    text = make_text(
        make_job(triggers=triggers),
        environments={"dev": {"jobs": {"job-0": {"triggers": override}}}},
    )
    [job] = load_texts(text, environment="dev").jobs
    assert [one.document()["schedule"] for one in job.triggers] == schedules
    assert [one.enabled for one in job.triggers] == enabled
    assert len(load_texts(text).jobs[0].triggers) == 2


def test_an_environment_changes_the_only_trigger() -> None:
    text = make_text(
        make_job(triggers=[{"schedule": DAILY}]),
        environments={"dev": {"jobs": {"job-0": {"triggers": [{"enabled": False}]}}}},
    )
    [job] = load_texts(text, environment="dev").jobs
    assert [(one.document()["schedule"], one.enabled) for one in job.triggers] == [(DAILY, False)]


def test_names_of_triggers_are_written_into_the_job() -> None:
    job = read_job(make_job(triggers=[{"schedule": DAILY}, {"schedule": "@daily"}]))
    assert [one.name for one in job.triggers] == ["schedule", "schedule-2"]


def test_what_is_no_schedule_has_no_days() -> None:
    hook = WebhookSpec.model_validate_json('{"webhook": {"kind": "github", "secret": "hook"}}')
    job = read_job(make_job()).model_copy(update={"triggers": (hook,)})
    part = Part(Report(), ("jobs", "job-0"), Node({}, Place("0.yaml", 1, 1)), Place("0.yaml", 1, 1))
    [found] = standing_alone(job, {}, part).triggers
    assert found.document() == {"name": "webhook", **hook.document()}
