"""Counts. Plain numbers that are always kept; whoever shows them is loaded when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

#: Upper bounds of what a histogram counts, in seconds.
BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(slots=True)
class Histogram:
    """How many took how long. `counts` has one more place, for what is above every bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_SECONDS) + 1))
    sum_seconds: float = 0.0

    def note(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self.sum_seconds += seconds


@dataclass(slots=True)
class Meters:
    """What is counted, since the process began."""

    executions: Counter[str] = field(default_factory=Counter)  # by outcome
    endpoints: Counter[str] = field(default_factory=Counter)  # by verdict
    failures: Counter[str] = field(default_factory=Counter)  # by kind
    retries: int = 0
    refusals: Counter[str] = field(default_factory=Counter)  # requests turned away, by code
    mails: Counter[str] = field(default_factory=Counter)  # by outcome
    running: int = 0
    execution_seconds: Histogram = field(default_factory=Histogram)
    endpoint_seconds: Histogram = field(default_factory=Histogram)


#: Name: (attribute of Meters, label, what it counts). `_total` is added where they are shown.
COUNTERS: dict[str, tuple[str, str, str]] = {
    "runner_executions": ("executions", "outcome", "Executions that ended."),
    "runner_endpoints": ("endpoints", "verdict", "Endpoints that were called or skipped."),
    "runner_failures": ("failures", "kind", "Calls that came to nothing, by kind."),
    "runner_refusals": ("refusals", "code", "Requests that were turned away."),
    "runner_mails": ("mails", "outcome", "Reports by mail."),
}
HISTOGRAMS: dict[str, tuple[str, str]] = {
    "runner_execution_seconds": ("execution_seconds", "How long executions took."),
    "runner_endpoint_seconds": ("endpoint_seconds", "How long endpoints took, with their retries."),
}
