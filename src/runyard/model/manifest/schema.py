"""The JSON Schema of a manifest, for editors. Made from the models, so it cannot differ."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from runyard.model.job import JobSpec
from runyard.model.manifest.environments import Environment

SCHEMA_ID = "https://runyard.dev/schema/runyard.schema.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one manifest file."""
    job = JobSpec.model_json_schema(ref_template="#/$defs/{model}")
    return job | {
        "$id": SCHEMA_ID,
        "$schema": GenerateJsonSchema.schema_dialect,
        "e": Environment.model_json_schema(),
    }
