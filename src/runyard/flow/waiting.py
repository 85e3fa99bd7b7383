"""What the rule about waits says: a run awaits something, and for longer than it may unnoticed.

Who waits is known from the rows, and when a wait has lasted too long from its beginning, so nobody
looks at a job for it meanwhile. A wait that ends in death is over only once the death is told: both
are then of one incident, which gets worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from runyard.flow.holding import NAMES, UNTIL
from runyard.flow.rule_subject import Finding, Subject
from runyard.model.alert import Alert
from runyard.model.alert_rules import AlertRule, DeadRule, WaitingRule
from runyard.model.durations import seconds_of
from runyard.model.run import Run

#: A death is told within moments; what is not told by then was taken back, or cannot be told.
DEATH_TOLD_WITHIN = timedelta(minutes=5)
_TO_DO = {
    "network": "it goes on by itself once it can be reached; `runyard explain {run}` says what is "
    "missing",
    "capacity": "it goes on by itself once there is room; `runyard explain {run}` says what is "
    "missing",
    "permission": "`runyard explain {run}` says which binding is missing; it goes on by itself "
    "once it is there",
    "application": "`runyard apply` a revision that works, or `runyard resume {run}` if "
    "something else was mended",
}


def waiting(
    subject: Subject, rule: WaitingRule, alert: Alert | None, now: datetime
) -> Finding | None:
    """The run that waits too long, the one that does so for the longest."""
    late = [(at, run.id, run) for at, run in _instants(subject, rule) if at <= now]
    if not late:
        return Finding(False, "no run of it waits so long any more")
    run = min(late)[2]
    name = NAMES[run.state]
    last = "" if run.awaiting is None else run.awaiting.words
    seen = "; ".join(words for words in (run.reason, last) if words)
    text = "\n".join(words for words in (seen, _TO_DO[name].format(run=run.id)) if words)
    return Finding(True, f"{run.id} waits {UNTIL[name]}", run.view, text)


def wait_too_long_at(
    subject: Subject, rules: Mapping[str, AlertRule], now: datetime
) -> datetime | None:
    """When a wait will have lasted too long next; None: no wait will."""
    found = (
        at
        for rule in rules.values()
        if isinstance(rule, WaitingRule)
        for at, _ in _instants(subject, rule)
        if at > now
    )
    return min(found, default=None)


def is_told_first(
    subject: Subject,
    rules: Mapping[str, AlertRule],
    alert: Alert | None,
    open_alerts: Mapping[str, Alert],
    now: datetime,
) -> bool:
    """True when the run that waited is dead, and that is still to be told."""
    if alert is None or not any(isinstance(rule, DeadRule) for rule in rules.values()):
        return False
    run = next((one for one in subject.judged if one.id == alert.run), None)
    if run is None or not run.is_dead or run.ended_at is None:
        return False
    told = any(isinstance(rules.get(one.rule), DeadRule) for one in open_alerts.values())
    return not told and now < run.ended_at + DEATH_TOLD_WITHIN


def _instants(subject: Subject, rule: WaitingRule) -> Iterator[tuple[datetime, Run]]:
    """From when on each wait is too long."""
    lasts = rule.waiting.named
    for run in subject.waits:
        name = NAMES.get(run.state, "")
        if run.awaiting is not None and name in lasts:
            yield run.awaiting.since + timedelta(seconds=seconds_of(lasts[name])), run
