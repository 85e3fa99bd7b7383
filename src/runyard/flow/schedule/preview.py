"""What a timetable will do: its next instants, and what the next changes of clocks do to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import islice

from runyard.flow.schedule.clocks import Change, changes, instants_of
from runyard.flow.schedule.instants import Timetable, instants
from runyard.model.recurrence.nouns import Calendar, Gap, Overlap

CHANGES_SHOWN = 2
_ZONES_KEPT = 64
_YEARS = timedelta(days=2 * 366)  #: a zone that changes at all changes within a year
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Touched:
    """A local time of the schedule that a change skips or makes come twice, and when it happens."""

    local: datetime
    instants: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of clocks and the times of the schedule that it touches, if any."""

    change: Change
    touched: tuple[Touched, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The next instants (UTC, ascending), the next two transitions, the rules in force."""

    instants: tuple[datetime, ...]
    transitions: tuple[Transition, ...]
    gap: Gap
    overlap: Overlap


def preview(table: Timetable, after: datetime, count: int) -> Preview:
    """What happens after `after`: `count` instants, fewer when there are no more."""
    coming = _coming(table.zone, after)
    return Preview(
        instants=tuple(islice(instants(table, after), count)),
        transitions=tuple(Transition(change, _touched(table, change)) for change in coming),
        gap=table.gap,
        overlap=table.overlap,
    )


@lru_cache(maxsize=_ZONES_KEPT)
def _coming(zone: tzinfo, after: datetime) -> tuple[Change, ...]:
    """The next changes of clocks. Kept, since many schedules are looked at from one instant."""
    return tuple(islice(changes(zone, after, after + _YEARS), CHANGES_SHOWN))


def _touched(table: Timetable, change: Change) -> tuple[Touched, ...]:
    calendar = table.recurrence
    if not isinstance(calendar, Calendar):
        return ()
    begin, end = sorted((change.before, change.after))
    found = []
    day = begin.date()
    while day <= end.date():
        midnight = datetime.combine(day, time())
        times = (midnight + minutes * _MINUTE for minutes in calendar.times)
        fitting = [at for at in times if begin <= at < end and calendar.days.has(day)]
        found += [
            Touched(at, instants_of(at, table.zone, table.gap, table.overlap)) for at in fitting
        ]
        day += _DAY
    return tuple(found)
