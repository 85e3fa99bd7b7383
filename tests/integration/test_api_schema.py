"""The API keeps what its own OpenAPI description says, for requests nobody thought of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema

from runyard.model.event import Ended
from tests.support.api_server import MANIFEST, TOKEN, Api, serving
from tests.support.stories import outcome

TAGS = (
    "jobs",
    "triggers",
    "environments",
    "runs",
    "operations",
    "logs",
    "events",
    "hooks",
    "secrets",
    "topics",
    "subscriptions",
    "principals",
    "tokens",
    "audit",
    "break-glass",
    "channels",
    "alerts",
    "incidents",
    "dead-letters",
    "server",
)
Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]
BOUND = f"{MANIFEST}environments: {{prod: {{approvals: 1}}}}\n"
EXAMPLES = 25  #: requests for each operation


@dataclass(frozen=True, slots=True)
class Known:
    """A server and things that are there, so that not every guess is a 404."""

    api: Api
    runs: tuple[str, ...]
    operations: tuple[str, ...]


@pytest.fixture(autouse=True)
def unwatched() -> Iterator[None]:
    """What makes up requests is none of ours, and takes half as long again where coverage looks at
    it. The server has a thread of its own, which is looked at."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """A server with jobs and runs that have ended."""
    with serving(tmp_path_factory.mktemp("api"), request_bytes_max=2**23) as api:
        api.apply()
        runs = tuple(api.run() for _ in range(3))
        for run in runs:
            api.behind.viewer.write(f"{run}/1", "a", "b")
            api.behind.viewer.ended.add(f"{run}/1")
            api.tell(run, Ended(1, outcome()))
        made = api.get("/operations")["operations"]
        yield Known(api, runs, tuple(one["id"] for one in made))


@pytest.fixture(scope="module")
def described(known: Known) -> BaseSchema:
    """What /openapi.json says."""
    document = known.api.get("//openapi.json")
    for path in document["paths"].values():  # who may ask is proved elsewhere
        for operation in path.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=known.api.url)
    accepting = schema.config.checks.positive_data_acceptance
    accepting.expected_statuses = ["2xx", "404", "409", "412"]  # by the state of things
    return schema


def _all(described: BaseSchema) -> list[Any]:
    return list(described.get_all_operations())


def operations(described: BaseSchema, tag: str) -> list[Operation]:
    """The operations with a tag."""
    every = [cast(Operation, result.ok()) for result in _all(described)]
    return [one for one in every if tag in (one.tags or ())]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("tag", TAGS)
def test_every_answer_is_as_described(
    tag: str, mode: GenerationMode, known: Known, described: BaseSchema
) -> None:
    found = operations(described, tag)
    assert found
    for operation in found:
        _ask(operation, mode, known)


def _ask(operation: Operation, mode: GenerationMode, known: Known) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: AnyCase) -> None:
        if mode is GenerationMode.POSITIVE:
            _make_real(case, known)
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})

    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()  # without parameters there is nothing that could be wrong


def test_every_operation_is_asked(described: BaseSchema) -> None:
    count = sum(len(operations(described, tag)) for tag in TAGS)
    assert count == len(_all(described)) > 15


def _make_real(case: AnyCase, known: Known) -> None:
    """Some guesses are turned into things there are; which ones, their own text decides. What no
    schema can say (that a token is of this list, how long a duration is) is taken out; a filter
    becomes one that every list understands."""
    case.query = {name: value for name, value in case.query.items() if name != "page_token"}
    if "anchor" in case.query:  # two of one number may contradict each other
        case.query["anchor"] = case.query["anchor"][:1]
    if "filter" in case.query:
        case.query["filter"] = "revision > 0"
    if "schedule" in case.query:
        case.query |= {"schedule": "@daily", "time_zone": "Europe/Berlin"}
    if case.query.get("force"):  # wants a reason
        case.query["reason"] = "because"
    parameters: dict[str, Any] = case.path_parameters or {}
    guess = str(parameters.get("id", ""))
    if "id" in parameters and len(guess) % 2:
        ids = known.operations if "/operations/" in case.path else known.runs
        parameters["id"] = ids[len(guess) % len(ids)]
    body: Any = case.body
    if not isinstance(body, dict):
        return
    for untold in ("lasting", "expires_in", "overlap", "retry", "wait_seconds"):
        body.pop(untold, None)
    _make_event_real(body)
    if "memory" in body:  # more than a task can have is refused
        body["memory"] = "1Gi"
    if "which" in body:
        body["which"]["every"] = True
    if files := body.get("files"):
        text = BOUND if "environments" in case.operation.path else MANIFEST
        body["files"] = [{"name": files[0]["name"], "text": text}]
    if overrides := body.get("overrides"):
        overrides.pop("timeout", None)
    if body.get("job") and case.operation.path.endswith("/runs") and len(body["job"]) % 2:
        body |= {"job": "report", "region": None, "environment": None, "project": None}


def _make_event_real(body: dict[str, Any]) -> None:
    if "messages" in body:  # one is data, or attributes, or both
        body["messages"] = [{"data_base64": "eA=="}]
    if "topic" in body and "which" not in body:
        body["filter"] = 'attributes.kind = "order"'
        if body.get("dead_letter"):
            body["dead_letter"]["topic"] = f"{body['topic'][:200]}-dead"
        if body.get("push"):
            body["push"] = {"endpoint": "https://example.com/push"}
