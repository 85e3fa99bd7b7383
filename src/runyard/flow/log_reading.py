"""Which lines of a job's logs are read as they come, and what each of them is measured as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.flow.patterns import WORDS, is_error
from runyard.model.alert_rules import named
from runyard.model.job import JobSpec
from runyard.model.log_metrics import LogMetricSpec, Sample, own_samples
from runyard.model.measured_rules import Lines, LogRule, LogSeverity
from runyard.model.metric import Metric

OWN_KEY = "metric"  #: of a structured line: it is a measure of the task's own
#: What a line measures that is no measure.
REFUSED_FORM: Sample = (Metric.OWN_REFUSED, (("why", "form"),), 1.0)
REFUSED_MANY: Sample = (Metric.OWN_REFUSED, (("why", "too many series"),), 1.0)


@dataclass(frozen=True, slots=True)
class Use:
    """What lines are wanted for: a rule of this name, a metric of this name, errors, or (none of
    these) the task's own measures."""

    lines: Lines | None = None
    rule: str = ""
    metric: str = ""
    is_of_errors: bool = False

    def samples(self, text: str, fields: Mapping[str, Any] | None) -> list[Sample]:
        """What a line is measured as that is wanted for this; errors are by their pattern."""
        if self.is_of_errors:
            return []
        if self.rule:
            return [(Metric.LOG_MATCHES, (("rule", self.rule),), 1.0)]
        if isinstance(self.lines, LogMetricSpec):
            found = [self.lines.sample(self.metric, text)]
        else:
            found = own_samples(fields or {})
        return [REFUSED_FORM if one is None else one for one in found]


ERRORS = (
    Use(Lines(severity=LogSeverity.ERROR), is_of_errors=True),
    Use(Lines(pattern=WORDS), is_of_errors=True),
)


def tells_of_error(uses: Sequence[Use], severity: str, text: str) -> bool:
    """True for a line that is wanted for all of these, and tells of an error: by its severity, or
    where it has none by its words, unless they name a measure of the task's own."""
    if not any(use.is_of_errors for use in uses):
        return False
    if any(use == Use() for use in uses):
        return False
    if severity == LogSeverity.DEFAULT:
        return is_error(text)
    return severity in LogSeverity.ERROR.or_worse


def uses_of(spec: JobSpec) -> tuple[Use, ...]:
    """What lines of a job's logs are wanted for."""
    rules = named(spec.alerts).items()
    return (
        Use(),
        *ERRORS,
        *(Use(rule.log, rule=name) for name, rule in rules if isinstance(rule, LogRule)),
        *(Use(lines, metric=name) for name, lines in spec.metrics.items()),
    )


def measured(uses: Iterable[Use], text: str, fields: Mapping[str, Any] | None) -> list[Sample]:
    """What a line is measured as that is wanted for all of these."""
    return [sample for use in uses for sample in use.samples(text, fields)]
