"""The JSON Schema says what `load` says, as far as a schema can."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from runyard.model.manifest import json_schema
from tests.support.manifests import (
    DESIGN,
    Json,
    Step,
    changed,
    faults_of,
    make_job,
    make_text,
)
from tests.support.rule_cases import FAULTS, FINE, WARNINGS
from tests.support.tree import ROOT

SCHEMA = json_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
EXAMPLES = sorted([*ROOT.glob("examples/**/*.yaml"), *ROOT.glob("examples/**/*.yml")])


def errors(text: str) -> list[str]:
    # As an editor reads it: YAML 1.2 has no dates, a day is a text.
    data = json.loads(json.dumps(YAML(typ="safe").load(StringIO(text)), default=str))
    return [f"{error.instance_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_the_manifest_of_the_design_holds() -> None:
    assert errors(DESIGN) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_holds(path: Any) -> None:
    text = path.read_text()
    assert errors(text) == []
    assert faults_of(text) == []


@pytest.mark.parametrize(
    ("path", "value"),
    FINE + [(case[0], case[1]) for case in WARNINGS if "connector" not in case[2]],
)
def test_what_loads_holds(path: tuple[Step, ...], value: Any) -> None:
    text = make_text(changed(make_job(), path, value))
    assert faults_of(text) == []
    assert errors(text) == []


#: What only several fields together, or counts in bytes, can say: a schema cannot.
BEYOND = (
    "label", "outside", "annotation", "each region once", "at most retry", "not shorter than",
    "at most taskCount", "once", "circle", "another container", "with a name", "at most one port",
    "does not set itself", "variables", "32768 bytes", "not both", "secretKeyRef with", "CPUs",
    "of memory", "nodeSelector", "one GPU", "a container with", "GPU", "a volume of the task",
    "one of secret", "already", "required", "not within", "outside /dev", "other than /",
    "no subPath", "2000 entries",
    "/cloudsql, or", "one of httpGet", "not above", "at most 240", "a connector or one",
    "network or subnetwork", "one network interface", "262144",
)  # fmt: skip
#: What a schema could say and pydantic's does not: bounds of a duration.
BOUNDS = ("from 1s to",)


@pytest.mark.parametrize(
    "case", [case for case in FAULTS if not any(word in case[3] for word in BEYOND + BOUNDS)],
    ids=lambda case: case[2],
)  # fmt: skip
def test_a_wrong_field_does_not_hold(case: Any) -> None:
    assert errors(make_text(changed(make_job(), case[0], case[1])))


@pytest.mark.parametrize(
    "top",
    [
        {"job": {}},
        {"project": "Shop"},
        {"defaults": {"labels": [], "name": "a"}},
        {"environments": {"prod": {"provider": "aws"}}},
        {"jobs": {"Bad Name": {}}},
        {"jobs": {"a": {"triggers": [{}]}}},
        {"jobs": {"a": {"deadline": None}}},
    ],
)
def test_a_wrong_top_does_not_hold(top: Json) -> None:
    assert errors(make_text(make_job()) and json.dumps({"project": "shop", **top}))


def test_a_part_of_a_manifest_holds() -> None:
    assert errors("jobs: {a: {template: {taskCount: 3}}}\nx-any: [1]\n$schema: a") == []


def test_every_part_is_described() -> None:
    bare = [name for name, part in SCHEMA["$defs"].items() if not part.get("description")]
    assert bare == []
    own = SCHEMA["$defs"]["JobSpec"]["properties"]
    assert [key for key, part in own.items() if not part.get("description")] == []


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"catchUp": "none"},
        {"catchUp": {"latest": "6h"}},
        {"dst": {"gap": "skip"}, "jitter": "5m", "startBy": "1h"},
        {"windows": [{"days": "mon-fri", "from": "00:00", "to": "06:00"}]},
        {"blackouts": [{"calendar": "holidays"}, {"from": "2026-05-01", "to": "2026-05-02"}]},
        {"with": {"args": [], "env": {"A": "b"}, "taskCount": 3}, "enabled": False},
    ],
)
def test_a_schedule_that_loads_holds(beside: Json) -> None:
    calendars = {"holidays": ["2026-12-25", {"from": "2026-12-31", "to": "2027-01-01"}]}
    job = make_job(triggers=[{"schedule": "30 2 * * *", **beside}])
    text = make_text(job, calendars=calendars)
    assert faults_of(text) == []
    assert errors(text) == []


@pytest.mark.parametrize(
    "trigger",
    [
        {},
        {"schedule": 3},
        {"schedule": "@daily", "overlap": "wait"},
        {"schedule": "@daily", "catchUp": "some"},
        {"schedule": "@daily", "blackouts": [{"until": "2026-12-25"}]},
        {"schedule": "@daily", "with": {"cpu": "1"}},
    ],
)
def test_a_wrong_schedule_does_not_hold(trigger: Json) -> None:
    assert errors(make_text(make_job(triggers=[trigger])))
