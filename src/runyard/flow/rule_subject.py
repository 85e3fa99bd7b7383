"""What rules are asked about, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from runyard.flow.schedule.timing import Timing
from runyard.model.job import JobSpec
from runyard.model.log_pattern import LogPattern
from runyard.model.measured_rules import Per
from runyard.model.metric import Point
from runyard.model.run import Run, RunView
from runyard.model.trigger.instant import Unrun


@dataclass(frozen=True)  # without slots: what is made of the runs is kept for all rules
class Subject:
    """A job in force, and what of it rules may ask for. `runs` are its newest, newest first;
    `succeeded_at`: when a run of it ended well last; `since`: when it was applied. `spent`: in
    nano-dollars, so far; `points`: what was measured; `unrun`: instants that became no run;
    `patterns`: what its error lines have in common; `waits`: its runs that await something."""

    environment: str
    spec: JobSpec
    since: datetime
    runs: Sequence[RunView] = ()
    succeeded_at: datetime | None = None
    timings: Sequence[Timing] = ()
    spent: Mapping[Per, int] = field(default_factory=dict)
    points: Sequence[Point] = ()
    unrun: Sequence[Unrun] = ()
    patterns: Sequence[LogPattern] = ()
    waits: Sequence[Run] = ()

    @cached_property
    def judged(self) -> list[RunView]:
        """Those that came to an end of their own, the last to end first."""
        found = [run for run in self.runs if run.is_judged]
        return sorted(found, key=lambda run: run.ended_at or run.requested_at, reverse=True)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says: wrong or not, in words, and the run that shows it. `text`: what there is to
    know and to do besides."""

    wrong: bool
    words: str
    run: RunView | None = None
    text: str = ""
