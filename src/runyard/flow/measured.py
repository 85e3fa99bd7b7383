"""What rules say of what was measured of a job: waits, cost, missed instants, metrics, log lines.

Pure. Points are of whole minutes (of hours, when they are two days old), and one that only touches
a window is in it, whole: windows are right within that. What a clock wrote that was a little ahead
counts as of now, so that setting it right makes nothing look as if it were over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runyard.flow.costing import display
from runyard.flow.rule_subject import Finding, Subject
from runyard.flow.rule_words import lasting
from runyard.model.alert import Alert
from runyard.model.alert_rules import AlertRule
from runyard.model.durations import seconds_of
from runyard.model.measured_rules import (
    CostRule,
    ErrorPatternRule,
    LogRule,
    Measured,
    MetricRule,
    MissedRule,
    Per,
    QueueWaitRule,
    Take,
)
from runyard.model.metric import Metric
from runyard.model.run import RunView
from runyard.model.sketch import Sketch, merged

USUALLY = 0.95  #: the share of attempts that must not wait longer
WINDOWS = 7  #: before the one that is looked at, that say how much is usual
AHEAD = timedelta(minutes=5)  #: of `now` may be what was seen
_QUANTILES = {Take.P50: 0.5, Take.P95: 0.95, Take.P99: 0.99}


@dataclass(frozen=True, slots=True)
class Wants:
    """What rules want to be read of a job beside its runs. None: nothing of the kind."""

    metrics: tuple[str, ...] = ()
    points_since: datetime | None = None
    spent_since: tuple[tuple[Per, datetime], ...] = ()
    unrun_since: datetime | None = None
    patterns: bool = False


def wants(rules: Iterable[AlertRule], now: datetime) -> Wants:
    """What these rules need at an instant."""
    metrics: set[str] = set()
    windows, missed, spent, patterns = [], [], {}, False
    for rule in rules:
        match rule:
            case MetricRule():
                metrics.add(rule.metric.name)
                windows.append(seconds_of(rule.metric.within))
            case QueueWaitRule():
                metrics.add(Metric.QUEUE_WAIT)
                windows.append(seconds_of(rule.queue_wait.within))
            case LogRule():
                metrics.add(Metric.LOG_MATCHES)
                windows.append(seconds_of(rule.log.within))
            case ErrorPatternRule():
                patterns = True
                metrics.add(Metric.ERROR_LINES)
                windows.append((1 + WINDOWS) * seconds_of(rule.error_pattern.within))
            case MissedRule():
                missed.append(seconds_of(rule.missed.within))
            case CostRule() if rule.cost.per is not Per.RUN:
                spent[rule.cost.per] = begin_of(rule.cost.per, now)
    return Wants(
        tuple(sorted(metrics)),
        now - timedelta(seconds=max(windows)) if windows else None,
        tuple(spent.items()),
        now - timedelta(seconds=max(missed)) if missed else None,
        patterns,
    )


def begin_of(per: Per, now: datetime) -> datetime:
    """When the day or the month began that `now` (UTC) is in."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if per is Per.DAY else day.replace(day=1)


# -- one function for each kind ------------------------------------------------------------------
def _metric(
    subject: Subject, name: str, rule: MetricRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.metric
    seen = _seen(subject, asked.name, asked.labels, asked.within, now)
    is_total = asked.take in (Take.COUNT, Take.SUM)
    if not is_total and seen.count < asked.at_least:
        return Finding(False, "too few values to tell")
    if is_total and asked.under is not None and not _is_known(subject, asked.within, now):
        return None  # of a time before there was such a job, little says nothing
    value = _taken(seen, asked.take)
    limit = asked.over if asked.under is None else asked.under
    wrong = value < (limit or 0) if asked.over is None else value > (limit or 0)
    words = f"{asked.take} of {asked.name}{_of(asked)} is {value:g} within {lasting(asked.within)}"
    than = "more" if asked.under is None else "less"
    return Finding(wrong, f"{words}, {than} than {limit:g}" if wrong else words)


def _of(asked: Measured) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in sorted(asked.labels.items()))
    return f" ({labels})" if labels else ""


def _queue_wait(
    subject: Subject, name: str, rule: QueueWaitRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.queue_wait
    seen = _seen(subject, Metric.QUEUE_WAIT, {}, asked.within, now)
    waited = seen.quantile(USUALLY)
    if waited is None:
        return Finding(False, "nothing waited")
    words = f"95 % of {seen.count} attempts were taken up within {waited:.1f} s"
    wrong = waited > seconds_of(asked.over)
    return Finding(wrong, f"{words}, not within {lasting(asked.over)}" if wrong else words)


def _log(
    subject: Subject, name: str, rule: LogRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.log
    seen = _seen(subject, Metric.LOG_MATCHES, {"rule": name}, asked.within, now)
    wrong = seen.total >= asked.count
    wanted = asked.pattern or asked.text or f"{asked.severity} or worse"
    lines = "line has" if seen.total == 1 else "lines have"
    return Finding(wrong, f"{seen.total:g} {lines} {wanted!r} within {lasting(asked.within)}")


def _error_pattern(
    subject: Subject, name: str, rule: ErrorPatternRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.error_pattern
    span = timedelta(seconds=seconds_of(asked.within))
    lately = _by_pattern(subject, now - span, now + AHEAD)
    before = _by_pattern(subject, now - (1 + WINDOWS) * span, now - span)
    found = [one for one in subject.patterns if lately.get(one.id, 0) >= asked.at_least]
    if asked.new:
        found = [one for one in found if one.first_seen_at >= now - span]
        words = "new kind of error"
    else:
        usual = {key: max(1.0, count / WINDOWS) for key, count in before.items()}
        found = [
            one for one in found if lately[one.id] >= (asked.times or 0) * usual.get(one.id, 1.0)
        ]
        words = "much more than usual"
    if not found:
        return Finding(False, f"no {words} within {lasting(asked.within)}")
    worst = max(found, key=lambda one: (lately[one.id], one.id))
    some = "1 line" if lately[worst.id] == 1 else f"{lately[worst.id]:g} lines"
    more = f", and {len(found) - 1} more kinds" if len(found) > 1 else ""
    return Finding(True, f"{words}: {worst.template} ({some}{more})")


def _by_pattern(subject: Subject, since: datetime, until: datetime) -> dict[str, float]:
    """How many lines there were of each pattern; a point belongs to where it ends."""
    found: dict[str, float] = {}
    for point in subject.points:
        ends_at = point.at + timedelta(seconds=point.step_seconds)
        if point.series.metric == Metric.ERROR_LINES and since < ends_at <= until:
            key = dict(point.series.labels)["pattern"]
            found[key] = found.get(key, 0) + point.sketch.total
    return found


def _missed(
    subject: Subject, name: str, rule: MissedRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.missed
    since = now - timedelta(seconds=seconds_of(asked.within))
    found = [one for one in subject.unrun if one.decided_at >= since and one.fate in asked.fates]
    count = sum(one.count for one in found)
    fates = ", ".join(sorted({str(one.fate) for one in found}))
    words = f"{count} instants became no run within {lasting(asked.within)}"
    return Finding(count >= asked.count, f"{words} ({fates})" if fates else words)


def _cost(
    subject: Subject, name: str, rule: CostRule, alert: Alert | None, now: datetime
) -> Finding | None:
    asked = rule.cost
    if asked.per is Per.RUN:
        return _cost_of_run(subject, rule)
    spent = subject.spent.get(asked.per, 0)
    begun = begin_of(asked.per, now)
    form = "%Y-%m-%d" if asked.per is Per.DAY else "%Y-%m"
    words = f"{display(spent)} in {begun:{form}}"
    wrong = spent > asked.nano_dollars
    return Finding(wrong, f"{words}, more than {asked.over}" if wrong else words)


def _cost_of_run(subject: Subject, rule: CostRule) -> Finding | None:
    """Of those that are not over, or of the last one that is."""
    asked = rule.cost
    live = [run for run in subject.runs if run.ended_at is None]
    ended = sorted(
        (run for run in subject.runs if run.ended_at is not None), key=_ended_at, reverse=True
    )
    looked_at = [*live, *ended[:1]]
    dear = next((run for run in looked_at if run.cost_nano_dollars > asked.nano_dollars), None)
    if dear is not None:
        cost = display(dear.cost_nano_dollars)
        return Finding(True, f"{dear.id} cost {cost}, more than {asked.over}", dear)
    if not ended:
        return None
    return Finding(False, f"{ended[0].id} cost {display(ended[0].cost_nano_dollars)}")


def _ended_at(run: RunView) -> datetime:
    return run.ended_at or run.requested_at


# -- what was seen -------------------------------------------------------------------------------
def _seen(
    subject: Subject, metric: str, labels: Mapping[str, str], within: str, now: datetime
) -> Sketch:
    """All that was seen of a metric in a window, of series that have these labels."""
    since = now - timedelta(seconds=seconds_of(within))
    return merged(
        point.sketch
        for point in subject.points
        if point.series.metric == metric
        and point.at + timedelta(seconds=point.step_seconds) > since
        and labels.items() <= dict(point.series.labels).items()
    )


def _is_known(subject: Subject, within: str, now: datetime) -> bool:
    return now - subject.since >= timedelta(seconds=seconds_of(within))


def _taken(seen: Sketch, take: Take) -> float:
    """What is made of the values. There are some, but for what counts or adds up."""
    if take in _QUANTILES:
        found = seen.quantile(_QUANTILES[take])
        return seen.high if found is None else found  # a metric that is only counted: all ones
    match take:
        case Take.COUNT:
            return float(seen.count)
        case Take.SUM:
            return seen.total
        case Take.MIN:
            return seen.low
        case Take.MAX:
            return seen.high
        case _:
            return seen.mean or 0.0


Finder = Callable[[Subject, str, Any, Alert | None, datetime], Finding | None]
FINDERS: dict[type, Finder] = {
    MetricRule: _metric,
    QueueWaitRule: _queue_wait,
    LogRule: _log,
    ErrorPatternRule: _error_pattern,
    MissedRule: _missed,
    CostRule: _cost,
}
