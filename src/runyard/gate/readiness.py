"""The job that a trigger is of, if it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runyard.model.errors import NotFound, Refused
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger
from runyard.model.trigger.spec import by_name, kind_of
from runyard.store.jobs import JobRow
from runyard.store.working_set import WorkingSet


def job_in(work: WorkingSet, row: Trigger) -> JobRow:
    """The job of a trigger, ready to run; those of its name were loaded.

    Raises NotFound or Refused.
    """
    found = work.jobs[row.environment, row.job]
    job = next((one for one in found if one.project == row.project), None)
    if job is None:
        raise NotFound(f"there is no job {row.job} in environment {row.environment}")
    if job.blocked:
        raise Refused(f"job {row.job} is not ready: {job.blocked}")
    return job


def revision_in(work: WorkingSet, row: Trigger) -> int:
    """The revision in force of a trigger's job; 0 where there is no such job."""
    found = work.jobs[row.environment, row.job]
    return next((one.revision for one in found if one.project == row.project), 0)


async def as_it_was(
    work: WorkingSet, row: Trigger, revision: int
) -> tuple[Mapping[str, Any], Trigger]:
    """The document of a trigger's job, and the trigger, as a revision of the job had them.

    Raises Refused when the revision is not kept, or had no such trigger.
    """
    key = (row.project, row.environment, row.job)
    document = await work.store.jobs.document(work.tx, *key, revision)
    if document is None:
        which = f"revision {revision}" if revision else "the revision then"
        raise Refused(
            f"{which} of job {row.job} is not kept", hint="bring it to the job as it is now"
        )
    said = by_name(document).get(row.name)
    if said is None:
        raise Refused(f"revision {revision} of job {row.job} has no trigger {row.name}")
    return document, replace(row, document=said, kind=TriggerKind(kind_of(said)))
