"""Instants of schedules: held against the tables of what others get wrong, and against a slow
reference that walks through every minute, in all zones whose clocks change from 2020 to 2040."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.schedule.clocks import Change, changes
from runyard.flow.schedule.instants import Timetable, instants, next_after
from runyard.flow.schedule.preview import preview
from runyard.flow.schedule.utc_lines import Season, seasons, utc_lines
from runyard.model.recurrence.nouns import Calendar, Dst, Gap, Overlap
from runyard.model.recurrence.reading import read

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days(text: str, begin: str, end: str, dst: Dst | None = None) -> list[str]:
    table = Timetable(read(text), BERLIN, dst or Dst())
    found = instants(table, at(begin))
    return [f"{one:%d %H:%M}" for one in _until(found, at(end))]


def _until(found: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for one in found:
        if one > end:
            return
        yield one


SPRING, AUTUMN = ("2026-03-28T22:59", "2026-03-29T02:59"), ("2026-10-24T21:59", "2026-10-25T03:59")


@pytest.mark.parametrize(
    ("text", "span", "found"),
    [
        # a wall-clock job once, whatever happens; a job of intervals at every real one
        ("30 2 * * *", SPRING, ["29 01:00"]),
        ("30 2 * * *", AUTUMN, ["25 00:30"]),
        ("0 * * * *", SPRING, ["28 23:00", "29 00:00", "29 01:00", "29 02:00"]),
        ("0 * * * *", AUTUMN, ["24 22:00", "24 23:00", "25 00:00", "25 01:00", "25 02:00",
                               "25 03:00"]),
        ("*/30 2-3 * * *", AUTUMN, ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00",
                                    "25 02:30"]),
        ("*/30 2-3 * * *", SPRING, ["29 01:00", "29 01:30"]),
        ("0,30 2 * * *", SPRING, ["29 01:00"]),
        ("0 2,3 * * *", SPRING, ["29 01:00"]),
        ("every 30m", SPRING, ["28 23:00", "28 23:30", "29 00:00", "29 00:30", "29 01:00",
                               "29 01:30", "29 02:00", "29 02:30"]),
    ],
)  # fmt: skip
def test_changes_of_clocks_as_one_would_have_them(
    text: str, span: tuple[str, str], found: list[str]
) -> None:
    assert days(text, *span) == found


def test_the_rule_can_be_chosen() -> None:
    assert days("30 2 * * *", *SPRING, Dst(gap=Gap.SKIP)) == []
    assert days("30 2 * * *", *AUTUMN, Dst(overlap=Overlap.SECOND)) == ["25 01:30"]
    assert days("30 2 * * *", *AUTUMN, Dst(overlap=Overlap.BOTH)) == ["25 00:30", "25 01:30"]
    assert days("0 * * * *", *SPRING, Dst(gap=Gap.RUN_AFTER)) == days("0 * * * *", *SPRING)
    assert days("*/30 2 * * *", *AUTUMN, Dst(overlap=Overlap.FIRST)) == ["25 00:00", "25 00:30"]


def test_a_day_whose_time_is_skipped_does_not_take_the_one_before_it_away() -> None:
    span = ("2026-03-28T00:00", "2026-03-30T12:00")
    assert days("30 2 * * *", *span, Dst(gap=Gap.SKIP)) == ["28 01:30", "30 00:30"]


def test_clocks_that_go_back_to_yesterday_have_midnight_before_half_past_eleven() -> None:
    """In Newfoundland, from 00:01 to 23:01, until 2011."""
    table = Timetable(read("*/30 * * * *"), ZoneInfo("America/St_Johns"))
    found = islice(instants(table, at("2010-11-07T01:45")), 4)
    assert [f"{one:%H:%M}" for one in found] == ["02:00", "02:30", "03:00", "03:30"]


def test_days_that_are_rare_come() -> None:
    utc = Timetable(read("0 0 29 2 *"), UTC)
    assert next_after(utc, at("2096-03-01T00:00")) == at("2104-02-29T00:00")
    weekday = Timetable(read("0 0 */29 2 0"), UTC)  # the 1st or the 29th, and a Sunday
    assert next_after(weekday, at("2026-02-02T00:00")) == at("2032-02-01T00:00")
    year_end = Timetable(read("59 23 31 12 *"), ZoneInfo("Asia/Tokyo"))
    assert next_after(year_end, at("2026-12-31T15:00")) == at("2027-12-31T14:59")


def test_a_day_that_a_zone_skipped_runs_after_it() -> None:
    """Samoa had no 30th of December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    daily = Timetable(read("0 12 * * *"), apia)
    found = list(islice(instants(daily, at("2011-12-29T00:00")), 3))
    assert found == [at("2011-12-29T22:00"), at("2011-12-30T10:00"), at("2011-12-30T22:00")]


def test_there_is_an_end_of_time() -> None:
    assert next_after(Timetable(read("0 0 * * *"), UTC), at("9999-12-31T23:59")) is None
    assert next_after(Timetable(read("every 1h"), UTC), at("9999-12-31T23:59")) is None
    assert list(instants(Timetable(read("0 0 31 12 *"), UTC), at("9999-12-01T00:00"))) == []


def test_a_period_counts_from_its_anchor() -> None:
    table = Timetable(read("every 7m"), BERLIN, anchor=at("2026-01-01T00:03"))
    found = islice(instants(table, at("2026-01-01T00:03")), 3)
    assert [f"{one:%H:%M}" for one in found] == ["00:10", "00:17", "00:24"]
    assert next_after(table, at("2025-12-31T23:59")) == at("2026-01-01T00:03")


# -- the slow reference --
YEARS = (at("2020-01-01T00:00"), at("2040-01-01T00:00"))


@lru_cache(maxsize=1)
def zones_with_changes() -> list[tuple[str, Change]]:
    """One zone for each kind of change that there is: the hour, by how much, from what."""
    kinds: dict[tuple[object, ...], tuple[str, Change]] = {}
    for name in sorted(available_timezones() - {"localtime"}):
        for change in changes_of(ZoneInfo(name)):
            ahead = change.before - change.at.replace(tzinfo=None)
            kind = (change.before.time(), change.after - change.before, ahead)
            kinds.setdefault(kind, (name, change))
    return [kinds[kind] for kind in sorted(kinds, key=str)]


def changes_of(zone: ZoneInfo) -> Iterator[Change]:
    """Only weeks with a change are looked at closely; none is undone within a week."""
    week, (begin, end) = timedelta(days=7), YEARS
    while begin < end:
        if begin.astimezone(zone).utcoffset() != (begin + week).astimezone(zone).utcoffset():
            yield from changes(zone, begin, begin + week)
        begin += week


def slow(table: Timetable, begin: datetime, end: datetime) -> list[datetime]:
    """Every minute of UTC is looked at; skipped times are looked for one by one."""
    calendar = table.recurrence
    assert isinstance(calendar, Calendar)
    seen: dict[datetime, list[datetime]] = {}
    step = begin - timedelta(hours=25)
    while step <= end + timedelta(hours=4):  # what comes twice comes again within three hours
        local = step.astimezone(table.zone).replace(tzinfo=None, fold=0)
        seen.setdefault(local, []).append(step)
        step += MINUTE
    found = set()
    for local, when in seen.items():
        if _meant(calendar, local):
            found.update(
                {Overlap.FIRST: when[:1], Overlap.SECOND: when[-1:]}.get(table.overlap, when)
            )
    if table.gap is Gap.RUN_AFTER:
        found.update(_after_gaps(calendar, seen))
    return sorted(one for one in found if begin < one <= end)


def _after_gaps(calendar: Calendar, seen: dict[datetime, list[datetime]]) -> Iterator[datetime]:
    local, last = min(seen), max(seen)
    skipped = False
    while local <= last:
        if local in seen:
            if skipped:
                yield min(seen[local])
            skipped = False
        else:
            skipped = skipped or _meant(calendar, local)
        local += MINUTE


def _meant(calendar: Calendar, local: datetime) -> bool:
    return local.hour * 60 + local.minute in calendar.times and calendar.days.has(local.date())


SCHEDULES = ["*/7 * * * *", "0 0 * * *", "30 2 * * *", "15 */3 * * 0,6", "0,30 23 * * *",
             "1 0 1-7 * 1"]  # fmt: skip
RULES = [Dst(gap, overlap) for gap in Gap for overlap in Overlap]


def test_there_are_many_kinds_of_change() -> None:
    assert len(zones_with_changes()) >= 40


@pytest.mark.parametrize("text", SCHEDULES)
def test_every_kind_of_change_of_every_zone_is_as_the_slow_reference_has_it(text: str) -> None:
    for number, (name, change) in enumerate(zones_with_changes()):
        dst = RULES[number % len(RULES)]
        _compare(text, name, change, dst)


@given(
    st.sampled_from(zones_with_changes()),
    st.sampled_from(SCHEDULES),
    st.sampled_from(RULES),
    st.integers(-1500, 1500),
)
def test_from_any_minute_around_a_change(
    place: tuple[str, Change], text: str, dst: Dst, minutes: int
) -> None:
    name, change = place
    table = Timetable(read(text), ZoneInfo(name), dst)
    begin = change.at + minutes * MINUTE
    end = begin + timedelta(hours=6)
    assert list(_until(instants(table, begin), end)) == slow(table, begin, end)


def _compare(text: str, name: str, change: Change, dst: Dst) -> None:
    table = Timetable(read(text), ZoneInfo(name), dst)
    begin, end = change.at - timedelta(hours=14), change.at + timedelta(hours=14)
    found = list(_until(instants(table, begin), end))
    assert found == slow(table, begin, end), f"{text} in {name} at {change.at} by {dst}"


@given(
    st.sampled_from([*SCHEDULES, "every 90s", "2nd tue of month 2:30", "29 of feb 12:00"]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.datetimes(naive("1970-01-01T00:00"), naive("2400-01-01T00:00")),
)
def test_the_next_instant_is_always_later_and_none_is_left_out(
    text: str, zone: str, moment: datetime
) -> None:
    table = Timetable(read(text), ZoneInfo(zone))
    begin = moment.replace(tzinfo=UTC)
    first, second, third = islice(instants(table, begin), 3)
    assert begin < first < second < third
    assert next_after(table, first - timedelta(microseconds=1)) == first
    assert next_after(table, first) == second


# -- changes, previews, lines in UTC --
@given(st.datetimes(naive("2026-10-24T00:00"), naive("2026-10-25T00:59")))
def test_a_change_is_found_from_wherever_it_is_looked_for(moment: datetime) -> None:
    begin = moment.replace(tzinfo=UTC)
    (change,) = changes(BERLIN, begin, begin + timedelta(days=2, microseconds=7))
    assert change == Change(
        at("2026-10-25T01:00"), naive("2026-10-25T03:00"), naive("2026-10-25T02:00")
    )
    assert not change.forward


def test_a_preview_tells_what_the_next_two_changes_do() -> None:
    seen = preview(Timetable(read("30 2,4 * * *"), BERLIN), at("2026-03-28T12:00"), 3)
    assert [f"{one:%d %H:%M}" for one in seen.instants] == ["29 01:00", "29 02:30", "30 00:30"]
    spring, autumn = seen.transitions
    assert spring.change.forward
    (skipped,) = spring.touched
    assert (skipped.local.time(), skipped.instants) == (time(2, 30), (at("2026-03-29T01:00"),))
    (twice,) = autumn.touched
    assert twice.instants == (at("2026-10-25T00:30"),)
    assert (seen.gap, seen.overlap) == (Gap.RUN_AFTER, Overlap.FIRST)


def test_a_preview_of_what_no_change_touches() -> None:
    seen = preview(Timetable(read("every 1h"), BERLIN), at("2026-03-28T12:00"), 1)
    assert [transition.touched for transition in seen.transitions] == [(), ()]
    assert preview(Timetable(read("0 9 * * *"), UTC), at("2026-03-28T12:00"), 1).transitions == ()
    monday = preview(Timetable(read("30 2 * * 1"), BERLIN), at("2026-03-28T12:00"), 1)
    assert monday.transitions[0].touched == ()


def test_the_edges_of_a_change_are_touched_as_clocks_show_them() -> None:
    """At its beginning clocks show another time at once; at its end they do as always."""
    dst = Dst(Gap.SKIP, Overlap.SECOND)
    seen = preview(Timetable(read("0 2,3 * * *"), BERLIN, dst), at("2026-03-28T12:00"), 1)
    assert [[each.local.hour for each in one.touched] for one in seen.transitions] == [[2], [2]]
    spring, autumn = (one.touched[0].instants for one in seen.transitions)
    assert (spring, autumn) == ((), (at("2026-10-25T01:00"),))
    assert (seen.gap, seen.overlap) == (Gap.SKIP, Overlap.SECOND)


def test_a_change_over_midnight_touches_both_days() -> None:
    """As in Greenland, whose clocks go back at midnight."""
    name, change = next(
        (name, change)
        for name, change in zones_with_changes()
        if change.before.date() != change.after.date() and not change.forward
    )
    begin = change.at - timedelta(days=1)
    seen = preview(Timetable(read("*/30 * * * *"), ZoneInfo(name)), begin, 1)
    assert seen.transitions[0].touched


@pytest.mark.parametrize(
    ("text", "hours", "lines"),
    [
        ("0 9 * * 1-5", -5, ("0 14 * * 1-5",)),
        ("0 9 * * 1-5", -4, ("0 13 * * 1-5",)),
        ("0 20 * * 5", -5, ("0 1 * * 6",)),
        ("0 20 * * 6", -5, ("0 1 * * 0",)),
        ("0 3 * * 0", 9, ("0 18 * * 6",)),
        ("0 3,12 * * 1", 9, ("0 18 * * 0", "0 3 * * 1")),
        ("0 3,12 * * *", 9, ("0 3,18 * * *",)),
        ("*/15 * * * *", 1, ("0,15,30,45 * * * *",)),
        ("0 9-17 1 * *", 1, ("0 8-16 1 * *",)),
        ("*/30 9-10 * * *", 5.5, ("0 4,5 * * *", "30 3,4 * * *")),
        ("0 12 1 * 1", 1, ("0 11 1 * 1",)),
        ("* * * 6 *", 0, ("* * * 6 *",)),
    ],
)
def test_lines_in_utc(text: str, hours: float, lines: tuple[str, ...]) -> None:
    calendar = read(text)
    assert isinstance(calendar, Calendar)
    assert utc_lines(calendar, timedelta(hours=hours)) == (lines, "")


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ("0 3 1 * *", timedelta(hours=9), "the day before"),
        ("0 20 1 * *", timedelta(hours=-9), "the day after"),
        ("0 20 * 6 *", timedelta(hours=-9), "the day after"),
        ("1st mon of month 9:00", timedelta(), "which of its weekday"),
        ("0 0 */2 * 1", timedelta(), "not both"),
        ("0 9 * * *", timedelta(seconds=3208), "no whole minute"),
    ],
)
def test_what_no_line_in_utc_says(text: str, offset: timedelta, reason: str) -> None:
    calendar = read(text)
    assert isinstance(calendar, Calendar)
    lines, why = utc_lines(calendar, offset)
    assert lines == ()
    assert reason in why


@given(
    st.sampled_from(
        ["0 9 * * 1-5", "30 23 * * 0", "*/20 1-3 * * *", "5 0,12 * * 2,4", "0 0 * * *"]
    ),
    st.integers(-14 * 60, 14 * 60),
    st.dates(date(2024, 1, 1), date(2030, 1, 1)),
)
def test_a_line_in_utc_is_due_when_the_schedule_is(text: str, minutes: int, day: date) -> None:
    calendar = read(text)
    assert isinstance(calendar, Calendar)
    offset = timedelta(minutes=minutes)
    lines, _ = utc_lines(calendar, offset)
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=8)
    there = Timetable(calendar, timezone(offset))
    local = list(_until(instants(there, begin), end))
    in_utc = {
        one for line in lines for one in _until(instants(Timetable(read(line), UTC), begin), end)
    }
    assert sorted(in_utc) == local


def test_seasons_of_new_york() -> None:
    calendar = read("0 9 * * 1-5")
    assert isinstance(calendar, Calendar)
    zone = ZoneInfo("America/New_York")
    found = seasons(calendar, zone, at("2026-11-26T00:00"), at("2027-11-26T00:00"))
    assert [season.lines for season in found] == [
        ("0 14 * * 1-5",),
        ("0 13 * * 1-5",),
        ("0 14 * * 1-5",),
    ]
    assert found[0].end == found[1].begin == at("2027-03-14T07:00")
    (all_year,) = seasons(calendar, UTC, at("2026-11-26T00:00"), at("2027-11-26T00:00"))
    assert all_year.lines == ("0 9 * * 1-5",)


def test_a_season_ends_where_clocks_change_and_says_why_it_has_no_line() -> None:
    calendar = read("0 1,2,3 1 * *")
    assert isinstance(calendar, Calendar)
    begin, change = at("2026-11-26T00:00"), at("2027-03-14T07:00")
    (winter,) = seasons(calendar, ZoneInfo("America/New_York"), begin, change)
    hours = timedelta(hours=-5)
    assert winter == Season(begin, change, hours, ("0 6-8 1 * *",))
    late = read("0 23 1 * *")
    assert isinstance(late, Calendar)
    why = "in UTC it is the day after, which cron cannot say of days of a month"
    found = seasons(late, ZoneInfo("America/New_York"), begin, change)
    assert found == [Season(begin, change, hours, (), why)]
