"""Requests: every fault at once, each with its path; what is right is asked of the gate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.api.bodies import CancelBody, ManifestBody, RunBody
from runyard.api.body_schemas import schemas
from runyard.api.reading import fault
from runyard.api.secret_bodies import SecretBody
from runyard.model.errors import Fault
from runyard.model.plan import RunRequest
from runyard.model.run import Overrides
from runyard.model.validation import read


def faults(data: dict[str, Any]) -> list[Fault]:
    found, complaints = read(RunBody, data)
    assert (found is None) == bool(complaints)
    return [fault(complaint, data) for complaint in complaints]


def test_all_faults_come_at_once() -> None:
    found = faults(
        {
            "job": "Report",
            "priority": 11,
            "region": "Mars",
            "labels": {"Team": "data", "team": "Data"},
            "idempotency_key": "a b",
            "overides": {},
            "overrides": {
                "args": ["a\0b", 7],
                "env": {"PORT": "1", "X_GOOGLE_Y": "1", "1A": "2", "OK": "a\0b", "FINE": "yes"},
                "task_count": 10_001,
                "timeout": "169h",
                "parallelism": 3,
            },
        }
    )
    by_path = {one.path: one for one in found}
    assert set(by_path) == {
        "job", "priority", "region", "labels.Team", "labels.team", "idempotency_key", "overides",
        "overrides.args[0]", "overrides.args[1]", "overrides.env.PORT", "overrides.env.X_GOOGLE_Y",
        "overrides.env.1A", "overrides.env.OK", "overrides.task_count", "overrides.timeout",
        "overrides.parallelism",
    }  # fmt: skip
    assert by_path["overides"].hint == "did you mean 'overrides'?"
    assert by_path["priority"] == Fault("priority", "11", "a whole number from -10 to 10")
    assert by_path["overrides.task_count"].expected == "a whole number from 1 to 10000"
    assert by_path["overrides.timeout"].value == "'169h'"
    assert "may be" not in by_path["overrides.env.OK"].expected
    assert by_path["overrides.env.OK"].value == "a value that is not shown"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"job": None},
        {"job": "report", "overrides": {"task_count": 0}},
        {"job": "report", "overrides": {"task_count": True}},
        {"job": "report", "overrides": {"task_count": 1.5}},
        {"job": "report", "overrides": {"timeout": "0s"}},
        {"job": "report", "overrides": {"timeout": 30}},
        {"job": "report", "overrides": {"args": "a b"}},
        {"job": "report", "overrides": {"env": ["A=1"]}},
        {"job": "report", "overrides": {"env": {f"A{n}": "" for n in range(1001)}}},
        {"job": "report", "overrides": {"env": {"A": "ä" * 16_385}}},
        {"job": "report", "overrides": {"args": ["x" * 131_072]}},
        {"job": "report", "labels": {f"a{n}": "" for n in range(65)}},
        {"job": "report", "idempotency_key": ""},
        {"job": "report", "idempotency_key": "k" * 256},
        {"job": "report", "idempotency_key": "ä"},
    ],
)
def test_what_does_not_fit_is_refused(data: dict[str, Any]) -> None:
    assert len(faults(data)) == 1


def test_a_request_is_as_the_gate_wants_it() -> None:
    body, complaints = read(
        RunBody,
        {
            "job": "report",
            "environment": "dev",
            "priority": -3.0,
            "overrides": {"args": [], "env": {"B": "2", "A": ""}, "timeout": "1m30s"},
            "labels": {"b": "2", "a": ""},
            "idempotency_key": "k",
        },
    )
    assert complaints == []
    assert body is not None
    assert body.request("local", "admin") == RunRequest(
        environment="dev",
        job="report",
        by="admin",
        overrides=Overrides((), (("A", ""), ("B", "2")), None, 90.0),
        labels=(("a", ""), ("b", "2")),
        priority=-3,
        key="k",
    )
    plain, _ = read(RunBody, {"job": "report"})
    assert plain is not None
    assert plain.request("local", "admin") == RunRequest("local", "report", "admin")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*RunBody.model_fields, "x"]), json_values))
def test_any_object_is_a_request_or_has_faults(data: dict[str, Any]) -> None:
    for one in faults(data):
        assert one.path
        assert one.expected
        assert one.value.isprintable()


def test_a_secret_is_not_shown_when_it_does_not_fit() -> None:
    data = {"value_base64": "hunter2!"}
    _, complaints = read(SecretBody, data)
    (one,) = [fault(complaint, data) for complaint in complaints]
    assert "hunter2" not in str(one)
    assert one.path == "value_base64"


def test_other_bodies() -> None:
    assert read(CancelBody, {"reason": "line\nline"})[0] is not None
    assert read(CancelBody, {"reason": "bell\x07"})[0] is None
    assert read(ManifestBody, {"files": []})[0] is None
    assert read(ManifestBody, {"files": [{"name": "a\nb", "text": ""}]})[0] is None


def test_every_schema_that_is_pointed_to_is_there() -> None:
    text = str(schemas())
    for name in (
        "RunBody",
        "OverridesBody",
        "CancelBody",
        "ManifestBody",
        "FileBody",
        "SecretBody",
        "AliasBody",
    ):
        assert name in schemas()
    assert "$defs" not in text
