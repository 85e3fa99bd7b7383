"""Which lines of a job's logs are read as they come, and what each of them is measured as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runyard.model.alert_rules import named
from runyard.model.job import JobSpec
from runyard.model.log_metrics import LogMetricSpec, Sample, own_samples
from runyard.model.measured_rules import Lines, LogRule
from runyard.model.metric import Metric

OWN_KEY = "metric"  #: of a structured line: it is a measure of the task's own
#: What a line measures that is no measure.
REFUSED_FORM: Sample = (Metric.OWN_REFUSED, (("why", "form"),), 1.0)
REFUSED_MANY: Sample = (Metric.OWN_REFUSED, (("why", "too many series"),), 1.0)


@dataclass(frozen=True, slots=True)
class Use:
    """What lines are wanted for: a rule of this name, a metric of this name, or (neither) the
    task's own measures."""

    lines: Lines | None = None
    rule: str = ""
    metric: str = ""

    def samples(self, text: str, fields: Mapping[str, Any] | None) -> list[Sample]:
        """What a line is measured as that is wanted for this."""
        if self.rule:
            return [(Metric.LOG_MATCHES, (("rule", self.rule),), 1.0)]
        if isinstance(self.lines, LogMetricSpec):
            found = [self.lines.sample(self.metric, text)]
        else:
            found = own_samples(fields or {})
        return [REFUSED_FORM if one is None else one for one in found]


def uses_of(spec: JobSpec) -> tuple[Use, ...]:
    """What lines of a job's logs are wanted for."""
    rules = named(spec.alerts).items()
    return (
        Use(),
        *(Use(rule.log, rule=name) for name, rule in rules if isinstance(rule, LogRule)),
        *(Use(lines, metric=name) for name, lines in spec.metrics.items()),
    )


def measured(uses: Iterable[Use], text: str, fields: Mapping[str, Any] | None) -> list[Sample]:
    """What a line is measured as that is wanted for all of these."""
    return [sample for use in uses for sample in use.samples(text, fields)]
