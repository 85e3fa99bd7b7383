"""Whether schedules stand as they have to, and what is mended where they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.checking import ENDED, check, overdue
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState

SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)
NEXT = datetime(2026, 11, 2, 9, tzinfo=UTC)
NOW = SINCE + timedelta(hours=1)


def row(text: str = "0 9 * * *", **changes: Any) -> Trigger:
    document = {"schedule": text, "timeZone": "Europe/Lisbon"} | changes.pop("document", {})
    made = Trigger("shop", "local", "report", "s", TriggerKind.SCHEDULE, document, SINCE)
    return replace(made, **changes)


def moved(_: str) -> tzinfo:
    """Data of a zone in which it is an hour later now."""
    return timezone(timedelta(hours=1))


def missing(_: str) -> tzinfo:
    raise KeyError("no such zone")


GOOD = row(next_instant=NEXT, next_at=NEXT)


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        row(next_at=SINCE),  # it has just come into force
        row(next_instant=SINCE, next_at=NOW),  # due, whatever it was reckoned by
        row(state=TriggerState.PAUSED),
        row(state=TriggerState.ENDED),
        row(kind=TriggerKind.CHAIN),
    ],
)
def test_what_is_as_it_has_to_be_stays(good: Trigger) -> None:
    assert check(good, ZoneInfo, NOW) is None


def test_what_would_never_be_looked_at_is_reckoned_and_told() -> None:
    found = check(row(last_instant=NEXT), ZoneInfo, NOW)
    assert found is not None
    assert found.trigger.next_at == found.trigger.next_instant == NEXT + timedelta(days=1)
    assert found.words == (
        "shop/local/report/s was enabled and had no next instant; it was reckoned anew"
    )


def test_new_data_of_a_zone_move_what_is_not_due_yet() -> None:
    found = check(GOOD, moved, NOW)
    assert found is not None
    assert (found.trigger.next_at, found.trigger.version) == (NEXT - timedelta(hours=1), 2)
    assert found.words == ""
    assert check(replace(GOOD, next_at=NOW), moved, NOW) is None


def test_a_jitter_that_was_reckoned_otherwise_is_put_right() -> None:
    found = check(replace(GOOD, document={**GOOD.document, "jitter": "1h"}), ZoneInfo, NOW)
    assert found is not None
    assert found.trigger.next_instant == NEXT
    assert found.trigger.next_at is not None
    assert timedelta() < found.trigger.next_at - NEXT < timedelta(hours=1)


def test_a_schedule_without_its_zone_is_broken_once_it_would_be_reckoned() -> None:
    assert check(GOOD, missing, NOW) is None
    found = check(row(), missing, NOW)
    assert found is not None
    assert (found.trigger.state, found.trigger.next_at) == (TriggerState.BROKEN, None)
    assert found.words == (
        f"shop/local/report/s was enabled, and cannot be reckoned: {found.trigger.reason}"
    )
    assert "there is no time zone Europe/Lisbon" in found.trigger.reason
    assert check(found.trigger, missing, NOW) is None


def test_a_zone_that_has_come_mends_what_was_broken_for_want_of_it() -> None:
    broken = row(state=TriggerState.BROKEN, last_instant=NEXT, reason="no zone")
    found = check(broken, ZoneInfo, NEXT + timedelta(days=9))
    assert found is not None
    after = found.trigger
    assert (after.state, after.reason, found.words) == (TriggerState.ENABLED, "", "")
    assert after.next_instant == NEXT + timedelta(days=1)  # and its catch-up says what is made up


def test_what_has_no_instant_any_more_ends() -> None:
    found = check(row(document={"endAt": "2026-11-02"}), ZoneInfo, NOW)
    assert found is not None
    assert (found.trigger.state, found.trigger.reason) == (TriggerState.ENDED, ENDED)
    assert (found.trigger.next_instant, found.trigger.next_at) == (None, None)
    broken = replace(
        GOOD, state=TriggerState.BROKEN, document={**GOOD.document, "endAt": "2026-11-02"}
    )
    again = check(broken, ZoneInfo, NOW)
    assert again is not None
    assert (again.trigger.state, again.trigger.next_instant) == (TriggerState.ENDED, None)
    assert again.trigger.next_at is None


def test_what_stayed_due_is_told_and_due_again() -> None:
    late = replace(GOOD, next_at=SINCE)
    found = overdue(late, ZoneInfo, NOW)
    assert found is not None
    assert (found.trigger.next_at, found.trigger.next_instant) == (NOW, NEXT)
    assert found.words == (
        "shop/local/report/s was due at 2026-11-01 12:00:00 UTC and was not looked at"
    )
    assert overdue(replace(late, next_at=NOW), ZoneInfo, NOW) is not None
    for fine in (GOOD, replace(late, next_at=None), replace(late, state=TriggerState.PAUSED)):
        assert overdue(fine, ZoneInfo, NOW) is None


@pytest.mark.parametrize(
    ("begin", "until", "is_told"),
    [
        ("2026-11-02T09:00:00Z", "2026-11-02T09:30:00Z", False),
        ("2026-11-02T08:30:00Z", "2026-11-02T09:00:00Z", True),
        ("2026-11-02T09:00:01Z", "2026-11-02T09:30:00Z", True),
    ],
)
def test_a_blackout_has_the_instant_it_begins_at_and_not_the_one_it_ends_at(
    begin: str, until: str, is_told: bool
) -> None:
    blackouts = [{"from": "2026-10-01", "to": "2026-10-02"}, {"from": begin, "to": until}]
    late = row(document={"blackouts": blackouts}, next_instant=NEXT, next_at=SINCE)
    found = overdue(late, ZoneInfo, NOW)
    assert found is not None
    assert bool(found.words) is is_told


def test_of_what_stayed_due_in_a_blackout_nobody_is_told() -> None:
    blackouts = [{"from": "2026-11-02", "to": "2026-11-02"}]
    late = row(document={"blackouts": blackouts}, next_instant=NEXT, next_at=SINCE)
    found = overdue(late, ZoneInfo, NOW)
    assert found is not None
    assert (found.trigger.next_at, found.words) == (NOW, "")
    for told in (
        replace(late, next_instant=NEXT + timedelta(days=1)),
        replace(late, next_instant=None),
        replace(late, kind=TriggerKind.ABSENCE),
    ):
        again = overdue(told, ZoneInfo, NOW)
        assert again is not None
        assert again.words.endswith("was not looked at")
