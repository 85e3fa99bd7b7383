"""The JSON Schema of a manifest, for editors. Made from the models, so the two cannot differ.

It says what one file may hold. What several fields say together (CPU and memory, mounts and
volumes), and what `defaults` or another file may fill in, is left to `load`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from runyard.model.environment import Environment
from runyard.model.job import JobSpec
from runyard.model.manifest.defaults import KEYS as DEFAULTS_KEYS
from runyard.model.manifest.merge import EXTENSION, SCHEMA_KEY
from runyard.model.manifest.overrides import KEY as OVERRIDES

SCHEMA_ID = "urn:runyard:manifest"  #: a name; nothing is fetched from it

Schema = dict[str, Any]

_REF = "#/$defs/{model}"
#: Parts that `defaults` may fill in, so that a job need not have what the model requires.
_FILLED = ("JobSpec", "ExecutionTemplate", "TaskTemplate")

# fmt: off
_DESCRIPTIONS = {
    ("JobSpec", "labels"): "Labels of the job; they reach Google's bill.",
    ("JobSpec", "annotations"): "Annotations of the job.",
    ("JobSpec", "regions"): "Where the job may run; else the environment's, else us-central1.",
    ("JobSpec", "placement"): "primary: a run goes to the first healthy region; all: to each.",
    ("JobSpec", "template"): "Cloud Run v2's ExecutionTemplate, in Google's own field names.",
    ("JobSpec", "retry"): "Attempts of the whole run; maxRetries of a task are inside each.",
    ("JobSpec", "concurrency"): "How many runs at once, and what a run over the limit does.",
    ("JobSpec", "deadline"): "From asking to the end of the run, waiting and retries included.",
    ("JobSpec", "priority"): "Higher goes first; waiting runs do not starve.",
    ("JobSpec", "triggers"): "What asks for runs of the job by itself.",
    ("JobSpec", "needs"): "What the job must be able to reach; read by probes and access checks.",
    ("JobSpec", "ignore_drift"): "Fields that others may change at the provider.",
    ("RetrySpec", "attempts"): "The most attempts of a run. 1: it is not tried again.",
    ("RetrySpec", "backoff"): "How long to wait before the next attempt.",
    ("RetrySpec", "on_timeout"): "A timeout is tried again by this rule only.",
    ("BackoffSpec", "factor"): "What the wait is multiplied by after each attempt.",
    ("BackoffSpec", "jitter"): "How chance spreads the wait: not at all, half of it, all of it.",
    ("ConcurrencySpec", "limit"): "The most runs of the job at once in a region; 0: no limit.",
    ("ConcurrencySpec", "on_conflict"): "What a run over the limit does.",
    ("NeedsSpec", "egress"): "Targets as host:port.",
    ("NeedsSpec", "secrets"): "Secrets, by name.",
    ("NeedsSpec", "buckets"): "Cloud Storage buckets.",
    ("NeedsSpec", "topics"): "Pub/Sub topics.",
    ("NeedsSpec", "roles"): "IAM roles of the service account.",
    ("ExecutionTemplate", "taskCount"): "How many tasks an execution has.",
    ("ExecutionTemplate", "parallelism"): "How many of them at once; 0: as many as possible.",
    ("ExecutionTemplate", "labels"): "Labels of each execution.",
    ("ExecutionTemplate", "annotations"): "Annotations of each execution.",
    ("ExecutionTemplate", "delayExecution"): "May start any time in 12 hours, at a lower price.",
    ("TaskTemplate", "maxRetries"): "Retries of each task within an attempt; 3 if not said.",
    ("TaskTemplate", "timeout"): "Of one try of a task; 600s if not said.",
    ("TaskTemplate", "serviceAccount"): "Who the task is at Google; else the project's default.",
    ("Container", "command"): "The program and its first arguments; no shell.",
    ("Container", "args"): "Arguments of the program; no shell, nothing is expanded.",
    ("Environment", "provider"): "local: this machine; gcp: Google Cloud.",
    ("Environment", "regions"): "Regions of jobs that name none themselves.",
    ("Environment", "approvals"): "How many other people must agree to a change.",
    ("Environment", "freeze"): "When nothing is changed.",
    ("Environment", "allow"): "Who may, by name; else whoever has the role for it.",
    ("Allow", "change"): "Who may apply, roll back and delete.",
    ("Allow", "run"): "Who may ask for runs.",
    ("Allow", "approve"): "Who may agree to a change of another.",
}
# fmt: on


def json_schema() -> Schema:
    """JSON Schema (2020-12) of one manifest file."""
    _, made = models_json_schema(
        [(JobSpec, "validation"), (Environment, "validation")], ref_template=_REF
    )
    parts: Schema = {name: _as_written(part) for name, part in made["$defs"].items()}
    for (model, key), words in _DESCRIPTIONS.items():
        _describe(parts[model]["properties"], key, words)
    for model in _FILLED:
        parts[model].pop("required")
    job = parts["JobSpec"]
    parts["Environment"]["properties"][OVERRIDES] = {
        "type": "object",
        "description": "What is different in jobs; lists of things with names are merged by name.",
        "propertyNames": job["properties"]["name"],
        "additionalProperties": {"type": "object"},
    }
    own = {key: job["properties"].pop(key) for key in ("project", "name")}
    parts["Defaults"] = _defaults(job)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": SCHEMA_ID,
        "title": "Runyard manifest",
        "description": "Jobs of a project. A manifest may be one file or many.",
        "type": "object",
        "properties": _top(own),
        "patternProperties": {f"^{EXTENSION}": {"description": "Free: what aliases refer to."}},
        "additionalProperties": False,
        "$defs": dict(sorted(parts.items())),
    }


def _top(own: Schema) -> Schema:
    return {
        SCHEMA_KEY: {"type": "string", "description": "Where an editor finds this schema."},
        "project": own["project"] | {"description": "The workspace; one in all files."},
        "defaults": {"$ref": "#/$defs/Defaults"},
        "jobs": {
            "type": "object",
            "description": "Each job by its name.",
            "propertyNames": own["name"],
            "additionalProperties": {"$ref": "#/$defs/JobSpec"},
        },
        "environments": {
            "type": "object",
            "description": "Each environment by its name; `local` is always there.",
            "additionalProperties": {"$ref": "#/$defs/Environment"},
        },
    }


def _defaults(job: Schema) -> Schema:
    return {
        "type": "object",
        "description": "For every job: mappings are merged, lists and single values are replaced.",
        "properties": {key: deepcopy(job["properties"][key]) for key in DEFAULTS_KEYS},
        "additionalProperties": False,
    }


def _describe(properties: Schema, key: str, words: str) -> None:
    properties[key] = properties[key] | {"description": words}


def _as_written(part: Any) -> Any:
    """`part` as a manifest has it: a key is left out, never null."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _as_written(value) for key, value in part.items()}
    if kept.get("default", "") is None:
        del kept["default"]
    if isinstance(kept.get("title"), str):  # pydantic's, made of the field's name: no news
        del kept["title"]
    options = kept.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        only = next(option for option in options if option != {"type": "null"})
        return only | {key: value for key, value in kept.items() if key != "anyOf"}
    return kept
