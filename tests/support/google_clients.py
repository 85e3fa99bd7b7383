"""Google's own clients of Cloud Run, over REST, with a witness: every answer they get is parsed by
Google's descriptors once more, and an unknown field in it is an error."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf import json_format

T = TypeVar("T")
PLACE = "projects/local/locations/us-central1"

#: The end of a path that is read, and the message that answers.
_READ: tuple[tuple[str, Any], ...] = (
    (r"/operations/[^/]+", operations_pb2.Operation),
    (r"/jobs", run_v2.ListJobsResponse.pb()),
    (r"/jobs/[^/]+", run_v2.Job.pb()),
    (r"/executions", run_v2.ListExecutionsResponse.pb()),
    (r"/executions/[^/]+", run_v2.Execution.pb()),
    (r"/tasks", run_v2.ListTasksResponse.pb()),
    (r"/tasks/[^/]+", run_v2.Task.pb()),
)


@dataclass(frozen=True)
class Clients:
    """One client of each service. Called from threads: they block."""

    jobs: run_v2.JobsClient
    executions: run_v2.ExecutionsClient
    tasks: run_v2.TasksClient

    async def ask(self, call: Callable[..., T], *args: Any, **how: Any) -> T:
        """What `call` of a client answers, while the cloud goes on in this thread."""
        return await asyncio.to_thread(call, *args, **how)

    async def refusal(self, call: Callable[..., Any], *args: Any, **how: Any) -> Refusal:
        """What `call` is refused with."""
        try:
            answer = await self.ask(call, *args, **how)
        except GoogleAPICallError as error:
            return Refusal.of(error)
        raise AssertionError(f"it was answered: {answer}")


@dataclass(frozen=True)
class Refusal:
    """An error as the client sees it: HTTP status, canonical code, words, and the wrong fields."""

    http: int
    code: str
    message: str
    fields: tuple[str, ...]

    @classmethod
    def of(cls, error: GoogleAPICallError) -> Refusal:
        said = error.response.json()["error"]
        assert said["code"] == error.response.status_code
        violations = [one for each in error.details for one in each["fieldViolations"]]
        assert all(one["description"] for one in violations)
        fields = tuple(one["field"] for one in violations)
        return cls(said["code"], said["status"], said["message"], fields)


@contextmanager
def clients(endpoint: str, credentials: Credentials | None = None) -> Iterator[Clients]:
    """Clients of the API at `endpoint`."""
    kinds = (run_v2.JobsClient, run_v2.ExecutionsClient, run_v2.TasksClient)
    made: list[Any] = [
        kind(
            transport="rest",
            credentials=credentials or AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=endpoint),
        )
        for kind in kinds
    ]
    try:
        for one in made:
            one.transport._session.hooks["response"].append(_witness)
        yield Clients(*made)
    finally:
        for one in made:
            one.transport.close()


def _witness(response: Any, **_: Any) -> None:
    if not response.ok:
        return
    kind = operations_pb2.Operation
    if response.request.method == "GET":
        path = response.request.path_url.partition("?")[0]
        kind = next(kind for end, kind in _READ if re.search(f"{end}$", path))
    json_format.Parse(response.text, kind(), ignore_unknown_fields=False)


def job_of(script: str, *, tasks: int = 1, retries: int = 0, **fields: Any) -> run_v2.Job:
    """A Job that runs `script` by a shell."""
    container = run_v2.Container(image="busybox", command=["sh", "-c"], args=[script])
    task = run_v2.TaskTemplate(containers=[container], max_retries=retries)
    template = run_v2.ExecutionTemplate(task_count=tasks, template=task)
    return run_v2.Job(template=template, **fields)


def overrides(**fields: Any) -> run_v2.RunJobRequest.Overrides:
    """RunJob's overrides; `args`, `env` and `clear_args` are the first container's."""
    of_container: dict[str, Any] = {
        name: fields.pop(name) for name in ("args", "clear_args") if name in fields
    }
    if "env" in fields:
        pairs = fields.pop("env").items()
        of_container["env"] = [run_v2.EnvVar(name=name, value=value) for name, value in pairs]
    kind = run_v2.RunJobRequest.Overrides
    containers = [kind.ContainerOverride(**of_container)] if of_container else []
    return kind(container_overrides=containers, **fields)
