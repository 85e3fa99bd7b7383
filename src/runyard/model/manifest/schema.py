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
from runyard.model.manifest.descriptions import DESCRIPTIONS
from runyard.model.manifest.merge import EXTENSION, SCHEMA_KEY
from runyard.model.manifest.overrides import KEY as OVERRIDES
from runyard.model.trigger.calendar import Calendar

SCHEMA_ID = "urn:runyard:manifest"  #: a name; nothing is fetched from it

Schema = dict[str, Any]

_REF = "#/$defs/{model}"
#: Parts that `defaults` may fill in, so that a job need not have what the model requires.
_FILLED = ("JobSpec", "ExecutionTemplate", "TaskTemplate")


def json_schema() -> Schema:
    """JSON Schema (2020-12) of one manifest file."""
    _, made = models_json_schema(
        [(JobSpec, "validation"), (Environment, "validation"), (Calendar, "validation")],
        ref_template=_REF,
    )
    parts: Schema = {name: _as_written(part) for name, part in made["$defs"].items()}
    for (model, key), words in DESCRIPTIONS.items():
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
    days = parts.pop("Calendar")["properties"]["days"]
    own = {key: job["properties"].pop(key) for key in ("project", "name")}
    parts["Defaults"] = _defaults(job)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": SCHEMA_ID,
        "title": "Runyard manifest",
        "description": "Jobs of a project. A manifest may be one file or many.",
        "type": "object",
        "properties": _top(own, days),
        "patternProperties": {f"^{EXTENSION}": {"description": "Free: what aliases refer to."}},
        "additionalProperties": False,
        "$defs": dict(sorted(parts.items())),
    }


def _top(own: Schema, days: Schema) -> Schema:
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
        "calendars": {
            "type": "object",
            "description": "Days on which schedules that name them do not run.",
            "propertyNames": own["name"],
            "additionalProperties": days,
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


def _default(value: Any) -> Any:
    """A default as a manifest has it; None where it is said by leaving the key out."""
    if not isinstance(value, dict) or not value:
        return value
    return {key: one for key, one in value.items() if one not in (None, {})} or None


def _as_written(part: Any) -> Any:
    """`part` as a manifest has it: a key is left out, never null."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _as_written(value) for key, value in part.items()}
    if "default" in kept:
        kept |= {"default": _default(kept["default"])}
        if kept["default"] is None:
            del kept["default"]
    if isinstance(kept.get("title"), str):  # pydantic's, made of the field's name: no news
        del kept["title"]
    options = kept.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        only = next(option for option in options if option != {"type": "null"})
        return only | {key: value for key, value in kept.items() if key != "anyOf"}
    return kept
