"""Jobs of the cloud on this machine: made, changed, looked at, deleted. One resource per region.

A change names what it is made against (`etag`) and where it stands in the order of its caller's
changes (`fence`). What comes late is refused, and a deleted job keeps its row for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from runyard.localcloud.cloudrun.blueprint import blueprint
from runyard.localcloud.cloudrun.book import Book, JobKey
from runyard.localcloud.cloudrun.conditions import Condition, job_conditions
from runyard.localcloud.cloudrun.names import uid
from runyard.localcloud.cloudrun.regions import RegionLine
from runyard.localcloud.cloudrun.resources import Job, RunRequest
from runyard.localcloud.cloudrun.rows import plain
from runyard.model.errors import NotFound, ProviderTimeout, Refused, StaleEtag, StaleVersion


@dataclass(frozen=True, slots=True)
class JobDraft:
    """A job as it shall be. `etag`: what it has now (empty: it is not there); None: any."""

    project: str
    region: str
    name: str
    template: Mapping[str, Any]
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    etag: str | None = None
    fence: int = 0

    @property
    def key(self) -> JobKey:
        """What it is unique in."""
        return (self.project, self.region, self.name)


class Jobs:
    """The jobs in `book`. `reachable(region, operation)` raises when the region is not."""

    def __init__(
        self,
        book: Book,
        reachable: Callable[[str, str], RegionLine],
        clock: Callable[[], datetime],
        chance: Callable[[int], int],
    ) -> None:
        self._book = book
        self._reachable = reachable
        self._clock = clock
        self._chance = chance

    async def deploy(self, draft: JobDraft) -> Job:
        """Make a job, or make it as drafted; what is so already is no change. Whether it can be
        run on this machine is found out when it is run, as at Google.

        Raises InvalidSpec, Refused for a fence that is behind, StaleVersion for another etag.
        """
        line = self._reachable(draft.region, "CreateJob")
        blueprint(draft.template, image_runs=True)
        draft = replace(draft, template=plain(draft.template))
        now, new_uid = self._clock(), uid(self._chance(128))
        done = await self._book.put_job(
            draft.key, lambda before: _changed(draft, before, new_uid, now)
        )
        _lose(line, "CreateJob")
        return done

    async def get(self, project: str, region: str, name: str) -> Job:
        """A job. Raises NotFound, also for one that was deleted."""
        self._reachable(region, "GetJob")
        found = await self._book.job(project, region, name)
        if found is None or found.deleted_at is not None:
            raise no_job(project, region, name)
        return found

    async def find(self, keys: Sequence[JobKey]) -> list[Job | None]:
        """Each of the jobs that is there."""
        for _, region, _ in keys:
            self._reachable(region, "GetJob")
        found = await self._book.jobs(keys)
        return [job if job is not None and job.deleted_at is None else None for job in found]

    async def delete(self, project: str, region: str, name: str, fence: int = 0) -> bool:
        """Delete a job; False when there is none. Its executions stay until they are forgotten.

        Raises Refused for a fence that is behind.
        """
        line, now = self._reachable(region, "DeleteJob"), self._clock()
        was: list[Job | None] = []

        def gone(before: Job | None) -> Job | None:
            was[:] = [before]
            if before is None:
                return None
            _check_fence(before, fence)
            at = before.deleted_at or now
            return replace(before, deleted_at=at, fence=max(before.fence, fence))

        await self._book.put_job((project, region, name), gone)
        _lose(line, "DeleteJob")
        return was[0] is not None and was[0].deleted_at is None

    def conditions(self, job: Job) -> tuple[Condition, ...]:
        """A job's conditions as they are now."""
        return job_conditions(job, self._reachable(job.region, "GetJob").faults.unready)


def _changed(draft: JobDraft, before: Job | None, new_uid: str, now: datetime) -> Job:
    if before is not None:
        _check_fence(before, draft.fence)
    alive = before if before is not None and before.deleted_at is None else None
    fence = max(draft.fence, before.fence if before is not None else 0)
    if alive is not None and _is_as(alive, draft):
        return replace(alive, fence=fence)
    if draft.etag is not None and draft.etag != (alive.etag if alive else ""):
        raise StaleVersion(
            f"job {draft.name} in region {draft.region} was changed by somebody else meanwhile",
            hint="look at it again, and decide again",
        )
    if alive is None:
        return Job(
            draft.project, draft.region, draft.name, new_uid, 1, draft.template, draft.labels,
            now, now, annotations=draft.annotations, fence=fence,
        )  # fmt: skip
    return replace(
        alive,
        template=draft.template,
        labels=draft.labels,
        annotations=draft.annotations,
        generation=alive.generation + 1,
        updated_at=now,
        fence=fence,
    )


def _is_as(job: Job, draft: JobDraft) -> bool:
    ours = (draft.template, dict(draft.labels), dict(draft.annotations))
    return (job.template, dict(job.labels), dict(job.annotations)) == ours


def _check_fence(before: Job, fence: int) -> None:
    if fence < before.fence:
        raise Refused(
            f"a later change of job {before.name} in region {before.region} was here already",
            hint="look at it again, and decide again",
        )


def _lose(line: RegionLine, operation: str) -> None:
    if line.faults.changes_to_lose > 0:
        line.faults.changes_to_lose -= 1
        raise ProviderTimeout(
            f"region {line.region.name} did not answer in time",
            name="localcloud",
            operation=operation,
        )


def job_to_run(request: RunRequest, before: Job | None, new_uid: str, now: datetime) -> Job:
    """The job that a request runs. Raises NotFound when there is none, and it brings no template;
    StaleEtag when it means another state of the job.

    What runs by a template of its own leaves the job as it is: only `Jobs` changes jobs.
    """
    if before is not None and before.deleted_at is None:
        check_etag(before, request.etag)
        return before
    if request.template is None or before is not None:
        raise no_job(request.project, request.region, request.job)
    return Job(
        request.project, request.region, request.job, new_uid, 1, request.template, (), now, now
    )


def check_etag(job: Job, etag: str) -> None:
    """Raises StaleEtag unless `etag` is the job's, or empty: whatever it is."""
    if etag and etag != job.etag:
        raise StaleEtag(
            f"job {job.name} in region {job.region} has another etag than {etag[:80]}",
            hint="read the job again, and send the etag that it has now",
        )


def no_job(project: str, region: str, name: str) -> NotFound:
    """There is none."""
    return NotFound(f"there is no job {name} in region {region} of project {project}")
