"""The job that a trigger is of, if it can be asked for."""

from __future__ import annotations

from runyard.model.errors import NotFound, Refused
from runyard.model.trigger.row import Trigger
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
