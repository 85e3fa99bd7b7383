"""The web application of Google's face: paths, bodies, tokens, quotas and what fails below it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from starlette.types import Message, Scope

from runyard.localcloud.cloudrun import administering
from runyard.localcloud.cloudrun.resources import Execution, RunRequest
from runyard.localcloud.cloudrun.rows import job_row
from runyard.localcloud.google.app import BODY_BYTES_MAX, google_app
from runyard.localcloud.google.operations import REMEMBERED_MAX, Operations
from runyard.localcloud.google.removing import Removal
from runyard.localcloud.google.shapes import JOB
from runyard.localcloud.google.watching import Watch
from runyard.localcloud.schema import load_queries
from runyard.model.deployed import Place
from runyard.model.errors import NotFound
from runyard.provider.local.deployer import LocalDeployer
from runyard.provider.port_jobs import DeployOrder
from tests.support.cloud import World, make_template
from tests.support.fake_cloud import play
from tests.support.fake_spawner import FakeSpawner

PLACE = "/v2/projects/shop/locations/us-central1"
TEMPLATE = make_template("true")


class Web:
    """Asks an application in memory."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def ask(
        self, verb: str, path: str, body: Any = None, *, query: str = "", token: str = ""
    ) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        told: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return told.pop(0) if told else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"authorization", token.encode())] if token else []
        scope: Scope = {
            "type": "http", "method": verb, "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "headers": headers, "http_version": "1.1",
            "scheme": "http", "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await self._app(scope, receive, send)
        answer = b"".join(part.get("body", b"") for part in sent[1:])
        return sent[0]["status"], orjson.loads(answer)

    async def error(self, *args: Any, **how: Any) -> tuple[int, str]:
        """Status and code of what must be an error."""
        status, document = await self.ask(*args, **how)
        assert set(document) == {"error"}
        assert document["error"]["code"] == status
        assert document["error"]["message"]
        return status, document["error"]["status"]

    async def make(self, name: str = "report") -> Any:
        """A job."""
        body = {"template": TEMPLATE}
        return (await self.ask("POST", f"{PLACE}/jobs", body, query=f"jobId={name}"))[1]


Scenario = Callable[[Web, World, FakeSpawner], Awaitable[None]]


def played(folder: Path, scenario: Scenario, token: str = "") -> None:
    """Play `scenario` with the face of a cloud whose tasks are not real."""

    async def main(world: World, spawner: FakeSpawner) -> None:
        async with google_app(world.cloud, chance=Random(3).getrandbits, token=token) as app:
            await scenario(Web(app), world, spawner)

    play(folder, main)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/projects/shop/locations/us-central1/jobs"),
        ("PUT", f"{PLACE}/jobs/report"),
        ("POST", f"{PLACE}/jobs/report:stop"),
        ("GET", f"{PLACE}/services"),
        ("GET", f"{PLACE}/jobs/never"),
        ("GET", "/v2/projects/shop/locations/mars-north1/jobs"),
        ("GET", "/v2/projects/shop/locations/mars-north1/jobs/a/executions"),
        ("GET", f"{PLACE}/operations/nothing"),
        ("GET", f"{PLACE}/operations/run."),
        ("GET", f"{PLACE}/jobs/a/executions/a-12345"),
        ("DELETE", f"{PLACE}/jobs/never"),
        ("POST", f"{PLACE}/jobs/never:run"),
    ],
)
def test_what_is_not_there_is_not_found(tmp_path: Path, verb: str, path: str) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        assert await web.error(verb, path) == (404, "NOT_FOUND")

    played(tmp_path, scenario)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"\xff", b"1" * (BODY_BYTES_MAX + 1), {"unknown": 1}, {}]
)
def test_a_body_that_is_no_job_is_an_invalid_argument(tmp_path: Path, body: Any) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        told = await web.error("POST", f"{PLACE}/jobs", body, query="jobId=report")
        assert told == (400, "INVALID_ARGUMENT")

    played(tmp_path, scenario)


@pytest.mark.parametrize(
    "body",
    [
        {"overrides": {"containerOverrides": [{"name": "other", "args": ["a"]}]}},
        {"overrides": {"containerOverrides": [{"args": ["a"], "clearArgs": True}]}},
        {"overrides": {"containerOverrides": [{"env": [{"name": "PORT", "value": "1"}]}]}},
        {"overrides": {"containerOverrides": [{"env": [{"name": "A", "valueSource": {
            "secretKeyRef": {"secret": "keeper"}}}]}]}},
        {"overrides": {"timeout": "soon"}},
        {"overrides": {"timeout": "999999999s"}},
        {"overrides": {"taskCount": 10001}},
        {"overrides": {"image": "other"}},
    ],
)  # fmt: skip
def test_an_override_that_googles_has_not_is_an_invalid_argument(tmp_path: Path, body: Any) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        await web.make()
        told = await web.error("POST", f"{PLACE}/jobs/report:run", body)
        assert told == (400, "INVALID_ARGUMENT")
        assert spawner.spawned == []

    played(tmp_path, scenario)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("job.startExecutionToken", {"startExecutionToken": "abc"}),
        ("job.runExecutionToken", {"runExecutionToken": "abc"}),
        ("job.labels", {"labels": {"run.googleapis.com/job": "other"}}),
        ("job.annotations", {"annotations": {"autoscaling.knative.dev/maxScale": "1"}}),
    ],
)
def test_what_this_cloud_has_not_is_refused_by_its_name(
    tmp_path: Path, field: str, more: Any
) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        body = {"template": TEMPLATE, **more}
        status, told = await web.ask("POST", f"{PLACE}/jobs", body, query="jobId=report")
        violations = told["error"]["details"][0]["fieldViolations"]
        assert (status, violations[0]["field"]) == (400, field)

    played(tmp_path, scenario)


def test_nobody_gets_in_without_the_token(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        for token in ("", "Bearer wrong", "Basic s3cret", "Bearer", "s3cret", "Bearer s3crét"):
            told = await web.error("GET", f"{PLACE}/jobs", token=token)
            assert told == (401, "UNAUTHENTICATED")
        assert (await web.ask("GET", f"{PLACE}/jobs", token="bearer s3cret")) == (200, {})

    played(tmp_path, scenario, token="s3cret")


def test_a_region_has_a_quota_of_jobs(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        await web.make()
        await _fill(world, administering.JOBS_MAX - 1)
        told = await web.error(
            "POST", f"{PLACE}/jobs", {"template": TEMPLATE}, query="jobId=one-more"
        )
        assert told == (429, "RESOURCE_EXHAUSTED")
        there = PLACE.replace("us-central1", "europe-west1")
        body = {"template": TEMPLATE}
        assert (await web.ask("POST", f"{there}/jobs", body, query="jobId=here"))[0] == 200
        assert (await web.ask("DELETE", f"{PLACE}/jobs/job-7"))[0] == 200
        assert "error" not in await web.make("one-more")

    played(tmp_path, scenario)


async def _fill(world: World, count: int) -> None:
    """Have that many more jobs be there."""
    job = await world.cloud.jobs.get("shop", "us-central1", "report")
    rows = [job_row(replace(job, name=f"job-{number}")) for number in range(count)]
    put = load_queries(world.database.dialect)["job_put"]
    await world.database.write(lambda tx: tx.execute_many(put, rows))


def test_the_faults_of_a_region_are_those_of_a_service(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        await web.make()
        faults = world.cloud.region("us-central1").faults
        faults.answers_to_lose = 1
        assert await web.error("POST", f"{PLACE}/jobs/report:run") == (504, "DEADLINE_EXCEEDED")
        faults.down = True
        for verb, path in (("POST", ":run"), ("GET", ""), ("DELETE", ""), ("PATCH", "")):
            told = await web.error(verb, f"{PLACE}/jobs/report{path}", {"template": TEMPLATE}
                                   if verb == "PATCH" else None)  # fmt: skip
            assert told == (503, "UNAVAILABLE")
        faults.down, faults.unready = False, "the image is gone"
        told = (await web.ask("GET", f"{PLACE}/jobs/report"))[1]["terminalCondition"]
        assert (told["state"], told["message"]) == ("CONDITION_FAILED", "the image is gone")
        assert (told["severity"], told["reason"]) == ("ERROR", "INTERNAL")

    played(tmp_path, scenario)


def test_a_fault_of_our_own_is_an_internal_error_that_tells_nothing(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        spawner.spawned.clear()
        world.cloud.administration = None  # type: ignore[assignment]
        assert await web.error("GET", f"{PLACE}/jobs") == (500, "INTERNAL")

    played(tmp_path, scenario)


def test_operations_that_were_done_at_once_are_remembered_for_a_while(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        first = await web.make()
        path = f"/v2/{first['name']}"
        assert (await web.ask("GET", path))[1] == first
        assert (await web.ask("POST", f"{path}:wait", {"timeout": "1s"}))[1] == first
        unknown = path.rpartition("/")[0] + "/1f0c29f6-7ab0-4f3c-9d0f-0a6cb4a0f0d4"
        assert await web.error("GET", unknown) == (404, "NOT_FOUND")
        watch = Watch(world.cloud)
        removal = Removal(world.cloud, watch)
        operations = Operations(world.cloud, watch, removal, Random(5).getrandbits)
        names = [operations.done(PLACE, JOB, {})["name"] for _ in range(REMEMBERED_MAX + 1)]
        assert (await operations.get(names[1]))["done"]
        with pytest.raises(NotFound, match=names[0]):
            await operations.get(names[0])

    played(tmp_path, scenario)


def test_a_late_change_of_runyards_is_still_refused_after_one_of_googles(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        await web.make()
        key = ("shop", "us-central1", "report")
        job = await world.cloud.jobs.get(*key)
        await world.book.put_job(key, lambda before: replace(job, fence=5))
        await web.ask("PATCH", f"{PLACE}/jobs/report", {"template": make_template("false")})
        assert (await world.cloud.jobs.get(*key)).fence == 5
        await web.ask("DELETE", f"{PLACE}/jobs/report")
        await web.make()
        assert (await world.cloud.jobs.get(*key)).fence == 5

    played(tmp_path, scenario)


def test_what_is_deleted_in_the_background_is_let_go_at_the_end(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        await web.make()
        run = (await web.ask("POST", f"{PLACE}/jobs/report:run"))[1]
        path = f"/v2/{run['metadata']['name']}"
        deleting = (await web.ask("DELETE", path))[1]
        assert "done" not in deleting
        again = (await web.ask("DELETE", path))[1]
        assert again["name"] == deleting["name"]
        await asyncio.sleep(0)

    played(tmp_path, scenario)


def test_runyards_own_jobs_and_executions_are_there_and_stay_in_its_hands(tmp_path: Path) -> None:
    async def scenario(web: Web, world: World, spawner: FakeSpawner) -> None:
        deployer = LocalDeployer(world.cloud.jobs)
        for environment in ("local", "prod"):
            place = Place("shop", environment, "us-central1", "report")
            await deployer.deploy(DeployOrder(place, TEMPLATE, fence=3))
        there = PLACE.replace("/shop/", "/shop:prod/")
        assert (await web.ask("GET", f"{there}/jobs/report"))[1]["name"] == f"{there}/jobs/report"[
            4:
        ]
        key = ("shop", "us-central1", "report")
        held = await world.cloud.run_job(RunRequest(*key, request_key="run_a/1"))
        assert isinstance(held, Execution)
        told = (await web.ask("GET", f"{PLACE}/jobs/report/executions"))[1]["executions"]
        assert [one["name"].rpartition("/")[2] for one in told] == [held.name]
        await web.ask("DELETE", f"{PLACE}/jobs/report")
        await asyncio.sleep(0)
        assert not (await world.cloud.execution(held.name)).is_final
        assert "error" not in (await web.ask("GET", f"{there}/jobs/report"))[1]

    played(tmp_path, scenario)
