"""Deployed jobs that are a dictionary, and say so: a provider's, for tests that tell it to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from runyard.model.condition import READY, Condition, ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.errors import PlatformError, ProviderRefused
from runyard.model.operation import StepKind
from runyard.provider.port_access import Identity, Names, Settled
from runyard.provider.port_jobs import DeployOrder

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def plain(value: Any) -> Any:
    """As it comes out of JSON."""
    return orjson.loads(orjson.dumps(value))


@dataclass(slots=True)
class FakeJobs:
    """Keeps the promises of `provider.port_jobs`. `fails` is raised by the next calls, one after
    the other; `spoilt` says what becomes of a template that is deployed, `state` how it stands."""

    jobs: dict[Place, DeployedJob] = field(default_factory=dict)
    fences: dict[Place, int] = field(default_factory=dict)
    fails: list[PlatformError | None] = field(default_factory=list)
    calls: list[tuple[str, Place]] = field(default_factory=list)
    spoilt: dict[str, Any] = field(default_factory=dict)
    state: ConditionState = ConditionState.SUCCEEDED

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """See `Deployer.deploy`."""
        self._call("deploy", order.place)
        self._pass_fence(order.place, order.fence)
        before = self.jobs.get(order.place)
        template = plain(order.template)
        wish = (template, order.labels, order.annotations)
        if before is not None and (before.template, before.labels, before.annotations) == wish:
            return before
        if order.etag is not None and order.etag != (before.etag if before else ""):
            raise ProviderRefused(f"job {order.place.job} was changed by somebody else")
        self.jobs[order.place] = self._made(order, before, template)
        return self.jobs[order.place]

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """See `Deployer.deployed`."""
        for place in places:
            self._call("deployed", place)
        return [self.jobs.get(place) for place in places]

    async def remove(self, place: Place, fence: int) -> bool:
        """See `Deployer.remove`."""
        self._call("remove", place)
        self._pass_fence(place, fence)
        return self.jobs.pop(place, None) is not None

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """See `Deployer.network`."""
        self._call("network", place)
        return "no network"

    def change(self, place: Place, **template: Any) -> None:
        """Somebody changes a job behind our back."""
        job = self.jobs[place]
        self.jobs[place] = replace(
            job,
            template={**job.template, **template},
            generation=job.generation + 1,
            observed_generation=job.generation + 1,
            etag=f"{job.etag}!",
        )

    def called(self, name: str) -> list[Place]:
        """What a call was about."""
        return [place for call, place in self.calls if call == name]

    def _made(self, order: DeployOrder, before: DeployedJob | None, template: Any) -> DeployedJob:
        generation = before.generation + 1 if before else 1
        ready = Condition(READY, self.state, MADE, message="as the test says")
        return DeployedJob(
            order.place,
            f"uid-{order.place.job}",
            generation,
            generation,
            f"etag-{len(self.calls)}",
            {**template, **self.spoilt},
            order.labels,
            order.annotations,
            (ready,),
            MADE,
            MADE,
            order.fence,
        )

    def _pass_fence(self, place: Place, fence: int) -> None:
        if fence < self.fences.get(place, 0):
            raise ProviderRefused(f"a later change of job {place.job} was here already")
        self.fences[place] = fence

    def _call(self, name: str, place: Place) -> None:
        self.calls.append((name, place))
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error


@dataclass(slots=True)
class FakeAccess:
    """Keeps the promises of `provider.port_access`, with nothing behind it; `fails` as above."""

    fails: list[PlatformError | None] = field(default_factory=list)
    calls: list[tuple[str, StepKind, str]] = field(default_factory=list)
    lacks: tuple[str, ...] = ()

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """See `Access.do`."""
        self._call("do", kind, identity)
        return Settled(f"{kind} is settled", undo=((str(kind), identity.job),))

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`."""
        return self.lacks

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """See `Access.undo`."""
        self._call("undo", kind, identity)
        return f"{kind} is taken back"

    def _call(self, name: str, kind: StepKind, identity: Identity) -> None:
        self.calls.append((name, kind, identity.job))
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error
