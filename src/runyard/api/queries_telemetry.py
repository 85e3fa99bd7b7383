"""What callers ask for in a query about what was measured."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Instant
from runyard.api.queries import JobQuery, Query
from runyard.flow.charting import STEPS, step_seconds
from runyard.model.cloudrun.words import JobName
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.forms import Between, Shaped
from runyard.model.job import EnvironmentName
from runyard.model.measured_rules import LogSeverity, MetricName
from runyard.model.places import RegionName
from runyard.provider.port import LogWanted

SPAN_USUAL = timedelta(hours=24)
POINTS_MAX = 1000  #: of a line
FOUND_MAX = 1000  #: entries of one search
WORDS_MAX = 1000  #: characters of what is searched for
FieldFilter = Annotated[
    str, Shaped(r"(?s)[^=]{1,200}=.{0,800}", "PATH=VALUE, such as user.name=ada", 1001)
]


class LogSearchQuery(Query):
    """Which entries of which logs. All that is given must hold."""

    text: Annotated[str, Field(max_length=WORDS_MAX, description="The text contains it.")] = ""
    regex: Annotated[str, Field(max_length=WORDS_MAX, description="Found in it; Python's re.")] = ""
    environment: EnvironmentName | None = Field(default=None, description="Else all you may see.")
    job: JobName | None = None
    run: Annotated[str, Shaped(r"run_[0-9a-z]{26}", "a run's id", 30)] | None = None
    task: Annotated[int, Between(0, 9_999)] | None = Field(
        default=None, description="Only of tasks with this index."
    )
    severity: LogSeverity | None = Field(default=None, description="This one or a worse one.")
    field: list[FieldFilter] = Field(
        default=[], description="Of structured lines: with all of these values."
    )
    since: Instant | None = Field(default=None, description="Written at or after it.")
    until: Instant | None = Field(default=None, description="Written before it.")
    limit: Annotated[int, Between(1, FOUND_MAX)] = 100

    def wanted(self) -> LogWanted:
        """As a provider is asked. Raises InvalidSpec for an expression that is none."""
        try:
            re.compile(self.regex)
        except re.error as error:
            fault = Fault(
                "regex", repr(self.regex), "a regular expression of Python's re", str(error)
            )
            raise InvalidSpec("the query is not right", faults=(fault,)) from None
        pairs = (one.partition("=") for one in self.field)
        worse = self.severity.or_worse if self.severity else ()
        return LogWanted(
            text=self.text,
            pattern=self.regex,
            severities=tuple(str(one) for one in worse),
            task=self.task,
            fields=tuple((path, value) for path, _, value in pairs),
            since=self.since,
            before=self.until,
        )


class MetricsQuery(JobQuery):
    """Of which job, of what, of when."""

    since: Instant | None = Field(default=None, description="Else a day before `until`.")
    until: Instant | None = Field(default=None, description="Else now.")
    metric: list[MetricName] = Field(default=[], description="Only of these; else of all.")
    region: list[RegionName] = Field(default=[], description="Only of these; else of all.")
    step_seconds: Annotated[int, Between(STEPS[0], 366 * 86_400)] | None = Field(
        default=None, description="How long a step is; else so that there are at most 60."
    )

    def span(self, now: datetime) -> tuple[datetime, datetime, int]:
        """From when, to when, in steps of how many seconds. Raises InvalidSpec."""
        until = self.until or now
        since = self.since or until - SPAN_USUAL
        if since >= until:
            fault = Fault("since", since.isoformat(), "an instant before `until`")
            raise InvalidSpec("the query is not right", faults=(fault,))
        step = self.step_seconds or step_seconds(since, until)
        if (until - since).total_seconds() > step * POINTS_MAX:
            fault = Fault(
                "step_seconds", str(step), f"steps so long that there are at most {POINTS_MAX}"
            )
            raise InvalidSpec("the query is not right", faults=(fault,))
        return since, until, step
