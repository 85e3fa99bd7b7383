"""The port of deployed jobs over Google Cloud Run.

Google has no fences, so ours stands among a job's annotations: it is looked at, and written with
the job's etag, so that nobody slips in between. A removed job leaves nothing behind there that a
late change would meet: who removes jobs waits for their operations (`gate/reserving`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.cloud import run_v2

from runyard.model.condition import Condition, ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.errors import ProviderRefused, ProviderUnavailable
from runyard.provider.gcp import names
from runyard.provider.gcp.errors import NAME
from runyard.provider.gcp.finding import ProjectOf
from runyard.provider.gcp.templates import FENCE, OURS, OWNER, canonical, message, notes, read
from runyard.provider.gcp.translate import reason_of
from runyard.provider.gcp.wire import RunApi
from runyard.provider.port_jobs import DeployOrder

_AGAIN = "look at it again, and decide again"
_NO_NETWORK = "it has no network settings: Google lets its tasks reach the internet"


class GcpDeployer:
    """`provider.port_jobs.Deployer` over `api`."""

    def __init__(self, api: RunApi, project_of: ProjectOf) -> None:
        self._api = api
        self._project_of = project_of

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """See `Deployer.deploy`."""
        project = await self._project_of(order.place.project, order.place.environment)
        name = names.job(project, order.place.region, order.place.job)
        found = await self._api.get_job(name)
        if found is not None:
            _check(order.place, found, order.fence)
            shown = _shown(order.place, found, project)
            if _is_as(shown, order) and shown.fence == order.fence:
                return shown
            if order.etag is not None and order.etag != found.etag and not _is_as(shown, order):
                raise _stale(order.place)
            await self._api.update_job(_changed(order, found, project))
        else:
            if order.etag:
                raise _stale(order.place)
            parent = names.location(project, order.place.region)
            await self._api.create_job(
                parent, order.place.job, _changed(order, run_v2.Job(), project)
            )
        made = await self._api.get_job(name)
        if made is None:
            raise ProviderUnavailable(f"job {order.place.job} is not there yet", name=NAME)
        return _shown(order.place, made, project)

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """See `Deployer.deployed`."""
        return await asyncio.gather(*(self._one(place) for place in places))

    async def _one(self, place: Place) -> DeployedJob | None:
        project = await self._project_of(place.project, place.environment)
        found = await self._api.get_job(names.job(project, place.region, place.job))
        return None if found is None else _shown(place, found, project)

    async def remove(self, place: Place, fence: int) -> bool:
        """See `Deployer.remove`. Its clones go first: who finds it gone finds none of them."""
        project = await self._project_of(place.project, place.environment)
        name = names.job(project, place.region, place.job)
        found = await self._api.get_job(name)
        if found is None:
            return False
        _check(place, found, fence)
        for job in await self._api.jobs(names.location(project, place.region)):
            if job.labels.get(names.CLONE_OF) == place.job:
                await self._api.delete_job(names.beside(name, names.short(job.name)))
        return await self._api.delete_job(name)

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """See `Deployer.network`. Google keeps all of it, or refuses the job."""
        task = template.get("template")
        access = task.get("vpcAccess") if isinstance(task, Mapping) else None
        return "Google connects its tasks as it asks for" if access else _NO_NETWORK


def _check(place: Place, found: run_v2.Job, fence: int) -> None:
    """Raises ProviderRefused for what a later operation has touched, or is somebody else's."""
    owner = found.annotations.get(OWNER, "")
    ours = f"{place.project}/{place.environment}"
    if owner not in ("", ours):
        raise ProviderRefused(
            f"job {place.job} in region {place.region} is of {owner} already",
            name=NAME,
            hint="bind the two to Google projects of their own, or name one job otherwise",
        )
    if fence < _fence(found):
        raise ProviderRefused(
            f"a later change of job {place.job} in region {place.region} was here already",
            name=NAME,
            hint=_AGAIN,
        )


def _stale(place: Place) -> ProviderRefused:
    return ProviderRefused(
        f"job {place.job} in region {place.region} was changed by somebody else meanwhile",
        name=NAME,
        hint=_AGAIN,
        reason="ABORTED",
    )


def _fence(job: run_v2.Job) -> int:
    said = job.annotations.get(FENCE, "")
    return int(said) if said.isdecimal() else 0


def _is_as(shown: DeployedJob, order: DeployOrder) -> bool:
    found = (canonical(shown.template), dict(shown.labels), dict(shown.annotations))
    return found == (canonical(order.template), dict(order.labels), dict(order.annotations))


def _changed(order: DeployOrder, found: run_v2.Job, project: str) -> run_v2.Job:
    """`found` as it shall be; what Runyard says nothing of stays as it is."""
    job = run_v2.Job(found)
    job.template = message(order.template, project)
    job.labels = dict(order.labels)
    job.annotations = {
        **dict(order.annotations),
        **notes(canonical(order.template)),
        OWNER: f"{order.place.project}/{order.place.environment}",
        FENCE: str(order.fence),
    }
    return job


def _shown(place: Place, job: run_v2.Job, project: str) -> DeployedJob:
    annotations = dict(job.annotations)
    conditions = {one.type_: one for one in (*job.conditions, job.terminal_condition) if one.type_}
    return DeployedJob(
        place=place,
        uid=job.uid,
        generation=job.generation,
        observed_generation=job.observed_generation,
        etag=job.etag,
        template=read(job.template, annotations, project),
        labels=tuple(sorted(job.labels.items())),
        annotations=tuple(sorted((k, v) for k, v in annotations.items() if k not in OURS)),
        conditions=tuple(map(_condition, conditions.values())),
        created_at=_instant(job.create_time),
        updated_at=_instant(job.update_time),
        fence=_fence(job),
    )


def _condition(one: run_v2.Condition) -> Condition:
    word = getattr(one.state, "name", "").removeprefix("CONDITION_").lower()
    states = set(ConditionState)
    state = ConditionState(word) if word in states else ConditionState.PENDING
    return Condition(
        one.type_, state, _instant(one.last_transition_time), reason_of(one), one.message
    )


def _instant(value: Any) -> datetime:
    """A timestamp of Google's; the beginning of time where it is not set."""
    if not value:
        return datetime.fromtimestamp(0, UTC)
    return datetime.combine(value.date(), value.timetz())
