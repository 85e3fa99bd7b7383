"""What callers ask for in a query about what was measured."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Instant
from runyard.api.queries import JobQuery
from runyard.flow.charting import STEPS, step_seconds
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.forms import Between
from runyard.model.metric import Metric
from runyard.model.places import RegionName

SPAN_USUAL = timedelta(hours=24)
POINTS_MAX = 1000  #: of a line


class MetricsQuery(JobQuery):
    """Of which job, of what, of when."""

    since: Instant | None = Field(default=None, description="Else a day before `until`.")
    until: Instant | None = Field(default=None, description="Else now.")
    metric: list[Metric] = Field(default=[], description="Only of these; else of all.")
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
