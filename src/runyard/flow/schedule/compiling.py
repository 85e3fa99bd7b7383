"""A schedule of a manifest, made ready to be reckoned with: zones found, days made instants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import orjson

from runyard.flow.freezing import Zones
from runyard.flow.schedule.clocks import instants_of
from runyard.flow.schedule.firing import Blackout, CatchUp, Schedule
from runyard.flow.schedule.instants import EPOCH, Timetable
from runyard.flow.schedule.timing import Timing, Window
from runyard.model.recurrence.nouns import Gap, Overlap
from runyard.model.run import Overrides
from runyard.model.trigger.row import Trigger
from runyard.model.trigger.schedule import OverlapPolicy, Period, ScheduleSpec
from runyard.model.trigger.words import edge_of
from runyard.model.validation import read

KEPT_MAX = 20_000  #: compiled schedules kept, of about two kilobytes each
INSTANT_VARIABLE = "RUNYARD_INSTANT"  #: what a task finds its schedule's instant in, as RFC 3339
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schedule ready to fire, and what its runs are asked for with."""

    schedule: Schedule
    region: str = ""
    priority: int | None = None
    labels: tuple[tuple[str, str], ...] = ()
    overrides: Overrides = Overrides()
    pause_on_failures: int | None = None
    own_slot: str = ""
    slot_limit: int = 1

    def held_back(self, slot: str, limit: int, labels: Mapping[str, str]) -> Compiled:
        """The same for runs with these labels that wait for each other in a slot of their own."""
        marked = tuple(sorted((dict(self.labels) | dict(labels)).items()))
        return replace(self, own_slot=slot, slot_limit=limit, labels=marked)

    def slot(self, trigger: Trigger) -> str:
        """The slot that runs of the trigger wait for each other in; empty where they need not."""
        if self.own_slot:
            return self.own_slot
        overlaps = self.schedule.overlap is OverlapPolicy.ALLOW
        return "" if overlaps else f"trigger/{trigger.path}"

    def overrides_at(self, instant: datetime) -> Overrides:
        """What differs in the run of an instant: it is told which one it is for."""
        told = (INSTANT_VARIABLE, instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
        env = dict(self.overrides.env) | dict([told])
        return replace(self.overrides, env=tuple(sorted(env.items())))


def compiled(trigger: Trigger, zones: Zones) -> Compiled | str:
    """The schedule that a trigger is; in words, why it cannot be reckoned here."""
    try:
        return _compiled(trigger.path, orjson.dumps(trigger.document), zones)
    except _CannotBeReckoned as error:
        return str(error)


class _CannotBeReckoned(Exception):
    """Raised, since what raises is not kept: a zone that is missing may come."""


@lru_cache(maxsize=KEPT_MAX)
def _compiled(path: str, document: bytes, zones: Zones) -> Compiled:
    spec, complaints = read(ScheduleSpec, orjson.loads(document))
    if spec is None:
        expected = complaints[0].expected
        raise _CannotBeReckoned(f"this version does not understand it: expected {expected}")
    try:
        zone = zones(spec.time_zone)
    except (KeyError, ValueError, OSError):
        words = f"there is no time zone {spec.time_zone} on this machine"
        raise _CannotBeReckoned(words) from None
    asking = spec.asking
    return Compiled(
        Schedule(
            timing=timing_of(spec, zone, path),
            overlap=spec.overlap,
            catch_up=CatchUp(
                spec.catch_up.instants_max, timedelta(seconds=spec.catch_up.window_seconds)
            ),
            start_by=None
            if spec.start_by_seconds is None
            else timedelta(seconds=spec.start_by_seconds),
            blackouts=blackouts_of(spec, zone),
        ),
        region=asking.region or "",
        priority=asking.priority,
        labels=tuple(sorted(asking.labels.items())),
        overrides=asking.overrides(),
        pause_on_failures=spec.pause_on_failures,
    )


def timing_of(spec: ScheduleSpec, zone: tzinfo, path: str) -> Timing:
    """When a schedule is due. An interval counts from its `startAt`, else from 1970."""
    start_at, end_at = _edge(spec.start_at, zone), _edge(spec.end_at, zone)
    return Timing(
        Timetable(spec.recurrence, zone, spec.dst.rule(), anchor=start_at or EPOCH),
        trigger=path,
        windows=tuple(Window(*one.minutes, one.weekdays) for one in spec.windows),
        start_at=start_at,
        end_at=end_at,
        jitter=timedelta(seconds=spec.jitter_seconds),
    )


def blackouts_of(spec: ScheduleSpec, zone: tzinfo) -> tuple[Blackout, ...]:
    """Times in which the instants of a schedule are skipped, in the order of the manifest."""
    return tuple(_blackout(one, zone) for one in spec.blackouts if isinstance(one, Period))


def _blackout(period: Period, zone: tzinfo) -> Blackout:
    begin, end = period.edges
    until = end if isinstance(end, datetime) else end + _DAY  # a day is meant whole
    return Blackout(_instant(begin, zone), _instant(until, zone), period.reason)


def _edge(text: str | None, zone: tzinfo) -> datetime | None:
    edge = None if text is None else edge_of(text)
    return None if edge is None else _instant(edge, zone)


def _instant(edge: date | datetime, zone: tzinfo) -> datetime:
    """An instant as it is; of a day its first moment in the zone."""
    if isinstance(edge, datetime):
        return edge
    midnight = datetime.combine(edge, time())
    return instants_of(midnight, zone, Gap.RUN_AFTER, Overlap.FIRST)[0]
