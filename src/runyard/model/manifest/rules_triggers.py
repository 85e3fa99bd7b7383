"""Triggers of a job: their names, their zones, where their runs go."""

from __future__ import annotations

from runyard.model.job import TRIGGERS_MAX
from runyard.model.manifest.rules_schedules import check_schedule
from runyard.model.manifest.view import Data, JobView, items, mapping, text
from runyard.model.regions import DEFAULT_REGION
from runyard.model.trigger.schedule import ScheduleSpec
from runyard.model.trigger.spec import KINDS, kind_of, names_of
from runyard.model.validation import Path, one_of, read
from runyard.model.zones import EXPECTED


def check(job: JobView) -> None:
    """See the module."""
    triggers = list(items(job.data, "triggers"))[:TRIGGERS_MAX]
    _names(job, triggers)
    for path, data in triggers:
        _misnamed(job, path, data)
        _region(job, path, mapping(data, "with"))
        _zone(job, path, text(data, "timeZone"))
        if ScheduleSpec.kind in data:
            spec, _ = read(ScheduleSpec, data)  # what is wrong in its fields is told with the job's
            if spec is not None:
                check_schedule(job, path, data, spec)


def _misnamed(job: JobView, path: Path, data: Data) -> None:
    """A key that is nearly one of those that say a kind, where there is none that does."""
    if kind_of(data):
        return
    for key in data:
        if hint := job.near(key, KINDS):
            job.fault((*path, key), one_of(KINDS), hint, about_key=True)


def _names(job: JobView, triggers: list[tuple[Path, Data]]) -> None:
    said = [text(data, "name") or None for _, data in triggers]
    kinds = [kind_of(data) for _, data in triggers]
    first: dict[str, Path] = {}
    for (path, _), own, name in zip(triggers, said, names_of(said, kinds), strict=True):
        if name in first:
            where = (*path, "name") if own else path
            line = job.line_of(first[name])
            expected = f"each name once in a job; the trigger at line {line} is called {name} too"
            job.fault(where, expected, "" if own else "give it a name of its own")
        elif name:
            first[name] = path


def _region(job: JobView, path: Path, asking: Data) -> None:
    region, regions = text(asking, "region"), job.data.get("regions", [DEFAULT_REGION])
    known = [one for one in regions if isinstance(one, str)] if isinstance(regions, list) else []
    if region and known and region not in known:
        expected = f"{one_of(known)}: the regions of the job"
        job.fault((*path, "with", "region"), expected, job.near(region, known))


def _zone(job: JobView, path: Path, name: str) -> None:
    if name and job.zones.find(name) is None:
        job.fault((*path, "timeZone"), EXPECTED, "" if job.part.is_full else job.zones.near(name))
