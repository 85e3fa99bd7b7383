"""Executions and tasks as Google's messages say them: proto3 JSON of google.cloud.run.v2. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

from runyard.localcloud.cloudrun.blueprint import INPUT_CONTENT, INPUT_PATH
from runyard.localcloud.cloudrun.conditions import (
    Condition,
    ConditionState,
    execution_conditions,
    task_conditions,
)
from runyard.localcloud.cloudrun.names import task_name
from runyard.localcloud.cloudrun.resources import Execution, Reason, Task, TaskState
from runyard.localcloud.google.errors import UNKNOWN, number_of
from runyard.localcloud.google.names import execution_name, whole_task_name
from runyard.model.errors import Code

JsonMap = dict[str, Any]
EXECUTION, JOB, TASK = (
    f"type.googleapis.com/google.cloud.run.v2.{kind}" for kind in ("Execution", "Job", "Task")
)
#: Reasons of `Condition.executionReason`; the other ones stand in `Condition.reason`.
_OF_EXECUTIONS = frozenset({Reason.NON_ZERO_EXIT_CODE, Reason.CANCELLED, Reason.CANCELLING})
#: Fields of a TaskTemplate that a Task has too.
_OF_TASKS = (
    "containers", "volumes", "maxRetries", "timeout", "serviceAccount", "executionEnvironment",
    "encryptionKey", "vpcAccess", "nodeSelector", "gpuZonalRedundancyDisabled",
)  # fmt: skip
_OURS = frozenset({INPUT_PATH, INPUT_CONTENT})  #: annotations that carry a file of Runyard's


def said(fields: Mapping[str, Any]) -> JsonMap:
    """`fields` without those that are not set: proto3's JSON leaves its defaults out."""
    return {name: value for name, value in fields.items() if value not in (None, "", 0, (), {}, [])}


def instant(at: datetime | None) -> str | None:
    """A google.protobuf.Timestamp in JSON."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def fingerprint(*words: object) -> str:
    """An etag that changes with every one of `words`."""
    digest = blake2b("/".join(map(str, words)).encode(), digest_size=9).hexdigest()
    return f'"{digest}"'


def condition_message(one: Condition) -> JsonMap:
    """A google.cloud.run.v2.Condition."""
    kind = "executionReason" if one.reason in _OF_EXECUTIONS else "reason"
    failed = one.state is ConditionState.FAILED
    return said({
        "type": one.type,
        "state": f"CONDITION_{one.state}",
        "message": one.message,
        "lastTransitionTime": instant(one.changed_at),
        "severity": "ERROR" if failed else "",
        kind: one.reason,
    })  # fmt: skip


def execution_etag(execution: Execution) -> str:
    """Changes whenever the execution does."""
    return fingerprint(
        execution.uid, execution.state, execution.tally, execution.cancel_asked_at,
        execution.released,
    )  # fmt: skip


def execution_message(execution: Execution) -> JsonMap:
    """A google.cloud.run.v2.Execution."""
    tally, template, plan = execution.tally, execution.template, execution.blueprint
    changed_at = execution.completed_at or execution.cancel_asked_at or execution.started_at
    return said({
        "name": execution_name(execution),
        "uid": execution.uid,
        "generation": str(execution.generation),
        "labels": {**(template.get("labels") or {}), **dict(execution.labels)},
        "annotations": _annotations(template),
        "createTime": instant(execution.created_at),
        "startTime": instant(execution.started_at),
        "completionTime": instant(execution.completed_at),
        "updateTime": instant(changed_at or execution.created_at),
        "launchStage": "GA",
        "job": execution.job,
        "parallelism": plan.parallelism or plan.task_count,
        "taskCount": plan.task_count,
        "template": template.get("template"),
        "reconciling": not execution.is_final,
        "conditions": list(map(condition_message, execution_conditions(execution))),
        "observedGeneration": str(execution.generation),
        "runningCount": tally.running_count,
        "succeededCount": tally.succeeded_count,
        "failedCount": tally.failed_count,
        "cancelledCount": _cancelled_count(execution),
        "retriedCount": tally.retried_count,
        "etag": execution_etag(execution),
    })  # fmt: skip


def _annotations(template: Mapping[str, Any]) -> JsonMap:
    given = template.get("annotations") or {}
    return {name: value for name, value in given.items() if name not in _OURS}


def _cancelled_count(execution: Execution) -> int:
    """A task that never started is cancelled with its execution."""
    tally = execution.tally
    if not execution.is_final:
        return tally.cancelled_count
    done = tally.succeeded_count + tally.failed_count
    return max(tally.cancelled_count, execution.blueprint.task_count - done)


def task_message(execution: Execution, task: Task) -> JsonMap:
    """A google.cloud.run.v2.Task."""
    template = execution.template.get("template") or {}
    final = task.state not in (TaskState.PENDING, TaskState.RUNNING)
    changed_at = task.ended_at or task.started_at or execution.created_at
    return said({
        **{name: template[name] for name in _OF_TASKS if name in template},
        "name": whole_task_name(execution, task.index),
        "uid": str(uuid5(UUID(execution.uid), task_name(execution.name, task.index))),
        "generation": "1",
        "labels": {**(execution.template.get("labels") or {}), **dict(execution.labels)},
        "createTime": instant(execution.created_at),
        "scheduledTime": instant(execution.created_at),
        "startTime": instant(task.started_at),
        "completionTime": instant(task.ended_at) if final else None,
        "updateTime": instant(changed_at),
        "job": execution.job,
        "execution": execution.name,
        "reconciling": not final,
        "conditions": list(map(condition_message, task_conditions(execution, task))),
        "observedGeneration": "1",
        "index": task.index,
        "retried": task.attempt,
        "lastAttemptResult": _attempt_result(task) if task.ended_at else None,
        "etag": fingerprint(execution.uid, task),
    })  # fmt: skip


def _attempt_result(task: Task) -> JsonMap:
    """A TaskAttemptResult: at most one of exit code and signal, and a google.rpc.Status."""
    result: JsonMap = {}
    if task.exit_code is not None:
        result["exitCode"] = task.exit_code
    elif task.signal is not None:
        result["termSignal"] = task.signal
    return {"status": said({"code": _status_code(task), "message": task.message}), **result}


def _status_code(task: Task) -> int:
    """Ours: which codes Google gives is in none of its documents."""
    if task.state is TaskState.SUCCEEDED:
        return 0
    if task.timed_out:
        return number_of(Code.DEADLINE_EXCEEDED)
    if task.out_of_memory:
        return number_of(Code.RESOURCE_EXHAUSTED)
    return number_of(Code.CANCELLED) if task.state is TaskState.CANCELLED else UNKNOWN


def of_type(kind: str, message: Mapping[str, Any]) -> JsonMap:
    """`message` as a google.protobuf.Any."""
    return {"@type": kind, **message}
