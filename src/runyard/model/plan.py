"""What the engine needs to know of a job to run it: a job's revision, boiled down once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runyard.model.ids import RunId
from runyard.model.run import Overrides, RunPolicy, TriggeredBy, TriggerKind


class Placement(StrEnum):
    """Where a run goes: to the first healthy region, or one run to each."""

    PRIMARY = "primary"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Plan:
    """One revision of a job. `regions` is not empty."""

    project: str
    environment: str
    job: str
    revision: int
    policy: RunPolicy
    task_count: int
    regions: tuple[str, ...]
    placement: Placement = Placement.PRIMARY
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Somebody or something asks for a run of a job.

    `project` may be empty where the job's name says enough. `region` empty: by the job's
    placement. `priority` None: the job's. `key` is the caller's idempotency key, or empty.
    `triggered_by`: the trigger that asks, of the kind `trigger`.
    """

    environment: str
    job: str
    by: str
    project: str = ""
    region: str = ""
    overrides: Overrides = Overrides()
    labels: tuple[tuple[str, str], ...] = ()
    priority: int | None = None
    trigger: TriggerKind = TriggerKind.MANUAL
    key: str = ""
    triggered_by: TriggeredBy | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The runs a request made, in the order of their regions. `seen`: its key was known."""

    runs: tuple[RunId, ...]
    seen: bool = False
