"""Minutes in which many start at once, what would spread them, and what jobs will do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.flow.estimates import Estimate
from runyard.flow.schedule.boards import Board
from runyard.flow.schedule.forecasting import Forecast, JobForecast, forecast
from runyard.flow.schedule.herds import Herd, advice
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.placing import Asker, Look, Pace, place
from runyard.flow.schedule.timing import Timing
from runyard.model.recurrence.reach import shortest_seconds
from runyard.model.recurrence.reading import read
from runyard.model.trigger.schedule import OverlapPolicy

BEGIN = datetime(2026, 11, 26, 0, 0, 17, tzinfo=UTC)
PACE = Pace(60, 60, 1)
HERE = ("us-central1",)
BOTH = ("europe-west1", "us-central1")


def asker(job: str, text: str, jitter_seconds: float = 0, **rest: Any) -> Asker:
    recurrence = read(text)
    table = Timetable(recurrence, ZoneInfo("UTC"), anchor=BEGIN)
    timing = Timing(table, f"shop/prod/{job}/at", jitter=timedelta(seconds=jitter_seconds))
    rest = {"name": "at", "overlap": OverlapPolicy.ALLOW, "regions": HERE} | rest
    below = float(shortest_seconds(recurrence))
    return Asker(("shop", job), timing=timing, jitter_below_seconds=below, **rest)


def crowd(count: int, text: str, called: str = "job", **rest: Any) -> list[Asker]:
    return [asker(f"{called}-{number:02}", text, **rest) for number in range(count)]


def foresee(askers: list[Asker], seen: Look | None = None) -> Forecast:
    paces = {one.job: PACE for one in askers}
    return forecast(askers, [], paces, {}, seen or Look(BEGIN, 1, 1))


def test_the_largest_herds_are_told_first_and_the_rest_is_counted() -> None:
    askers = [
        one
        for hour, count in enumerate((10, 12, 11, 10, 13, 10), 2)
        for one in crowd(count, f"0 {hour} * * *", f"job-{hour}")
    ]
    found = foresee([*askers, *crowd(9, "0 9 * * *", "few")])
    told = [(one.starts, one.at.hour, one.times, len(one.triggers)) for one in found.herds]
    assert told == [(13, 6, 1, 13), (12, 3, 1, 12), (11, 4, 1, 11), (10, 2, 1, 10), (10, 5, 1, 10)]
    assert found.herds_in_all == 6


def test_who_starts_within_a_minute_is_of_its_herd() -> None:
    (herd,) = foresee(crowd(10, "every 12h")).herds
    assert (herd.at, herd.starts) == (datetime(2026, 11, 26, 12, tzinfo=UTC), 10)
    assert herd.triggers == tuple(("shop", f"job-{number:02}", "at") for number in range(10))


@pytest.mark.parametrize(
    ("count", "text", "jitter_seconds", "starts_after"),
    [
        (10, "0 2 * * *", 300, 3),
        (20, "0 2 * * *", 600, 4),
        (60, "0 2 * * *", 600, 8),
        (20, "every 2m", 60, 16),
        (30, "every 5m", 120, 13),
        (20, "every 1m", None, 20),
    ],
)
def test_the_least_jitter_that_is_enough_is_advised_or_the_best_of_those_that_fit(
    count: int, text: str, jitter_seconds: int | None, starts_after: int
) -> None:
    (found,) = foresee(crowd(count, text)).advice
    assert (found.triggers, found.jitter_seconds, found.starts_after) == (
        count, jitter_seconds, starts_after,
    )  # fmt: skip


def test_what_stands_around_a_herd_is_reckoned_with() -> None:
    near = [one for minute in range(1, 9) for one in crowd(5, f"{minute} 2 * * *", f"at-{minute}")]
    (found,) = foresee([*crowd(20, "0 2 * * *"), *near]).advice
    assert (found.jitter_seconds, found.starts_after) == (3600, 6)


def advised(
    minute: int, starts: dict[int, int], usual: int = 0, **rest: Any
) -> tuple[int | None, int, int]:
    """What spreads ten that start in a minute of a day: a jitter, and what it leaves; and which
    minute is calm. `starts`: how many there are in other minutes, where they are not as usual."""
    seen = Look(BEGIN.replace(second=0), 1, 1)
    crowded = crowd(10, f"{minute % 60} {minute // 60} * * *", **rest)
    placed = place(crowded, [], {}, seen)
    board = Board(24 * 60)
    board.starts = [starts.get(each, usual) for each in range(board.minutes)]
    board.starts[minute] += 10
    at = seen.begin + minute * timedelta(minutes=1)
    names = tuple((*one.job, one.name) for one in placed)
    found = advice(Herd(at, *HERE, board.starts[minute], 1, names), placed, board, seen)
    assert found is not None
    calm = (found.quiet_at - seen.begin) // timedelta(minutes=1)
    assert found.quiet_starts == board.starts[calm]
    return found.jitter_seconds, found.starts_after, calm


@pytest.mark.parametrize(
    ("minute", "calm", "found"),
    [
        (120, [150], 150),
        (120, [151], 119),
        (120, [90], 90),
        (120, [89], 119),
        (120, [90, 121, 118], 121),
        (5, [0, 1], 1),  # the first minute is past
        (1437, [1439], 1439),
    ],
)
def test_a_calm_minute_is_the_nearest_of_the_calmest_of_half_an_hour(
    minute: int, calm: list[int], found: int
) -> None:
    assert advised(minute, dict.fromkeys(calm, 1), usual=5)[2] == found


def test_a_jitter_that_only_moves_the_crowd_is_none() -> None:
    assert advised(120, {121: 100})[:2] == (None, 10)
    assert advised(120, {120: 10, 121: 20})[:2] == (None, 20)


def test_a_jitter_stays_below_what_its_schedules_may_have() -> None:
    (found,) = foresee(
        [replace(one, jitter_below_seconds=300.0) for one in crowd(10, "0 2 * * *")]
    ).advice
    assert found.jitter_seconds == 120


def test_a_step_is_an_hour_of_two_days_and_counts_each_region() -> None:
    seen = Look(datetime(2026, 11, 26, tzinfo=UTC), 2, 2)
    found = foresee([asker("a", "0 9 * * *", regions=BOTH)], seen)
    assert found.step_seconds == 3600
    assert [(one.at, one.runs) for one in found.steps] == [
        (seen.begin + timedelta(hours=number), 2 if number % 24 == 9 else 0) for number in range(48)
    ]
    even = foresee([asker("a", "every 30s", regions=BOTH)], replace(seen, even=frozenset({0})))
    assert {one.runs for one in even.steps} == {240}


def test_what_starts_at_the_very_end_is_in_no_step() -> None:
    seen = Look(datetime(2026, 11, 26, tzinfo=UTC), 1, 1)
    late = crowd(300, "59 23 * * *", jitter_seconds=62)
    at = seen.until - timedelta(minutes=1)
    due = [one.timing.due_at(at).replace(microsecond=0) for one in late]
    assert seen.until in due
    found = foresee(late, seen)
    assert found.steps[-1].runs == sum(one < seen.until for one in due) < found.runs == 300


def test_a_job_has_all_its_triggers_and_the_price_of_the_one_that_asks_most() -> None:
    skipping: dict[str, Any] = {"overlap": OverlapPolicy.SKIP, "regions": BOTH}
    askers = [
        asker("a", "0 9 * * *", name="rare"),
        asker("a", "*/30 9-10 * * *", name="often"),
        asker("b", "0,1 9 * * *", **skipping),
        asker("c", "@hourly"),
        asker("d", "@daily"),
    ]
    paces = {one.job: PACE for one in askers} | {("shop", "b"): Pace(90, 90, 1)}
    prices = {
        ("shop", "a", "rare"): Estimate(1, 1, 7, None, ""),
        ("shop", "a", "often"): Estimate(1, 1, 2, None, ""),
        ("shop", "b", "at"): Estimate(1, 1, 50, None, ""),
    }
    seen = Look(BEGIN, 1, 1)
    found = forecast(askers, [], paces, prices, seen)
    why = "no run of it was looked at"
    assert found.jobs == (
        JobForecast(("shop", "b"), ("at",), 2, 2, Pace(90, 90, 1), 50, 50, ""),
        JobForecast(("shop", "a"), ("often", "rare"), 5, 0, PACE, 2, 15, ""),
        JobForecast(("shop", "c"), ("at",), 24, 0, PACE, None, None, why),
        JobForecast(("shop", "d"), ("at",), 1, 0, PACE, None, None, why),
    )
