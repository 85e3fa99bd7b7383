"""What a plan does to the triggers of a job, and what each means in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from runyard.flow.differences import Document
from runyard.flow.planning import Action
from runyard.flow.schedule.compiling import timing_of
from runyard.flow.schedule.month import runs_a_month
from runyard.flow.schedule.preview import preview
from runyard.flow.schedule.words import policies, shifts
from runyard.flow.trigger_words import says
from runyard.model.job import JobSpec
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.spec import by_name, kind_of
from runyard.model.validation import read
from runyard.model.zones import ZoneBook

SHOWN = 3  #: instants to come
GONE = "It asks for no runs any more."
FROM_THEN = "It gets what is published from then on; what waits for it now is let go."


@dataclass(frozen=True, slots=True)
class TriggerChange:
    """One trigger of a job in a plan. `says` is what it is in a line, `words` what it means, a
    sentence each. `instants`: the next ones, as clocks of its zone show them."""

    name: str
    kind: str
    action: Action
    says: str
    words: tuple[str, ...] = ()
    instants: tuple[datetime, ...] = ()


def trigger_changes(
    before: Document | None, after: Document | None, zones: ZoneBook, now: datetime
) -> list[TriggerChange]:
    """The triggers of a job's document in force and of the one to come, in that order, new ones
    last. One that stays as it is has no words."""
    old, new = by_name(before), by_name(after)
    return [_change(name, old.get(name), new.get(name), zones, now) for name in {**old, **new}]


def month_runs(job: JobSpec, zones: ZoneBook, now: datetime) -> int | None:
    """How many runs the schedules of a job ask for in 30 days; None when it has none."""
    schedules = [one for one in job.triggers if isinstance(one, ScheduleSpec)]
    found = [(one, zones.find(one.time_zone)) for one in schedules]
    counts = [
        runs_a_month(one, timing_of(one, zone, job.name), now)
        for one, zone in found
        if zone is not None
    ]
    return sum(counts) if counts else None


def _change(
    name: str, old: Document | None, new: Document | None, zones: ZoneBook, now: datetime
) -> TriggerChange:
    document = new or old or {}
    told = TriggerChange(name, kind_of(document), Action.UNCHANGED, says(document))
    if new is None:
        return replace(told, action=Action.DELETE, words=(GONE,))
    if new == old:
        return told
    told = replace(told, action=Action.CREATE if old is None else Action.UPDATE)
    if told.kind == EventSpec.kind and (old or {}).get("event") != new["event"]:
        return replace(told, words=(FROM_THEN,))
    return _schedule(told, new, zones, now)


def _schedule(
    told: TriggerChange, document: Document, zones: ZoneBook, now: datetime
) -> TriggerChange:
    """The same with what a schedule means, where it is one that can be reckoned here."""
    spec, _ = read(ScheduleSpec, document)
    zone = zones.find(spec.time_zone) if spec is not None else None
    if spec is None or zone is None:
        return told
    timing = timing_of(spec, zone, told.name)
    coming = islice(timing.instants(now), SHOWN if spec.enabled else 0)
    instants = tuple(at.astimezone(zone) for at in coming)
    words = (*policies(spec), *(shifts(spec, preview(timing.table, now, 0)) if instants else ()))
    return replace(told, words=words, instants=instants)
