"""What rules say of a job now, from its runs. Pure: time, runs and zones are handed in.

A rule says that something is wrong, that it is not, or nothing (it cannot tell, as long as there
are too few runs). Each has one alert for a job: `environment/project/job/rule` is its fingerprint,
whatever the run or the region. All rules of a job are of one incident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from statistics import median
from typing import Any

from runyard.flow.measured import FINDERS
from runyard.flow.rule_subject import Finding, Subject
from runyard.flow.schedule.timing import Timing
from runyard.flow.waiting import is_told_first, waiting
from runyard.model.alert import Alert, Observation
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
    named,
)
from runyard.model.durations import seconds_of
from runyard.model.job import JobSpec
from runyard.model.measured_rules import CostRule
from runyard.model.run import RunView, State

USUAL_RUNS = 20  #: of successes, that say how long a job's runs usually take
USUAL_RUNS_MIN = 5  #: fewer say nothing
HISTORY = timedelta(days=7)  #: how far back rules look that name no window


def fingerprint(environment: str, spec: JobSpec, rule: str) -> str:
    """What there is one alert for."""
    return f"job/{environment}/{spec.project}/{spec.name}/{rule}"


def window_of(rules: Mapping[str, AlertRule]) -> timedelta:
    """How far back the runs are needed that rules look at."""
    spans = [seconds_of(one.failed.within) for one in rules.values() if isinstance(one, FailedRule)]
    return max(HISTORY, timedelta(seconds=max(spans, default=0.0)))


def of_time(rules: Mapping[str, AlertRule], *, scheduled: bool) -> bool:
    """True when a rule may find something though nothing happened; `scheduled`: the job has a
    schedule."""
    kinds = NoSuccessRule | NotStartedRule | NotFinishedRule | FailedRule
    return any(
        isinstance(one, kinds)
        or type(one) in FINDERS
        or (scheduled and isinstance(one, OverdueRule))
        for one in rules.values()
    )


def quiet_until(subject: Subject, rules: Mapping[str, AlertRule]) -> datetime | None:
    """Before which instant no rule finds anything wrong unless something happens; None: any look
    may. Only what is overdue is known beforehand."""
    instants = []
    for name, rule in rules.items():
        if isinstance(rule, OverdueRule):
            last = subject.succeeded_at or subject.since
            seconds = rule.overdue.seconds
            instants += [_overdue_at(timing, last, seconds) for timing in subject.timings]
        elif of_time({name: rule}, scheduled=False):
            return None
    return min((at for at in instants if at is not None), default=datetime.max.replace(tzinfo=UTC))


def of_success(rules: Mapping[str, AlertRule]) -> bool:
    """True when a rule may find something wrong with a run that succeeded."""
    return any(isinstance(one, TookRule | CostRule) for one in rules.values())


def dead(environment: str, spec: JobSpec, run: str, region: str, reason: str) -> Observation | None:
    """What the rule says of a run that is dead; None where it is switched off."""
    rules = named(spec.alerts)
    found = next(((n, r) for n, r in rules.items() if isinstance(r, DeadRule)), None)
    if found is None:
        return None
    return _observation(
        environment, spec, found[0], found[1], f"{spec.name} is dead", reason, run, region
    )


def judge(subject: Subject, open_alerts: Mapping[str, Alert], now: datetime) -> list[Observation]:
    """What each rule of a job says now, where that changes something: it is wrong, or it is not any
    more and has an alert. Alerts of rules that are gone are over."""
    spec, rules = subject.spec, named(subject.spec.alerts)
    found: list[Observation] = []
    for name, rule in rules.items():
        key = fingerprint(subject.environment, spec, name)
        alert = open_alerts.get(key)
        said = _find(subject, name, rule, alert, now)
        if said is None or not _is_news(said, alert):
            continue
        if isinstance(rule, WaitingRule) and is_told_first(subject, rules, alert, open_alerts, now):
            continue
        found.append(_said(subject, name, rule, said))
    known = {fingerprint(subject.environment, spec, name) for name in rules}
    gone = (alert for key, alert in open_alerts.items() if key not in known)
    return found + [over(alert, "its rule is gone") for alert in gone]


def _find(
    subject: Subject, name: str, rule: AlertRule, alert: Alert | None, now: datetime
) -> Finding | None:
    measured = FINDERS.get(type(rule))
    if measured is not None:
        return measured(subject, name, rule, alert, now)
    return _FINDERS[type(rule)](subject, rule, alert, now)


def over(alert: Alert, reason: str) -> Observation:
    """That what an alert is about is over."""
    return Observation(
        fingerprint=alert.fingerprint,
        group=alert.group,
        seen=False,
        environment=alert.environment,
        project=alert.project,
        job=alert.job,
        rule=alert.rule,
        severity=alert.severity,
        title=alert.title,
        reason=reason,
    )


def _is_news(said: Finding, alert: Alert | None) -> bool:
    """True when the alert does not know it yet."""
    if alert is None:
        return said.wrong
    if not said.wrong:
        return alert.cleared_at is None
    return alert.cleared_at is not None or (said.run is not None and said.run.id != alert.run)


def _said(subject: Subject, name: str, rule: AlertRule, said: Finding) -> Observation:
    spec, run = subject.spec, said.run
    found = _observation(
        subject.environment,
        spec,
        name,
        rule,
        f"{spec.name}: {said.words}",
        said.text,
        "" if run is None else run.id,
        "" if run is None else run.region,
    )
    return found if said.wrong else over_with(found, said.words)


def over_with(found: Observation, reason: str) -> Observation:
    """The same, seen no more."""
    return Observation(**{name: getattr(found, name) for name in _KEPT}, seen=False, reason=reason)


_KEPT = (
    "fingerprint", "group", "environment", "project", "job", "rule", "severity", "title", "run",
    "region",
)  # fmt: skip


def _observation(
    environment: str,
    spec: JobSpec,
    name: str,
    rule: AlertRule,
    title: str,
    text: str,
    run: str,
    region: str,
) -> Observation:
    return Observation(
        fingerprint=fingerprint(environment, spec, name),
        group=f"job/{spec.project}/{spec.name}",
        seen=True,
        environment=environment,
        project=spec.project,
        job=spec.name,
        rule=name,
        severity=rule.severity,
        title=title,
        text=text,
        run=run,
        region=region,
        labels=tuple(sorted({**spec.labels, **rule.labels}.items())),
        runbook=spec.runbook or "",
        hold_seconds=rule.hold_seconds,
    )


# -- one function for each kind ------------------------------------------------------------------
def _dead(subject: Subject, rule: DeadRule, alert: Alert | None, now: datetime) -> Finding | None:
    """A death is told as it happens; here it is found to be over, by the next success."""
    judged = subject.judged
    if alert is None or not judged or judged[0].is_dead:
        return None
    last = judged[0]
    is_later = (last.ended_at or now) > alert.last_seen_at
    if not is_later and alert.run not in {run.id for run in judged}:
        return None
    return Finding(False, f"{last.id} succeeded")


def _failures(
    subject: Subject, rule: FailuresRule, alert: Alert | None, now: datetime
) -> Finding | None:
    judged = subject.judged
    dead_ones = list(takewhile(lambda run: run.is_dead, judged))
    if len(dead_ones) >= rule.consecutive_failures:
        return Finding(True, f"{len(dead_ones)} runs in a row are dead", dead_ones[0])
    return Finding(False, f"{judged[0].id} succeeded") if judged and not dead_ones else None


def _failed(
    subject: Subject, rule: FailedRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.failed
    since = now - timedelta(seconds=seconds_of(asked.within))
    lately = [run for run in subject.judged if run.ended_at is not None and run.ended_at >= since]
    dead_ones = [run for run in lately if run.is_dead]
    words = f"{len(dead_ones)} of {len(lately)} runs died within {asked.within}"
    if asked.count is not None:
        wrong = len(dead_ones) >= asked.count
    elif len(lately) < asked.at_least:
        return Finding(False, "too few runs to tell")
    else:
        wrong = 100 * len(dead_ones) >= (asked.percent or 0) * len(lately) and bool(dead_ones)
    return Finding(wrong, words, dead_ones[0] if wrong else None)


def _took(subject: Subject, rule: TookRule, alert: Alert | None, now: datetime) -> Finding | None:
    done = [run for run in subject.judged if run.state is State.SUCCEEDED]
    if not done or (seconds := done[0].seconds) is None:
        return None
    asked = rule.took
    if asked.over is not None and seconds > seconds_of(asked.over):
        return Finding(True, f"took {seconds:.1f} s, more than {asked.over}", done[0])
    if asked.under is not None and seconds < seconds_of(asked.under):
        return Finding(True, f"took {seconds:.1f} s, less than {asked.under}", done[0])
    usual = _usual_seconds(done[1:])
    if asked.factor is not None and usual is not None and seconds > asked.factor * usual:
        words = f"took {seconds:.1f} s, {seconds / usual:.1f} times as long as usual"
        return Finding(True, words, done[0])
    return Finding(False, f"{done[0].id} took {seconds:.1f} s")


def _usual_seconds(done: Sequence[RunView]) -> float | None:
    found = [seconds for run in done[:USUAL_RUNS] if (seconds := run.seconds) is not None]
    return median(found) or None if len(found) >= USUAL_RUNS_MIN else None


def _no_success(
    subject: Subject, rule: NoSuccessRule, alert: Alert | None, now: datetime
) -> Finding | None:
    last = subject.succeeded_at or subject.since
    if now - last >= timedelta(seconds=rule.no_success.seconds):
        return Finding(True, f"no run succeeded within {rule.no_success.within}")
    return Finding(False, "a run succeeded") if subject.succeeded_at is not None else None


def _not_started(
    subject: Subject, rule: NotStartedRule, alert: Alert | None, now: datetime
) -> Finding | None:
    waiting = [run for run in subject.runs if run.started_at is None and run.ended_at is None]
    return _too_late(waiting, rule.not_started.seconds, now, "has not started", "it started")


def _not_finished(
    subject: Subject, rule: NotFinishedRule, alert: Alert | None, now: datetime
) -> Finding | None:
    live = [run for run in subject.runs if run.ended_at is None]
    return _too_late(live, rule.not_finished.seconds, now, "is not over", "it is over")


def _too_late(
    runs: Sequence[RunView], seconds: float, now: datetime, late: str, over_words: str
) -> Finding:
    before = now - timedelta(seconds=seconds)
    found = [run for run in runs if run.requested_at <= before]
    if not found:
        return Finding(False, over_words)
    words = f"{found[-1].id} {late} {seconds:g} s after it was asked for"
    return Finding(True, words, found[-1])


def _overdue(
    subject: Subject, rule: OverdueRule, alert: Alert | None, now: datetime
) -> Finding | None:
    last = subject.succeeded_at or subject.since
    for timing in subject.timings:
        overdue_at = _overdue_at(timing, last, rule.overdue.seconds)
        if overdue_at is None or now < overdue_at:
            continue
        words = f"no run succeeded since {last.isoformat(timespec='minutes')}, over two instants"
        return Finding(True, f"{words} of its schedule")
    return Finding(False, "a run succeeded")


def _overdue_at(timing: Timing, last: datetime, seconds: float) -> datetime | None:
    """So long after the second instant since `last`; None: there are not two."""
    first = timing.next_after(last)
    second = None if first is None else timing.next_after(first)
    return None if second is None else second + timedelta(seconds=seconds)


_Finder = Callable[[Subject, Any, Alert | None, datetime], Finding | None]
_FINDERS: dict[type, _Finder] = {
    DeadRule: _dead,
    FailuresRule: _failures,
    FailedRule: _failed,
    TookRule: _took,
    NoSuccessRule: _no_success,
    NotStartedRule: _not_started,
    NotFinishedRule: _not_finished,
    WaitingRule: waiting,
    OverdueRule: _overdue,
}
