"""Calls of Cloud Run's Admin API v2 by Google's own library, one method for each.

The library's asynchronous clients speak gRPC alone. Ours speak REST, which proxies of companies
let through and which one can look at, in a few threads: the quota of requests is below what they
do. Every call is bounded in time, and none is repeated here: who calls knows whether it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from google.api_core.client_options import ClientOptions
from google.auth.credentials import Credentials
from google.cloud import run_v2

from runyard.provider.gcp.calls import Calls

T = TypeVar("T")

CALL_SECONDS = 20.0  #: shorter than an engine's lease, so that two never launch the same
PAGE = 100  #: resources asked for together
PAGES_MAX = 100  #: 10,000 tasks; Cloud Run keeps far fewer executions of a job
TRANSPORT = "rest"


class RunApi(Protocol):
    """What is asked of Cloud Run. Names are full ones. It raises ProviderUnavailable,
    ProviderTimeout or ProviderRefused, each with Google's code as its `reason`."""

    async def get_job(self, name: str) -> run_v2.Job | None:
        """The job; None: there is none."""

    async def jobs(self, parent: str) -> list[run_v2.Job]:
        """All jobs of a location."""

    async def create_job(self, parent: str, short: str, job: run_v2.Job) -> None:
        """Make a job; it is there when this returns, and becomes ready later."""

    async def update_job(self, job: run_v2.Job) -> None:
        """Make a job as it shall be, as long as it has the etag of `job`."""

    async def delete_job(self, name: str) -> bool:
        """Remove a job and its executions; False: there is none."""

    async def run_job(
        self, request: run_v2.RunJobRequest, key: str, hide: Sequence[str]
    ) -> run_v2.Execution:
        """Start an execution; `hide` is kept out of errors."""

    async def get_execution(self, name: str) -> run_v2.Execution | None:
        """The execution; None: there is none."""

    async def executions(self, parent: str, pages_max: int) -> list[run_v2.Execution]:
        """Executions of a job, as Google lists them (newest first), at most so many pages; none
        where there is no such job."""

    async def cancel_execution(self, name: str) -> None:
        """Have an execution end; nothing when it has ended, or is not there."""

    async def delete_execution(self, name: str) -> bool:
        """Remove an ended execution; False: there is none."""

    async def tasks(self, parent: str, pages_max: int) -> list[run_v2.Task]:
        """Tasks of an execution in the order of their indexes."""


class RestRunApi:
    """`RunApi` over REST. `endpoint` empty: Google's own."""

    def __init__(
        self,
        credentials: Credentials,
        calls: Calls,
        endpoint: str = "",
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        options = ClientOptions(api_endpoint=endpoint) if endpoint else None
        how: dict[str, Any] = {
            "credentials": credentials,
            "transport": TRANSPORT,
            "client_options": options,
        }
        self._jobs = run_v2.JobsClient(**how)
        self._executions = run_v2.ExecutionsClient(**how)
        self._tasks = run_v2.TasksClient(**how)
        self._seconds = call_seconds
        self._calls = calls

    async def close(self) -> None:
        """Let go; calls under way are not waited for."""
        self._calls.close()
        clients: tuple[Any, ...] = (self._jobs, self._executions, self._tasks)
        for client in clients:
            client.transport.close()

    async def get_job(self, name: str) -> run_v2.Job | None:
        """See `RunApi.get_job`."""
        asked = run_v2.GetJobRequest(name=name)
        return await self._there("get job", lambda how: self._jobs.get_job(asked, **how))

    async def jobs(self, parent: str) -> list[run_v2.Job]:
        """See `RunApi.jobs`."""

        def page(token: str, how: dict[str, Any]) -> Any:
            asked = run_v2.ListJobsRequest(parent=parent, page_size=PAGE, page_token=token)
            return self._jobs.list_jobs(asked, **how)

        return await self._all("list jobs", page, "jobs", PAGES_MAX)

    async def create_job(self, parent: str, short: str, job: run_v2.Job) -> None:
        """See `RunApi.create_job`."""
        asked = run_v2.CreateJobRequest(parent=parent, job_id=short, job=job)
        await self._call("create job", lambda how: self._jobs.create_job(asked, **how))

    async def update_job(self, job: run_v2.Job) -> None:
        """See `RunApi.update_job`."""
        asked = run_v2.UpdateJobRequest(job=job)
        await self._call("update job", lambda how: self._jobs.update_job(asked, **how))

    async def delete_job(self, name: str) -> bool:
        """See `RunApi.delete_job`."""
        asked = run_v2.DeleteJobRequest(name=name)
        found = await self._there("delete job", lambda how: self._jobs.delete_job(asked, **how))
        return found is not None

    async def run_job(
        self, request: run_v2.RunJobRequest, key: str, hide: Sequence[str]
    ) -> run_v2.Execution:
        """See `RunApi.run_job`. The operation that Google answers with ends with the execution, so
        what it tells of the beginning is its metadata."""
        found: run_v2.Execution = await self._call(
            "run job", lambda how: self._jobs.run_job(request, **how).metadata, key, hide
        )
        return found

    async def get_execution(self, name: str) -> run_v2.Execution | None:
        """See `RunApi.get_execution`."""
        asked = run_v2.GetExecutionRequest(name=name)
        return await self._there(
            "get execution", lambda how: self._executions.get_execution(asked, **how)
        )

    async def executions(self, parent: str, pages_max: int) -> list[run_v2.Execution]:
        """See `RunApi.executions`."""

        def page(token: str, how: dict[str, Any]) -> Any:
            asked = run_v2.ListExecutionsRequest(parent=parent, page_size=PAGE, page_token=token)
            return self._executions.list_executions(asked, **how)

        return await self._all("list executions", page, "executions", pages_max)

    async def cancel_execution(self, name: str) -> None:
        """See `RunApi.cancel_execution`. What has ended cannot be cancelled, says Google."""
        asked = run_v2.CancelExecutionRequest(name=name)
        await self._there(
            "cancel execution",
            lambda how: self._executions.cancel_execution(asked, **how),
            also=("FAILED_PRECONDITION",),
        )

    async def delete_execution(self, name: str) -> bool:
        """See `RunApi.delete_execution`."""
        asked = run_v2.DeleteExecutionRequest(name=name)
        found = await self._there(
            "delete execution", lambda how: self._executions.delete_execution(asked, **how)
        )
        return found is not None

    async def tasks(self, parent: str, pages_max: int) -> list[run_v2.Task]:
        """See `RunApi.tasks`."""

        def page(token: str, how: dict[str, Any]) -> Any:
            asked = run_v2.ListTasksRequest(parent=parent, page_size=PAGE, page_token=token)
            return self._tasks.list_tasks(asked, **how)

        found: list[run_v2.Task] = await self._all("list tasks", page, "tasks", pages_max)
        return sorted(found, key=lambda task: task.index)

    # -- calls -----------------------------------------------------------------------------------
    async def _all(
        self, operation: str, page: Callable[[str, dict[str, Any]], Any], field: str, pages_max: int
    ) -> list[Any]:
        """Every resource of pages, at most so many pages; none where there is no parent."""
        found: list[Any] = []
        token = ""
        for _ in range(pages_max):

            def one(how: dict[str, Any], token: str = token) -> Any:
                return next(iter(page(token, how).pages))

            answer = await self._there(operation, one)
            if answer is None:
                break
            found += getattr(answer, field)
            token = answer.next_page_token
            if not token:
                break
        return found

    async def _there(
        self, operation: str, call: Callable[[dict[str, Any]], T], also: Iterable[str] = ()
    ) -> T | None:
        """What `call` finds; None where Google says that it is not there, or one of `also`."""
        found: T | None = await self._call(operation, call, none_for=("NOT_FOUND", *also))
        return found

    async def _call(
        self,
        operation: str,
        call: Callable[[dict[str, Any]], T],
        key: str = "",
        hide: Sequence[str] = (),
        none_for: Sequence[str] = (),
    ) -> Any:
        how = {"timeout": self._seconds, "retry": None}
        return await self._calls.of(operation, lambda: call(how), key, hide, none_for)
