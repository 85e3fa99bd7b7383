"""How many runs start, and how many are out, in each minute of a region. Pure.

A run is out in each minute that it touches, which is never less than there are at an instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from math import ceil

from runyard.flow.schedule.placing import JobKey, Look, Pace, Placed
from runyard.model.instants import to_micros
from runyard.model.recurrence.nouns import DAY_MINUTES

_MINUTE_MICROS = 60_000_000
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Peak:
    """The most there are at once, and the first minute in which that is so."""

    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RegionLoad:
    """What a region has to bear. `typical` and `high`: runs that are out at once, when each takes
    as long as the middle one did, and as 19 of 20 stay below."""

    name: str
    runs: int
    starts: Peak
    typical: Peak
    high: Peak


@dataclass(slots=True)
class Board:
    """The minutes of a region: `starts`, and by how many more or less runs are out than in the
    minute before. What is even is beside them."""

    minutes: int
    runs: int = 0
    even_starts: float = 0.0
    even_typical: int = 0
    even_high: int = 0
    starts: list[int] = field(default_factory=list)
    typical: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts = [0] * self.minutes
        self.typical = [0] * (self.minutes + 1)
        self.high = [0] * (self.minutes + 1)

    def add(self, one: Placed, pace: Pace, first: int) -> None:
        """Put a trigger's runs of one region on it. `first`: the minute since 1970 it begins at."""
        self.runs += one.asks
        self._even(one, pace)
        starts, minutes = self.starts, self.minutes
        for at in one.starts:
            minute = at // 60 - first
            if minute < minutes:
                starts[minute] += 1
        _occupy(self.typical, one, pace.typical_seconds, first)
        _occupy(self.high, one, pace.high_seconds, first)

    def _even(self, one: Placed, pace: Pace) -> None:
        if one.even_a_day:
            a_second = one.even_a_day / (DAY_MINUTES * 60)
            self.even_starts += a_second * 60
            most = 1 if one.alone else None
            self.even_typical += most or max(1, ceil(a_second * pace.typical_seconds))
            self.even_high += most or max(1, ceil(a_second * pace.high_seconds))


def _occupy(out: list[int], one: Placed, seconds: float, first: int) -> None:
    size = len(out) - 1
    free = 0
    for at in one.starts:
        begin = max(at // 60 - first, free)
        end = min(int(at + seconds) // 60 - first + 1, size)
        if begin < end:
            out[begin] += 1
            out[end] -= 1
            if one.alone:
                free = end


def first_minute(seen: Look) -> int:
    """The minute since 1970 that boards begin at."""
    return to_micros(seen.begin) // _MINUTE_MICROS


def boards(placed: Iterable[Placed], paces: Mapping[JobKey, Pace], seen: Look) -> dict[str, Board]:
    """The boards of all regions in which something is asked for."""
    found: dict[str, Board] = {}
    first = first_minute(seen)
    for one in placed:
        for region in one.regions:
            if region not in found:
                found[region] = Board(seen.looked_days * DAY_MINUTES)
            found[region].add(one, paces[one.job], first)
    return found


def load(region: str, board: Board, seen: Look) -> RegionLoad:
    """What is on a board, in a few figures."""
    begin = seen.begin.replace(second=0, microsecond=0)

    def peak(counts: Iterable[int], even: float) -> Peak:
        values = list(counts)
        most = max(values)
        return Peak(most + ceil(even), begin + values.index(most) * _MINUTE)

    return RegionLoad(
        region,
        board.runs,
        peak(board.starts, board.even_starts),
        peak(accumulate(board.typical[:-1]), board.even_typical),
        peak(accumulate(board.high[:-1]), board.even_high),
    )
