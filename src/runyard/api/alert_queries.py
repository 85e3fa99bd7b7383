"""What callers ask about alerts and incidents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.queries import PAGE_SIZE, PageSize, PageToken, Query
from runyard.model.alert import AlertState
from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Shaped
from runyard.model.incident import IncidentState
from runyard.model.job import EnvironmentName


class AlertsQuery(Query):
    """Which alerts, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="Only of this job.")
    state: Annotated[AlertState, Field(strict=False)] | None = None
    open: bool = Field(default=False, description="Only those that are not resolved.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def states(self) -> str:
        """As the store is asked."""
        return "open" if self.open else self.state or ""


class IncidentsQuery(Query):
    """Which incidents, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="Only of this job.")
    state: Annotated[IncidentState, Field(strict=False)] | None = None
    open: bool = Field(default=False, description="Only those that are not resolved.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""

    def states(self) -> str:
        """As the store is asked."""
        return "unresolved" if self.open else self.state or ""


Month = Annotated[str, Shaped("20[0-9]{2}-(0[1-9]|1[0-2])", "a month such as 2026-11", 7)]


class IncidentSummaryQuery(Query):
    """Which month, of which environment and job."""

    month: Month | None = Field(default=None, description="In UTC; else the one that it is now.")
    environment: EnvironmentName | None = Field(default=None, description="Else the server's.")
    job: JobName | None = Field(default=None, description="Only of this job.")
