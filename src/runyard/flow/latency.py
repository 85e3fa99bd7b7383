"""Has a job become slower, and which revision brought it?

Runs that succeeded are compared, those of the revisions before a change against those since. Two
questions are asked of each change, and the evidence must be strong for either:

* Is a run since usually longer than one before? The Mann-Whitney test of ranks, with the correction
  for ties: durations are skewed, have several humps and wild outliers, which a test of averages
  (Welch's t) takes for news or is blinded by; ranks are not. It needs nothing but which of two runs
  was longer, so the buckets of a sketch are enough (two runs of one bucket are a tie).
  (H. B. Mann, D. R. Whitney, 1947, https://doi.org/10.1214/aoms/1177730491)
* Are there more of the very long ones? Fisher's exact test of how many are beyond what 95 % of the
  runs before stayed below: a longer tail moves few ranks.
  (R. A. Fisher, 1922, https://doi.org/10.2307/2340521)

As many changes are looked at, the least probability that counts is shared among them (Bonferroni).
What is certain may still not matter: it must also be `WORSE` times as long, by `NOTICED_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import erfc, exp, lgamma, sqrt

from runyard.model.metric import Point
from runyard.model.run import State
from runyard.model.sketch import Sketch, merged

RUNS_MIN = 8  #: on each side: with fewer, the normal approximation of the test of ranks is off
PROBABILITY_MAX = 0.01  #: that chance alone makes it look so, over all changes looked at
WORSE = 1.2
NOTICED_SECONDS = 0.05
TAIL = 0.95


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of one side of a change."""

    runs: int
    p50_seconds: float
    p95_seconds: float


@dataclass(frozen=True, slots=True)
class Regression:
    """Runs are longer since `revision`. `of` is what became worse: p50 or p95; `probability`: that
    chance alone makes it look so."""

    revision: int
    of: str
    before: Side
    since: Side
    probability: float


def regression(durations: Mapping[int, Sketch]) -> Regression | None:
    """The change that made runs longer with the strongest evidence, most runs rather than the
    longest ones; None when there is none.
    `durations`: of the runs of each revision that succeeded."""
    ordered = sorted(durations)
    changes = [
        (revision, before, since)
        for place, revision in enumerate(ordered)
        if (before := merged(durations[one] for one in ordered[:place])).count >= RUNS_MIN
        and (since := merged(durations[one] for one in ordered[place:])).count >= RUNS_MIN
    ]
    found = [
        one
        for revision, before, since in changes
        for one in _worse(revision, before, since)
        if one.probability <= PROBABILITY_MAX / (2 * len(changes))
    ]
    return min(found, key=lambda one: (one.of, one.probability), default=None)


def by_revision(points: Iterable[Point]) -> dict[int, Sketch]:
    """Of points of run durations: those of runs that succeeded, a sketch for each revision."""
    found: dict[int, Sketch] = {}
    for point in points:
        labels = dict(point.series.labels)
        if labels["state"] == State.SUCCEEDED:
            found.setdefault(int(labels["revision"]), Sketch()).merge(point.sketch)
    return found


def side(sketch: Sketch) -> Side:
    """A side in figures. It has runs."""
    return Side(sketch.count, sketch.quantile(0.5) or 0.0, sketch.quantile(TAIL) or 0.0)


def _worse(revision: int, before: Sketch, since: Sketch) -> list[Regression]:
    """What is worse by enough to matter, with how likely it is to be chance."""
    old, new = side(before), side(since)
    found = []
    if _matters(old.p50_seconds, new.p50_seconds):
        found.append(Regression(revision, "p50", old, new, longer(before, since)))
    if _matters(old.p95_seconds, new.p95_seconds):
        found.append(Regression(revision, "p95", old, new, longer_tail(before, since)))
    return found


def _matters(old: float, new: float) -> bool:
    return new >= old * WORSE and new - old >= NOTICED_SECONDS


def longer(before: Sketch, since: Sketch) -> float:
    """How likely chance alone lets those since look so much longer than those before."""
    first, second = before.count, since.count
    below = ties = 0
    wins = 0.0
    for bucket in sorted(before.buckets.keys() | since.buckets.keys()):
        old, new = before.buckets.get(bucket, 0), since.buckets.get(bucket, 0)
        wins += new * (below + old / 2)
        below += old
        ties += (old + new) ** 3 - (old + new)
    both = first + second
    variance = first * second / 12 * (both + 1 - ties / (both * (both - 1)))
    if variance <= 0:  # all in one bucket
        return 1.0
    return 0.5 * erfc((wins - first * second / 2) / sqrt(2 * variance))


def longer_tail(before: Sketch, since: Sketch) -> float:
    """How likely chance alone puts so many of those since beyond where few of those before are."""
    edge = _edge(before)
    old = sum(count for bucket, count in before.buckets.items() if bucket > edge)
    new = sum(count for bucket, count in since.buckets.items() if bucket > edge)
    drawn, both, beyond = since.count, before.count + since.count, old + new
    every = _ways(both, drawn)
    return min(
        1.0,
        sum(
            exp(_ways(beyond, some) + _ways(both - beyond, drawn - some) - every)
            for some in range(new, min(beyond, drawn) + 1)
        ),
    )


def _edge(sketch: Sketch) -> int:
    """The bucket that `TAIL` of the values do not exceed."""
    passed, ordered = 0, iter(sorted(sketch.buckets))
    bucket = next(ordered)
    while passed + sketch.buckets[bucket] < TAIL * sketch.count:
        passed += sketch.buckets[bucket]
        bucket = next(ordered)
    return bucket


def _ways(of: int, some: int) -> float:
    """The logarithm of how many ways there are to choose some of them."""
    return lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)
