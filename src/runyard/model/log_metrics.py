"""What a job measures itself: by lines of JSON that its tasks print, and by lines that are counted.

A task prints `{"metric": "rows", "value": 12, "labels": {"table": "orders"}}`, or several at once:
`{"metric": {"rows": 12, "bytes": 3400}}`. Whoever cannot change the task has lines counted, or a
number taken out of them, by `metrics` of the job.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from runyard.model.forms import Between, Counted, Shaped, unexpected
from runyard.model.measured_rules import LABELS_MAX, LabelName, Lines
from runyard.model.metric import OWN, Labels

METRICS_MAX = 20  #: of a job
SERIES_MAX = 100  #: of a job: names with labels; what comes beyond is refused, and that is counted
GROUPS_MAX = 6  #: of an expression (`failure.CHOICES_MAX`)
LABEL_CHARACTERS_MAX = 64
#: Labels that each series has, or that Prometheus has a use of its own for.
RESERVED = frozenset({"environment", "job", "le", "project", "quantile", "region"})
OwnName = Annotated[
    str,
    Shaped(
        "[a-z][a-z0-9_]{0,49}",
        "a metric's name: at most 50 lower-case letters, digits and _, a letter first",
        50,
    ),
]
Group = Annotated[int, Between(1, GROUPS_MAX)]
_NAME = re.compile("[a-z][a-z0-9_]{0,49}")
_LABEL = re.compile("[a-z][a-z0-9_]{0,29}")
_TEXT = re.compile(rf"[^\x00-\x1f\x7f]{{1,{LABEL_CHARACTERS_MAX}}}")
Sample = tuple[str, Labels, float]  #: metric, labels, value


class LogMetricSpec(Lines):
    """Counts lines of the job's logs, or takes a number out of each: `value` is the group of
    `pattern` that has it; without it each line is 1. `labels` are groups, too."""

    value: Group | None = None
    labels: dict[LabelName, Group] = Field(default={})

    @model_validator(mode="after")
    def _has_its_groups(self) -> Self:
        wanted = max([self.value or 0, *self.labels.values()])
        there = re.compile(self.pattern).groups if self.pattern is not None else 0
        if wanted > there:
            raise unexpected(f"groups that its pattern has: it has {there}")
        if len(self.labels) > LABELS_MAX or self.labels.keys() & RESERVED:
            raise unexpected(f"at most {LABELS_MAX} labels, none of {', '.join(sorted(RESERVED))}")
        return self

    def sample(self, name: str, text: str) -> Sample | None:
        """What a line says that is wanted; None where its group is no number to measure."""
        found = re.search(self.pattern, text) if self.pattern is not None else None
        labels = {key: (found[group] if found else "") or "" for key, group in self.labels.items()}
        value: Any = 1.0
        if self.value is not None:
            value = _number(found[self.value] if found else None)
        return _sample(name, labels, value)


LogMetrics = Annotated[dict[OwnName, LogMetricSpec], Counted(0, METRICS_MAX)]


def own_samples(fields: Mapping[str, Any]) -> list[Sample | None]:
    """What a structured line says that has a `metric`; None for each that is not right: a name, a
    label or a value of a form that cannot be measured."""
    metric, labels = fields.get("metric"), fields.get("labels", {})
    if isinstance(metric, str):
        return [_sample(metric, labels, fields.get("value", 1))]
    if isinstance(metric, Mapping) and 0 < len(metric) <= METRICS_MAX:
        return [_sample(name, labels, value) for name, value in metric.items()]
    return [None]


def _sample(name: str, labels: Any, value: Any) -> Sample | None:
    name = re.sub("[.-]", "_", name.lower())
    if not _NAME.fullmatch(name) or not _is_measure(value):
        return None
    if not isinstance(labels, Mapping) or len(labels) > LABELS_MAX or labels.keys() & RESERVED:
        return None
    pairs = tuple(sorted((key, _text(each)) for key, each in labels.items()))
    if not all(_LABEL.fullmatch(key) and _TEXT.fullmatch(text) for key, text in pairs):
        return None
    return f"{OWN}{name}", pairs, float(value)


def _is_measure(value: Any) -> bool:
    """True for a number that a sketch takes: not negative, and there."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf


def _text(value: Any) -> str:
    """A label as a text; what has no short one is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
