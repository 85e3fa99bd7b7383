"""Points become lines: added up over regions and time, and cut into steps for a chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runyard.model.metric import Labels, Metric, Point
from runyard.model.sketch import Sketch

COLUMNS_MAX = 60  #: steps of a chart when nobody says how long they are
STEPS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86_400, 7 * 86_400)  #: seconds
FINE_ONLY = frozenset({"revision"})  #: labels that lines are not kept apart by


@dataclass(slots=True)
class Line:
    """One line: all of it, and what was seen in each step (a step without anything is empty)."""

    metric: str
    labels: Labels
    whole: Sketch = field(default_factory=Sketch)
    steps: list[Sketch] = field(default_factory=list)


def step_seconds(since: datetime, until: datetime) -> int:
    """How long a step is when nobody says it: so that a chart has `COLUMNS_MAX` of them."""
    span = (until - since).total_seconds()
    fitting = (one for one in STEPS if round(span / one) <= COLUMNS_MAX)
    return next(fitting, -(-int(span) // COLUMNS_MAX))


def lines(points: Iterable[Point], since: datetime, until: datetime, step: int) -> list[Line]:
    """The lines of all metrics, in the order of `Metric`, in steps of so many seconds. A point
    belongs to the step that it begins in, to the first one if that was before `since`, to the last
    one if the time has no whole number of steps."""
    width = timedelta(seconds=step)
    count = max(1, round((until - since) / width))
    found: dict[tuple[str, Labels], Line] = {}
    for point in points:
        labels = tuple(pair for pair in point.series.labels if pair[0] not in FINE_ONLY)
        key = (point.series.metric, labels)
        line = found.get(key)
        if line is None:
            line = found[key] = Line(*key, steps=[Sketch() for _ in range(count)])
        line.whole.merge(point.sketch)
        line.steps[min(count - 1, max(0, (point.at - since) // width))].merge(point.sketch)
    order: Sequence[str] = list(Metric)
    return sorted(
        found.values(),
        key=lambda one: (
            order.index(one.metric) if one.metric in order else len(order),
            one.metric,
            one.labels,
        ),
    )
