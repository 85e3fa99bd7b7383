"""Points become lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runyard.flow.charting import lines, step_seconds
from runyard.model.metric import Metric, Point, Series
from runyard.model.sketch import Sketch

START = datetime(2026, 9, 1, tzinfo=UTC)


def point(metric: str, minute: int, region: str = "r1", **labels: str) -> Point:
    sketch = Sketch()
    sketch.add(1.0)
    series = Series("local", "shop", "report", region, metric, tuple(sorted(labels.items())))
    return Point(series, START + timedelta(minutes=minute), 60, sketch)


def test_less_than_a_step_is_one_step() -> None:
    (one,) = lines([point(Metric.RUNS, 0)], START, START + timedelta(minutes=1), 300)
    assert [each.count for each in one.steps] == [1]


def test_regions_and_revisions_are_added_up_and_states_kept_apart() -> None:
    duration = Metric.RUN_DURATION
    points = [
        point("of_tomorrow", 1),
        point(duration, 0, state="succeeded", revision="1"),
        point(duration, 9, region="r2", state="succeeded", revision="2"),
        point(duration, 5, state="dead", revision="2"),
        point(Metric.RUNS, -1, state="dead"),
        point(Metric.RUNS, 10, state="dead"),
    ]
    found = lines(points, START, START + timedelta(minutes=10), 300)
    seen = [(one.metric, dict(one.labels), [each.count for each in one.steps]) for one in found]
    assert seen == [
        ("runs", {"state": "dead"}, [1, 1]),
        (duration, {"state": "dead"}, [0, 1]),
        (duration, {"state": "succeeded"}, [1, 1]),
        ("of_tomorrow", {}, [1, 0]),
    ]  # fmt: skip
    assert found[2].whole.count == 2


@pytest.mark.parametrize(
    ("span", "step"),
    [
        (timedelta(minutes=5), 60),
        (timedelta(hours=24), 3600),
        (timedelta(days=60), 86_400),
        (timedelta(days=600), 864_000),
        (timedelta(days=600, seconds=1), 864_001),
    ],
)
def test_a_chart_has_at_most_sixty_steps(span: timedelta, step: int) -> None:
    assert step_seconds(START, START + span) == step
