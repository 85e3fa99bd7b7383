"""Which of an environment's triggers ask for runs at times that can be told. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runyard.flow.chaining import spec_in
from runyard.flow.freezing import Zones
from runyard.flow.schedule.compiling import Compiled, compiled
from runyard.flow.schedule.placing import Asker, Follower, JobKey
from runyard.model.plan import Placement
from runyard.model.recurrence.reach import shortest_seconds
from runyard.model.run import TriggerKind
from runyard.model.trigger.chain import AfterAll, ChainSpec, EndedAs
from runyard.model.trigger.row import Trigger, TriggerState

TriggerKey = tuple[str, str, str]  #: project, job and name
UNSEEN = "not seen"
_FORESEEN = frozenset({EndedAs.SUCCEEDED, EndedAs.ANY})


@dataclass(frozen=True, slots=True)
class Differing:
    """What is different in a trigger's runs, where that changes their price."""

    region: str = ""
    task_count: int | None = None


@dataclass(slots=True)
class Askers:
    """The triggers that can be told. `left_out`: how many cannot, by the reason."""

    schedules: list[Asker] = field(default_factory=list)
    chains: list[Follower] = field(default_factory=list)
    differing: dict[TriggerKey, Differing] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def askers(
    rows: Sequence[Trigger], jobs: Mapping[JobKey, Mapping[str, Any]], zones: Zones
) -> Askers:
    """What asks for runs. `jobs`: the documents of those in force, as far as they were read."""
    found = Askers()
    for row in rows:
        document = jobs.get((row.project, row.job))
        reason = UNSEEN if document is None else _add(found, row, document, zones)
        if reason:
            found.left_out[reason] += 1
    return found


def _add(found: Askers, row: Trigger, document: Mapping[str, Any], zones: Zones) -> str:
    """Add a trigger; in words, why its runs cannot be told."""
    if row.state is not TriggerState.ENABLED:
        return str(row.state)
    match row.kind:
        case TriggerKind.SCHEDULE:
            schedule = compiled(row, zones)
            if isinstance(schedule, str):
                return str(TriggerState.BROKEN)
            found.schedules.append(_asker(row, schedule, document))
            told = Differing(schedule.region, schedule.overrides.task_count)
        case TriggerKind.CHAIN:
            spec = spec_in(row, ChainSpec)
            if isinstance(spec, str):
                return str(TriggerState.BROKEN)
            if spec.after.on not in _FORESEEN:
                return f"after {spec.after.on} runs"
            found.chains.append(_follower(row, spec, document))
            told = Differing(spec.asking.region or "", spec.asking.task_count)
        case _:
            return f"by {row.kind}"
    if told != Differing():
        found.differing[row.project, row.job, row.name] = told
    return ""


def _asker(row: Trigger, schedule: Compiled, document: Mapping[str, Any]) -> Asker:
    rules = schedule.schedule
    below = float(shortest_seconds(rules.timing.table.recurrence))
    if rules.start_by is not None:  # a jitter that is longer would be refused
        below = min(below, rules.start_by.total_seconds() + 1)
    return Asker(
        (row.project, row.job),
        row.name,
        rules.timing,
        rules.overlap,
        _regions(document, schedule.region),
        tuple((one.begin, one.until) for one in rules.blackouts),
        below,
    )


def _follower(row: Trigger, spec: ChainSpec, document: Mapping[str, Any]) -> Follower:
    return Follower(
        (row.project, row.job),
        row.name,
        tuple((row.project, job) for job in spec.after.jobs),
        isinstance(spec.after, AfterAll),
        _regions(document, spec.asking.region or ""),
    )


def _regions(document: Mapping[str, Any], said: str) -> tuple[str, ...]:
    """Where an ask starts a run: where it says, in all regions of the job, or in its first."""
    if said:
        return (said,)
    regions = tuple(document["regions"])
    return regions if document["placement"] == Placement.ALL else regions[:1]
