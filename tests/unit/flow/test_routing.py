"""Who is told of what, when, and what is wrong with who would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.routing import (
    Subject,
    channels_for,
    escalations,
    faults,
    maintenance_of,
    within,
)
from runyard.model.channels import Hours
from runyard.model.environment import Environment
from runyard.model.notice import Severity

SLACK = {"slack": {"url": {"secret": "url"}}}
MONDAY = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
ERROR = Subject(Severity.ERROR, "report", {"team": "data", "tier": "gold"})


def environment(**parts: Any) -> Environment:
    usual = {"channels": dict.fromkeys(("ops", "lead", "night"), SLACK)}
    return Environment.from_document(usual | parts)


def told(at: datetime = MONDAY, subject: Subject = ERROR, **parts: Any) -> tuple[str, ...]:
    return channels_for(environment(**parts), subject, at, ZoneInfo)


def test_without_routes_everybody_is_told_of_everything() -> None:
    assert told() == ("ops", "lead", "night")
    assert channels_for(Environment(), ERROR, MONDAY, ZoneInfo) == ()
    assert channels_for(environment(), ERROR, MONDAY, ZoneInfo, ["lead"]) == ("ops", "night")


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        ({}, True),
        ({"severity": "error"}, True),
        ({"severity": "critical"}, False),
        ({"labels": {"team": "data"}}, True),
        ({"labels": {"team": "data", "tier": "bronze"}}, False),
        ({"labels": {"owner": "ann"}}, False),
        ({"jobs": ["report"]}, True),
        ({"jobs": ["other"]}, False),
        ({"hours": {"days": "mon-fri", "from": "08:00", "to": "18:00"}}, True),
        ({"hours": {"days": "sat,sun"}}, False),
        ({"hours": {"from": "08:00", "to": "18:00", "timeZone": "Asia/Tokyo"}}, False),
    ],
)
def test_a_route_is_about_what_it_says(route: dict[str, Any], fits: bool) -> None:
    assert told(routes=[route | {"to": ["ops"]}]) == (("ops",) if fits else ())


def test_every_route_that_fits_counts_once() -> None:
    routes = [{"to": ["ops", "lead"]}, {"to": ["lead", "night"]}]
    assert told(routes=routes) == ("ops", "lead", "night")
    assert (
        told(subject=Subject(Severity.INFO), routes=[{"to": ["ops"], "labels": {"a": "b"}}]) == ()
    )


def test_a_night_goes_over_midnight() -> None:
    night = Hours.model_validate({"days": "fri", "from": "22:00", "to": "06:00"})
    friday = datetime(2026, 9, 11, 22, 0, tzinfo=UTC)
    for hours, inside in ((0, True), (7.99, True), (8, False), (-1, False), (-20, False)):
        assert within(night, friday + timedelta(hours=hours), ZoneInfo) is inside, hours


@pytest.mark.parametrize(
    ("at", "inside"),
    [("08:29", False), ("08:30", True), ("09:00", True), ("17:59", True), ("18:00", False)],
)
def test_hours_begin_with_their_first_minute_and_end_before_their_last(
    at: str, inside: bool
) -> None:
    hours = Hours.model_validate({"from": "08:30", "to": "18:00"})
    assert within(hours, datetime.fromisoformat(f"2026-09-07T{at}Z"), ZoneInfo) is inside


@given(st.integers(0, 7 * 24 * 60 - 1), st.integers(0, 1439), st.integers(1, 1440))
def test_hours_and_the_rest_of_the_day_are_the_whole_day(at: int, begin: int, to: int) -> None:
    def text(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    if begin in (to, to % 1440):
        return
    now = MONDAY + timedelta(minutes=at)
    one = Hours.model_validate({"from": text(begin), "to": text(to)})
    other = Hours.model_validate({"from": text(to % 1440), "to": text(begin) if begin else "24:00"})
    assert within(one, now, ZoneInfo) is not within(other, now, ZoneInfo)


def test_escalations_are_in_order_and_for_what_is_bad_enough() -> None:
    steps = [
        {"after": "2h", "to": ["lead"]},
        {"after": "30m", "to": ["ops"], "severity": "critical"},
        {"after": "10m", "to": ["night"]},
    ]
    found = environment(escalation=steps)
    assert [one.to for one in escalations(found, Severity.ERROR)] == [("night",), ("lead",)]
    assert [one.after_seconds for one in escalations(found, Severity.CRITICAL)] == [600, 1800, 7200]


def test_maintenance_is_of_jobs_or_of_all() -> None:
    window = {"from": "2026-09-07T11:00:00Z", "until": "2026-09-07T13:00:00Z"}
    weekly = {"from": "mon 11:00", "until": "mon 13:00", "jobs": ["report"], "reason": "backup"}
    assert maintenance_of(environment(), "report", MONDAY, ZoneInfo) is None
    found = maintenance_of(environment(maintenance=[window]), "any", MONDAY, ZoneInfo)
    assert found is not None
    assert found.reason == "maintenance"
    mine = environment(maintenance=[weekly])
    assert maintenance_of(mine, "other", MONDAY, ZoneInfo) is None
    assert maintenance_of(mine, "report", MONDAY + timedelta(hours=1), ZoneInfo) is None
    found = maintenance_of(mine, "report", MONDAY, ZoneInfo)
    assert found is not None
    assert found.reason == "backup"


def test_every_fault_is_told_with_its_place() -> None:
    email = {"host": "h", "from": "a@b.org", "to": ["c@d.org"]}
    wrong = environment(
        channels={
            "ops": SLACK,
            "a": {"email": email | {"user": "u"}},
            "b": {"email": email | {"password": {"secret": "s"}}},
            "c": {"email": email},
        },
        routes=[
            {"to": ["ops", "opps"], "hours": {"timeZone": "Mars/Base"}},
            {"to": ["ops"], "hours": {"from": "08:00"}},
        ],
        escalation=[{"after": "10m", "to": ["nobody"]}],
        maintenance=[{"from": "mon 10:00", "until": "mon 10:00"}],
    )
    found = faults(wrong, "environments.prod", ZoneInfo)
    assert [one.path for one in found] == [
        "environments.prod.maintenance[0].until",
        "environments.prod.routes[0].to[1]",
        "environments.prod.escalation[0].to[0]",
        "environments.prod.routes[0].hours.timeZone",
        "environments.prod.channels.a.email.password",
        "environments.prod.channels.b.email.user",
    ]
    known = "a channel of this environment: one of ops, a, b, c"
    neither = "user and password, or neither"
    assert [(one.value, one.expected, one.hint) for one in found[1:]] == [
        ("'opps'", known, "did you mean 'ops'?"),
        ("'nobody'", known, ""),
        ("'Mars/Base'", "a time zone of the tz database such as Europe/Berlin", ""),
        ("", neither, ""),
        ("", neither, ""),
    ]
    (alone,) = faults(
        Environment.from_document({"routes": [{"to": ["ops"]}]}), "environments.x", ZoneInfo
    )
    assert (alone.expected, alone.hint) == (
        "a channel", "declare it under `channels` of the environment",
    )  # fmt: skip
