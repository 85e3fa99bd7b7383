"""What is changed for one run, as callers send it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Whole, map_of_at_most
from runyard.model.asking import VARIABLES_MAX, Argument, Variables
from runyard.model.cloudrun.template import TASKS_MAX, TIMEOUT_SECONDS_MAX
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting
from runyard.model.run import Overrides
from runyard.model.strict import Strict


class OverridesBody(Strict):
    """What is changed for this run only; the same four that Cloud Run's RunJob can change."""

    args: tuple[Argument, ...] | None = Field(
        default=None, description="Replaces the first container's arguments; [] means none."
    )
    env: Variables = Field(
        default={},
        description="Added to the environment of every container; wins over the job's.",
        json_schema_extra=map_of_at_most(VARIABLES_MAX),
    )
    task_count: Annotated[int, Between(1, TASKS_MAX), Whole] | None = None
    timeout: Annotated[str, Lasting(1, TIMEOUT_SECONDS_MAX, "168h")] | None = Field(
        default=None, description="Of one task attempt."
    )

    def overrides(self) -> Overrides:
        """As a run keeps them."""
        return Overrides(
            args=self.args,
            env=tuple(sorted(self.env.items())),
            task_count=self.task_count,
            timeout_seconds=None if self.timeout is None else seconds_of(self.timeout),
        )
