"""A forecast in sentences: what to do about its herds, and what it takes for granted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from runyard.flow.schedule.askers import UNSEEN
from runyard.flow.schedule.forecasting import Forecast
from runyard.flow.schedule.herds import Advice
from runyard.flow.wording import count, span

_LEFT_OUT = {
    UNSEEN: "belong to jobs that were not read, since there are too many",
    "paused": "are paused",
    "ended": "have no instant any more",
    "broken": "are broken",
    "by event": "wait for events, which come when they come",
    "by webhook": "wait for webhooks, which come when they come",
    "by absence": "act on what is absent",
    "after failed runs": "follow runs that fail",
    "after dead runs": "follow runs that are given up",
}


def advise(one: Advice) -> str:
    """What would spread a herd."""
    herd = one.herd
    where = f"{herd.starts} runs start at {herd.at:%Y-%m-%d %H:%M} UTC in {herd.region}"
    quiet = (
        f"around it {one.quiet_at:%H:%M} UTC has the fewest starts, {one.quiet_starts}"
        if one.quiet_starts
        else f"around it nothing starts at {one.quiet_at:%H:%M} UTC"
    )
    if one.jitter_seconds is None:
        return f"{where}: no jitter that these schedules may have spreads them; {quiet}"
    return (
        f"{where}: `jitter: {_short(one.jitter_seconds)}` for its {count(one.triggers, 'schedule')}"
        f" without one leaves at most {one.starts_after} a minute; or move some: {quiet}"
    )


def _short(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"


def assumptions(found: Forecast, left_out: Mapping[str, int], measured_max: int) -> Iterator[str]:
    """What the forecast takes for granted, a sentence each, without its stop."""
    unmeasured = sum(not one.pace.runs_measured for one in found.jobs)
    seen = found.seen
    yield "every run is taken to succeed, in the first region of a job that runs in one of several"
    if len(found.jobs) > unmeasured:
        yield "runs take as long as recent ones of their job did: the middle one, and 19 of 20"
    if unmeasured:
        yield (
            f"{count(unmeasured, 'job')} of {len(found.jobs):,} had no run to measure: each run of "
            "theirs is taken to last until its timeout"
        )
    if len(found.jobs) > measured_max:
        yield f"durations and prices are those of the {measured_max:,} jobs that run most often"
    if seen.looked_days < seen.days:
        yield (
            f"there are too many runs to place each: herds and room are those of the first "
            f"{span(timedelta(days=seen.looked_days))}, runs and money of all {seen.days} days"
        )
    if found.even:
        yield f"schedules that come most often are taken as even over the day ({found.even:,})"
    for reason, number in sorted(left_out.items()):
        yield f"not in it: triggers that {_LEFT_OUT[reason]} ({number:,})"
