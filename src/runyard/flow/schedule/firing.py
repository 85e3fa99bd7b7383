"""What a schedule does when it is due: which instants become runs, and why the others do not.

Every instant up to `now` is decided on exactly once, in order: it becomes a run, or a reason is
recorded. Instants that share a reason are one record.

An instant that is decided on within `ON_TIME` of its due time is on time. A later one was missed
(nobody was there: no engine, no database), and the catch-up says what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from runyard.flow.schedule.timing import Timing
from runyard.model.ids import RunId
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger, TriggerState
from runyard.model.trigger.schedule import OverlapPolicy

ON_TIME = timedelta(seconds=60)
"""An engine that was replaced, or waited for its database, within this time was not away: the
smallest period of cron, so that no more than one instant of a minute's schedule can be on time."""
LOOKED_AT_MAX = 2_000  #: instants decided on at once; the next decision goes on from there
ALL_MAX = 100  #: runs that catching up asks for at most, unless the manifest says otherwise


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What becomes of missed instants: the newest `count` of those that are within `window`
    become runs. None at all when `count` is 0."""

    count: int = 1
    window: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Blackout:
    """A time in which nothing runs, and why."""

    begin: datetime
    until: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule's timing and policies. `start_by`: how long after its instant a run may start."""

    timing: Timing
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    catch_up: CatchUp = CatchUp()
    start_by: timedelta | None = None
    blackouts: tuple[Blackout, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run of the trigger that has not ended. `waiting`: it has not started yet."""

    id: RunId
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A run is to be asked for, for an instant; `start_by` is the last moment it may start."""

    instant: datetime
    start_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Firing:
    """One decision. `records` are instants that become no run. `cancels` are runs to be ended,
    `supersedes` runs that must not start any more; both give way to what is asked for."""

    trigger: Trigger
    asks: tuple[Ask, ...] = ()
    records: tuple[Instant, ...] = ()
    cancels: tuple[RunId, ...] = ()
    supersedes: tuple[RunId, ...] = ()


@dataclass(slots=True)
class _Records:
    """Instants that become no run, neighbours of one reason together."""

    trigger: str
    now: datetime
    found: list[Instant] = field(default_factory=list)

    def add(self, at: datetime, fate: Fate, reason: str) -> None:
        """One more, later than those before it."""
        last = self.found[-1] if self.found else None
        if last is not None and (last.fate, last.reason) == (fate, reason):
            self.found[-1] = Instant(
                self.trigger, last.at, fate, self.now, reason, last_at=at, count=last.count + 1
            )
        else:
            self.found.append(Instant(self.trigger, at, fate, self.now, reason))


def fire(trigger: Trigger, schedule: Schedule, live: Sequence[LiveRun], now: datetime) -> Firing:
    """What the trigger, which has to be looked at, does `now`. `live`: its runs, oldest first."""
    timing = schedule.timing
    first = trigger.next_instant or timing.next_after(trigger.since)
    due = _due(timing, first, now, schedule.catch_up.window)
    records = _Records(trigger.path, now)
    upcoming = timing.next_after(due[-1]) if due else first
    wanted = _wanted(schedule, due, records, now)
    asks, cancels, supersedes = _overlapping(schedule, wanted, live, records)
    return Firing(
        _after(trigger, timing, upcoming, due),
        asks,
        tuple(sorted(records.found, key=lambda one: one.at)),
        cancels,
        supersedes,
    )


def fire_now(
    trigger: Trigger, schedule: Schedule, live: Sequence[LiveRun], now: datetime
) -> Firing:
    """What the schedule does when a person has it ask for a run `now`. Its timetable goes on as
    it was; a record is the reason why no run is asked for."""
    records = _Records(trigger.path, now)
    asks, cancels, supersedes = _overlapping(schedule, [now], live, records)
    free = tuple(Ask(ask.instant) for ask in asks)
    return Firing(trigger, free, tuple(records.found), cancels, supersedes)


def skip_paused(trigger: Trigger, timing: Timing, now: datetime) -> Firing:
    """What becomes of the instants that came while the trigger was paused, when it is resumed."""
    first = trigger.next_instant or timing.next_after(trigger.since)
    records = _Records(trigger.path, now)
    due = _due(timing, first, now, timedelta())
    by = f"paused by {trigger.said_by}" + (f": {trigger.reason}" if trigger.reason else "")
    for at in due:
        records.add(at, Fate.PAUSED, by)
    upcoming = timing.next_after(due[-1]) if due else first
    resumed = replace(  # `_after` makes the next version of it
        trigger, state=TriggerState.ENABLED, said_by="", said_at=None, reason=""
    )
    return Firing(_after(resumed, timing, upcoming, due), records=tuple(records.found))


def _due(
    timing: Timing, first: datetime | None, now: datetime, window: timedelta
) -> list[datetime]:
    """The instants that are due. Not all of them at once when there are many; those within the
    catch-up's window, of which the newest count, are never parted."""
    found: list[datetime] = []
    while first is not None and timing.due_at(first) <= now:
        if len(found) >= LOOKED_AT_MAX and now - first > window:
            break
        found.append(first)
        first = timing.next_after(first)
    return found


def _after(
    trigger: Trigger, timing: Timing, upcoming: datetime | None, due: Sequence[datetime]
) -> Trigger:
    last = due[-1] if due else trigger.last_instant
    if upcoming is None:
        reason = "it has no instant any more"
        return trigger.evolve(
            state=TriggerState.ENDED,
            next_instant=None,
            next_at=None,
            last_instant=last,
            reason=reason,
        )
    return trigger.evolve(next_instant=upcoming, next_at=timing.due_at(upcoming), last_instant=last)


def _wanted(
    schedule: Schedule, due: Sequence[datetime], records: _Records, now: datetime
) -> list[datetime]:
    """The instants that are to become runs, as far as their own policies go."""
    on_time: list[datetime] = []
    missed: list[datetime] = []
    for at in due:
        if blackout := _blackout(schedule, at):
            records.add(at, Fate.BLACKOUT, f"blackout{blackout}")
        elif schedule.start_by is not None and now > at + schedule.start_by:
            records.add(at, Fate.LATE, f"not started within {schedule.start_by} of its instant")
        elif now - schedule.timing.due_at(at) <= ON_TIME:
            on_time.append(at)
        else:
            missed.append(at)
    return [*_caught_up(schedule.catch_up, missed, records, now, newer=bool(on_time)), *on_time]


def _caught_up(
    rule: CatchUp, missed: Sequence[datetime], records: _Records, now: datetime, *, newer: bool
) -> list[datetime]:
    """The missed instants that become runs. `newer`: a later instant becomes one anyway, so that
    `latest` has nothing to catch up with."""
    within = [at for at in missed if now - at <= rule.window] if rule.count else []
    room = 0 if rule.count == 1 and newer else rule.count
    kept = within[-room:] if room else []
    for at in missed:
        if not rule.count:
            records.add(at, Fate.MISSED, "nobody was there, and catchUp is none")
        elif now - at > rule.window:
            records.add(at, Fate.MISSED, f"nobody was there for more than {rule.window}")
        elif at not in kept:
            records.add(at, Fate.SUPERSEDED, "nobody was there, and a newer instant took its place")
    return kept


def _blackout(schedule: Schedule, at: datetime) -> str:
    for one in schedule.blackouts:
        if one.begin <= at < one.until:
            return f": {one.reason}" if one.reason else f" until {one.until:%Y-%m-%d %H:%M} UTC"
    return ""


def _overlapping(
    schedule: Schedule, wanted: Sequence[datetime], live: Sequence[LiveRun], records: _Records
) -> tuple[tuple[Ask, ...], tuple[RunId, ...], tuple[RunId, ...]]:
    """What is asked for beside the runs there are; which of those are cancelled, and which give
    way before they start."""
    if not wanted:
        return (), (), ()
    running = tuple(one.id for one in live if not one.waiting)
    waiting = tuple(one.id for one in live if one.waiting)
    match schedule.overlap:
        case OverlapPolicy.ALLOW | OverlapPolicy.QUEUE:
            return _asks(schedule, wanted), (), ()
        case OverlapPolicy.SKIP:
            begun = () if live else wanted[:1]
            for at in wanted[len(begun) :]:
                other = live[0].id if live else "the one before it"
                records.add(at, Fate.OVERLAP, f"{other} had not ended")
            return _asks(schedule, begun), (), ()
        case _:
            for at in wanted[:-1]:
                records.add(at, Fate.SUPERSEDED, "a newer instant took its place")
            cancels = running if schedule.overlap is OverlapPolicy.CANCEL_RUNNING else ()
            return _asks(schedule, wanted[-1:]), cancels, waiting


def _asks(schedule: Schedule, wanted: Sequence[datetime]) -> tuple[Ask, ...]:
    by = schedule.start_by
    return tuple(Ask(at, None if by is None else at + by) for at in wanted)
