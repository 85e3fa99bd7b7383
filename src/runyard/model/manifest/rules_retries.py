"""Retries: two bounds that must agree, and what they multiply to."""

from __future__ import annotations

from runyard.model.durations import nanos_of
from runyard.model.manifest.view import EXECUTION, TASK, JobView, mapping, text, whole

#: More launches than this from one run are worth a second look: at one minute's minimum charge
#: each, ten thousand cost a few dollars already.
LAUNCHES_WARNED = 10_000


def check(job: JobView) -> None:
    """See the module."""
    retry = mapping(job.data, "retry")
    attempts = whole(retry, "attempts", 1)
    on_timeout = whole(mapping(retry, "on_timeout"), "attempts", 1)
    if on_timeout > attempts >= 1:
        hint = "retry.attempts bounds all attempts of a run"
        path = ("retry", "on_timeout", "attempts")
        job.fault(path, f"at most retry.attempts, which is {attempts}", hint)
    _backoff(job)
    _launches(job, attempts)


def _backoff(job: JobView) -> None:
    backoff = mapping(mapping(job.data, "retry"), "backoff")
    try:
        initial = nanos_of(text(backoff, "initial", "10s"))
        most = nanos_of(text(backoff, "max", "600s"))
    except ValueError:
        return
    if initial > most:
        key = "max" if "max" in backoff else "initial"
        job.fault(("retry", "backoff", key), "max not shorter than initial")


def _launches(job: JobView, attempts: int) -> None:
    retries = whole(job.task, "maxRetries", 3)
    tasks = whole(job.execution, "taskCount", 1)
    launches = attempts * (retries + 1) * tasks
    if launches > LAUNCHES_WARNED:
        path = (*TASK, "maxRetries") if "maxRetries" in job.task else (*EXECUTION, "taskCount")
        job.warn(
            path,
            f"fewer launches: one run can cause {launches} "
            f"({attempts} attempts x {retries + 1} tries x {tasks} tasks)",
            "lower maxRetries or retry.attempts",
        )
