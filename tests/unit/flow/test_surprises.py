"""What `validate` warns of in a schedule, at an instant and in a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from runyard.flow.schedule.surprises import surprises
from runyard.model.validation import Complaint
from runyard.model.zones import ZoneBook
from tests.support.manifests import make_job, read_job, warnings_of

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ZONES = ZoneBook(ZoneInfo, available_timezones)
BERLIN = "Europe/Berlin"


def told(**trigger: Any) -> list[Complaint]:
    return list(surprises(read_job(make_job(triggers=[trigger])), ZONES, NOW))


def test_a_time_that_clocks_skip() -> None:
    [found] = told(schedule="30 2 * * *", timeZone=BERLIN)
    assert found.path == ("triggers", 0, "schedule")
    assert found.expected == (
        "a time of day that clocks do not skip: on 2027-03-28 there is no 02:30 in Europe/Berlin, "
        "and it runs at 03:00"
    )
    assert found.hint == "say what is meant: dst: {gap: run_after}, or skip"


@pytest.mark.parametrize(
    "trigger",
    [
        {"schedule": "30 2 * * *"},  # UTC
        {"schedule": "30 2 * * *", "timeZone": BERLIN, "dst": {"gap": "run_after"}},
        {"schedule": "30 3 * * *", "timeZone": BERLIN},
        {"schedule": "30 2 * * 1", "timeZone": BERLIN},  # clocks change on Sundays
        {"schedule": "*/15 * * * *", "timeZone": BERLIN},  # real intervals
        {"schedule": "every 15m", "timeZone": BERLIN},
        {"schedule": "30 2 * * *", "timeZone": "Nowhere/Land"},  # told otherwise
        {"schedule": "@daily", "endAt": "2026-11-27"},
        {"schedule": "@daily", "endAt": "2026-11-26T12:00:01Z"},
    ],
)
def test_what_does_not_surprise(trigger: dict[str, Any]) -> None:
    assert told(**trigger) == []


@pytest.mark.parametrize("end", ["2026-11-26", "2026-11-26T12:00:00Z"])
def test_a_schedule_that_is_over(end: str) -> None:
    [found] = told(schedule="@daily", endAt=end)
    assert found.path == ("triggers", 0, "endAt")
    assert found.expected == "a time to come: it is past, and nothing is due any more"


def test_a_warning_has_its_place() -> None:
    job = make_job(triggers=[{"schedule": "30 2 * * *", "timeZone": BERLIN}])
    [warning] = warnings_of(job, zones=ZONES, advise=partial(surprises, zones=ZONES, now=NOW))
    assert (warning.path, warning.value) == ("jobs.job-0.triggers[0].schedule", "'30 2 * * *'")
    assert (warning.file, warning.line) == ("0.yaml", 1)
