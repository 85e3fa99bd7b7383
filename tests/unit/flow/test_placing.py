"""What triggers will ask for: how closely it is looked at, and each trigger's share of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.placing import Asker, Follower, Look, Pace, Placed, look, place
from runyard.flow.schedule.timing import Timing
from runyard.model.recurrence.reading import read
from runyard.model.trigger.schedule import OverlapPolicy

BEGIN = datetime(2026, 11, 26, tzinfo=UTC)
HERE = ("us-central1",)
BOTH = ("europe-west1", "us-central1")
NINE = int(datetime(2026, 11, 26, 9, tzinfo=UTC).timestamp())


def asker(job: str, text: str, jitter_seconds: float = 0, **rest: Any) -> Asker:
    table = Timetable(read(text), ZoneInfo("UTC"), anchor=BEGIN)
    timing = Timing(table, f"shop/prod/{job}/at", jitter=timedelta(seconds=jitter_seconds))
    rest = {"overlap": OverlapPolicy.ALLOW, "regions": HERE} | rest
    return Asker(("shop", job), "at", timing, **rest)


def chain(job: str, *after: str, together: bool = False) -> Follower:
    return Follower(("shop", job), "then", tuple(("shop", one) for one in after), together, BOTH)


@pytest.mark.parametrize(
    ("texts", "days", "placed_max", "looked_days", "even"),
    [
        ([], 3, 10, 3, set()),
        (["@hourly", "@hourly"], 1, 48, 1, set()),
        (["@hourly", "@hourly"], 1, 47, 1, {0}),
        (["@hourly", "@hourly"], 4, 192, 4, set()),
        (["@hourly", "@hourly"], 4, 191, 3, set()),
        (["@daily", "every 1s", "@hourly"], 1, 100, 1, {1}),  # what comes most often is even first
        (["@daily", "every 1s", "every 2s"], 1, 100, 1, {1, 2}),
        (["@daily"], 30, 0, 30, {0}),
    ],
)
def test_it_is_looked_as_closely_as_there_is_room(
    texts: list[str], days: int, placed_max: int, looked_days: int, even: set[int]
) -> None:
    found = look([asker("a", text) for text in texts], BEGIN, days, placed_max)
    assert found == Look(BEGIN, days, looked_days, frozenset(even))


def placed(one: Asker, seen: Look, pace: Pace | None = None) -> Placed:
    (found,) = place([one], [], {} if pace is None else {one.job: pace}, seen)
    return found


def test_a_schedule_is_placed_with_all_that_is_said_of_it() -> None:
    one = asker("a", "0 9 * * *", overlap=OverlapPolicy.QUEUE, regions=BOTH)
    found = placed(one, Look(BEGIN, 2, 2))
    starts = [NINE, NINE + 86_400]
    assert (list(found.starts), found.asker) == (starts, one)
    assert found == Placed(one.job, "at", BOTH, 2, found.starts, alone=True)
    assert found.runs == 4
    assert not placed(asker("a", "0 9 * * *"), Look(BEGIN, 2, 2)).alone


def test_what_is_even_has_no_starts_and_so_many_a_day() -> None:
    one = asker("a", "every 1m", regions=BOTH)
    # by its period: one by one there were 2879, those after the beginning and before the end
    even = Look(BEGIN, 2, 2, frozenset({0}))
    assert placed(one, even) == Placed(one.job, "at", BOTH, 2880, (), even_a_day=1440.0)
    alone = asker("a", "every 1m", overlap=OverlapPolicy.SKIP)
    assert placed(alone, even, Pace(600, 600, 1)).alone


def test_days_that_are_not_looked_at_are_counted() -> None:
    span = (BEGIN, BEGIN + timedelta(hours=12))
    hourly = placed(asker("a", "0 * * * *", blackouts=(span,)), Look(BEGIN, 30, 2))
    assert (hourly.asks, len(hourly.starts)) == (30 * 24 - 12, 48 - 12)
    often = placed(asker("a", "every 10m"), Look(BEGIN, 30, 2))
    assert often.asks == 30 * 144  # by its period: there are more than are counted one by one
    assert placed(asker("a", "every 10m"), Look(BEGIN, 30, 30)).asks == 30 * 144 - 1  # one by one
    later = placed(
        asker("a", "0 0 1 * *", overlap=OverlapPolicy.SKIP), Look(BEGIN, 30, 2), Pace(60, 60, 1)
    )
    assert (later.asks, later.skipped, list(later.starts)) == (1, 0, [])


def test_of_what_is_skipped_so_large_a_share_is_that_of_all_days() -> None:
    half = asker("a", "*/30 9 * * *", overlap=OverlapPolicy.SKIP)
    found = placed(half, Look(BEGIN, 30, 2), Pace(3600, 3600, 1))
    assert (found.asks, found.skipped) == (30, 30)
    assert list(found.starts) == [NINE, NINE + 86_400]
    on_time = placed(half, Look(BEGIN, 1, 1), Pace(1800, 1800, 1))
    assert (on_time.asks, on_time.skipped) == (2, 0)
    unknown = placed(half, Look(BEGIN, 1, 1), Pace(3600, 3600))
    assert (unknown.asks, unknown.skipped) == (2, 0)
    side_by_side = placed(asker("a", "*/30 9 * * *"), Look(BEGIN, 1, 1), Pace(3600, 3600, 1))
    assert (side_by_side.asks, side_by_side.skipped) == (2, 0)


def test_jitter_is_in_the_starts() -> None:
    one = asker("a", "0 9 * * *", 600)
    due = one.timing.due_at(datetime(2026, 11, 26, 9, tzinfo=UTC))
    assert list(placed(one, Look(BEGIN, 1, 1)).starts) == [int(due.timestamp())]
    assert NINE < due.timestamp() < NINE + 600


def test_a_chain_is_placed_behind_what_it_follows() -> None:
    daily, both = asker("a", "0 9 * * *"), asker("b", "0 9 * * *", regions=BOTH)
    paces = {("shop", "a"): Pace(60, 60, 1), ("shop", "b"): Pace(10, 10, 1)}
    *_, found = place([daily, both], [chain("c", "a", "b")], paces, Look(BEGIN, 1, 1))
    assert list(found.starts) == [NINE + 10, NINE + 10, NINE + 60]
    assert found == Placed(("shop", "c"), "then", BOTH, 3, found.starts)
    *_, found = place(
        [daily, both], [chain("c", "a", "b", together=True)], paces, Look(BEGIN, 1, 1)
    )
    assert list(found.starts) == [NINE + 60]


def test_a_chain_behind_what_is_even_is_even() -> None:
    one = asker("a", "every 30s", regions=BOTH)
    *_, found = place([one], [chain("c", "a")], {}, Look(BEGIN, 1, 1, frozenset({0})))
    assert (found.asks, list(found.starts), found.even_a_day) == (5760, [], 5760.0)


@pytest.mark.parametrize("together", [False, True])
def test_what_no_trigger_asks_for_is_not_followed(together: bool) -> None:
    *_, found = place(
        [asker("a", "0 9 * * *")], [chain("c", "b", together=together)], {}, Look(BEGIN, 1, 1)
    )
    assert (found.asks, list(found.starts)) == (0, [])
    *_, found = place(
        [asker("a", "0 9 * * *")], [chain("c", "a", "b", together=True)], {}, Look(BEGIN, 1, 1)
    )
    assert (found.asks, list(found.starts)) == (0, [])
