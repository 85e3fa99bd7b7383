"""Templates: ours (ExecutionTemplate as JSON, canonical) and Google's messages. Pure.

Google fills in what a job leaves open (its service account, the generation of its sandbox) and
takes an account by its email alone. What was said of these is noted in annotations of the job, so
that it is read back as it was said, and what somebody else made of it is seen as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import orjson
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict, ParseError
from pydantic import ValidationError

from runyard.flow.differences import differences
from runyard.model.cloudrun.template import ExecutionTemplate
from runyard.model.errors import ProviderRefused
from runyard.model.quantities import memory_bytes_of, vcpu_milli_of
from runyard.provider.gcp import names
from runyard.provider.gcp.errors import NAME
from runyard.provider.port import LaunchOrder

Template = Mapping[str, Any]
Notes = Mapping[str, str]

LEFT_OPEN = "runyard.dev/left-open"  #: fields of the task's template that a job does not say
SERVICE_ACCOUNT = "runyard.dev/service-account"  #: the short name that it says
FENCE = "runyard.dev/fence"
OWNER = "runyard.dev/owner"  #: project and environment of Runyard, with a slash between
OURS = frozenset({LEFT_OPEN, SERVICE_ACCOUNT, FENCE, OWNER})

#: What Google fills in, by field: the account of Compute Engine; jobs always run in GEN2.
_FILLED_IN = {
    "serviceAccount": re.compile(r"[0-9]+-compute@developer\.gserviceaccount\.com"),
    "executionEnvironment": re.compile("EXECUTION_ENVIRONMENT_GEN2"),
}


def canonical(template: Template) -> Template:
    """`template` as we write it; as it is when it is none in our eyes."""
    try:
        return ExecutionTemplate.model_validate_json(orjson.dumps(dict(template))).document()
    except ValidationError:
        return template


def content(template: Template) -> bytes:
    """What makes a template another one."""
    return orjson.dumps(canonical(template), option=orjson.OPT_SORT_KEYS)


def notes(template: Template) -> dict[str, str]:
    """What has to be remembered of what `template` says."""
    task = template["template"]
    found = {LEFT_OPEN: ",".join(field for field in _FILLED_IN if not task.get(field))}
    account = task.get("serviceAccount") or ""
    if account and "@" not in account:
        found[SERVICE_ACCOUNT] = account
    return {key: value for key, value in found.items() if value}


def message(template: Template, google_project: str) -> run_v2.ExecutionTemplate:
    """`template` as Google's message. Raises ProviderRefused for a field that its library does not
    know yet."""
    task = dict(template["template"])
    account = task.get("serviceAccount") or ""
    if account:
        task["serviceAccount"] = _email(account, google_project)
    try:
        made: run_v2.ExecutionTemplate = run_v2.ExecutionTemplate.from_json(
            orjson.dumps({**template, "template": task})
        )
    except ParseError as error:
        raise ProviderRefused(
            f"Google's library cannot say this of a job: {error}",
            name=NAME,
            hint="take it out of the manifest, or install a newer google-cloud-run",
        ) from error
    return made


def read(found: run_v2.ExecutionTemplate, said: Notes, google_project: str) -> Template:
    """A template of Google's as we write it; `said` are the notes on what was said."""
    raw: dict[str, Any] = MessageToDict(run_v2.ExecutionTemplate.pb(found))
    task = dict(raw.get("template") or {})
    open_fields = said.get(LEFT_OPEN, "").split(",")
    for field, filled_in in _FILLED_IN.items():
        if field in open_fields and filled_in.fullmatch(str(task.get(field, ""))):
            del task[field]
    short = said.get(SERVICE_ACCOUNT, "")
    if short and task.get("serviceAccount") == _email(short, google_project):
        task["serviceAccount"] = short
    return canonical({**raw, "template": task})


def is_same(wanted: Template, found: run_v2.ExecutionTemplate, google_project: str) -> bool:
    """True when a job with the template `found` runs what `wanted` says."""
    said = canonical(wanted)
    there = read(found, notes(said), google_project)
    return not differences(_in_numbers(said), _in_numbers(there))


def _in_numbers(template: Template) -> Template:
    """`template` with its CPUs and memory as numbers: `1` and `1000m` are the same."""
    task = template.get("template") or {}
    containers = [
        {**one, "resources": {**one["resources"], "limits": _limits(one["resources"]["limits"])}}
        if (one.get("resources") or {}).get("limits")
        else one
        for one in task.get("containers") or ()
    ]
    return {**template, "template": {**task, "containers": containers}}


def _limits(limits: Mapping[str, str]) -> dict[str, Any]:
    numbers = {"cpu": vcpu_milli_of, "memory": memory_bytes_of}
    return {key: numbers.get(key, str)(value) for key, value in limits.items()}


def _email(account: str, google_project: str) -> str:
    if "@" in account:
        return account
    return f"{account}@{google_project}.iam.gserviceaccount.com"


# -- requests ------------------------------------------------------------------------------------
def run_request(order: LaunchOrder, name: str, etag: str) -> run_v2.RunJobRequest:
    """RunJob of the job `name`, as long as it has this etag, with the attempt's key among its
    variables. Raises ProviderRefused for what RunJob cannot change."""
    ours = order.overrides
    if ours.file is not None:
        raise ProviderRefused(
            "Google Cloud Run cannot bring a file to one run of a job",
            name=NAME,
            key=order.key,
            hint="use arguments or variables",
        )
    variables = [*ours.env, (names.ATTEMPT, str(order.key))]
    container = run_v2.RunJobRequest.Overrides.ContainerOverride(
        name=order.template["template"]["containers"][0].get("name") or "",
        args=list(ours.args or ()),
        clear_args=ours.args == (),
        env=[run_v2.EnvVar(name=key, value=value) for key, value in variables],
    )
    overrides = run_v2.RunJobRequest.Overrides(container_overrides=[container])
    if ours.task_count is not None:
        overrides.task_count = ours.task_count
    if ours.timeout_seconds is not None:
        overrides.timeout = timedelta(seconds=ours.timeout_seconds)
    return run_v2.RunJobRequest(name=name, etag=etag, overrides=overrides)


def clone(order: LaunchOrder, google_project: str, labels: Mapping[str, str]) -> run_v2.Job:
    """The clone that runs the template of `order`; `labels` are those of its job."""
    owner = f"{order.project}/{order.environment}"
    return run_v2.Job(
        template=message(order.template, google_project),
        labels={**labels, names.CLONE_OF: order.job},
        annotations={**notes(canonical(order.template)), OWNER: owner},
    )


def key_of(execution: run_v2.Execution) -> str:
    """The key of the attempt that an execution is; empty when it is none of ours."""
    return next(_keys(execution), "")


def _keys(execution: run_v2.Execution) -> Iterator[str]:
    for container in execution.template.containers:
        for variable in container.env:
            if variable.name == names.ATTEMPT:
                yield str(variable.value)


def hidden(order: LaunchOrder) -> list[str]:
    """Values of an order that are nobody's business: Google may repeat what it refuses."""
    return [value for _, value in order.overrides.env] + list(order.overrides.args or ())
