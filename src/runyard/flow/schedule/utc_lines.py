"""What a schedule in a zone is in UTC: other cron lines in summer than in winter.

A fixed UTC line is right for a part of the year only wherever clocks change; this says which line
is right when, and between which instants a fixed one would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from runyard.flow.schedule.clocks import changes, offset_at
from runyard.model.recurrence.nouns import (
    DAY_MINUTES,
    MONTH_DAYS,
    MONTHS,
    ORDINALS,
    WEEKDAYS,
    Calendar,
    Days,
)

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Season:
    """From `begin` to `end` the zone is `offset` ahead of UTC, and `lines` are the schedule in UTC.

    `lines` is empty when no cron line says it; `reason` tells why.
    """

    begin: datetime
    end: datetime
    offset: timedelta
    lines: tuple[str, ...]
    reason: str = ""


def seasons(calendar: Calendar, zone: tzinfo, begin: datetime, end: datetime) -> list[Season]:
    """The seasons between two instants, in order; neighbours have different offsets."""
    edges = [begin, *(change.at for change in changes(zone, begin, end) if change.at < end), end]
    found = []
    for here, there in pairwise(edges):
        offset = offset_at(here, zone)
        lines, reason = utc_lines(calendar, offset)
        found.append(Season(here, there, offset, lines, reason))
    return found


def utc_lines(calendar: Calendar, offset: timedelta) -> tuple[tuple[str, ...], str]:
    """Cron lines in UTC for a zone that is `offset` ahead of it; else no line, and why not."""
    if offset % _MINUTE:
        return (), "its offset is no whole minute"
    by_shift: dict[int, list[int]] = {}
    for minutes in calendar.times:
        shift, in_utc = divmod(minutes - offset // _MINUTE, DAY_MINUTES)
        by_shift.setdefault(shift, []).append(in_utc)
    if calendar.days == Days():  # the same every day: what day it is in UTC does not matter
        by_shift = {0: sorted(minutes for group in by_shift.values() for minutes in group)}
    lines: list[str] = []
    for shift, times in sorted(by_shift.items()):
        days = _days(calendar.days, shift)
        if days is None:
            return (), _why_not(calendar.days, shift)
        lines += [f"{clock} {days}" for clock in _clocks(times)]
    return tuple(lines), ""


def _days(days: Days, shift: int) -> str | None:
    """The three day fields, `shift` days later; None when cron cannot say it."""
    if days.ordinals != ORDINALS:
        return None
    shiftable = days.months == MONTHS and days.month_days == MONTH_DAYS
    if shift and not shiftable:
        return None
    if not days.either and days.month_days != MONTH_DAYS and days.weekdays != WEEKDAYS:
        return None
    weekdays = frozenset((day + shift) % 7 for day in days.weekdays)
    fields = (
        _field(days.month_days, MONTH_DAYS),
        _field(days.months, MONTHS),
        _field(weekdays, WEEKDAYS),
    )
    return " ".join(fields)


def _why_not(days: Days, shift: int) -> str:
    if days.ordinals != ORDINALS:
        return "cron cannot say which of its weekday in the month a day is"
    if shift:
        side = "the day after" if shift > 0 else "the day before"
        return f"in UTC it is {side}, which cron cannot say of days of a month"
    return "cron takes the day of the month or the weekday, not both together"


def _clocks(times: list[int]) -> list[str]:
    """Minute and hour fields that make exactly these times, as few as there are."""
    hours_of: dict[int, set[int]] = {}
    for minutes in times:
        hours_of.setdefault(minutes % 60, set()).add(minutes // 60)
    minutes_of: dict[frozenset[int], set[int]] = {}
    for minute, hours in hours_of.items():
        minutes_of.setdefault(frozenset(hours), set()).add(minute)
    every_minute, every_hour = frozenset(range(60)), frozenset(range(24))
    return sorted(
        f"{_field(frozenset(minutes), every_minute)} {_field(hours, every_hour)}"
        for hours, minutes in minutes_of.items()
    )


def _field(numbers: frozenset[int], every: frozenset[int]) -> str:
    """A cron field: `*`, a step, or a list with ranges."""
    if numbers == every:
        return "*"
    ordered = sorted(numbers)
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    if len(run) > 2:
        return f"{run[0]}-{run[-1]}"
    return ",".join(map(str, run))
