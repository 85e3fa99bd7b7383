"""`runyard schedules`: what a schedule means, without a server; and what those in force will do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output, schedule_words
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import parse
from runyard.cli.zones import zone_named
from runyard.flow.schedule import words
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import preview as foreseen
from runyard.flow.schedule.preview_document import preview_document
from runyard.flow.schedule.utc_lines import Season, seasons
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.recurrence.nouns import Calendar, Dst, Gap, NotARecurrence, Overlap, Recurrence
from runyard.model.recurrence.reading import read

COUNT_MAX = 10_000
YEAR = timedelta(days=366)

schedules = App(
    name="schedules",
    help="Say what schedules mean, and what they will do.",
    group_commands="Commands",
)
schedules.command("runyard.cli.schedule_forecast:forecast", name="forecast")
Schedule = Annotated[
    str,
    Parameter(
        help='Five cron fields, such as "30 2 * * 1-5", or English as Cloud Scheduler has it, such '
        'as "1st friday of quarter 9:00", or "every 15m", or "@daily".'
    ),
]
Zone = Annotated[str, Parameter(name="--tz", help="A time zone of the tz database.")]
From = Annotated[
    str | None, Parameter(name="--from", help="Begin after this instant, in RFC 3339; else now.")
]


@schedules.command
def preview(
    schedule: Schedule,
    /,
    *,
    tz: Zone = "UTC",
    from_: From = None,
    count: Annotated[int, Parameter(help="How many instants; 10 if not said.")] = 10,
    gap: Annotated[
        Gap | None, Parameter(help="A time that clocks skip: run after, or skip.")
    ] = None,
    overlap: Annotated[
        Overlap | None, Parameter(help="A time that comes twice: the first, the second, or both.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """List the next instants of a schedule, and what the next two changes of clocks do to it.

    A time of day happens once whatever clocks do: at the end of the gap that skips it, and
    the first time it comes. What recurs all the time, as "\\*/15 \\* \\* \\* \\*", follows real
    intervals.
    """
    if not 1 <= count <= COUNT_MAX:
        raise _misused("--count", str(count), f"a whole number from 1 to {COUNT_MAX}")
    zone = zone_named("--tz", tz)
    timetable = Timetable(_read(schedule), zone, Dst(gap, overlap))
    seen = foreseen(timetable, _begin(from_), count)
    if json_:
        output.document(preview_document(schedule, tz, timetable, seen))
        return
    table(
        ("local", "utc"),
        [(words.local(at, zone), words.utc(at)) for at in seen.instants],
    )
    for sentence in words.transitions(seen, tz):
        output.line(sentence)


@schedules.command
def utc(schedule: Schedule, /, *, tz: Zone, from_: From = None, json_: AsJson = False) -> None:
    """Say a schedule's cron lines in UTC, over a year, and when a fixed one is wrong."""
    recurrence = _read(schedule)
    if not isinstance(recurrence, Calendar):
        raise _misused("SCHEDULE", schedule, "times of day", "a real interval is the same in UTC")
    begin = _begin(from_)
    found = seasons(recurrence, zone_named("--tz", tz), begin, begin + YEAR)
    if json_:
        output.document({"schedule": schedule, "time_zone": tz, "seasons": _documents(found)})
        return
    table(
        ("from", "until", "offset", "in UTC"),
        [
            (
                season.begin.date(),
                season.end.date(),
                schedule_words.offset(season.offset),
                "; ".join(season.lines) or f"no cron line: {season.reason}",
            )
            for season in found
        ],
    )
    for sentence in schedule_words.advice(tz, found):
        output.line(sentence)


def _documents(found: list[Season]) -> list[dict[str, Any]]:
    return [
        {
            "from": words.utc(season.begin),
            "until": words.utc(season.end),
            "offset_seconds": int(season.offset.total_seconds()),
            "lines": list(season.lines),
            "reason": season.reason,
        }
        for season in found
    ]


def _read(text: str) -> Recurrence:
    try:
        return read(text)
    except NotARecurrence as error:
        fault = Fault("SCHEDULE", repr(error.part), error.expected, error.hint)
        raise InvalidSpec("the schedule is not understood", faults=(fault,)) from None


def _begin(text: str | None) -> datetime:
    if text is None:
        return now()
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else parse(text)
    except (ValueError, OverflowError):
        expected = "an instant in RFC 3339, such as 2026-03-28T00:00:00Z; UTC if it names no zone"
        raise _misused("--from", repr(text), expected) from None


def _misused(option: str, value: str, expected: str, hint: str = "") -> InvalidSpec:
    return InvalidSpec(
        f"{option} is not understood", faults=(Fault(option, value, expected, hint),)
    )
