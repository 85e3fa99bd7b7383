"""Rules about what is measured of a job: waits, cost, instants that became no run, any metric, and
lines of its logs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from runyard.model.failure_spec import Pattern
from runyard.model.forms import Between, Counted, Shaped, unexpected
from runyard.model.metric import OWN, Metric
from runyard.model.quantities import MONEY_EXPECTED, nano_dollars_of
from runyard.model.rule_parts import Rule, Spoken, Window
from runyard.model.trigger.instant import Fate

VALUE_MAX = 10**15
COUNT_MAX = 1_000_000
LABELS_MAX = 5  #: of a series, beside those of its job
TEXT_LENGTH_MAX = 200  #: of a plain text that is looked for in a log
LabelName = Annotated[
    str, Shaped("[a-z][a-z0-9_]{0,29}", "a label: at most 30 lower-case letters, digits and _", 30)
]
LabelText = Annotated[str, Shaped("[^\\x00-\\x1f\\x7f]{1,64}", "at most 64 characters", 64)]
_OURS = "|".join(Metric)
MetricName = Annotated[
    str,
    Shaped(
        rf"(?:{_OURS}|{OWN}[a-z][a-z0-9_]{{0,49}})",
        f"a metric, as `runyard metrics JOB` lists them: {', '.join(Metric)}, or {OWN}NAME of a "
        "task's own",
        60,
    ),
]


def _with_currency(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise unexpected(MONEY_EXPECTED, f"write {value} USD")
    return value


#: An amount of money, such as `20 USD`.
Money = Annotated[
    str,
    BeforeValidator(_with_currency, json_schema_input_type=str),
    Shaped("[0-9]{1,9}(?:\\.[0-9]{1,9})? USD", MONEY_EXPECTED, 30),
]


class Take(StrEnum):
    """What is made of the values that were seen within a window."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


class Per(StrEnum):
    """What a cost is of: a run, or a day or month in UTC."""

    RUN = "run"
    DAY = "day"
    MONTH = "month"


class LogSeverity(StrEnum):
    """Severities of log lines (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry),
    the least first."""

    DEFAULT = "DEFAULT"
    DEBUG = "DEBUG"
    INFO = "INFO"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
    ALERT = "ALERT"
    EMERGENCY = "EMERGENCY"

    @property
    def or_worse(self) -> tuple[LogSeverity, ...]:
        """This one, and all that are worse."""
        every = tuple(LogSeverity)
        return every[every.index(self) :]


class Measured(Spoken):
    """What is made of the values of a metric that were seen within a window is more than `over`, or
    less than `under`. Only of series that have all these `labels`; with fewer values than `atLeast`
    nothing is said, but by count and sum."""

    name: MetricName
    labels: dict[LabelName, LabelText] = Field(default={})
    take: Annotated[Take, Field(strict=False)]
    over: Annotated[float, Between(0, VALUE_MAX)] | None = None
    under: Annotated[float, Between(0, VALUE_MAX)] | None = None
    at_least: Annotated[int, Between(1, COUNT_MAX)] = 1
    within: Window

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.over is None) is (self.under is None):
            raise unexpected("a mapping with exactly one of over, under")
        return self


class Waited(Spoken):
    """Attempts usually (19 of 20) started within `over` of when they could; they do not."""

    over: Window
    within: Window


class Missed(Spoken):
    """So many instants of the job's schedules became no run within a window, with one of the fates
    that `runyard triggers history` shows."""

    count: Annotated[int, Between(1, COUNT_MAX)] = 1
    within: Window
    fates: Annotated[tuple[Annotated[Fate, Field(strict=False)], ...], Counted(1)] = (
        Fate.MISSED, Fate.LATE, Fate.OVERLAP, Fate.SUPERSEDED, Fate.REFUSED,
    )  # fmt: skip


class Cost(Spoken):
    """A run, or all runs of a day or a month (UTC) so far, cost more than this by list prices."""

    over: Money
    per: Annotated[Per, Field(strict=False)]

    @property
    def nano_dollars(self) -> int:
        """The limit."""
        return nano_dollars_of(self.over)


class Lines(Spoken):
    """Lines of the job's logs: with this `text` in them, or in which `pattern` is found, at least
    this severe. All that is written must hold."""

    text: (
        Annotated[str, Shaped("[^\\x00-\\x1f\\x7f]{3,200}", "3 to 200 characters", 200)] | None
    ) = None
    pattern: Annotated[str, Pattern()] | None = None
    severity: Annotated[LogSeverity, Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.pattern is None and self.severity is None:
            raise unexpected("a mapping with at least one of text, pattern, severity")
        return self


class Logged(Lines):
    """So many such lines within a window."""

    count: Annotated[int, Between(1, COUNT_MAX)] = 1
    within: Window


class ErrorPattern(Spoken):
    """A pattern of error lines that was not seen before, or one of which there are `times` as many
    lines within a window as usual, and at least `atLeast`."""

    new: bool = False
    times: Annotated[float, Between(2, 1000)] | None = None
    at_least: Annotated[int, Between(1, COUNT_MAX)] = 1
    within: Window

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.new is (self.times is not None):
            raise unexpected("a mapping with exactly one of new, times")
        return self


class ErrorPatternRule(Rule):
    """A kind of error is new, or there is much more of it than usual."""

    kind = "errorPattern"
    error_pattern: ErrorPattern


class QueueWaitRule(Rule):
    """Attempts waited too long lately before they were taken up."""

    kind = "queueWait"
    queue_wait: Waited


class MissedRule(Rule):
    """Instants of the job's schedules became no run."""

    kind = "missed"
    missed: Missed


class CostRule(Rule):
    """It cost too much."""

    kind = "cost"
    cost: Cost


class MetricRule(Rule):
    """A metric is too high, or too low."""

    kind = "metric"
    metric: Measured


class LogRule(Rule):
    """Too many lines of a kind were logged lately."""

    kind = "log"
    log: Logged
