"""What is measured of a job, by name, and what a series of it is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from runyard.model.sketch import Sketch


class Metric(StrEnum):
    """What is measured. A name ends in its unit; without one it counts."""

    RUNS = "runs"  # that ended, by state and by the class of what the last attempt failed of
    ATTEMPTS = "attempts"  # that ended, by ending, class of failure and verdict
    RETRIES = "retries"  # attempts after the first
    DEAD_LETTERS = "dead_letters"  # runs that were given up
    QUEUE_WAIT = "queue_wait_seconds"  # from when an attempt could start to when it was taken up
    START_LATENCY = "start_latency_seconds"  # from there to when the provider had it
    LATENESS = "schedule_lateness_seconds"  # from a schedule's instant to the run's first start
    RUN_DURATION = "run_duration_seconds"  # from the first attempt's start, by state and revision
    ATTEMPT_DURATION = "attempt_duration_seconds"  # from its first task's start, by ending
    CPU = "cpu_seconds"  # measured, of all tasks of an attempt
    MEMORY = "memory_ratio"  # the greatest peak of an attempt's tasks, against their limit
    COST = "cost_dollars"  # of an attempt by Cloud Run's list prices, before any free tier
    LOG_MATCHES = "log_matches"  # lines that a rule of the job about its logs wants, by rule
    ERROR_LINES = "error_lines"  # lines that tell of an error, by the pattern they are of
    OWN_REFUSED = "own_refused"  # measures of a task's own that were not kept, by why


#: Of these only count and sum are kept: a quantile of them says nothing.
COUNTED = frozenset(
    {
        Metric.RUNS,
        Metric.ATTEMPTS,
        Metric.RETRIES,
        Metric.DEAD_LETTERS,
        Metric.LOG_MATCHES,
        Metric.OWN_REFUSED,
        Metric.ERROR_LINES,
    }
)
OWN = "own."  #: what the name of a metric begins with that a job itself measures

Labels = tuple[tuple[str, str], ...]


class Series(NamedTuple):
    """One line of a chart. `labels` in the order of their names."""

    environment: str
    project: str
    job: str
    region: str
    metric: str
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Point:
    """What was seen of a series in the `step_seconds` from `at` on."""

    series: Series
    at: datetime
    step_seconds: int
    sketch: Sketch
