"""A sketch: how values are spread, in little room, exact where it is cheap to be.

Count, sum, least and greatest are exact. In between stand log-linear buckets: `PARTS` of equal
width in each power of two, so that a quantile is off by no more than one part in `PARTS` of itself
(as in HdrHistogram, https://github.com/HdrHistogram/HdrHistogram, and in the exponential histograms
of OpenTelemetry). Sketches of any two places and times add up to that of both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

PARTS = 16  #: of a power of two: a bucket is 1/16 to 1/32 of its values wide
TINY = 1e-9  #: what is less shares a bucket: a nanosecond, a nano-dollar
NOTHING_LOW, NOTHING_HIGH = math.inf, -math.inf


@dataclass(slots=True)
class Sketch:
    """Values that were seen. `buckets`: how many in each, by `bucket_of`; empty for what is only
    counted and summed."""

    count: int = 0
    total: float = 0.0
    low: float = NOTHING_LOW
    high: float = NOTHING_HIGH
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """One more value, not negative."""
        self.tally(value)
        bucket = bucket_of(value)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1

    def tally(self, value: float) -> None:
        """One more value, of which nobody will want a quantile."""
        self.count += 1
        self.total += value
        self.low = min(self.low, value)
        self.high = max(self.high, value)

    def merge(self, other: Sketch) -> None:
        """All that `other` saw, too."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def quantile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of the values do not exceed; None without any value."""
        if not self.buckets:
            return None
        rank = share * sum(self.buckets.values())
        passed, ordered = 0, iter(sorted(self.buckets))
        bucket = next(ordered)
        while passed + self.buckets[bucket] < rank:
            passed += self.buckets[bucket]
            bucket = next(ordered)
        lower, upper = bounds(bucket)
        value = lower + (upper - lower) * (rank - passed) / self.buckets[bucket]
        return min(max(value, self.low), self.high)

    @property
    def mean(self) -> float | None:
        """The average; None without any value."""
        return self.total / self.count if self.count else None


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """One sketch of all that they saw."""
    whole = Sketch()
    for sketch in sketches:
        whole.merge(sketch)
    return whole


def bucket_of(value: float) -> int:
    """The bucket of a value."""
    share, power = math.frexp(max(value, TINY))
    return power * PARTS + int((share - 0.5) * 2 * PARTS)


def bounds(bucket: int) -> tuple[float, float]:
    """From where to where a bucket goes."""
    power, part = divmod(bucket, PARTS)
    return (
        math.ldexp(0.5 + part / (2 * PARTS), power),
        math.ldexp(0.5 + (part + 1) / (2 * PARTS), power),
    )
