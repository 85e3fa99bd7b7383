"""How a month went, in incidents: how many, how long until somebody had them and until they were
over, which rules made most of them, and what was done. Pure.

An incident is of the month in which it opened, in UTC; what is not over yet has no time to resolve.
Quantiles are values that there were (the nearest rank), so one that looks odd can be looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from statistics import fmean

from runyard.model.incident import Incident, Remedied, RemedyAction
from runyard.model.notice import Severity

NOISIEST = 10  #: rules that are named
JOBS_MAX = 50  #: jobs that are named, those with most incidents first


@dataclass(frozen=True, slots=True)
class Times:
    """Of `count` incidents; None where there is none."""

    count: int = 0
    mean_seconds: float | None = None
    p50_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class JobCount:
    """How many incidents a job had; an empty name: they were about no job."""

    project: str
    job: str
    incidents: int


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule of a job was wrong: `alerts`, in so many `incidents`, of which `unseen`
    were over by themselves before anybody had them."""

    project: str
    job: str
    rule: str
    alerts: int
    incidents: int
    unseen: int


@dataclass(frozen=True, slots=True)
class Summary:
    """See the module. `unseen` were over by themselves before anybody had them."""

    incidents: int
    open: int
    by_severity: tuple[tuple[Severity, int], ...]
    by_job: tuple[JobCount, ...]
    to_acknowledge: Times
    to_resolve: Times
    by_itself: int
    by_people: int
    unseen: int
    escalated: int
    rules: tuple[RuleCount, ...]
    actions: tuple[tuple[RemedyAction, int], ...]


@dataclass(slots=True)
class _Rule:
    alerts: int = 0
    incidents: int = 0
    unseen: int = 0


@dataclass(slots=True)
class Tally:
    """Takes incidents one after the other, so that a month of any size is summed up."""

    severities: Counter[Severity] = field(default_factory=Counter)
    jobs: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[tuple[str, str, str], _Rule] = field(default_factory=dict)
    acknowledged: list[float] = field(default_factory=list)
    resolved: list[float] = field(default_factory=list)
    count: int = 0
    by_itself: int = 0
    unseen: int = 0
    escalated: int = 0

    def add(self, one: Incident) -> None:
        """Take one more."""
        self.count += 1
        self.severities[one.severity] += 1
        self.jobs[one.project, one.job] += 1
        if one.seconds_to_acknowledge is not None:
            self.acknowledged.append(one.seconds_to_acknowledge)
        if one.seconds_to_resolve is not None:
            self.resolved.append(one.seconds_to_resolve)
        self.by_itself += one.is_by_itself
        unseen = one.is_by_itself and one.acknowledged_at is None
        self.unseen += unseen
        self.escalated += one.escalated > 0
        for rule in dict.fromkeys(member.rule for member in one.members):
            found = self.rules.setdefault((one.project, one.job, rule), _Rule())
            found.alerts += sum(member.rule == rule for member in one.members)
            found.incidents += 1
            found.unseen += unseen

    def summary(self, remedies: Iterable[Remedied]) -> Summary:
        """All of it, and what was done."""
        actions = Counter(one.action for one in remedies)
        jobs = sorted(self.jobs.items(), key=lambda one: (-one[1], one[0]))[:JOBS_MAX]
        rules = sorted(self.rules.items(), key=lambda one: (-one[1].alerts, one[0]))[:NOISIEST]
        return Summary(
            incidents=self.count,
            open=self.count - len(self.resolved),
            by_severity=tuple((one, self.severities[one]) for one in reversed(Severity)),
            by_job=tuple(JobCount(*key, count) for key, count in jobs),
            to_acknowledge=times(self.acknowledged),
            to_resolve=times(self.resolved),
            by_itself=self.by_itself,
            by_people=len(self.resolved) - self.by_itself,
            unseen=self.unseen,
            escalated=self.escalated,
            rules=tuple(
                RuleCount(*key, one.alerts, one.incidents, one.unseen) for key, one in rules
            ),
            actions=tuple((one, actions[one]) for one in RemedyAction if actions[one]),
        )


def times(seconds: Sequence[float]) -> Times:
    """The mean and two quantiles of lengths of time."""
    if not seconds:
        return Times()
    ordered = sorted(seconds)
    return Times(len(ordered), fmean(ordered), _rank(ordered, 0.5), _rank(ordered, 0.9))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[ceil(share * len(ordered)) - 1]


def month(text: str) -> tuple[datetime, datetime]:
    """The first instant of a month such as `2026-11`, and that of the next one."""
    since = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    year, index = divmod(since.year * 12 + since.month, 12)
    return since, since.replace(year=year, month=index + 1)
