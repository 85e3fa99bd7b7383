"""What each fact of a run's history says that is worth measuring."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime

from runyard.flow.costing import NANO_DOLLARS, charge
from runyard.flow.schedule.compiling import INSTANT_VARIABLE
from runyard.model.event import AttemptEnded, Fact, Launched, Released, Started
from runyard.model.ids import AttemptKey
from runyard.model.metric import Labels, Metric
from runyard.model.outcome import Outcome
from runyard.model.run import Run, State, TriggerKind

#: Attempts whose launch is waited for; beyond it the oldest has no start latency.
STARTED_MAX = 10_000

Sample = tuple[Run, Metric, Labels, float]


class Measuring:
    """Remembers, for a launch that is awaited, when its attempt was taken up."""

    def __init__(self) -> None:
        self._started: OrderedDict[AttemptKey, datetime] = OrderedDict()

    def samples(self, facts: Iterable[tuple[Run, Fact, datetime]]) -> Iterator[Sample]:
        """What was seen: of which run, what of it, with which labels, how much."""
        for run, fact, at in facts:
            if isinstance(fact, Started):
                yield from self._begun(run, fact, at)
            elif isinstance(fact, Launched):
                started_at = self._started.pop(run.attempt_key, None)
                if started_at is not None:
                    yield run, Metric.START_LATENCY, (), _seconds(started_at, at)
            elif isinstance(fact, AttemptEnded):
                self._started.pop(run.attempt_key, None)
                yield from _attempt(run, fact, at)
            if run.is_final and not isinstance(fact, Released):  # a release comes after the end
                yield from _run(run)

    def _begun(self, run: Run, fact: Started, at: datetime) -> Iterator[Sample]:
        self._started[run.attempt_key] = at
        while len(self._started) > STARTED_MAX:
            self._started.popitem(last=False)
        yield run, Metric.QUEUE_WAIT, (), max(0.0, fact.waited_seconds)
        if fact.attempt > 1:
            yield run, Metric.RETRIES, (), 1.0
        elif run.trigger is TriggerKind.SCHEDULE:
            instant = dict(run.overrides.env).get(INSTANT_VARIABLE)
            if instant is not None:  # None: it was fired by hand
                yield run, Metric.LATENESS, (), _seconds(datetime.fromisoformat(instant), at)


def _attempt(run: Run, fact: AttemptEnded, at: datetime) -> Iterator[Sample]:
    outcome, usage = fact.outcome, fact.outcome.usage
    labels = (*failed_of(outcome), ("ending", outcome.ending), ("verdict", fact.verdict))
    yield run, Metric.ATTEMPTS, labels, 1.0
    if outcome.started_at is not None and outcome.ended_at is not None:
        took = _seconds(outcome.started_at, outcome.ended_at)
        yield run, Metric.ATTEMPT_DURATION, (("ending", outcome.ending),), took
    if not usage.task_attempts:
        return
    cost = charge(usage, run.region, at, key=run.attempt_key).nano_dollars
    yield run, Metric.COST, (), cost / NANO_DOLLARS
    if usage.cpu_milliseconds:  # 0: the machine offers no measure
        yield run, Metric.CPU, (), usage.cpu_milliseconds / 1000
    if usage.memory_peak_bytes and usage.memory_bytes:
        yield run, Metric.MEMORY, (), usage.memory_peak_bytes / usage.memory_bytes


def _run(run: Run) -> Iterator[Sample]:
    yield run, Metric.RUNS, (*failed_of(run.outcome), ("state", run.state)), 1.0
    if run.state is State.DEAD:
        yield run, Metric.DEAD_LETTERS, (), 1.0
    if run.started_at is not None and run.ended_at is not None:
        labels = (("revision", str(run.revision)), ("state", str(run.state)))
        yield run, Metric.RUN_DURATION, labels, _seconds(run.started_at, run.ended_at)


def failed_of(outcome: Outcome | None) -> Labels:
    """The class of a failure, as a label; nothing where there was none."""
    if outcome is None or outcome.failure is None:
        return ()
    return (("class", outcome.failure.failure_class),)


def _seconds(since: datetime, to: datetime) -> float:
    return max(0.0, (to - since).total_seconds())
