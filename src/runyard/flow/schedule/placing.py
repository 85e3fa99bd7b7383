"""The runs that triggers will ask for, each at its instant, jitter applied. Pure.

Where there would be too many to be placed one by one, only the first days are; what comes too
often for a day of all is counted, and taken as even. A chain's runs come when those it follows
will have ended, if all goes well.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from runyard.flow.schedule.month import Span, counted, outside
from runyard.flow.schedule.ranges import at_second, rate, seconds_between
from runyard.flow.schedule.timing import Timing
from runyard.model.instants import to_micros
from runyard.model.trigger.schedule import OverlapPolicy

PLACED_MAX = 400_000  #: runs that are placed one by one, in all
FEW = 2_000  #: instants of a schedule that are counted one by one where not all are placed
_DAY = timedelta(days=1)
_SECOND_MICROS = 1_000_000
_SECONDS: Final = "q"  #: in an array: whole numbers of 8 bytes
JobKey = tuple[str, str]  #: project and name


@dataclass(frozen=True, slots=True)
class Pace:
    """How long runs of a job take, in seconds: the middle one, and what 19 of 20 stay below.
    `runs_measured` 0: nobody knows, and it is what one attempt may take."""

    typical_seconds: float
    high_seconds: float
    runs_measured: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """A schedule in force. `regions`: where each of its instants starts a run. A jitter has to stay
    below `jitter_below_seconds`."""

    job: JobKey
    name: str
    timing: Timing
    overlap: OverlapPolicy
    regions: tuple[str, ...]
    blackouts: tuple[Span, ...] = ()
    jitter_below_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Follower:
    """A chain in force: each run of one of `after` is followed; where `together`, one of each."""

    job: JobKey
    name: str
    after: tuple[JobKey, ...]
    together: bool
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """What a trigger will ask for: `asks` in all, beside those that are `skipped` since the run
    before is not over. `starts`: those of the days that are looked at, in seconds since 1970; none
    where it is even, `even_a_day`. `alone`: its runs never come together. `asker`: the schedule
    that is placed so."""

    job: JobKey
    name: str
    regions: tuple[str, ...]
    asks: int
    starts: Sequence[int]
    skipped: int = 0
    alone: bool = False
    even_a_day: float = 0.0
    asker: Asker | None = field(default=None, compare=False)

    @property
    def runs(self) -> int:
        """Runs in all its regions."""
        return self.asks * len(self.regions)


@dataclass(frozen=True, slots=True)
class Look:
    """From when, how many days, and how many of them are looked at closely."""

    begin: datetime
    days: int
    looked_days: int
    even: frozenset[int] = frozenset()

    @property
    def until(self) -> datetime:
        """When it ends."""
        return self.begin + self.days * _DAY

    @property
    def looked_until(self) -> datetime:
        """Runs before it are placed."""
        return self.begin + self.looked_days * _DAY


def look(askers: Sequence[Asker], begin: datetime, days: int, placed_max: int = PLACED_MAX) -> Look:
    """How closely can be looked at so many days, a whole one at least; and the numbers of those
    askers that come too often for that."""
    rates = [rate(one.timing) for one in askers]
    total = sum(rates)
    even: set[int] = set()
    for number in sorted(range(len(rates)), key=lambda each: -rates[each]):
        if total <= placed_max:
            break
        total -= rates[number]
        even.add(number)
    looked = days if total * days <= placed_max else max(1, int(placed_max / total))
    return Look(begin, days, min(days, looked), frozenset(even))


def place(
    askers: Sequence[Asker],
    followers: Sequence[Follower],
    paces: Mapping[JobKey, Pace],
    seen: Look,
) -> list[Placed]:
    """What schedules ask for, and then what follows them."""
    found = [
        _even(one, seen) if number in seen.even else _placed(one, paces.get(one.job), seen)
        for number, one in enumerate(askers)
    ]
    found += _followed(found, followers, paces)
    return found


def _even(asker: Asker, seen: Look) -> Placed:
    asks = counted(asker.timing, asker.blackouts, seen.begin, seen.days, FEW)
    alone = asker.overlap is not OverlapPolicy.ALLOW
    a_day = asks / seen.days
    return Placed(asker.job, asker.name, asker.regions, asks, (), alone=alone, even_a_day=a_day)


def _placed(asker: Asker, pace: Pace | None, seen: Look) -> Placed:
    instants = seconds_between(asker.timing, seen.begin, seen.looked_until)
    due = _due(asker.timing, outside(instants, asker.blackouts))
    asks, kept = len(due), due
    if seen.looked_days < seen.days:
        asks = counted(asker.timing, asker.blackouts, seen.begin, seen.days, FEW)
    if asker.overlap is OverlapPolicy.SKIP and pace is not None and pace.runs_measured:
        kept = array(_SECONDS, _one_by_one(due, pace.typical_seconds))
    skipped = round(asks * (1 - len(kept) / len(due))) if due else 0
    alone = asker.overlap is not OverlapPolicy.ALLOW
    return Placed(
        asker.job, asker.name, asker.regions, asks - skipped, kept, skipped, alone, asker=asker
    )


def _due(timing: Timing, instants: Sequence[int]) -> array[int]:
    if not timing.jitter:
        return array(_SECONDS, instants)
    due = (timing.due_at(at_second(second)) for second in instants)
    return array(_SECONDS, sorted(to_micros(at) // _SECOND_MICROS for at in due))


def _one_by_one(due: Sequence[int], seconds: float) -> Iterator[int]:
    """Those that come when the one before has ended."""
    free_at = 0.0
    for at in due:
        if at >= free_at:
            free_at = at + seconds
            yield at


def _followed(
    placed: Sequence[Placed], followers: Sequence[Follower], paces: Mapping[JobKey, Pace]
) -> list[Placed]:
    """What chains ask for; those first that follow no other."""
    by_job: dict[JobKey, list[Placed]] = {}
    for one in placed:
        by_job.setdefault(one.job, []).append(one)
    found: list[Placed] = []
    waiting = list(followers)
    while waiting:
        open_jobs = {one.job for one in waiting}
        ready = [one for one in waiting if open_jobs.isdisjoint(one.after)]
        if not ready:
            break  # a circle, which no apply lets in: it asks for nothing
        made = [_following(one, by_job, paces) for one in ready]
        for each in made:
            by_job.setdefault(each.job, []).append(each)
        found += made
        waiting = [one for one in waiting if not open_jobs.isdisjoint(one.after)]
    return found


def _following(
    one: Follower, by_job: Mapping[JobKey, Sequence[Placed]], paces: Mapping[JobKey, Pace]
) -> Placed:
    followed: Collection[JobKey] = one.after
    if one.together:  # it comes as often as the rarest of them
        rarest = min(one.after, key=lambda job: sum(each.runs for each in by_job.get(job, ())))
        followed = (rarest,)
    wait = {job: _typical(paces, [job]) for job in followed}
    if one.together:
        wait = dict.fromkeys(followed, _typical(paces, one.after))
    sources = [(each, wait[job]) for job in followed for each in by_job.get(job, ())]
    starts = [at + wait for source, wait in sources for at in source.starts for _ in source.regions]
    return Placed(
        one.job,
        one.name,
        one.regions,
        sum(source.runs for source, _ in sources),
        array(_SECONDS, sorted(starts)),
        even_a_day=sum(source.even_a_day * len(source.regions) for source, _ in sources),
    )


def _typical(paces: Mapping[JobKey, Pace], jobs: Collection[JobKey]) -> int:
    return max((round(paces[job].typical_seconds) for job in jobs if job in paces), default=0)
