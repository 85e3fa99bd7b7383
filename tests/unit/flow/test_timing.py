"""When a schedule is due, within windows and dates, and with jitter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.schedule.clocks import local_of
from runyard.flow.schedule.instants import Timetable, instants
from runyard.flow.schedule.timing import Timing, Window
from runyard.model.recurrence.reading import read

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 20, tzinfo=UTC)


def timing(text: str, **rest: Any) -> Timing:
    return Timing(Timetable(read(text), BERLIN, anchor=BEGIN), trigger="a/b/c/d", **rest)


def locals_of(one: Timing, count: int, after: datetime = BEGIN) -> list[str]:
    found = islice(one.instants(after), count)
    return [f"{local_of(each, BERLIN):%a %H:%M}" for each in found]


OFFICE = Window(8 * 60, 10 * 60, frozenset((1, 2, 3, 4, 5)))
NIGHT = Window(22 * 60, 2 * 60, frozenset((5,)))  # Friday's night


def test_windows_leave_only_what_is_in_them() -> None:
    found = locals_of(timing("30 * * * *", windows=(OFFICE,)), 4)
    assert found == ["Fri 08:30", "Fri 09:30", "Mon 08:30", "Mon 09:30"]


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    found = locals_of(timing("0 * * * *", windows=(NIGHT,)), 5)
    assert found == ["Fri 22:00", "Fri 23:00", "Sat 00:00", "Sat 01:00", "Fri 22:00"]


def test_windows_add_up() -> None:
    found = locals_of(timing("0 * * * *", windows=(OFFICE, NIGHT)), 7)
    assert found == [
        "Fri 08:00", "Fri 09:00", "Fri 22:00", "Fri 23:00", "Sat 00:00", "Sat 01:00", "Mon 08:00",
    ]  # fmt: skip


def test_the_next_window_may_open_late_on_the_same_day() -> None:
    evening = (Window(20 * 60, 20 * 60 + 30), Window(22 * 60, 23 * 60))
    assert locals_of(timing("45 * * * *", windows=evening), 2) == ["Fri 22:45", "Sat 22:45"]


def test_windows_that_no_instant_falls_into_leave_none() -> None:
    assert timing("0 12 * * *", windows=(OFFICE,)).next_after(BEGIN) is None


def test_dates_bound_it_and_the_end_is_outside() -> None:
    one = timing(
        "0 9 * * *",
        start_at=datetime(2026, 3, 22, 8, tzinfo=UTC),
        end_at=datetime(2026, 3, 24, 8, tzinfo=UTC),
    )
    assert locals_of(one, 9) == ["Sun 09:00", "Mon 09:00"]


def test_a_schedule_that_never_comes_again_has_no_instant() -> None:
    late = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert timing("0 9 29 2 *").next_after(late) is None


def test_jitter_is_the_same_wherever_it_is_reckoned_and_differs_between_triggers() -> None:
    jitter = timedelta(minutes=10)
    one, again = timing("0 9 * * *", jitter=jitter), timing("0 9 * * *", jitter=jitter)
    other = Timing(one.table, trigger="a/b/c/e", jitter=jitter)
    found = list(islice(one.instants(BEGIN), 50))
    assert [one.due_at(at) for at in found] == [again.due_at(at) for at in found]
    assert [one.due_at(at) for at in found] != [other.due_at(at) for at in found]
    assert all(at <= one.due_at(at) < at + jitter for at in found)
    spread = {(one.due_at(at) - at) // timedelta(minutes=1) for at in found}
    assert len(spread) >= 8
    assert timing("0 9 * * *").due_at(found[0]) == found[0]


TEXTS = st.sampled_from(["*/7 * * * *", "0 * * * *", "30 2 * * *", "every 45m", "every 5h"])
WINDOWS = st.lists(
    st.builds(
        Window,
        st.integers(0, 1439),
        st.integers(1, 1440),
        st.frozensets(st.integers(0, 6), min_size=1),
    ).filter(lambda one: one.begin != one.until),
    min_size=1,
    max_size=3,
).map(tuple)


@given(TEXTS, WINDOWS, st.integers(0, 400))
def test_jumping_from_window_to_window_finds_what_looking_at_all_of_them_does(
    text: str, windows: tuple[Window, ...], days: int
) -> None:
    one = timing(text, windows=windows)
    after = BEGIN + timedelta(days=days)
    end = after + timedelta(days=9)
    every = instants(one.table, after)
    slow = []
    for at in every:
        if at > end:
            break
        if any(window.has(local_of(at, BERLIN)) for window in windows):
            slow.append(at)
    quick = []
    for at in one.instants(after):
        if at > end:
            break
        quick.append(at)
    assert quick == slow
