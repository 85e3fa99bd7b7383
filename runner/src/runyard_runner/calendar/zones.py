"""How a time zone's clock goes in a span of time: its offsets, and when they change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_STEP = timedelta(hours=6)  #: shorter than any offset has lasted
_SHORTEST_SEASON = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of one offset: from `start_at` (inclusive) to `end_at`, both UTC."""

    start_at: datetime
    end_at: datetime
    offset: timedelta
    name: str
    is_shifted: bool  #: by daylight saving time

    @property
    def utc(self) -> str:
        """The offset as people write it: `UTC-5`, `UTC+5:30`."""
        minutes = self.offset // timedelta(minutes=1)
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def periods(zone: tzinfo, start_at: datetime, end_at: datetime) -> tuple[Period, ...]:
    """The stretches between two instants, in order, without a gap."""
    return tuple(_periods(zone, start_at.astimezone(UTC), end_at.astimezone(UTC)))


def _periods(zone: tzinfo, start_at: datetime, end_at: datetime) -> Iterator[Period]:
    began = at = start_at
    while at < end_at:
        following = min(at + _STEP, end_at)
        if _offset(zone, following) != _offset(zone, began):
            following = _change(zone, at, following)
            yield _period(zone, began, following)
            began = following
        at = following
    if began < end_at:
        yield _period(zone, began, end_at)


def _period(zone: tzinfo, start_at: datetime, end_at: datetime) -> Period:
    there = start_at.astimezone(zone)
    is_shifted = bool(there.dst())
    return Period(start_at, end_at, _offset(zone, start_at), there.tzname() or "", is_shifted)


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second from which on the offset is that of `after`."""
    new = _offset(zone, after)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        middle = max(middle, before + timedelta(seconds=1))
        if _offset(zone, middle) == new:
            after = middle
        else:
            before = middle
    return after


def season(period: Period, all_periods: tuple[Period, ...]) -> str:
    """`winter`, `summer`, `all year`, or nothing where the clock changes for another reason."""
    offsets = {each.offset for each in all_periods}
    if len(offsets) == 1:
        return "all year"
    inner = all_periods[1:-1]
    has_seasons = (
        len(offsets) == 2
        and any(each.is_shifted for each in all_periods)
        and all(each.end_at - each.start_at >= _SHORTEST_SEASON for each in inner)
    )
    if not has_seasons:
        return ""
    return "summer" if period.offset == max(offsets) else "winter"
