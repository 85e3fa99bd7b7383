"""Schedules: policies that contradict each other, and what people are surprised by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from runyard.model.durations import seconds_of
from runyard.model.manifest.view import Data, JobView, mapping, text, whole
from runyard.model.recurrence.nouns import Calendar, Every
from runyard.model.recurrence.reach import falls_within, passed_over, shortest_seconds
from runyard.model.run import OnConflict
from runyard.model.trigger.schedule import OverlapPolicy, Period, ScheduleSpec
from runyard.model.trigger.words import edge_of
from runyard.model.validation import Path

_WAITING = (OverlapPolicy.QUEUE, OverlapPolicy.QUEUE_LATEST)
_ONE_AT_MOST = (OverlapPolicy.SKIP, OverlapPolicy.CANCEL_RUNNING, OverlapPolicy.QUEUE_LATEST)
_TIMEOUT = "600s"  #: of a task that says none (configuring/task-timeout)
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def check_schedule(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    """Tell every contradiction in a schedule that stands at `path`; `data` is what was written."""
    for rule in _RULES:
        rule(job, path, data, spec)


def _catch_up(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    where, said = (*path, "catchUp"), mapping(data, "catchUp")
    if "latest" in said and "all" in said:
        job.fault(where, "latest or all, not both", "remove one")
    elif "max" in said and "all" not in said:
        expected = "nothing: it says how many of `all`, which is not there"
        job.fault((*where, "max"), expected, about_key=True)
    elif spec.catch_up.all is not None and spec.overlap in _ONE_AT_MOST:
        expected = f"latest or none where overlap is {spec.overlap}: of all only one would run"
        job.fault(where, expected, "write overlap: queue, or allow; or catchUp: latest")


def _waiting(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    concurrency = mapping(job.data, "concurrency")
    skips = text(concurrency, "on_conflict") == OnConflict.SKIP
    if spec.overlap in _WAITING and skips and whole(concurrency, "limit", 0) > 0:
        expected = (
            "allow, skip or cancel_running where concurrency.on_conflict is skip: what waits for "
            "its turn would be skipped then"
        )
        job.fault((*path, "overlap"), expected, "write concurrency: {on_conflict: queue}")


def _start_by(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    limit = spec.start_by_seconds
    if limit is None:
        return
    where = (*path, "startBy")
    if limit < spec.jitter_seconds:
        job.fault(where, f"at least the jitter, {spec.jitter}: later ones never start in time")
    written = mapping(data, "catchUp")
    window = spec.catch_up.latest or spec.catch_up.all
    if window and ("latest" in written or "all" in written) and limit < seconds_of(window):
        expected = f"at least the window of catchUp, {window}: what is made up for is older"
        job.fault(where, expected, "write a shorter window, or a longer startBy")


def _dates(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    if spec.start_at is not None and spec.end_at is not None:
        begin, end = (_instant(job, spec, text) for text in (spec.start_at, spec.end_at))
        if begin >= end:
            job.fault((*path, "endAt"), f"later than startAt, {spec.start_at}")
    for number, one in enumerate(spec.blackouts):
        if isinstance(one, Period):
            begin, end = _instant(job, spec, one.begin), _instant(job, spec, one.to, whole_day=True)
            if begin >= end:
                job.fault((*path, "blackouts", number, "to"), f"later than from, {one.begin}")


def _instant(job: JobView, spec: ScheduleSpec, text: str, *, whole_day: bool = False) -> datetime:
    edge = edge_of(text)
    if isinstance(edge, datetime):
        return edge
    midnight = datetime.combine(edge, time(), job.zones.find(spec.time_zone) or UTC)
    return midnight + timedelta(days=1) if whole_day else midnight


def _clocks(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    if mapping(data, "dst") and isinstance(spec.recurrence, Every):
        expected = f"nothing: {spec.schedule} counts real time, and no change of clocks touches it"
        job.fault((*path, "dst"), expected, "remove it", about_key=True)


def _jitter(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    if not spec.jitter_seconds:
        return
    shortest = shortest_seconds(spec.recurrence)
    if spec.jitter_seconds >= shortest:
        expected = f"shorter than {shortest}s, the shortest time between two instants"
        job.fault((*path, "jitter"), expected)


def _windows(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    empty = [number for number, one in enumerate(spec.windows) if one.begin == one.to]
    for number in empty:
        expected = "another time than from; a whole day is from 00:00 to 24:00"
        job.fault((*path, "windows", number, "to"), expected)
    if empty or not spec.windows or not isinstance(spec.recurrence, Calendar):
        return
    if not falls_within(spec.recurrence, [(one.weekdays, *one.minutes) for one in spec.windows]):
        expected = f"a window that an instant falls into: {spec.schedule} has none in these"
        job.fault((*path, "windows"), expected, "widen one, or move the schedule")


def _surprises(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    if not isinstance(spec.recurrence, Calendar):
        return
    where = (*path, "schedule")
    if spec.recurrence.days.either:
        expected = "a day of the month or a weekday: with both, it runs on days that fit either"
        job.warn(where, expected, "write * for one of them")
    if months := passed_over(spec.recurrence.days):
        names = ", ".join(_MONTHS[month] for month in months)
        expected = (
            f"a day that each of its months has every year: it does not always run in {names}"
        )
        job.warn(where, expected, "the 28th is in each")


def _crowd(job: JobView, path: Path, data: Data, spec: ScheduleSpec) -> None:
    """Runs that wait for each other and are asked for faster than they end."""
    try:
        timeout = seconds_of(text(job.task, "timeout", _TIMEOUT))
    except ValueError:
        return  # told already
    shortest = shortest_seconds(spec.recurrence)
    if spec.overlap is OverlapPolicy.QUEUE and shortest < timeout:
        expected = (
            f"queue_latest, or tasks that end before the next instant: it may come {shortest}s "
            f"later, and a task may take {text(job.task, 'timeout', _TIMEOUT)}"
        )
        job.warn((*path, "overlap"), expected, "else more and more runs may wait")


_Rule = Callable[[JobView, Path, Data, ScheduleSpec], None]
_RULES: tuple[_Rule, ...] = (
    _catch_up,
    _waiting,
    _start_by,
    _dates,
    _clocks,
    _jitter,
    _windows,
    _surprises,
    _crowd,
)
