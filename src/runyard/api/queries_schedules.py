"""What callers ask for in a query about what schedules will do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.queries import PAGE_SIZE_MAX, Query
from runyard.flow.schedule.forecasting import DAYS_MAX
from runyard.flow.schedule.month import DAYS
from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Between
from runyard.model.job import EnvironmentName, ProjectName


class ForecastQuery(Query):
    """How far ahead, and of what."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    project: ProjectName | None = Field(default=None, description="Only jobs of this project.")
    job: JobName | None = Field(default=None, description="Only jobs of this name.")
    days: Annotated[int, Between(1, DAYS_MAX)] = DAYS
    jobs: Annotated[int, Between(1, PAGE_SIZE_MAX)] = Field(
        default=20, description="How many jobs are listed, the dearest first."
    )
