"""A job that became slower is told with the revision that brought it; chance is not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from math import comb, sqrt
from random import Random
from statistics import NormalDist

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runyard.flow.latency import by_revision, longer, longer_tail, regression
from runyard.model.metric import Metric, Point, Series
from runyard.model.sketch import Sketch


def sketch_of(*seen: float) -> Sketch:
    sketch = Sketch()
    for value in seen:
        sketch.add(value)
    return sketch


def around(seconds: float, runs: int, seed: int, wild: float = 0.0) -> Sketch:
    """Runs of about so many seconds: skewed, some of them (`wild`) ten times as long."""
    chance = Random(seed)
    return sketch_of(
        *(
            seconds * chance.lognormvariate(0, 0.2) * (10 if chance.random() < wild else 1)
            for _ in range(runs)
        )
    )


def test_the_revision_that_made_it_slower_is_named_also_later() -> None:
    durations = {1: around(60, 30, 1), 2: around(60, 30, 2), 3: around(90, 12, 3)}
    found = regression(durations)
    assert found is not None
    assert (found.revision, found.before.runs, found.since.runs) == (3, 60, 12)
    assert found.before.p50_seconds == pytest.approx(60, rel=0.15)
    assert found.since.p50_seconds == pytest.approx(90, rel=0.15)
    assert found.probability < 0.001
    later = regression(durations | {4: around(90, 12, 4), 5: around(90, 3, 5)})
    assert later is not None
    assert later.revision == 3


def test_outliers_hide_nothing_and_are_no_news() -> None:
    slower = regression({1: around(60, 40, 1, wild=0.2), 2: around(90, 40, 2, wild=0.2)})
    assert slower is not None
    assert (slower.revision, slower.of) == (2, "p50")
    assert regression({1: around(60, 40, 3, wild=0.2), 2: around(60, 40, 4, wild=0.2)}) is None


def test_a_longer_tail_is_told_where_most_runs_are_as_before() -> None:
    found = regression({1: around(60, 100, 1), 2: around(60, 100, 2, wild=0.25)})
    assert found is not None
    assert (found.revision, found.of) == (2, "p95")
    assert found.since.p95_seconds > 300 > found.before.p95_seconds


@pytest.mark.parametrize(
    ("durations", "why"),
    [
        ({}, "no runs"),
        ({1: around(60, 50, 1)}, "one revision"),
        ({1: around(60, 50, 1), 2: around(90, 7, 2)}, "too few since"),
        ({1: around(60, 7, 1), 2: around(90, 50, 2)}, "too few before"),
        ({1: around(90, 50, 1), 2: around(60, 50, 2)}, "faster"),
        ({1: around(60, 500, 1), 2: around(64, 500, 2)}, "certain, but little"),
        ({1: around(0.02, 50, 1), 2: around(0.04, 50, 2)}, "twice as long, but nobody notices"),
    ],
)
def test_no_regression(durations: dict[int, Sketch], why: str) -> None:
    assert regression(durations) is None, why


def test_chance_alone_is_seldom_taken_for_news() -> None:
    seen = [
        regression({one: around(60, 10, 100 * seed + one) for one in range(1, 6)})
        for seed in range(200)
    ]
    assert sum(one is not None for one in seen) <= 2  # 1 % of 200, by the bound of the tests


def test_runs_of_one_length_say_nothing() -> None:
    assert longer(sketch_of(*[5.0] * 9), sketch_of(*[5.0] * 9)) == 1.0


def test_fishers_tea() -> None:
    """His own example: all four right by chance alone, one in 70."""
    before, since = sketch_of(1, 1, 1, 1), sketch_of(9, 9, 9, 9)
    assert longer_tail(before, since) == pytest.approx(1 / 70)


def test_only_runs_that_succeeded_are_compared() -> None:
    at = datetime(2026, 9, 1, tzinfo=UTC)

    def point(revision: str, state: str) -> Point:
        labels = (("revision", revision), ("state", state))
        series = Series("local", "shop", "report", "r1", Metric.RUN_DURATION, labels)
        return Point(series, at, 60, sketch_of(3.0))

    found = by_revision([point("1", "succeeded"), point("1", "succeeded"), point("2", "dead")])
    assert {revision: one.count for revision, one in found.items()} == {1: 2}


SOME = st.lists(st.integers(1, 6), min_size=8, max_size=60)


@given(SOME, SOME)
@example(before=[1] * 19 + [2], since=[1, 2, 2])  # 95 % of 20 are 19: the edge is there
@example(before=[1] * 38 + [2, 3], since=[1, 2, 3, 3])
def test_both_probabilities_are_those_of_the_books(before: list[int], since: list[int]) -> None:
    """Against ranks and draws counted one by one."""
    old, new = (sketch_of(*(10.0**one for one in each)) for each in (before, since))
    wins = sum((a < b) + (a == b) / 2 for a in before for b in since)
    both = len(before) + len(since)
    ties = sum(count**3 - count for count in Counter(before + since).values())
    variance = len(before) * len(since) / 12 * (both + 1 - ties / (both * (both - 1)))
    if variance > 1e-9:
        z = (wins - len(before) * len(since) / 2) / sqrt(variance)
        assert longer(old, new) == pytest.approx(1 - NormalDist().cdf(z), abs=1e-9)
    else:
        assert longer(old, new) == 1.0
    edge = min(one for one in before if sum(each <= one for each in before) >= 0.95 * len(before))
    beyond = sum(one > edge for one in before + since)
    first = sum(one > edge for one in since)
    drawn = range(first, min(beyond, len(since)) + 1)
    ways = sum(comb(beyond, some) * comb(both - beyond, len(since) - some) for some in drawn)
    assert longer_tail(old, new) == pytest.approx(ways / comb(both, len(since)))


def test_a_change_is_told_in_figures() -> None:
    found = regression({3: sketch_of(*[1.0] * 8), 5: sketch_of(*[10.0] * 8)})
    assert found is not None
    assert (found.revision, found.of) == (5, "p50")
    assert (found.before.runs, found.since.runs) == (8, 8)
    for one, seconds in ((found.before, 1.0), (found.since, 10.0)):
        assert one.p50_seconds == one.p95_seconds == pytest.approx(seconds, rel=0.02)
    assert found.probability == longer(sketch_of(*[1.0] * 8), sketch_of(*[10.0] * 8)) < 0.001


@pytest.mark.parametrize(
    ("since", "told"), [(1.19, False), (1.21, True), (0.2, False), (1.0, False)]
)
def test_a_fifth_longer_matters(since: float, told: bool) -> None:
    found = regression({1: sketch_of(*[1.0] * 99), 2: sketch_of(*[since] * 99)})
    assert (found is not None) is told


def test_evidence_must_be_strong_for_either_question() -> None:
    """One change, two questions: chance may make it look so in 1 of 200 for each."""
    before = sketch_of(*range(10, 18))
    weak, strong = sketch_of(*range(14, 22)), sketch_of(*range(15, 23))
    assert longer(before, weak) == pytest.approx(0.00574, rel=0.01)
    assert regression({1: before, 2: weak}) is None
    found = regression({1: before, 2: strong})
    assert found is not None
    assert found.probability == longer(before, strong) == pytest.approx(0.0019, rel=0.01)
    just = sketch_of(*range(15, 22), 15)
    assert longer(before, just) == pytest.approx(0.00418, rel=0.01)
    assert regression({1: before, 2: just}) is not None
