"""`with`: what the runs of a trigger are asked for with, over what the job says."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.asking import Argument, Labels, Variables
from runyard.model.beside import PRIORITY_MAX
from runyard.model.cloudrun.template import TASKS_MAX, TIMEOUT_SECONDS_MAX
from runyard.model.durations import seconds_of
from runyard.model.forms import Between, Lasting
from runyard.model.places import RegionName
from runyard.model.run import Overrides
from runyard.model.strict import Strict


class Asking(Strict):
    """What is different in the runs that a trigger asks for: the four things that Cloud Run's
    RunJob can change, and priority, region and labels, which are ours."""

    model_config = ConfigDict(alias_generator=to_camel)

    args: tuple[Argument, ...] | None = Field(
        default=None, description="Replaces the first container's arguments; [] means none."
    )
    env: Variables = Field(
        default={}, description="Added to the environment of every container; wins over the job's."
    )
    task_count: Annotated[int, Between(1, TASKS_MAX)] | None = None
    timeout: Annotated[str, Lasting(1, TIMEOUT_SECONDS_MAX, "168h")] | None = Field(
        default=None, description="Of one task attempt."
    )
    priority: Annotated[int, Between(-PRIORITY_MAX, PRIORITY_MAX)] | None = None
    region: RegionName | None = Field(default=None, description="Else by the job's placement.")
    labels: Labels = Field(default={}, description="Added to the job's; wins over them.")

    def overrides(self) -> Overrides:
        """What differs from the job's template, as a run keeps it."""
        return Overrides(
            args=self.args,
            env=tuple(sorted(self.env.items())),
            task_count=self.task_count,
            timeout_seconds=None if self.timeout is None else seconds_of(self.timeout),
        )

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        return value is None or value == {}  # no arguments at all is something that is asked for
