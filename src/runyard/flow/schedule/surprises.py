"""What people are surprised by in a schedule that is valid, at an instant and in a zone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, tzinfo

from runyard.flow.schedule.clocks import local_of
from runyard.flow.schedule.instants import Timetable
from runyard.flow.schedule.preview import Touched, preview
from runyard.model.job import JobSpec
from runyard.model.recurrence.nouns import Calendar, Gap
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.words import edge_of
from runyard.model.validation import Complaint, Path
from runyard.model.zones import ZoneBook


def surprises(job: JobSpec, zones: ZoneBook, now: datetime) -> Iterator[Complaint]:
    """Warnings about the triggers of `job`, whose paths begin at the job."""
    for number, trigger in enumerate(job.triggers):
        path = ("triggers", number)
        if (
            isinstance(trigger, ScheduleSpec)
            and (zone := zones.find(trigger.time_zone)) is not None
        ):
            yield from _skipped(trigger, zone, now, path)
            yield from _over(trigger, zone, now, path)


def _skipped(spec: ScheduleSpec, zone: tzinfo, now: datetime, path: Path) -> Iterator[Complaint]:
    """A time of day that the next change of clocks skips, unless `dst` says what it does then."""
    recurrence = spec.recurrence
    if not isinstance(recurrence, Calendar) or not recurrence.by_clock or spec.dst.gap is not None:
        return
    for transition in preview(Timetable(recurrence, zone), now, 0).transitions:
        if transition.change.forward and transition.touched:
            first = transition.touched[0]
            words = (
                f"a time of day that clocks do not skip: on {first.local:%Y-%m-%d} there is no "
                f"{first.local:%H:%M} in {spec.time_zone}, and it runs {_at(first, zone)}"
            )
            hint = f"say what is meant: dst: {{gap: {Gap.RUN_AFTER}}}, or {Gap.SKIP}"
            yield Complaint((*path, "schedule"), words, hint)
            return


def _at(touched: Touched, zone: tzinfo) -> str:
    return f"at {local_of(touched.instants[0], zone):%H:%M}"


def _over(spec: ScheduleSpec, zone: tzinfo, now: datetime, path: Path) -> Iterator[Complaint]:
    if spec.end_at is None:
        return
    edge = edge_of(spec.end_at)
    end = edge if isinstance(edge, datetime) else datetime.combine(edge, time(), zone)
    if end <= now:
        yield Complaint((*path, "endAt"), "a time to come: it is past, and nothing is due any more")
