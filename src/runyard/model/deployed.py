"""A job as it stands at a provider: one resource for each region, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from runyard.model.condition import READY, Condition, ConditionState


class Place(NamedTuple):
    """Where a job's resource is, by our words."""

    project: str
    environment: str
    region: str
    job: str


@dataclass(frozen=True, slots=True)
class DeployedJob:
    """A job's resource in one region, as its provider shows it.

    `template` is Cloud Run v2's ExecutionTemplate as JSON. `etag` changes with every change.
    `fence` is that of the operation that touched it last (`JobChange.fence`); 0: none of ours.
    """

    place: Place
    uid: str
    generation: int
    observed_generation: int
    etag: str
    template: Mapping[str, Any]
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]
    created_at: datetime
    updated_at: datetime
    fence: int = 0

    @property
    def ready(self) -> Condition | None:
        """Its condition `Ready`, if it has one."""
        return next((each for each in self.conditions if each.type == READY), None)

    @property
    def is_ready(self) -> bool:
        """True when the provider has made of it what was asked for last."""
        ready = self.ready
        return (
            ready is not None
            and ready.state is ConditionState.SUCCEEDED
            and self.generation == self.observed_generation
        )
