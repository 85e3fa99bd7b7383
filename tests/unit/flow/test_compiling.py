"""A schedule of a manifest, made ready to be reckoned with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.flow.schedule.firing import Blackout, CatchUp
from runyard.flow.schedule.instants import EPOCH
from runyard.model.recurrence.nouns import Gap, Overlap
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger
from runyard.model.trigger.schedule import OverlapPolicy

SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)


def ready(**document: Any) -> Compiled:
    found = compiled(row(**document), ZoneInfo)
    assert isinstance(found, Compiled)
    return found


def row(**document: Any) -> Trigger:
    kind = TriggerKind.SCHEDULE
    return Trigger("shop", "local", "report", "s", kind, {"schedule": "@daily"} | document, SINCE)


def test_silence_means_the_usual() -> None:
    one = ready()
    schedule = one.schedule
    assert (schedule.overlap, schedule.catch_up) == (OverlapPolicy.SKIP, CatchUp())
    assert (schedule.start_by, schedule.blackouts, schedule.timing.jitter) == (
        None,
        (),
        timedelta(),
    )
    assert schedule.timing.table.anchor == EPOCH
    assert one.slot(row()) == "trigger/shop/local/report/s"
    assert (one.region, one.priority, one.labels) == ("", None, ())


def test_what_is_said_counts() -> None:
    one = ready(
        overlap="allow",
        catchUp={"all": "2h", "max": 3},
        startBy="10m",
        jitter="1m",
        timeZone="Europe/Berlin",
        startAt="2026-12-01",
        endAt="2026-12-24T12:00:00Z",
        windows=[{"days": "mon-fri", "from": "08:00", "to": "18:00"}],
        blackouts=[
            {"from": "2026-12-10", "to": "2026-12-11", "reason": "stocktaking"},
            {"from": "2026-12-12T00:00:00Z", "to": "2026-12-13T00:00:00Z"},
        ],
        pauseOnFailures=3,
        **{"with": {"region": "us-central1", "priority": 2, "labels": {"a": "b"}}},
    )
    schedule, timing = one.schedule, one.schedule.timing
    assert one.slot(row()) == ""
    assert schedule.catch_up == CatchUp(3, timedelta(hours=2))
    assert (schedule.start_by, timing.jitter) == (timedelta(minutes=10), timedelta(minutes=1))
    assert timing.start_at == datetime(2026, 11, 30, 23, tzinfo=UTC) == timing.table.anchor
    assert {one.weekdays for one in timing.windows} == {frozenset((1, 2, 3, 4, 5))}
    assert timing.trigger == "shop/local/report/s"
    assert timing.end_at == datetime(2026, 12, 24, 12, tzinfo=UTC)
    assert [(one.begin, one.until) for one in timing.windows] == [(480, 1080)]
    assert schedule.blackouts[0] == Blackout(
        datetime(2026, 12, 9, 23, tzinfo=UTC), datetime(2026, 12, 11, 23, tzinfo=UTC), "stocktaking"
    )
    assert schedule.blackouts[1].until == datetime(2026, 12, 13, tzinfo=UTC)
    assert (one.region, one.priority, one.labels) == ("us-central1", 2, (("a", "b"),))
    assert one.pause_on_failures == 3


def test_rules_for_changes_of_clocks_and_the_zone_of_both_dates_count() -> None:
    one = ready(
        timeZone="Europe/Berlin",
        endAt="2026-12-24",
        dst={"gap": "skip", "overlap": "both"},
    )
    table = one.schedule.timing.table
    assert (table.gap, table.overlap) == (Gap.SKIP, Overlap.BOTH)
    assert one.schedule.timing.end_at == datetime(2026, 12, 23, 23, tzinfo=UTC)


def test_runs_may_be_held_back_in_a_slot_of_their_own() -> None:
    one = ready(overlap="allow", **{"with": {"labels": {"b": "1"}, "region": "us-central1"}})
    held = one.held_back("backfill/x", 3, {"a": "2"})
    assert (held.slot(row()), held.slot_limit) == ("backfill/x", 3)
    assert held.labels == (("a", "2"), ("b", "1"))
    assert (held.schedule, held.region) == (one.schedule, "us-central1")


def test_a_run_is_told_its_instant() -> None:
    one = ready(**{"with": {"env": {"B": "1"}, "args": []}})
    found = one.overrides_at(SINCE)
    assert found.env == (("B", "1"), ("RUNYARD_INSTANT", "2026-11-01T12:00:00Z"))
    assert found.args == ()


def test_what_cannot_be_reckoned_says_why() -> None:
    assert compiled(row(timeZone="Mars/Olympus"), ZoneInfo) == (
        "there is no time zone Mars/Olympus on this machine"
    )
    found = compiled(row(schedule="at noon"), ZoneInfo)
    assert isinstance(found, str)
    assert found.startswith("this version does not understand it: expected ")
