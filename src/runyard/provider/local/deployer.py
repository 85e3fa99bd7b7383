"""The port of deployed jobs over the cloud on this machine, in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runyard.localcloud.cloudrun.conditions import Condition as CloudCondition
from runyard.localcloud.cloudrun.jobs import JobDraft, Jobs
from runyard.localcloud.cloudrun.resources import Job
from runyard.model.condition import Condition, ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.executors import PROCESS, sentences
from runyard.provider.local.answering import answering
from runyard.provider.local.translate import cloud_project
from runyard.provider.port_jobs import DeployOrder

_NO_NETWORK = "it has no network settings: tasks reach what this machine reaches"


class LocalDeployer:
    """`provider.port_jobs.Deployer` over a cloud's `jobs`."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def deploy(self, order: DeployOrder) -> DeployedJob:
        """See `Deployer.deploy`."""
        place = order.place
        async with answering("deploy", place.job):
            job = await self._jobs.deploy(
                JobDraft(
                    project=cloud_project(place.project, place.environment),
                    region=place.region,
                    name=place.job,
                    template=order.template,
                    labels=order.labels,
                    annotations=order.annotations,
                    etag=order.etag,
                    fence=order.fence,
                )
            )
            return self._shown(place, job)

    async def deployed(self, places: Sequence[Place]) -> list[DeployedJob | None]:
        """See `Deployer.deployed`."""
        keys = [(cloud_project(p.project, p.environment), p.region, p.job) for p in places]
        async with answering("deployed"):
            found = await self._jobs.find(keys)
            return [
                None if job is None else self._shown(place, job)
                for place, job in zip(places, found, strict=True)
            ]

    async def remove(self, place: Place, fence: int) -> bool:
        """See `Deployer.remove`."""
        project = cloud_project(place.project, place.environment)
        async with answering("remove", place.job):
            return await self._jobs.delete(project, place.region, place.job, fence)

    async def network(self, place: Place, template: Mapping[str, Any]) -> str:
        """See `Deployer.network`. This machine's own network serves every job."""
        task = template.get("template")
        access = task.get("vpcAccess") if isinstance(task, Mapping) else None
        if not access:
            return _NO_NETWORK
        return sentences({"template": {"vpcAccess": access}}, PROCESS)[0]

    def _shown(self, place: Place, job: Job) -> DeployedJob:
        return DeployedJob(
            place=place,
            uid=job.uid,
            generation=job.generation,
            observed_generation=job.generation,
            etag=job.etag,
            template=job.template,
            labels=job.labels,
            annotations=job.annotations,
            conditions=tuple(map(_condition, self._jobs.conditions(job))),
            created_at=job.created_at,
            updated_at=job.updated_at,
            fence=job.fence,
        )


def _condition(one: CloudCondition) -> Condition:
    state = ConditionState(one.state.lower())
    return Condition(one.type, state, one.changed_at, one.reason, one.message)
