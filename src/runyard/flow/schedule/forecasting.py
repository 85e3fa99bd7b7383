"""What the triggers in force will ask for in the days to come: when, at once, for how much. Pure.

It is what is known now, and no more: every run is taken to succeed, to take as long as runs of its
job did, and to start in the first region of its job where it may start in any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from runyard.flow.estimates import Estimate
from runyard.flow.schedule.boards import RegionLoad, boards, load
from runyard.flow.schedule.herds import Advice, Herd, advice, herds
from runyard.flow.schedule.placing import (
    Asker,
    Follower,
    JobKey,
    Look,
    Pace,
    Placed,
    place,
)
from runyard.flow.schedule.ranges import at_second
from runyard.model.recurrence.nouns import DAY_MINUTES

HERDS_MAX = 5  #: that are told
DAYS_MAX = 92  #: a quarter of a year
HOURLY_DAYS_MAX = 2  #: so many days are told by the hour
_DAY_SECONDS = DAY_MINUTES * 60
_HOUR_SECONDS = 3600
_NO_PRICE = Estimate(0, 0, None, None, "no run of it was looked at")
TriggerKey = tuple[str, str, str]  #: project, job and name


@dataclass(frozen=True, slots=True)
class JobForecast:
    """What a job will do. `skipped`: instants at which the run before will not be over.
    `run_nano_dollars`: of the trigger that asks most often. A price that is None is unknown; `why`
    says why."""

    job: JobKey
    triggers: tuple[str, ...]
    runs: int
    skipped: int
    pace: Pace
    run_nano_dollars: int | None
    nano_dollars: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """So many runs start in an hour or a day that begins at `at`."""

    at: datetime
    runs: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """All of it. `even`: triggers that come too often to be placed, taken as even."""

    seen: Look
    step_seconds: int
    steps: tuple[Step, ...]
    regions: tuple[RegionLoad, ...]
    herds: tuple[Herd, ...]
    herds_in_all: int
    advice: tuple[Advice, ...]
    jobs: tuple[JobForecast, ...]
    even: int

    @property
    def runs(self) -> int:
        """How many runs there will be."""
        return sum(one.runs for one in self.jobs)

    @property
    def nano_dollars(self) -> int:
        """What those cost whose price is known."""
        return sum(one.nano_dollars or 0 for one in self.jobs)

    @property
    def unpriced(self) -> int:
        """How many jobs have runs whose price is not known."""
        return sum(one.nano_dollars is None for one in self.jobs)


def forecast(
    askers: Sequence[Asker],
    followers: Sequence[Follower],
    paces: Mapping[JobKey, Pace],
    prices: Mapping[TriggerKey, Estimate],
    seen: Look,
    wanted: tuple[str | None, str | None] = (None, None),
) -> Forecast:
    """What comes. `paces` has every job; `wanted`: only this project, only jobs of this name."""
    project, name = wanted
    placed = [
        one
        for one in place(askers, followers, paces, seen)
        if project in (None, one.job[0]) and name in (None, one.job[1])
    ]
    found = boards(placed, paces, seen)
    crowds = herds(placed, found, seen)
    told = crowds[:HERDS_MAX]
    worst = list({one.region: one for one in reversed(told)}.values())
    words = [advice(one, placed, found[one.region], seen) for one in reversed(worst)]
    step = _HOUR_SECONDS if seen.days <= HOURLY_DAYS_MAX else _DAY_SECONDS
    return Forecast(
        seen,
        step,
        _steps(placed, seen, step),
        tuple(load(region, board, seen) for region, board in sorted(found.items())),
        tuple(told),
        len(crowds),
        tuple(one for one in words if one is not None),
        _jobs(placed, paces, prices),
        len(seen.even),
    )


def _steps(placed: Sequence[Placed], seen: Look, step: int) -> tuple[Step, ...]:
    begin, until = seen.begin.timestamp(), seen.looked_until.timestamp()
    first, last = int(begin // step), ceil(until / step) - 1
    counts = [0] * (last - first + 1)
    for one in placed:
        for at in one.starts:
            if at < until:
                counts[at // step - first] += len(one.regions)
    even = sum(one.even_a_day * len(one.regions) for one in placed) / _DAY_SECONDS
    return tuple(
        Step(
            at_second((first + number) * step),
            count + round(even * _covered((first + number) * step, step, begin, until)),
        )
        for number, count in enumerate(counts)
    )


def _covered(start: int, step: int, begin: float, until: float) -> float:
    return min(start + step, until) - max(start, begin)


def _jobs(
    placed: Sequence[Placed], paces: Mapping[JobKey, Pace], prices: Mapping[TriggerKey, Estimate]
) -> tuple[JobForecast, ...]:
    by_job: dict[JobKey, list[Placed]] = {}
    for one in placed:
        by_job.setdefault(one.job, []).append(one)
    made = [_job(job, own, paces[job], prices) for job, own in by_job.items()]
    return tuple(sorted(made, key=lambda one: (-(one.nano_dollars or 0), -one.runs, one.job)))


def _job(
    job: JobKey, own: Sequence[Placed], pace: Pace, prices: Mapping[TriggerKey, Estimate]
) -> JobForecast:
    priced = [(one, prices.get((*job, one.name), _NO_PRICE)) for one in own]
    unknown = [price.why for one, price in priced if one.asks and price.run_nano_dollars is None]
    total = sum(one.asks * (price.run_nano_dollars or 0) for one, price in priced)
    _, usual = max(priced, key=lambda each: each[0].asks)
    return JobForecast(
        job,
        tuple(sorted(one.name for one in own)),
        sum(one.runs for one in own),
        sum(one.skipped * len(one.regions) for one in own),
        pace,
        usual.run_nano_dollars,
        None if unknown else total,
        unknown[0] if unknown else "",
    )
