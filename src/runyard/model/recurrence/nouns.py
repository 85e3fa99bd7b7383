"""The nouns: which days, at which times, or how often; and what a change of clocks does to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DAY_MINUTES = 24 * 60
MONTHS = frozenset(range(1, 13))
MONTH_DAYS = frozenset(range(1, 32))
WEEKDAYS = frozenset(range(7))  #: 0 is Sunday, as in cron
ORDINALS = frozenset(range(1, 6))  #: the first to the fifth of its weekday in a month
LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  #: days of each month, at most


class Gap(StrEnum):
    """What becomes of a time of day that is skipped when clocks go forward."""

    RUN_AFTER = "run_after"  # once, at the end of the gap
    SKIP = "skip"


class Overlap(StrEnum):
    """What becomes of a time of day that comes twice when clocks go back."""

    FIRST = "first"
    BOTH = "both"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Dst:
    """The rule for changes of clocks. None: what fits the recurrence (`flow.schedule`)."""

    gap: Gap | None = None
    overlap: Overlap | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the calendar. `either`: the day of the month or the weekday is enough (cron's rule
    when both are restricted); else both must fit."""

    months: frozenset[int] = MONTHS
    month_days: frozenset[int] = MONTH_DAYS
    weekdays: frozenset[int] = WEEKDAYS
    ordinals: frozenset[int] = ORDINALS
    either: bool = False

    def has(self, day: date) -> bool:
        """True when `day` is one of them."""
        if day.month not in self.months:
            return False
        of_month = day.day in self.month_days
        of_week = day.isoweekday() % 7 in self.weekdays and (day.day + 6) // 7 in self.ordinals
        return of_month or of_week if self.either else of_month and of_week

    @property
    def ever(self) -> bool:
        """False when no year has such a day, as the 30th of February."""
        if self.either:
            return True
        return any(min(self.month_days) <= LONGEST[month - 1] for month in self.months)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Times of day on days of the calendar. `times`: minutes since midnight, ascending, not empty.

    `by_clock`: meant for those times of a clock on a wall, as `0 9 * * *`; False when meant to
    recur all the time, as `*/15 * * * *` (cron: its minute or hour begins with `*`, the rule of
    Debian's cron).
    """

    days: Days
    times: tuple[int, ...]
    by_clock: bool = True


@dataclass(frozen=True, slots=True)
class Every:
    """Again whenever `seconds` of real time have gone by, counted from an anchor."""

    seconds: int


Recurrence = Calendar | Every


class NotARecurrence(ValueError):
    """A text that says no recurrence. `part` is what is wrong in it, `expected` what would be
    right, `hint` what to write instead, if that can be told."""

    def __init__(self, part: str, expected: str, hint: str = "") -> None:
        super().__init__(f"{part!r}: expected {expected}" + (f" ({hint})" if hint else ""))
        self.part = part
        self.expected = expected
        self.hint = hint
