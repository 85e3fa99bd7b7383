"""When a schedule is due: its timetable within its windows and dates, moved by its jitter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b

from runyard.flow.schedule.clocks import instants_of, local_of
from runyard.flow.schedule.instants import Timetable, next_after
from runyard.model.instants import to_micros
from runyard.model.recurrence.nouns import DAY_MINUTES, WEEKDAYS, Gap, Overlap

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_JUMPS_MAX = 800  #: of windows looked into for an instant: two years of days and some


@dataclass(frozen=True, slots=True)
class Window:
    """Times of day, local, from `begin` to before `until` (minutes), on weekdays (0 is Sunday).

    One that ends before it begins goes on into the next day.
    """

    begin: int = 0
    until: int = DAY_MINUTES
    weekdays: frozenset[int] = WEEKDAYS

    def has(self, local: datetime) -> bool:
        """True when a local time is in it."""
        minutes = local.hour * 60 + local.minute
        weekday = local.isoweekday() % 7
        if self.begin < self.until:
            return weekday in self.weekdays and self.begin <= minutes < self.until
        if minutes >= self.begin:
            return weekday in self.weekdays
        return minutes < self.until and (weekday - 1) % 7 in self.weekdays


@dataclass(frozen=True, slots=True)
class Timing:
    """A timetable and what narrows it. `jitter` (of zero or more) spreads starts; `trigger` is
    what makes it differ between triggers. `end_at` itself is not part of it."""

    table: Timetable
    trigger: str = ""
    windows: tuple[Window, ...] = ()
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter: timedelta = timedelta()

    def next_after(self, after: datetime) -> datetime | None:
        """The first instant after `after`; None when there is none, or none in two years of
        windows."""
        if self.start_at is not None and after < self.start_at:
            after = self.start_at - _MICROSECOND
        found = next_after(self.table, after)
        for _ in range(_JUMPS_MAX):
            if found is None or self._is_over(found):
                return None
            if self._is_open(found):
                return found
            found = next_after(self.table, self._next_opening(found) - _MICROSECOND)
        return None

    def instants(self, after: datetime) -> Iterator[datetime]:
        """All instants after `after`, ascending."""
        found = self.next_after(after)
        while found is not None:
            yield found
            found = self.next_after(found)

    def due_at(self, instant: datetime) -> datetime:
        """When the run of an instant is asked for: the same wherever it is reckoned."""
        if not self.jitter:
            return instant
        seed = f"{self.trigger}@{to_micros(instant)}".encode()
        chance = int.from_bytes(blake2b(seed, digest_size=8).digest()) / 2**64
        return instant + self.jitter * chance

    def _is_over(self, instant: datetime) -> bool:
        return self.end_at is not None and instant >= self.end_at

    def _is_open(self, instant: datetime) -> bool:
        if not self.windows:
            return True
        local = local_of(instant, self.table.zone)
        return any(window.has(local) for window in self.windows)

    def _next_opening(self, after: datetime) -> datetime:
        """The next instant after `after` at which a window opens; at least the next midnight, so
        that looking comes to an end."""
        today = local_of(after, self.table.zone).date()
        openings = [
            opening
            for day in (today, today + _DAY)
            for opening in self._openings(day)
            if opening > after
        ]
        return min(openings, default=after + _DAY)

    def _openings(self, day: date) -> Iterator[datetime]:
        midnight = datetime.combine(day, time())
        begins = {0, *(window.begin for window in self.windows)}
        for minutes in begins:
            local = midnight + minutes * _MINUTE
            yield from instants_of(local, self.table.zone, Gap.RUN_AFTER, Overlap.BOTH)
