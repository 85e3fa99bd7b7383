"""Calendars of a manifest, and jobs with the days of the calendars that they name.

A job that was loaded stands alone: it has days, not names of calendars, and its triggers have
names, so that its document means the same wherever it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runyard.model.errors import Fault
from runyard.model.job import JobSpec
from runyard.model.manifest.merge import Entry, Manifest
from runyard.model.manifest.plain import data_of
from runyard.model.manifest.report import Part, Report
from runyard.model.trigger.calendar import Calendar
from runyard.model.trigger.schedule import BLACKOUTS_MAX, OfCalendar, Period, ScheduleSpec
from runyard.model.trigger.spec import named
from runyard.model.trigger.words import TriggerName
from runyard.model.validation import Path, dotted, one_of, read

KEY = "calendars"
Calendars = Mapping[str, tuple[Period, ...]]
_NAME = TypeAdapter[str](TriggerName)


def calendars_of(manifest: Manifest, report: Report) -> dict[str, tuple[Period, ...]]:
    """The calendars by name; one that has a fault has no days, so that it is told once."""
    return {name: _days(name, entry, report) for name, entry in manifest.calendars.items()}


def _days(name: str, entry: Entry, report: Report) -> tuple[Period, ...]:
    part = Part(report, (KEY, name), entry.node, entry.place)
    try:
        _NAME.validate_python(name)
    except ValidationError as fault:
        expected = fault.errors()[0]["ctx"]["expected"]
        report.fault(Fault(dotted((KEY, name)), "", expected, "", *entry.place))
    if not isinstance(entry.node.value, list):
        part.fault((), "a list of days such as 2026-12-24, or of {from, to, reason}")
        return ()
    calendar, complaints = read(Calendar, {"days": data_of(entry.node, part)})
    for complaint in complaints:
        part.complain(complaint.below(1))
    return calendar.periods(name) if calendar is not None else ()


def standing_alone(job: JobSpec, calendars: Calendars, part: Part) -> JobSpec:
    """`job` with names for its triggers, and with days for its calendars."""
    if not job.triggers:
        return job
    triggers = []
    for number, (name, one) in enumerate(named(job.triggers)):
        update: dict[str, Any] = {"name": name}
        if isinstance(one, ScheduleSpec):
            update["blackouts"] = _blackouts(one, number, calendars, part)
        triggers.append(one.model_copy(update=update))
    return job.model_copy(update={"triggers": tuple(triggers)})


def _blackouts(
    spec: ScheduleSpec, number: int, calendars: Calendars, part: Part
) -> tuple[Period, ...]:
    path = ("triggers", number, "blackouts")
    found = tuple(
        period
        for place, one in enumerate(spec.blackouts)
        for period in _periods(one, calendars, part, (*path, place))
    )
    if len(found) > BLACKOUTS_MAX:
        part.fault(path, f"at most {BLACKOUTS_MAX} days in all, those of calendars included")
    return found


def _periods(
    one: Period | OfCalendar, calendars: Calendars, part: Part, path: Path
) -> Iterator[Period]:
    if isinstance(one, Period):
        yield one
    elif one.calendar in calendars:
        yield from calendars[one.calendar]
    else:
        known = f": {one_of(calendars)}" if calendars else ""
        hint = (
            part.near(one.calendar, calendars) or "`calendars` at the top of the manifest has them"
        )
        part.fault((*path, "calendar"), f"a calendar of the manifest{known}", hint)
