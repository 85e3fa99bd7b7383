"""`cron` and `estimate`, as they print."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from runyard_runner.calendar.faults import ScheduleError
from runyard_runner.commands import cron, estimate
from runyard_runner.main import main

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EVERY_MINUTE = ("--schedule", "every minute", "--endpoints", "30", "--duration", "2s")


def _printed(command: ModuleType, *words: str) -> str:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    out = io.StringIO()
    command.carry_out(parser.parse_args(words), NOW, out)
    return out.getvalue()


def _document(command: ModuleType, *words: str) -> Any:
    return json.loads(_printed(command, *words, "--json"))


def test_a_schedule_for_people() -> None:
    printed = _printed(cron, "weekdays 9:00", "--tz", "America/New_York", "--count", "1")
    assert (
        printed
        == """\
cron line:  0 9 * * 1-5
scheduler:  --schedule="0 9 * * 1-5" --time-zone="America/New_York"

IN UTC  OFFSET  FROM        LINE
winter  UTC-5   2026-11-26  0 14 * * 1-5
summer  UTC-4   2027-03-14  0 13 * * 1-5

NEXT RUNS  AMERICA/NEW_YORK      UTC
winter     Thu 2026-11-26 09:00  2026-11-26 14:00
summer     Mon 2027-03-15 09:00  2027-03-15 13:00

warning: a fixed line in UTC drifts: `0 14 * * 1-5`, right while America/New_York is UTC-5, \
runs 1 h late by its clock from 2027-03-14 on (UTC-4); give Cloud Scheduler the zone instead
"""
    )


def test_a_schedule_for_a_program() -> None:
    told = _document(cron, "tuesdays 9:00", "--tz", "Africa/Casablanca", "--count", "1")
    assert told["cron"] == "0 9 * * 2"
    assert told["time_zone"] == "Africa/Casablanca"
    first, second = told["in_utc"]
    assert first == {
        "season": None,
        "offset_seconds": 3600,
        "from": "2026-11-26T12:00:00+00:00",
        "until": "2027-02-07T02:00:00+00:00",
        "cron": ["0 8 * * 2"],
        "runs": [{"local": "2026-12-01T09:00:00+01:00", "utc": "2026-12-01T08:00:00+00:00"}],
    }
    assert second["cron"] == ["0 9 * * 2"]
    assert len(told["warnings"]) == 1


def test_what_no_line_in_utc_says_is_told_as_such() -> None:
    printed = _printed(cron, "31 of month 3:00", "--tz", "Asia/Tokyo", "--count", "0")
    assert "no line in UTC says it" in printed
    assert "NEXT RUNS" not in printed
    assert "warning" not in printed


def test_an_offset_without_a_season_goes_by_its_name() -> None:
    assert "+01    " in _printed(cron, "daily 9:00", "--tz", "Africa/Casablanca")


@pytest.mark.parametrize(
    ("instant", "first"),
    [
        ("2027-06-01T14:00Z", "2027-06-02T09:00:00-04:00"),
        ("2027-06-01T08:59", "2027-06-01T09:00:00-04:00"),
        ("2027-06-01", "2027-06-01T09:00:00-04:00"),
    ],
)
def test_from_another_instant(instant: str, first: str) -> None:
    told = _document(cron, "daily 9:00", "--tz", "America/New_York", "--from", instant)
    assert told["in_utc"][0]["runs"][0]["local"] == first


@pytest.mark.parametrize(
    ("words", "part", "value"),
    [
        (["* *"], "schedule", "* *"),
        (["daily 9:00", "--tz", "Mars/Olympus"], "--tz", "Mars/Olympus"),
        (["daily 9:00", "--tz", "../etc/passwd"], "--tz", "../etc/passwd"),
        (["daily 9:00", "--tz", ""], "--tz", ""),
        (["daily 9:00", "--tz", "Europe"], "--tz", "Europe"),
        (["daily 9:00", "--from", "soon"], "--from", "soon"),
        (["daily 9:00", "--count", "1001"], "--count", "1001"),
        (["daily 9:00", "--count=-1"], "--count", "-1"),
    ],
)
def test_bad_words_to_cron(words: list[str], part: str, value: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        _printed(cron, *words)
    assert (caught.value.part, caught.value.value) == (part, value)
    assert caught.value.hint


def test_an_estimate_for_people() -> None:
    printed = _printed(
        estimate, "--schedule", "0 */6 * * *", "--endpoints", "3", "--duration", "2s"
    )
    assert printed.startswith("122 executions a month, each of 2 s, billed as 2 s\n")
    assert "Total: $0 a month, by the list prices of 2026-08-21\n" in printed
    assert "\nCOMPONENT          PRICED BY " in printed


def test_an_estimate_that_costs() -> None:
    printed = _printed(estimate, *EVERY_MINUTE)
    assert "Total: $1.99 a month" in printed
    assert "no price in the list\n" in printed
    little = _printed(estimate, *EVERY_MINUTE, "--image-size", "100100k", "--on", "2020-01-01")
    assert "less than $0.01\n" in little


def test_an_estimate_for_a_program() -> None:
    found = _document(
        estimate, *EVERY_MINUTE, "--sequential", "--max-workers", "5", "--memory", "1Gi"
    )
    assert found["executions"] == 43_800
    assert found["execution_seconds"] == found["billed_seconds"] == 60
    assert found["nano_dollars"] == sum(cost["nano_dollars"] or 0 for cost in found["costs"])
    assert found["costs"][-1]["nano_dollars"] is None
    assert found["notes"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--endpoints", "many"),
        ("--endpoints", "-1"),
        ("--endpoints", "10000000000"),
        ("--duration", "soon"),
        ("--memory", "much"),
        ("--cpu", "two"),
        ("--max-workers", "0"),
        ("--scheduler-jobs", "1.5"),
        ("--images", "x"),
        ("--image-size", "x"),
        ("--deployments", "x"),
        ("--build-minutes", "x"),
        ("--on", "2026-13-01"),
    ],
)
def test_bad_words_to_estimate(option: str, value: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        _printed(estimate, *EVERY_MINUTE, f"{option}={value}")
    assert (caught.value.part, caught.value.value) == (option, value)
    assert option in caught.value.hint


def test_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cron", "daily 9:00"]) == 0
    assert "cron line:  0 9 * * *" in capsys.readouterr().out
    assert main(["estimate", *EVERY_MINUTE]) == 0
    assert "Total: $" in capsys.readouterr().out
    assert main(["cron", "daily"]) == 64
    told = capsys.readouterr().err
    assert "schedule: 'daily' is not a time such as 9:00" in told
    assert "Write five fields" in told
