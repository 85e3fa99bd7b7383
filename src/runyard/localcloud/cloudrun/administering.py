"""Jobs as Google's own callers change them: made once, changed where they are, guarded by etags.

Runyard's changes are in order by their fences (`jobs`); these know of no order, and keep the fence
a job has, so that a change of Runyard's that comes late is still refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from runyard.localcloud.cloudrun.blueprint import blueprint
from runyard.localcloud.cloudrun.book import Book, JobKey
from runyard.localcloud.cloudrun.jobs import JobDraft, check_etag, no_job
from runyard.localcloud.cloudrun.names import uid
from runyard.localcloud.cloudrun.regions import RegionLine
from runyard.localcloud.cloudrun.resources import Job
from runyard.localcloud.cloudrun.rows import plain
from runyard.model.errors import AlreadyExists, QuotaExceeded

JOBS_MAX = 1000  #: jobs per project and region (run/quotas)


class JobAdministration:
    """Makes, changes, lists and deletes the jobs in `book`. See `Jobs`."""

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

    async def create(self, draft: JobDraft, *, pretend: bool = False) -> Job:
        """A new job. `pretend`: find out all that is wrong with it, and make nothing.

        Raises InvalidSpec, AlreadyExists, QuotaExceeded.
        """
        self._reachable(draft.region, "CreateJob")
        draft, new_uid, now = _read(draft), uid(self._chance(128)), self._clock()
        if pretend:
            before = await self._book.job(*draft.key)
            return _created(draft, before, 0, new_uid, now)
        return await self._book.add_job(
            draft.key, lambda before, count: _created(draft, before, count, new_uid, now)
        )

    async def update(
        self, draft: JobDraft, *, allow_missing: bool = False, pretend: bool = False
    ) -> Job:
        """A job as drafted, with one generation more. `allow_missing`: made if there is none.

        Raises InvalidSpec, NotFound, StaleEtag, QuotaExceeded.
        """
        self._reachable(draft.region, "UpdateJob")
        draft, new_uid, now = _read(draft), uid(self._chance(128)), self._clock()

        def make(before: Job | None, count: int) -> Job:
            if before is not None and before.deleted_at is None:
                return _updated(draft, before, now)
            if not allow_missing:
                raise no_job(*draft.key)
            return _created(draft, before, count, new_uid, now)

        if pretend:
            return make(await self._book.job(*draft.key), 0)
        return await self._book.add_job(draft.key, make)

    async def delete(self, key: JobKey, etag: str = "", *, pretend: bool = False) -> Job:
        """A job as it was deleted now. Raises NotFound, StaleEtag."""
        self._reachable(key[1], "DeleteJob")
        now = self._clock()

        def gone(before: Job | None) -> Job:
            if before is None or before.deleted_at is not None:
                raise no_job(*key)
            check_etag(before, etag)
            return replace(before, deleted_at=now)

        if pretend:
            return gone(await self._book.job(*key))
        return await self._book.put_job(key, gone)

    async def page(
        self, project: str, region: str, after: str, limit: int, *, deleted: bool = False
    ) -> list[Job]:
        """Jobs by name, from after a name on; `deleted` ones too."""
        self._reachable(region, "ListJobs")
        return await self._book.jobs_page(project, region, after, limit, deleted=deleted)


def _read(draft: JobDraft) -> JobDraft:
    """The draft as its book will have it. Raises InvalidSpec."""
    blueprint(draft.template, image_runs=True)
    return replace(draft, template=plain(draft.template))


def _created(draft: JobDraft, before: Job | None, count: int, new_uid: str, now: datetime) -> Job:
    if before is not None and before.deleted_at is None:
        raise AlreadyExists(
            f"job {draft.name} in region {draft.region} of project {draft.project} already exists",
            hint="choose another name, or update that one",
        )
    if count >= JOBS_MAX:
        raise QuotaExceeded(
            f"region {draft.region} of project {draft.project} has {count} jobs, which is its "
            "quota",
            hint="delete jobs that are not needed any more, or use another region",
        )
    return Job(
        draft.project, draft.region, draft.name, new_uid, 1, draft.template, draft.labels,
        now, now, annotations=draft.annotations, fence=before.fence if before is not None else 0,
    )  # fmt: skip


def _updated(draft: JobDraft, before: Job, now: datetime) -> Job:
    check_etag(before, draft.etag or "")
    return replace(
        before,
        template=draft.template,
        labels=draft.labels,
        annotations=draft.annotations,
        generation=before.generation + 1,
        updated_at=now,
    )
