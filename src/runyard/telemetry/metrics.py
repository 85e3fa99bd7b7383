"""Metrics in Prometheus' words. Counters follow what the gate committed; the rest is looked up.

Names: https://prometheus.io/docs/practices/naming/ (base units, `_total` for counters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from runyard.model.event import AttemptEnded, Fact, Released, Started
from runyard.model.metric import OWN, Labels, Metric, Series
from runyard.model.outcome import Outcome
from runyard.model.run import Run, State
from runyard.telemetry.measuring import Measuring, failed_of

CONTENT_TYPE = CONTENT_TYPE_LATEST
_WAITS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600)
_DURATIONS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 168 * 3600)
_RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
#: What is measured of each job besides: in words, and the bounds of its histogram (none: a sum).
_OF_JOBS: dict[Metric, tuple[str, tuple[float, ...]]] = {
    Metric.START_LATENCY: ("From when an attempt was taken up to when it was launched.", _WAITS),
    Metric.LATENESS: ("From a schedule's instant to the first start of its run.", _WAITS),
    Metric.MEMORY: ("The greatest peak of an attempt's tasks against their limit.", _RATIOS),
    Metric.CPU: ("Measured of the tasks of attempts that ended.", ()),
    Metric.COST: ("Of attempts that ended, by list prices, before any free tier.", ()),
    Metric.DEAD_LETTERS: ("Runs that were given up.", ()),
}


@dataclass(frozen=True, slots=True)
class LoopReading:
    """A loop as it is now. `silence_seconds`: since its last tick, None when it never ticked."""

    ticks: int
    errors: int
    silence_seconds: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is looked up when metrics are asked for."""

    runs: Mapping[State, int] = field(default_factory=dict)
    effects_pending: int = 0
    loops: Mapping[str, LoopReading] = field(default_factory=dict)
    streams: int = 0


class Metrics:
    """One per process, with a registry of its own."""

    def __init__(self, version: str) -> None:
        registry = self._registry = CollectorRegistry()
        self._looked_up = _LookedUp(version)
        registry.register(self._looked_up)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._finished = Counter(
            "runyard_runs_finished",
            "Runs that became final, by state and by the class of what the last attempt failed of.",
            ("job", "state", "class", "region"),
            registry=registry,
        )
        self._attempts = Counter(
            "runyard_attempts_ended",
            "Attempts that ended, by ending, class of failure, and what became of the run.",
            ("ending", "class", "verdict"),
            registry=registry,
        )
        self._retries = Counter(
            "runyard_retries", "Attempts after the first.", ("job", "region"), registry=registry
        )
        self._wait = Histogram(
            "runyard_queue_wait_seconds",
            "From when an attempt could start to when it was taken up.",
            ("region",),
            buckets=_WAITS,
            registry=registry,
        )
        self._duration = Histogram(
            "runyard_run_duration_seconds",
            "From the first attempt's start to the end of the run.",
            ("state", "region"),
            buckets=_DURATIONS,
            registry=registry,
        )
        self._measuring = Measuring()
        self._of_jobs = {metric: _of_jobs(metric, registry) for metric in _OF_JOBS}
        self._deliveries = Counter(
            "runyard_webhook_deliveries",
            "Calls of webhooks, by what became of them.",
            ("fate",),
            registry=registry,
        )

    def delivered(self, fate: str) -> None:
        """Count a call of a webhook."""
        self._deliveries.labels(fate).inc()

    def own(self, series: Series, value: float) -> None:
        """Count a value that a job measures itself."""
        key = (series.metric, series.job, series.region, series.labels)
        count, total = self._looked_up.own.get(key, (0, 0.0))
        self._looked_up.own[key] = (count + 1, total + value)

    def observe(self, facts: Sequence[tuple[Run, Fact, datetime]]) -> None:
        """Count what was committed: each run as it was after the fact, the fact, its instant."""
        for run, metric, _, value in self._measuring.samples(facts):
            if metric in self._of_jobs:
                self._of_jobs[metric](run, value)
        for run, fact, _ in facts:
            if isinstance(fact, Started):
                self._wait.labels(run.region).observe(max(0.0, fact.waited_seconds))
                if fact.attempt > 1:
                    self._retries.labels(run.job, run.region).inc()
            if isinstance(fact, AttemptEnded):
                outcome = fact.outcome
                self._attempts.labels(outcome.ending, _class(outcome), fact.verdict).inc()
            if run.is_final and _ends(fact):
                self._finish(run)

    def _finish(self, run: Run) -> None:
        self._finished.labels(run.job, run.state, _class(run.outcome), run.region).inc()
        if run.started_at is not None and run.ended_at is not None:
            seconds = (run.ended_at - run.started_at).total_seconds()
            self._duration.labels(run.state, run.region).observe(max(0.0, seconds))

    def text(self, reading: Reading) -> bytes:
        """Everything in Prometheus' text format (`CONTENT_TYPE`)."""
        self._looked_up.reading = reading
        return generate_latest(self._registry)


def _of_jobs(metric: Metric, registry: CollectorRegistry) -> Callable[[Run, float], None]:
    """What takes a value of a job's runs: a counter's sum, or a histogram."""
    words, buckets = _OF_JOBS[metric]
    labels = ("job", "region")
    if not buckets:
        counter = Counter(f"runyard_{metric}", words, labels, registry=registry)
        return lambda run, value: counter.labels(run.job, run.region).inc(value)
    seen = Histogram(f"runyard_{metric}", words, labels, buckets=buckets, registry=registry)
    return lambda run, value: seen.labels(run.job, run.region).observe(value)


def _class(outcome: Outcome | None) -> str:
    """The class of a failure; empty where there was none: a label is of all or of none."""
    return dict(failed_of(outcome)).get("class", "")


def _ends(fact: Fact) -> bool:
    """True for a fact that can make a run final: a release comes after the end."""
    return not isinstance(fact, Released)


class _LookedUp(Collector):
    """Gauges, and counters that others keep, from the last reading."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.reading = Reading()
        self.own: dict[tuple[str, str, str, Labels], tuple[int, float]] = {}

    def collect(self) -> Iterator[Family]:
        """See `Collector`."""
        reading = self.reading
        build = GaugeMetricFamily("runyard_build_info", "This program.", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        runs = GaugeMetricFamily("runyard_runs", "Runs that are kept, by state.", labels=["state"])
        for state in State:
            runs.add_metric([state], reading.runs.get(state, 0))
        yield runs
        words = "Effects in the outbox that are not done yet."
        yield GaugeMetricFamily("runyard_effects_pending", words, reading.effects_pending)
        words = "Streams of events that are open."
        yield GaugeMetricFamily("runyard_event_streams", words, reading.streams)
        yield from self._loops()
        yield from self._own()

    def _own(self) -> Iterator[Family]:
        """What jobs measure themselves: a summary for each name, with the labels of all of it."""
        names: dict[str, list[tuple[dict[str, str], int, float]]] = {}
        for (name, job, region, labels), (count, total) in sorted(self.own.items()):
            pairs = {"job": job, "region": region} | dict(labels)
            names.setdefault(name.removeprefix(OWN), []).append((pairs, count, total))
        for name, rows in names.items():
            keys = sorted({key for pairs, _, _ in rows for key in pairs})
            words = "What jobs measure themselves."
            family = SummaryMetricFamily(f"runyard_own_{name}", words, labels=keys)
            for pairs, count, total in rows:
                family.add_metric([pairs.get(key, "") for key in keys], count, total)
            yield family

    def _loops(self) -> Iterator[Family]:
        ticks = CounterMetricFamily("runyard_loop_ticks", "Looks of a loop.", labels=["loop"])
        errors = CounterMetricFamily("runyard_loop_errors", "Looks that failed.", labels=["loop"])
        words = "Since a loop looked last."
        silence = GaugeMetricFamily("runyard_loop_last_tick_age_seconds", words, labels=["loop"])
        for name, loop in self.reading.loops.items():
            ticks.add_metric([name], loop.ticks)
            errors.add_metric([name], loop.errors)
            if loop.silence_seconds is not None:
                silence.add_metric([name], loop.silence_seconds)
        yield from (ticks, errors, silence)
