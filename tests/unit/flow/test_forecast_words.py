"""A forecast in sentences, each as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runyard.flow.schedule.forecast_words import advise, assumptions
from runyard.flow.schedule.forecasting import Forecast, JobForecast, forecast
from runyard.flow.schedule.herds import Advice, Herd
from runyard.flow.schedule.placing import Look, Pace

AT = datetime(2026, 11, 27, 2, tzinfo=UTC)
HERD = Herd(AT, "us-central1", 60, 3, ())
ADVICE = Advice(HERD, 59, 300, 12, AT.replace(minute=1), 0)
WHERE = "60 runs start at 2026-11-27 02:00 UTC in us-central1: "


@pytest.mark.parametrize(
    ("seconds", "jitter"), [(60, "1m"), (1800, "30m"), (3600, "1h"), (5400, "90m"), (7200, "2h")]
)
def test_a_herd_is_told_with_what_would_spread_it(seconds: int, jitter: str) -> None:
    assert advise(replace(ADVICE, jitter_seconds=seconds)) == (
        f"{WHERE}`jitter: {jitter}` for its 59 schedules without one leaves at most 12 a minute; "
        "or move some: around it nothing starts at 02:01 UTC"
    )


def test_a_herd_that_no_jitter_spreads_is_told_to_be_moved() -> None:
    assert advise(replace(ADVICE, jitter_seconds=None, quiet_starts=4)) == (
        f"{WHERE}no jitter that these schedules may have spreads them; "
        "around it 02:01 UTC has the fewest starts, 4"
    )


def foreseen(*measured: bool, looked_days: int = 3, even: int = 0) -> Forecast:
    """Of jobs whose runs were measured, or not, over three days."""
    jobs = tuple(
        JobForecast(("shop", f"job-{number}"), (), 1, 0, Pace(1, 1, int(one)), 1, 1, "")
        for number, one in enumerate(measured)
    )
    nothing = forecast([], [], {}, {}, Look(AT, 3, looked_days))
    return replace(nothing, jobs=jobs, even=even)


ALWAYS = "every run is taken to succeed, in the first region of a job that runs in one of several"
MEASURED = "runs take as long as recent ones of their job did: the middle one, and 19 of 20"


def test_what_it_takes_for_granted_is_said() -> None:
    assert list(assumptions(foreseen(), {}, 0)) == [ALWAYS]
    assert list(assumptions(foreseen(True, True), {}, 2)) == [ALWAYS, MEASURED]
    assert list(assumptions(foreseen(True, False), {}, 1)) == [
        ALWAYS,
        MEASURED,
        "1 job of 2 had no run to measure: each run of theirs is taken to last until its timeout",
        "durations and prices are those of the 1 jobs that run most often",
    ]
    assert list(assumptions(foreseen(False, False), {}, 2)) == [
        ALWAYS,
        "2 jobs of 2 had no run to measure: each run of theirs is taken to last until its timeout",
    ]


def test_what_is_not_looked_at_closely_is_said() -> None:
    assert list(assumptions(foreseen(looked_days=1, even=1200), {}, 0)) == [
        ALWAYS,
        "there are too many runs to place each: herds and room are those of the first 1 d, runs "
        "and money of all 3 days",
        "schedules that come most often are taken as even over the day (1,200)",
    ]


def test_what_is_not_in_it_is_said_by_the_reason() -> None:
    left_out = {"paused": 1200, "by event": 1, "not seen": 3}
    assert list(assumptions(foreseen(), left_out, 0))[1:] == [
        "not in it: triggers that wait for events, which come when they come (1)",
        "not in it: triggers that belong to jobs that were not read, since there are too many (3)",
        "not in it: triggers that are paused (1,200)",
    ]
