"""Gives the jobs that were there before IAM was what they read: once, when a cloud comes up."""

from __future__ import annotations

from collections.abc import Iterable

from runyard.localcloud.cloudrun.resources import Job
from runyard.localcloud.iam.book import Hold
from runyard.localcloud.neighbours import Neighbours
from runyard.model.operation import StepKind
from runyard.provider.local.needs import Needs, holder_of

FACT = "readers-of-secrets"  #: of the cloud, once this is done


async def adopt(cloud: Neighbours, jobs: Iterable[Job]) -> None:
    """Let each of `jobs` read the secrets it names, as applying it would have done. Idempotent."""
    wanted: dict[str, set[Hold]] = {}
    for job in jobs:
        needs = Needs(job.project, {"template": job.template})
        holder = holder_of(job.project, job.name)
        wanted.setdefault(holder, set()).update(needs.secret_holds)
        if needs.names_account and needs.refs:
            await cloud.accounts.ensure(holder, job.project, needs.account)
    for holder, holds in wanted.items():
        await cloud.policies.settle(f"{holder}#{StepKind.SECRETS}", holds)
