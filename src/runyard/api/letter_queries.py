"""What callers ask about dead letters and replays."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Instant
from runyard.api.letter_bodies import EVERY, ClassName, GroupId, StateName
from runyard.api.queries import PAGE_SIZE, PageSize, PageToken, Query
from runyard.model.cloudrun.words import JobName
from runyard.model.forms import Between
from runyard.model.job import EnvironmentName, ProjectName
from runyard.store.dead_letters import QUEUED, LetterQuestion

GROUPS_MAX = 1_000


class WhichLettersQuery(Query):
    """Which dead letters, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else any.")
    project: ProjectName | None = None
    job: JobName | None = None
    failure_class: ClassName | None = None
    group: GroupId | None = None
    state: StateName = QUEUED
    since: Annotated[Instant | None, Field(description="Dead since then.")] = None
    until: Annotated[Instant | None, Field(description="Dead before then.")] = None

    def question(self) -> LetterQuestion:
        """As the store is asked."""
        return LetterQuestion(
            environment=self.environment or "",
            project=self.project or "",
            job=self.job or "",
            failure_class=self.failure_class or "",
            group=self.group or "",
            state="" if self.state == EVERY else self.state,
            since=self.since,
            until=self.until,
        )


class LettersQuery(WhichLettersQuery):
    """A page of dead letters."""

    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""


class LetterGroupsQuery(WhichLettersQuery):
    """Groups of dead letters."""

    limit: Annotated[int, Between(1, GROUPS_MAX)] = 100


class ReplaysQuery(Query):
    """Which replays, from where."""

    environment: EnvironmentName | None = Field(default=None, description="Else any.")
    page_size: PageSize = PAGE_SIZE
    page_token: PageToken = ""
