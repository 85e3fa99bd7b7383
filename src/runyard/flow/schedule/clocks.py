"""Clocks on a wall: which instants a local time is, and when clocks change.

A zone tells two offsets for a local time, by `fold` (PEP 495): the same twice for a time that
comes once, the greater one first for a time that comes twice, the smaller one first for a time
that is skipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from runyard.model.recurrence.nouns import Gap, Overlap

_SECOND = timedelta(seconds=1)
_STEP = timedelta(days=1)  #: between two looks for a change; no zone changes to and fro in a day


@dataclass(frozen=True, slots=True)
class Change:
    """Clocks change at the instant `at`: they show `before`, and at once `after`."""

    at: datetime
    before: datetime
    after: datetime

    @property
    def forward(self) -> bool:
        """True when times are skipped, False when times come twice."""
        return self.after > self.before


def offset_at(instant: datetime, zone: tzinfo) -> timedelta:
    """How far the zone's clocks are ahead of UTC at an instant."""
    return instant.astimezone(zone).utcoffset() or timedelta()


def offsets(local: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """The two offsets of a local time, by fold."""
    zoned = local.replace(tzinfo=zone)
    first = zoned.utcoffset() or timedelta()
    return first, zoned.replace(fold=1).utcoffset() or timedelta()


def local_of(instant: datetime, zone: tzinfo) -> datetime:
    """What clocks show at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def instants_of(local: datetime, zone: tzinfo, gap: Gap, overlap: Overlap) -> tuple[datetime, ...]:
    """The instants, ascending, at which what is meant for a local time happens: two at most."""
    first, second = offsets(local, zone)
    aware = local.replace(tzinfo=UTC, fold=0)
    if first == second:
        return (aware - first,)
    if first < second:
        if gap is Gap.SKIP:
            return ()
        return (_change(aware - second, aware - first, zone),)
    twice = (aware - first, aware - second)
    return {Overlap.FIRST: twice[:1], Overlap.SECOND: twice[1:]}.get(overlap, twice)


def changes(zone: tzinfo, begin: datetime, end: datetime) -> Iterator[Change]:
    """The changes of clocks after `begin`, to `end` included."""
    here, before = begin, offset_at(begin, zone)
    while here < end:
        there = min(here + _STEP, end)
        after = offset_at(there, zone)
        if before != after:
            at = _change(here, there, zone)
            naive = at.replace(tzinfo=None)
            yield Change(at, naive + before, naive + after)
        here, before = there, after


def _change(begin: datetime, end: datetime, zone: tzinfo) -> datetime:
    """The instant in (begin, end] at which the offset becomes another; the two offsets differ.

    Zones change at whole seconds.
    """
    before = offset_at(begin, zone)
    first = begin.replace(microsecond=0)
    low, high = 0, math.ceil((end - first) / _SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(first + middle * _SECOND, zone) == before:
            low = middle
        else:
            high = middle
    return first + high * _SECOND
