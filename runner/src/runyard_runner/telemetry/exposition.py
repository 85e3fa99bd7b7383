"""`/metrics`: the counts as Prometheus reads them. Loaded when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from runyard_runner.telemetry.meters import (
    BOUNDS_SECONDS,
    COUNTERS,
    HISTOGRAMS,
    Histogram,
    Meters,
)

MEDIA_TYPE = CONTENT_TYPE_LATEST


class _Counts(Collector):
    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        for name, (attribute, label, words) in COUNTERS.items():
            family = CounterMetricFamily(name, words, labels=[label])
            for value, count in getattr(self._meters, attribute).items():
                family.add_metric([value], count)
            yield family
        yield CounterMetricFamily("runner_retries", "Further attempts.", self._meters.retries)
        yield GaugeMetricFamily("runner_running", "Executions now.", self._meters.running)
        for name, (attribute, words) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, words)
            kept: Histogram = getattr(self._meters, attribute)
            histogram.add_metric([], _buckets(kept), kept.sum_seconds)
            yield histogram


def exposition(meters: Meters) -> bytes:
    """The page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts(meters))
    return generate_latest(registry)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    reached, buckets = 0, []
    bounds = [*(str(bound) for bound in BOUNDS_SECONDS), "+Inf"]
    for bound, count in zip(bounds, histogram.counts, strict=True):
        reached += count
        buckets.append((bound, float(reached)))
    return buckets
