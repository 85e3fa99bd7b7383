"""What is watched of a job: the rules under `alerts` in a manifest, and those that every job has.

A rule has exactly one key that says its kind; that key holds what it is about. A rule called as one
that every job has takes its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import model_validator

from runyard.model.forms import Between, Counted, Lasting, Shaped, unexpected
from runyard.model.kinds import Kinds
from runyard.model.measured_rules import (
    CostRule,
    ErrorPatternRule,
    LogRule,
    MetricRule,
    MissedRule,
    QueueWaitRule,
)
from runyard.model.notice import Severity
from runyard.model.recovery import HOLDS
from runyard.model.rule_parts import WINDOW_SECONDS_MAX, Always, Rule, Spoken, Window, Within
from runyard.model.strict import Strict

RULES_MAX = 50  #: of a job
FAILURES_MAX = 100
RUNS_MAX = 1000  #: the newest runs of a job that rules look at
RunbookUrl = Annotated[
    str, Shaped(r"https?://[^\s\x00-\x1f\x7f]{1,2000}", "a URL of http or https", 2048)
]


class Failed(Spoken):
    """So many runs, or so many of a hundred (of `atLeast` runs), died within a window."""

    count: Annotated[int, Between(1, RUNS_MAX)] | None = None
    percent: Annotated[float, Between(0, 100)] | None = None
    at_least: Annotated[int, Between(1, RUNS_MAX)] = 5
    within: Window

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.count is None) is (self.percent is None):
            raise unexpected("a mapping with exactly one of count, percent")
        return self


class Took(Spoken):
    """A run took longer than `over`, less than `under`, or more than `factor` times as long as the
    job's runs usually do."""

    over: Window | None = None
    under: Window | None = None
    factor: Annotated[float, Between(1, 1000)] | None = None

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        if self.over is None and self.under is None and self.factor is None:
            raise unexpected("a mapping with at least one of over, under, factor")
        return self


Patience = Annotated[str, Lasting(0, WINDOW_SECONDS_MAX, "8784h")]


class Waiting(Spoken):
    """Of each wait that `recovery` may declare, how long it may last; one that is not named may
    last as long as it will."""

    network: Patience | None = None
    capacity: Patience | None = None
    permission: Patience | None = None
    application: Patience | None = None

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        if not self.named:
            raise unexpected(f"a mapping with at least one of {', '.join(HOLDS)}")
        return self

    @property
    def named(self) -> dict[str, str]:
        """How long each wait may last that is watched."""
        found = {name: getattr(self, name) for name in HOLDS}
        return {name: lasts for name, lasts in found.items() if lasts is not None}


class DeadRule(Rule):
    """A run is dead."""

    kind = "dead"
    dead: Always


class FailuresRule(Rule):
    """So many runs died one after the other."""

    kind = "consecutiveFailures"
    consecutive_failures: Annotated[int, Between(2, FAILURES_MAX)]


class FailedRule(Rule):
    """Too many runs died lately."""

    kind = "failed"
    failed: Failed


class TookRule(Rule):
    """The last run took too long, or was too quick."""

    kind = "took"
    took: Took


class NoSuccessRule(Rule):
    """No run succeeded for so long."""

    kind = "noSuccess"
    no_success: Within


class NotStartedRule(Rule):
    """A run has not started so long after it was asked for."""

    kind = "notStarted"
    not_started: Within


class NotFinishedRule(Rule):
    """A run is not over so long after it was asked for."""

    kind = "notFinished"
    not_finished: Within


class WaitingRule(Rule):
    """A run waits too long for what its failure waits for."""

    kind = "waiting"
    waiting: Waiting


class OverdueRule(Rule):
    """No run succeeded since the last but one instant of the job's schedule, and so long after
    it."""

    kind = "overdue"
    overdue: Within


_KINDS: dict[str, type[Strict]] = {
    "dead": DeadRule,
    "consecutiveFailures": FailuresRule,
    "failed": FailedRule,
    "took": TookRule,
    "noSuccess": NoSuccessRule,
    "notStarted": NotStartedRule,
    "notFinished": NotFinishedRule,
    "waiting": WaitingRule,
    "overdue": OverdueRule,
    "queueWait": QueueWaitRule,
    "missed": MissedRule,
    "cost": CostRule,
    "metric": MetricRule,
    "log": LogRule,
    "errorPattern": ErrorPatternRule,
}
AlertRule = Annotated[
    DeadRule
    | FailuresRule
    | FailedRule
    | TookRule
    | NoSuccessRule
    | NotStartedRule
    | NotFinishedRule
    | WaitingRule
    | OverdueRule
    | QueueWaitRule
    | MissedRule
    | CostRule
    | MetricRule
    | LogRule
    | ErrorPatternRule,
    Kinds(_KINDS, "a rule"),
]
AlertRules = Annotated[tuple[AlertRule, ...], Counted(0, RULES_MAX)]


def _usual(model: type[Any], name: str, severity: Severity, about: dict[str, Any]) -> Any:
    return model.model_validate({"name": name, "severity": severity, **about})


#: A person has to give a permission or mend a program, so somebody is told at once. A network or
#: room usually comes back by itself: only what is away for longer than the longest pause between
#: two attempts (`retry.backoff.max`, 10 min unless it is set otherwise) is worth a word.
_STUCK = {"permission": "0s", "application": "0s", "network": "15m", "capacity": "15m"}

#: What every job is watched for without a word. `overdue` is only of jobs that have a schedule.
USUAL: tuple[AlertRule, ...] = (
    _usual(DeadRule, "dead", Severity.ERROR, {"dead": Always()}),
    _usual(FailuresRule, "failing", Severity.CRITICAL, {"consecutiveFailures": 3}),
    _usual(WaitingRule, "stuck", Severity.WARNING, {"waiting": _STUCK}),
    _usual(OverdueRule, "overdue", Severity.ERROR, {"overdue": {"within": "10m"}}),
)


def named(rules: Sequence[AlertRule]) -> dict[str, AlertRule]:
    """All rules of a job by name, those that every job has first; without those that are off."""
    found = {one.name or "": one for one in USUAL} | dict(zip(names(rules), rules, strict=True))
    return {name: one for name, one in found.items() if one.enabled}


def names(rules: Sequence[AlertRule]) -> list[str]:
    """What rules are called, in their order. One without a name is called by its kind; the second
    such one `took-2`, and so on."""
    found, counts = [], Counter[str]()
    for one in rules:
        name = one.name
        if name is None:
            words = _in_words(one.kind)
            counts[words] += 1
            name = words if counts[words] == 1 else f"{words}-{counts[words]}"
        found.append(name)
    return found


def _in_words(kind: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
