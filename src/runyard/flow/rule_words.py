"""Rules in words: when each says that something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runyard.model.alert_rules import (
    AlertRule,
    DeadRule,
    FailedRule,
    FailuresRule,
    NoSuccessRule,
    NotFinishedRule,
    NotStartedRule,
    OverdueRule,
    TookRule,
    WaitingRule,
)
from runyard.model.durations import seconds_of
from runyard.model.measured_rules import (
    CostRule,
    ErrorPatternRule,
    Lines,
    LogRule,
    MetricRule,
    MissedRule,
    Per,
    QueueWaitRule,
)

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def words(rule: AlertRule) -> str:
    """When it is wrong, in a sentence without a capital."""
    return _WORDS[type(rule)](rule)


def lasting(text: str) -> str:
    """A duration in its greatest whole unit: `3600s` is `1h`."""
    seconds = seconds_of(text)
    fitting = (f"{seconds / size:g}{unit}" for size, unit in _UNITS if seconds % size == 0)
    return next(fitting, f"{seconds:g}s") if seconds else "0s"


def described(lines: Lines) -> str:
    """Which lines of a log are meant."""
    found = []
    if lines.severity is not None:
        found.append(f"of {lines.severity} or worse")
    if lines.text is not None:
        found.append(f"with the text {lines.text!r}")
    if lines.pattern is not None:
        found.append(f"matching {lines.pattern!r}")
    return ", ".join(found)


def _failed(rule: FailedRule) -> str:
    asked = rule.failed
    within = f"within {lasting(asked.within)}"
    if asked.count is not None:
        return f"{asked.count} runs died {within}"
    return f"{asked.percent:g} % of at least {asked.at_least} runs died {within}"


def _took(rule: TookRule) -> str:
    asked = rule.took
    found = []
    if asked.over is not None:
        found.append(f"longer than {lasting(asked.over)}")
    if asked.under is not None:
        found.append(f"less than {lasting(asked.under)}")
    if asked.factor is not None:
        found.append(f"more than {asked.factor:g} times as long as usual")
    return f"the last success took {' or '.join(found)}"


def _waiting(rule: WaitingRule) -> str:
    of_each = (
        name if seconds_of(lasts) == 0 else f"{name} for {lasting(lasts)}"
        for name, lasts in rule.waiting.named.items()
    )
    return f"a run awaits {', '.join(of_each)}"


def _metric(rule: MetricRule) -> str:
    asked = rule.metric
    labels = ", ".join(f"{key}={value}" for key, value in sorted(asked.labels.items()))
    of = f"{asked.take} of {asked.name}" + (f" ({labels})" if labels else "")
    limit = f"less than {asked.under:g}" if asked.over is None else f"more than {asked.over:g}"
    return f"{of} is {limit} within {lasting(asked.within)}"


def _missed(rule: MissedRule) -> str:
    asked = rule.missed
    some = "an instant" if asked.count == 1 else f"{asked.count} instants"
    fates = ", ".join(asked.fates)
    return f"{some} of its schedules became no run within {lasting(asked.within)} ({fates})"


def _cost(rule: CostRule) -> str:
    asked = rule.cost
    of = "a run" if asked.per is Per.RUN else f"a {asked.per} (UTC)"
    return f"{of} costs more than {asked.over}"


def _log(rule: LogRule) -> str:
    asked = rule.log
    some = "a line" if asked.count == 1 else f"{asked.count} lines"
    return f"{some} {described(asked)}, within {lasting(asked.within)}"


def _error_pattern(rule: ErrorPatternRule) -> str:
    asked = rule.error_pattern
    within = f"within {lasting(asked.within)}"
    some = f", in at least {asked.at_least} lines," if asked.at_least > 1 else ""
    if asked.new:
        return f"a kind of error is new{some} {within}"
    return f"there are {asked.times:g} times as many lines of a kind of error{some} {within}"


_WORDS: dict[type, Callable[[Any], str]] = {
    DeadRule: lambda rule: "a run is dead",
    FailuresRule: lambda rule: f"{rule.consecutive_failures} runs in a row are dead",
    FailedRule: _failed,
    TookRule: _took,
    NoSuccessRule: lambda rule: f"no run succeeded for {lasting(rule.no_success.within)}",
    NotStartedRule: lambda rule: f"a run waits for {lasting(rule.not_started.within)}",
    NotFinishedRule: lambda rule: (
        f"a run is not over {lasting(rule.not_finished.within)} after it was asked for"
    ),
    WaitingRule: _waiting,
    OverdueRule: lambda rule: (
        "no run succeeded since the last but one instant of its schedule, "
        f"{lasting(rule.overdue.within)} later"
    ),
    QueueWaitRule: lambda rule: (
        f"1 of 20 attempts waited longer than {lasting(rule.queue_wait.over)} "
        f"within {lasting(rule.queue_wait.within)}"
    ),
    MissedRule: _missed,
    CostRule: _cost,
    MetricRule: _metric,
    LogRule: _log,
    ErrorPatternRule: _error_pattern,
}
