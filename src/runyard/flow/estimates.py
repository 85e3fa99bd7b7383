"""What a job will cost, and how much room is left: measured, or unknown and why; never a guess.

A run's price is the middle one (p50) of what recent runs were billed for, at the list price of the
CPU and memory that the job will have. It is unknown while nothing was measured, and when the number
of tasks changes, since nobody knows what that does to the time of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low

from runyard.flow import costing
from runyard.flow.differences import Document
from runyard.model.ids import AttemptKey
from runyard.model.job import JobSpec
from runyard.model.outcome import Usage
from runyard.model.plan import Placement

JOBS_MAX = 1000  #: of a project and region (cloud.google.com/run/quotas)
VARIABLES_MAX = 1000  #: of a container (configuring/jobs/environment-variables)
RUNS_MEASURED = 100  #: recent runs that are looked at
NOT_MEASURED = "no run of it has ended that was billed"
NO_SCHEDULE = "it has no schedule, so nobody knows how often it runs"


@dataclass(frozen=True, slots=True)
class Measured:
    """What recent runs of a job were billed for, in milliseconds each, with how many tasks."""

    billed_milliseconds: Sequence[int] = ()
    task_count: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job may cost. A price that is None is unknown; `why` says why."""

    launches_max: int
    runs_measured: int
    run_nano_dollars: int | None
    month_nano_dollars: int | None
    why: str


def estimate(
    spec: JobSpec, measured: Measured, now: datetime, runs_a_month: int | None = None
) -> Estimate:
    """What `spec` will cost by what is measured. `runs_a_month`: by its schedule, if it has one."""
    count = len(measured.billed_milliseconds)
    if not count:
        return Estimate(spec.launches_max, 0, None, None, NOT_MEASURED)
    if measured.task_count != spec.task_count:
        why = f"it was measured with {measured.task_count} tasks, and will have {spec.task_count}"
        return Estimate(spec.launches_max, count, None, None, why)
    run = _price(spec, median_low(measured.billed_milliseconds), now)
    if runs_a_month is None:
        return Estimate(spec.launches_max, count, run, None, NO_SCHEDULE)
    return Estimate(spec.launches_max, count, run, run * runs_a_month, "")


def _price(spec: JobSpec, billed_milliseconds: int, now: datetime) -> int:
    usage = Usage(
        billed_milliseconds=billed_milliseconds,
        vcpu_milli=spec.vcpu_milli,
        memory_bytes=spec.memory_bytes,
    )
    regions = spec.regions if spec.placement is Placement.ALL else spec.regions[:1]
    key = AttemptKey("")
    return sum(costing.charge(usage, region, now, key=key).nano_dollars for region in regions)


@dataclass(frozen=True, slots=True)
class Headroom:
    """A limit: how much of it is used, and will be."""

    name: str
    where: str
    used: int
    after: int
    limit: int

    @property
    def is_passed(self) -> bool:
        """True when it will be more than there is."""
        return self.after > self.limit


def headroom(
    before: Iterable[Document],
    after: Sequence[Document],
    out: Mapping[str, int],
    region_runs_max: int,
) -> list[Headroom]:
    """The limits that jobs come near to: those in force `before` and `after`, and the runs that are
    `out` now, by region."""
    jobs_before, jobs_after = _by_region(before), _by_region(after)
    regions = sorted({*jobs_before, *jobs_after})
    found = [Headroom("jobs", one, jobs_before[one], jobs_after[one], JOBS_MAX) for one in regions]
    found += [
        Headroom("running executions", one, out.get(one, 0), out.get(one, 0), region_runs_max)
        for one in regions
    ]
    most = max((_variables(document) for document in after), default=(0, ""))
    if most[0]:
        found.append(Headroom("variables of a container", most[1], most[0], most[0], VARIABLES_MAX))
    return found


def _by_region(documents: Iterable[Document]) -> Counter[str]:
    return Counter(region for document in documents for region in document["regions"])


def _variables(document: Document) -> tuple[int, str]:
    containers = document["template"]["template"]["containers"]
    return max(len(one.get("env", ())) for one in containers), document["name"]
