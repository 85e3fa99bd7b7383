"""Which instants become runs, and which reasons are kept of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.schedule.firing import (
    LOOKED_AT_MAX,
    Blackout,
    CatchUp,
    Firing,
    LiveRun,
    Schedule,
    fire,
    fire_now,
    skip_paused,
)
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.timing import Timing
from runyard.model.ids import RunId
from runyard.model.recurrence.reading import read
from runyard.model.run import TriggerKind
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import OverlapPolicy

SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROW = Trigger("shop", "local", "report", "hourly", TriggerKind.SCHEDULE, {}, SINCE)
A, B = RunId("run_a"), RunId("run_b")


def schedule(text: str = "0 * * * *", **rest: Any) -> Schedule:
    timing = {
        key: rest.pop(key) for key in ("jitter", "start_at", "end_at", "windows") if key in rest
    }
    return Schedule(
        Timing(Timetable(read(text), ZoneInfo("UTC"), anchor=SINCE), ROW.path, **timing), **rest
    )


def at(hours: float, seconds: float = 0) -> datetime:
    return SINCE + timedelta(hours=hours, seconds=seconds)


def armed(one: Schedule, row: Trigger = ROW) -> Trigger:
    return fire(row, one, (), row.since).trigger


def asked(firing: Firing) -> list[float]:
    return [(ask.instant - SINCE) / timedelta(hours=1) for ask in firing.asks]


def kept(firing: Firing) -> list[tuple[Fate, float, int]]:
    return [(one.fate, (one.at - SINCE) / timedelta(hours=1), one.count) for one in firing.records]


def test_a_new_trigger_is_armed_with_its_next_instant() -> None:
    row = armed(schedule())
    assert (row.next_instant, row.next_at, row.version) == (at(1), at(1), 2)


def test_an_instant_becomes_a_run_and_the_next_one_is_due() -> None:
    one = schedule()
    firing = fire(armed(one), one, (), at(1, 0.01))
    assert asked(firing) == [1]
    assert (firing.trigger.last_instant, firing.trigger.next_instant) == (at(1), at(2))
    assert not firing.records


def test_nothing_is_due_before_its_jitter() -> None:
    one = schedule(jitter=timedelta(minutes=30))
    row = armed(one)
    assert row.next_at is not None
    assert row.next_at > at(1)
    assert asked(fire(row, one, (), row.next_at - timedelta(microseconds=1))) == []
    assert asked(fire(row, one, (), row.next_at)) == [1]


def test_the_end_is_the_end() -> None:
    one = schedule(end_at=at(1.5))
    row = fire(armed(one), one, (), at(1)).trigger
    assert (row.state, row.next_at, row.next_instant) == (TriggerState.ENDED, None, None)
    assert row.last_instant == at(1)
    assert row.reason == "it has no instant any more"


def test_edges_belong_to_what_is_still_in_time() -> None:
    """A start-by that is just reached, an instant of just a minute ago, a window that just
    reaches back to it."""
    late = schedule(start_by=timedelta(minutes=30))
    assert asked(fire(armed(late), late, (), at(1.5))) == [1]
    (record,) = fire(armed(late), late, (), at(1.5, 1)).records
    assert (record.fate, record.reason) == (
        Fate.LATE,
        "not started within 0:30:00 of its instant",
    )
    none = schedule(catch_up=CatchUp(0))
    assert asked(fire(armed(none), none, (), at(1, 60))) == [1]
    assert asked(fire(armed(none), none, (), at(1, 60.1))) == []
    window = schedule(catch_up=CatchUp(1, timedelta(minutes=30)))
    reached = fire(armed(window), window, (), at(1.5))
    assert (asked(reached), reached.records) == ([1], ())
    (record,) = fire(armed(window), window, (), at(1.5, 1)).records
    assert record.reason == "nobody was there for more than 0:30:00"


@pytest.mark.parametrize(
    ("catch_up", "runs", "reasons"),
    [
        (CatchUp(0), [], [(Fate.MISSED, 1, 4)]),
        (CatchUp(1, timedelta(hours=3)), [4], [(Fate.MISSED, 1, 1), (Fate.SUPERSEDED, 2, 2)]),
        (CatchUp(2, timedelta(hours=3)), [3, 4], [(Fate.MISSED, 1, 1), (Fate.SUPERSEDED, 2, 1)]),
        (CatchUp(9, timedelta(days=3)), [1, 2, 3, 4], []),
        (CatchUp(1, timedelta(minutes=10)), [], [(Fate.MISSED, 1, 4)]),
    ],
)
def test_what_was_missed_is_caught_up_with_as_far_as_wanted(
    catch_up: CatchUp, runs: list[float], reasons: list[tuple[Fate, float, int]]
) -> None:
    one = schedule(catch_up=catch_up, overlap=OverlapPolicy.QUEUE)
    firing = fire(armed(one), one, (), at(4.5))
    assert (asked(firing), kept(firing)) == (runs, reasons)


def test_latest_needs_no_catching_up_when_an_instant_is_on_time() -> None:
    one = schedule(overlap=OverlapPolicy.ALLOW)
    firing = fire(armed(one), one, (), at(3, 1))
    assert (asked(firing), kept(firing)) == ([3], [(Fate.SUPERSEDED, 1, 2)])
    words = "nobody was there, and a newer instant took its place"
    assert firing.records[0].reason == words


def test_what_is_too_late_to_start_is_kept_as_late() -> None:
    one = schedule(start_by=timedelta(minutes=90), overlap=OverlapPolicy.QUEUE, catch_up=CatchUp(9))
    firing = fire(armed(one), one, (), at(3.25))
    assert (asked(firing), kept(firing)) == ([2, 3], [(Fate.LATE, 1, 1)])
    assert [ask.start_by for ask in firing.asks] == [at(3.5), at(4.5)]


def test_a_blackout_is_kept_with_its_reason() -> None:
    blackouts = (Blackout(at(1), at(2), "stocktaking"), Blackout(at(3), at(3.5)))
    one = schedule(blackouts=blackouts, overlap=OverlapPolicy.QUEUE, catch_up=CatchUp(9))
    firing = fire(armed(one), one, (), at(3.25))
    assert asked(firing) == [2]
    assert {record.fate for record in firing.records} == {Fate.BLACKOUT}
    assert [record.reason for record in firing.records] == [
        "blackout: stocktaking",
        "blackout until 2026-11-01 15:30 UTC",
    ]


RUNNING, WAITING = LiveRun(A), LiveRun(B, waiting=True)


@pytest.mark.parametrize(
    ("overlap", "runs", "reasons", "cancels", "supersedes"),
    [
        (OverlapPolicy.ALLOW, [1, 2], [], (), ()),
        (OverlapPolicy.SKIP, [], [(Fate.OVERLAP, 1, 2)], (), ()),
        (OverlapPolicy.QUEUE, [1, 2], [], (), ()),
        (OverlapPolicy.QUEUE_LATEST, [2], [(Fate.SUPERSEDED, 1, 1)], (), (B,)),
        (OverlapPolicy.CANCEL_RUNNING, [2], [(Fate.SUPERSEDED, 1, 1)], (A,), (B,)),
    ],
)
def test_who_gives_way_to_whom(
    overlap: OverlapPolicy,
    runs: list[float],
    reasons: list[tuple[Fate, float, int]],
    cancels: tuple[RunId, ...],
    supersedes: tuple[RunId, ...],
) -> None:
    one = schedule(overlap=overlap, catch_up=CatchUp(9))
    firing = fire(armed(one), one, (RUNNING, WAITING), at(2.5))
    assert (asked(firing), kept(firing)) == (runs, reasons)
    assert (firing.cancels, firing.supersedes) == (cancels, supersedes)


def test_skip_has_one_of_several_and_names_who_was_in_the_way() -> None:
    one = schedule(overlap=OverlapPolicy.SKIP, catch_up=CatchUp(9))
    first = fire(armed(one), one, (), at(2.5))
    assert (asked(first), kept(first)) == ([1], [(Fate.OVERLAP, 2, 1)])
    assert first.records[0].reason == "the one before it had not ended"
    newest = replace(one, overlap=OverlapPolicy.QUEUE_LATEST)
    (older,) = fire(armed(one), newest, (), at(2.5)).records
    assert older.reason == "a newer instant took its place"
    second = fire(armed(one), one, (RUNNING,), at(1))
    assert second.records[0].reason == "run_a had not ended"


def test_nobody_gives_way_when_nothing_comes() -> None:
    one = schedule(overlap=OverlapPolicy.CANCEL_RUNNING, catch_up=CatchUp(0))
    firing = fire(armed(one), one, (RUNNING, WAITING), at(2.5))
    assert (firing.cancels, firing.supersedes, firing.asks) == ((), (), ())


def test_a_person_has_it_ask_now_with_its_policies_and_its_timetable_goes_on() -> None:
    one = schedule(overlap=OverlapPolicy.CANCEL_RUNNING, start_by=timedelta(minutes=1))
    row = armed(one)
    firing = fire_now(row, one, (RUNNING, WAITING), at(0.2))
    assert ([ask.instant for ask in firing.asks], firing.trigger) == ([at(0.2)], row)
    assert firing.asks[0].start_by is None
    assert (firing.cancels, firing.supersedes) == ((A,), (B,))
    skips = fire_now(row, schedule(), (RUNNING,), at(0.2))
    assert (skips.asks, skips.records[0].fate) == ((), Fate.OVERLAP)


def test_what_came_in_a_pause_is_kept_as_such_when_it_ends() -> None:
    one = schedule()
    row = replace(
        armed(one), state=TriggerState.PAUSED, next_at=None, said_by="ann", reason="moving"
    )
    firing = skip_paused(row, one.timing, at(3.5))
    assert kept(firing) == [(Fate.PAUSED, 1, 3)]
    assert firing.records[0].reason == "paused by ann: moving"
    after = firing.trigger
    assert (after.state, after.next_at, after.said_by) == (TriggerState.ENABLED, at(4), "")
    silent = replace(row, reason="")
    assert skip_paused(silent, one.timing, at(1)).records[0].reason == "paused by ann"
    assert not skip_paused(row, one.timing, at(0.5)).records


def test_what_is_kept_of_an_instant_says_whose_it_is_and_when_it_was_decided_on() -> None:
    one = schedule(catch_up=CatchUp(0))
    row, now = armed(one), at(2.5)
    words = "nobody was there, and catchUp is none"
    (record,) = fire(row, one, (), now).records
    assert record == Instant(row.path, at(1), Fate.MISSED, now, words, last_at=at(2), count=2)
    (record,) = fire_now(row, one, (RUNNING,), now).records
    assert record == Instant(row.path, now, Fate.OVERLAP, now, "run_a had not ended")
    rests = replace(row, state=TriggerState.PAUSED, next_at=None, said_by="ann", said_at=SINCE)
    firing = skip_paused(rests, one.timing, now)
    assert firing.records == (
        Instant(row.path, at(1), Fate.PAUSED, now, "paused by ann", last_at=at(2), count=2),
    )
    assert firing.trigger == replace(
        row, next_at=at(3), next_instant=at(3), last_instant=at(2), version=row.version + 1
    )


def test_what_was_paused_before_it_was_armed_counts_from_its_beginning() -> None:
    one = schedule()
    rests = replace(ROW, state=TriggerState.PAUSED, said_by="ann", reason="moving")
    firing = skip_paused(rests, one.timing, at(2.5))
    assert kept(firing) == [(Fate.PAUSED, 1, 2)]
    assert (firing.trigger.next_at, firing.trigger.reason) == (at(3), "")


def test_a_long_pause_is_worked_off_in_parts() -> None:
    one = schedule("* * * * *")
    row = replace(armed(one), state=TriggerState.PAUSED, next_at=None, said_by="ann")
    (record,) = skip_paused(row, one.timing, at(24 * 5)).records
    assert record.count == LOOKED_AT_MAX


def test_a_long_absence_is_worked_off_in_parts_but_the_window_never_is() -> None:
    one = schedule("* * * * *", catch_up=CatchUp(3, timedelta(hours=24)))
    row, now, parts, count, runs = armed(one), at(24 * 5), 0, 0, 0
    while row.next_at is not None and row.next_at <= now:
        firing = fire(row, one, (), now)
        row, parts = firing.trigger, parts + 1
        count += sum(record.count for record in firing.records)
        runs += len(firing.asks)
    assert count + runs == 24 * 5 * 60
    assert parts >= 24 * 5 * 60 // LOOKED_AT_MAX - 1
    assert runs == 1  # an instant is on time, and skip lets one through


POLICIES = st.builds(
    lambda overlap, count, window, start_by, jitter: schedule(
        "*/15 * * * *",
        overlap=overlap,
        catch_up=CatchUp(count, timedelta(minutes=window)),
        start_by=start_by and timedelta(minutes=start_by),
        jitter=timedelta(minutes=jitter),
        blackouts=(Blackout(at(2), at(3), "closed"),),
    ),
    st.sampled_from(list(OverlapPolicy)),
    st.integers(0, 5),
    st.integers(1, 300),
    st.none() | st.integers(15, 120),
    st.integers(0, 14),
)


@given(POLICIES, st.lists(st.integers(0, 200), min_size=1, max_size=12), st.booleans())
def test_every_instant_is_decided_on_exactly_once(
    one: Schedule, minutes: list[int], busy: bool
) -> None:
    """Promise 6, whatever the pauses between two looks; the clock may go back in between."""
    row, now = armed(one), SINCE
    live = (RUNNING,) if busy else ()
    decided: list[datetime] = []
    for number, step in enumerate(minutes):
        now += timedelta(minutes=step if number % 4 else -step / 2)
        firing = fire(row, one, live, now)
        decided += [ask.instant for ask in firing.asks]
        for record in firing.records:
            decided += [record.at] * record.count
        row = firing.trigger
        assert row.next_instant is not None  # promise 7
        assert row.next_at is not None
        assert row.next_at > now
    expected = 0
    for each in one.timing.instants(SINCE):
        if row.next_instant is not None and each >= row.next_instant:
            break
        expected += 1
    assert len(decided) == expected
