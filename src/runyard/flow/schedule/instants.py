"""The instants of a recurrence.

Defaults for changes of clocks: what is meant for a time of day (`0 9 * * *`) happens once, at the
end of the gap where its time is skipped, and the first time where it comes twice. What recurs all
the time (`*/15 * * * *`) follows the real intervals: skipped times do not come, and those that
come twice count twice. `Every` knows no clocks at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from runyard.flow.schedule.clocks import instants_of, local_of, offsets
from runyard.model.recurrence.nouns import Calendar, Dst, Every, Gap, Overlap, Recurrence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
YEARS_AHEAD = 41
"""How far the next day is looked for. The rarest, a 29th of February on one weekday, comes again
after 40 years at the latest, over a century that is no leap year."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """A recurrence in a zone. `anchor`: what an `Every` counts from."""

    recurrence: Recurrence
    zone: tzinfo
    dst: Dst = Dst()
    anchor: datetime = EPOCH

    @property
    def gap(self) -> Gap:
        """The rule for times that are skipped."""
        return self.dst.gap or (Gap.RUN_AFTER if self._by_clock else Gap.SKIP)

    @property
    def overlap(self) -> Overlap:
        """The rule for times that come twice."""
        return self.dst.overlap or (Overlap.FIRST if self._by_clock else Overlap.BOTH)

    @property
    def _by_clock(self) -> bool:
        return isinstance(self.recurrence, Calendar) and self.recurrence.by_clock


def next_after(table: Timetable, after: datetime) -> datetime | None:
    """The first instant after `after` (aware). None: there is none that a date can hold."""
    try:
        if isinstance(table.recurrence, Every):
            return _next_period(table.recurrence, table.anchor, after)
        return _next_day(table, table.recurrence, after)
    except OverflowError:
        return None


def instants(table: Timetable, after: datetime) -> Iterator[datetime]:
    """All instants after `after`, ascending, each once."""
    found = next_after(table, after)
    while found is not None:
        yield found
        found = next_after(table, found)


def _next_period(every: Every, anchor: datetime, after: datetime) -> datetime:
    period = timedelta(seconds=every.seconds)
    return anchor + ((after - anchor) // period + 1) * period


def _next_day(table: Timetable, calendar: Calendar, after: datetime) -> datetime | None:
    """Looks from the day before on: what comes twice may come again when it is the next day. The
    day after the one that was found in may be earlier, for the same reason."""
    day = local_of(after, table.zone).date() - _DAY
    end = day.replace(year=min(day.year + YEARS_AHEAD, date.max.year), day=1)
    found: datetime | None = None
    while day < end:
        if calendar.days.has(day):
            candidate = _first_in(table, calendar, day, after)
            if found is not None:
                return found if candidate is None else min(found, candidate)
            found = candidate
        elif found is not None:
            return found
        day += _DAY
    return found


def _first_in(table: Timetable, calendar: Calendar, day: date, after: datetime) -> datetime | None:
    midnight = datetime.combine(day, time())
    ahead = (*offsets(midnight, table.zone), *offsets(midnight + _DAY, table.zone))
    least, most = min(ahead), max(ahead)
    start = midnight.replace(tzinfo=UTC)
    # No time of the day is later in UTC than with the smallest offset, none earlier than with the
    # greatest: only the few in between have to be looked at one by one, if clocks change at all.
    place = bisect_right(calendar.times, (after + least - start) / _MINUTE)
    if least == most:
        times = calendar.times[place : place + 1]
        return start - least + times[0] * _MINUTE if times else None
    found: datetime | None = None
    for minutes in calendar.times[place:]:
        local = midnight + minutes * _MINUTE
        if found is not None and start + minutes * _MINUTE - most >= found:
            break
        for instant in instants_of(local, table.zone, table.gap, table.overlap):
            if instant > after and (found is None or instant < found):
                found = instant
    return found
