"""Jobs between Google's message and the cloud's: `google.cloud.run.v2.Job` in JSON. Pure.

What Google's message has and the cloud's job has no room for stands in annotations, under the names
it has in Google's own v1 API; v2 neither shows them nor lets a caller set them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runyard.localcloud.cloudrun.conditions import Condition, completion_status
from runyard.localcloud.cloudrun.jobs import JobDraft
from runyard.localcloud.cloudrun.resources import Execution, Job
from runyard.localcloud.google.names import Name, execution_name, job_name, wrong
from runyard.localcloud.google.requests import BinaryAuthorization, JobInput, LaunchStage
from runyard.localcloud.google.shapes import JsonMap, condition_message, instant, said

_LAUNCH_STAGE = "run.googleapis.com/launch-stage"
_BINARY_AUTHORIZATION = "run.googleapis.com/binary-authorization"
_BREAKGLASS = "run.googleapis.com/binary-authorization-breakglass"
_CLIENT = "run.googleapis.com/client-name"
_CLIENT_VERSION = "run.googleapis.com/client-version"
#: "annotations with these namespaces will be rejected in new resources" (Job.annotations, labels)
_RESERVED = (
    "run.googleapis.com",
    "cloud.googleapis.com",
    "serving.knative.dev",
    "autoscaling.knative.dev",
)


def draft_of(name: Name, asked: JobInput) -> JobDraft:
    """The job that is asked for under `name`. Raises InvalidSpec for what this cloud has not."""
    for field in ("start_execution_token", "run_execution_token"):
        if getattr(asked, field):
            raise wrong(
                f"job.{field.split('_', maxsplit=1)[0]}ExecutionToken", "", "no token",
                "this cloud starts executions by RunJob only",
            )  # fmt: skip
    for field, given in (("labels", asked.labels), ("annotations", asked.annotations)):
        _check_keys(f"job.{field}", given)
    return JobDraft(
        project=name.project,
        region=name.region,
        name=name.job,
        template=asked.template.document(),
        labels=tuple(sorted(asked.labels.items())),
        annotations=tuple(sorted((dict(asked.annotations) | _hidden(asked)).items())),
        etag=asked.etag or None,
    )


def _check_keys(field: str, given: Mapping[str, str]) -> None:
    for key in given:
        domain = key.partition("/")[0] if "/" in key else ""
        if any(domain == one or domain.endswith(f".{one}") for one in _RESERVED):
            raise wrong(field, key[:80], f"no key of {domain}, which is Cloud Run's own")


def _hidden(asked: JobInput) -> dict[str, str]:
    attested = asked.binary_authorization or BinaryAuthorization()
    stage = asked.launch_stage
    return said({
        _LAUNCH_STAGE: "" if stage is LaunchStage.LAUNCH_STAGE_UNSPECIFIED else str(stage),
        _BINARY_AUTHORIZATION: "default" if attested.use_default else attested.policy,
        _BREAKGLASS: attested.breakglass_justification,
        _CLIENT: asked.client,
        _CLIENT_VERSION: asked.client_version,
    })  # fmt: skip


def job_message(job: Job, latest: Execution | None, conditions: Sequence[Condition]) -> JsonMap:
    """A google.cloud.run.v2.Job; `latest` is the execution that was made last, if it is there."""
    hidden = {name: value for name, value in job.annotations if name in _HIDDEN}
    shown = {name: value for name, value in job.annotations if name not in _HIDDEN}
    ready = [condition_message(one) for one in conditions]
    return said({
        "name": job_name(job),
        "uid": job.uid,
        "generation": str(job.generation),
        "labels": dict(job.labels),
        "annotations": shown,
        "createTime": instant(job.created_at),
        "updateTime": instant(job.deleted_at or job.updated_at),
        "deleteTime": instant(job.deleted_at),
        "client": hidden.get(_CLIENT),
        "clientVersion": hidden.get(_CLIENT_VERSION),
        "launchStage": hidden.get(_LAUNCH_STAGE, "GA"),
        "binaryAuthorization": _binary_authorization(hidden),
        "template": job.template,
        "observedGeneration": str(job.generation),
        "terminalCondition": ready[0] if ready else None,
        "executionCount": job.execution_count,
        "etag": job.etag,
    }) | {"latestCreatedExecution": reference(latest) if latest is not None else {}}  # fmt: skip


_HIDDEN = frozenset({_LAUNCH_STAGE, _BINARY_AUTHORIZATION, _BREAKGLASS, _CLIENT, _CLIENT_VERSION})


def _binary_authorization(hidden: Mapping[str, str]) -> JsonMap:
    policy = hidden.get(_BINARY_AUTHORIZATION, "")
    by_default: dict[str, Any] = {"useDefault": True} if policy == "default" else {"policy": policy}
    return said({**by_default, "breakglassJustification": hidden.get(_BREAKGLASS)})


def reference(execution: Execution) -> JsonMap:
    """A google.cloud.run.v2.ExecutionReference."""
    return said({
        "name": execution_name(execution),
        "createTime": instant(execution.created_at),
        "completionTime": instant(execution.completed_at),
        "completionStatus": completion_status(execution),
    })  # fmt: skip
