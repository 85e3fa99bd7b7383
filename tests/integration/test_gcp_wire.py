"""What Google's real library sends for us, and what becomes of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2

from runyard.model.errors import ProviderRefused, ProviderTimeout, ProviderUnavailable
from runyard.provider.gcp.calls import Calls
from runyard.provider.gcp.wire import RestRunApi
from tests.support.google_answers import Answers, answering

Scenario = Callable[[RestRunApi, Answers], Awaitable[None]]
PLACE = "projects/shop-prod/locations/us-central1"
JOB = f"{PLACE}/jobs/report"
EXECUTION = f"{JOB}/executions/report-abcde"


def play(scenario: Scenario, *replies: tuple[int, Any] | None, seconds: float = 20.0) -> None:
    """Run a scenario against a server that answers by the script."""

    async def main(answers: Answers) -> None:
        api = RestRunApi(AnonymousCredentials(), Calls(), answers.url, seconds)
        try:
            await scenario(api, answers)
        finally:
            answers.go.set()
            await api.close()

    with answering() as answers:
        answers.replies = list(replies)
        asyncio.run(main(answers))


def said(http: int, status: str) -> tuple[int, Any]:
    """An error in Google's form."""
    return http, {"error": {"code": http, "status": status, "message": "for TOKEN-1"}}


def operation(metadata: dict[str, Any], kind: str) -> tuple[int, Any]:
    """A long-running operation that goes on."""
    typed = {"@type": f"type.googleapis.com/google.cloud.run.v2.{kind}", **metadata}
    return 200, {"name": f"{PLACE}/operations/1", "metadata": typed, "done": False}


def test_an_execution_is_started_and_known_at_once() -> None:
    async def scenario(api: RestRunApi, answers: Answers) -> None:
        request = run_v2.RunJobRequest(name=JOB, etag='"7"')
        request.overrides.task_count = 3
        execution = await api.run_job(request, "run_a/1", [])
        assert (execution.name, execution.task_count) == (EXECUTION, 3)
        ((method, path, body),) = answers.asked
        assert (method, path.partition("?")[0]) == ("POST", f"/v2/{JOB}:run")
        assert body == {"etag": '"7"', "overrides": {"taskCount": 3}}
        assert "Authorization" not in answers.headers[0]

    play(scenario, operation({"name": EXECUTION, "taskCount": 3}, "Execution"))


def test_jobs_are_made_changed_listed_and_removed() -> None:
    async def scenario(api: RestRunApi, answers: Answers) -> None:
        assert await api.get_job(JOB) is None
        await api.create_job(PLACE, "report", run_v2.Job(labels={"a": "b"}))
        found = await api.get_job(JOB)
        assert found is not None
        await api.update_job(run_v2.Job(name=JOB, etag=found.etag))
        assert [job.name for job in await api.jobs(PLACE)] == [JOB, f"{JOB}2"]
        assert await api.delete_job(JOB)
        assert not await api.delete_job(JOB)
        asked = [(method, path.partition("?")[0]) for method, path, _ in answers.asked]
        assert asked == [
            ("GET", f"/v2/{JOB}"),
            ("POST", f"/v2/{PLACE}/jobs"),
            ("GET", f"/v2/{JOB}"),
            ("PATCH", f"/v2/{JOB}"),
            ("GET", f"/v2/{PLACE}/jobs"),
            ("GET", f"/v2/{PLACE}/jobs"),
            ("DELETE", f"/v2/{JOB}"),
            ("DELETE", f"/v2/{JOB}"),
        ]
        assert "jobId=report" in answers.asked[1][1]
        assert answers.asked[3][2]["etag"] == '"1"'
        assert "pageToken=next" in answers.asked[5][1]

    play(
        scenario,
        said(404, "NOT_FOUND"),
        operation({"name": JOB}, "Job"),
        (200, {"name": JOB, "etag": '"1"'}),
        operation({"name": JOB}, "Job"),
        (200, {"jobs": [{"name": JOB}], "nextPageToken": "next"}),
        (200, {"jobs": [{"name": f"{JOB}2"}]}),
        operation({"name": JOB}, "Job"),
        said(404, "NOT_FOUND"),
    )


def test_executions_and_tasks_are_found() -> None:
    async def scenario(api: RestRunApi, answers: Answers) -> None:
        assert await api.get_execution(EXECUTION) is None
        assert [one.name for one in await api.executions(JOB, 1)] == [EXECUTION]
        assert await api.executions(JOB, 5) == []
        assert [one.index for one in await api.tasks(EXECUTION, 5)] == [0, 1]
        await api.cancel_execution(EXECUTION)
        await api.cancel_execution(EXECUTION)
        assert await api.delete_execution(EXECUTION)
        assert answers.replies == []

    play(
        scenario,
        said(404, "NOT_FOUND"),
        (200, {"executions": [{"name": EXECUTION}], "nextPageToken": "more"}),
        said(404, "NOT_FOUND"),
        (200, {"tasks": [{"index": 1}, {"name": "x"}]}),
        operation({"name": EXECUTION}, "Execution"),
        said(400, "FAILED_PRECONDITION"),
        operation({"name": EXECUTION}, "Execution"),
    )


def test_errors_are_ours_and_hide_values() -> None:
    async def scenario(api: RestRunApi, answers: Answers) -> None:
        with pytest.raises(ProviderRefused, match=r"Google said PERMISSION_DENIED: for \(hidden\)"):
            await api.run_job(run_v2.RunJobRequest(name=JOB), "run_a/1", ["TOKEN-1"])
        with pytest.raises(ProviderUnavailable, match="RESOURCE_EXHAUSTED"):
            await api.executions(JOB, 1)
        with pytest.raises(ProviderRefused, match="library refused it"):
            await api.get_job("no name at all")

    play(scenario, said(403, "PERMISSION_DENIED"), said(429, "RESOURCE_EXHAUSTED"))


def test_no_answer_in_time_may_have_been_heard() -> None:
    async def scenario(api: RestRunApi, answers: Answers) -> None:
        with pytest.raises(ProviderTimeout, match="did not answer in time"):
            await api.run_job(run_v2.RunJobRequest(name=JOB), "run_a/1", [])

    play(scenario, None, seconds=0.2)


def test_nobody_there_is_told() -> None:
    with answering() as answers:
        url = answers.url

    async def main() -> None:
        api = RestRunApi(AnonymousCredentials(), Calls(), url)
        with pytest.raises(ProviderTimeout, match="cannot be reached"):
            await api.get_job(JOB)
        await api.close()

    asyncio.run(main())
