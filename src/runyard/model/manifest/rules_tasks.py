"""Tasks: how many at once, how long, and by whom."""

from __future__ import annotations

from runyard.model.durations import seconds_of
from runyard.model.manifest.view import EXECUTION, TASK, Data, JobView, mapping, text, whole

GPU_TIMEOUT_SECONDS_MAX = 3600  #: configuring/task-timeout: "tasks using GPUs: 1 hour"
_GEN1 = "EXECUTION_ENVIRONMENT_GEN1"

_DEFAULT_ACCOUNT = (
    "a service account: without one Cloud Run uses the project's default one, "
    "which often may do everything in the project"
)


def check(job: JobView) -> None:
    """See the module."""
    _parallelism(job)
    _deadline(job)
    _gpu_timeout(job)
    if job.task and "serviceAccount" not in job.task:
        hint = "name a service account of the job's own"
        job.warn((*TASK, "serviceAccount"), _DEFAULT_ACCOUNT, hint)
    if job.task.get("executionEnvironment") == _GEN1:
        path = (*TASK, "executionEnvironment")
        job.warn(path, "EXECUTION_ENVIRONMENT_GEN2: Cloud Run runs every job in it")


def _parallelism(job: JobView) -> None:
    tasks = whole(job.execution, "taskCount", 1)
    if tasks >= 1 and whole(job.execution, "parallelism", 0) > tasks:
        path = (*EXECUTION, "parallelism")
        job.fault(path, f"at most taskCount, which is {tasks}", "0 means as many as possible")


def _deadline(job: JobView) -> None:
    deadline, timeout = _seconds(job.data, "deadline"), _seconds(job.task, "timeout", 600)
    if deadline is not None and timeout is not None and deadline < timeout:
        expected = f"a deadline not shorter than one task's timeout, {timeout:g}s"
        job.warn(("deadline",), expected, "the deadline will stop the run first")


def _gpu_timeout(job: JobView) -> None:
    timeout = _seconds(job.task, "timeout", 600)
    limits = [mapping(mapping(one, "resources"), "limits") for _, one in job.containers()]
    has_gpu = any("nvidia.com/gpu" in one for one in limits)
    if has_gpu and timeout is not None and timeout > GPU_TIMEOUT_SECONDS_MAX:
        job.fault((*TASK, "timeout"), "at most 1h for a task with a GPU")


def _seconds(data: Data, key: str, default: float | None = None) -> float | None:
    if key not in data:
        return default
    try:
        return seconds_of(text(data, key))
    except ValueError:
        return None
