"""Google's client of Cloud Run jobs works on the cloud of this machine: Jobs, unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import RefreshError
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.oauth2.credentials import Credentials

from tests.support.google_clients import PLACE, Clients, clients, job_of, overrides
from tests.support.google_face import ServedFace, google_face

Scenario = Callable[[Clients, ServedFace], Awaitable[None]]
NAME = f"{PLACE}/jobs/report"


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scenario], None]:
    """Runs a scenario with clients of a cloud of its own."""

    def run(scenario: Scenario) -> None:
        async def main() -> None:
            async with google_face(tmp_path / "cloud") as face:
                with clients(face.endpoint) as google:
                    await scenario(google, face)

        asyncio.run(main())

    return run


async def made(google: Clients, job: run_v2.Job, name: str = "report") -> run_v2.Job:
    """The job, made and ready."""
    operation = await google.ask(google.jobs.create_job, parent=PLACE, job=job, job_id=name)
    ready: run_v2.Job = await google.ask(operation.result)
    return ready


async def ran(google: Clients, how: run_v2.RunJobRequest.Overrides | None = None) -> str:
    """What the first task of a run of the job wrote to its file `said`, once it has succeeded."""
    request = run_v2.RunJobRequest(name=NAME, overrides=how)
    operation = await google.ask(google.jobs.run_job, request)
    execution = await google.ask(operation.result)
    assert execution.succeeded_count == execution.task_count
    return str(execution.name)


def test_a_job_runs_with_real_processes_and_its_operation_says_how_it_ended(
    play: Callable[[Scenario], None], tmp_path: Path
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        await made(
            google, job_of("echo task $CLOUD_RUN_TASK_INDEX of $CLOUD_RUN_TASK_COUNT", tasks=3)
        )
        operation = await google.ask(google.jobs.run_job, name=NAME)
        begun = operation.metadata
        assert begun.name.startswith(f"{NAME}/executions/report-")
        assert begun.task_count == 3
        done = await google.ask(operation.result)
        assert (done.name, done.uid) == (begun.name, begun.uid)
        assert (done.succeeded_count, done.failed_count, done.running_count) == (3, 0, 0)
        assert done.completion_time >= done.start_time >= done.create_time
        job = await google.ask(google.jobs.get_job, name=NAME)
        assert job.execution_count == 1
        latest = job.latest_created_execution
        assert latest.name == done.name
        assert latest.completion_status.name == "EXECUTION_SUCCEEDED"

    play(scenario)


def test_a_failed_task_is_the_operations_error(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        await made(google, job_of("exit 3"))
        operation = await google.ask(google.jobs.run_job, name=NAME)
        with pytest.raises(GoogleAPICallError, match=r"-task0 failed with exit code: 3"):
            await google.ask(operation.result)
        assert operation.metadata.failed_count == 1

    play(scenario)


def test_a_job_comes_back_as_it_was_made(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        asked = job_of(
            "true", labels={"team": "data"}, annotations={"example.com/owner": "ann"},
            launch_stage="BETA", client="cli", client_version="2",
            binary_authorization=run_v2.BinaryAuthorization(use_default=True),
        )  # fmt: skip
        asked.template.template.execution_environment = run_v2.ExecutionEnvironment(2)
        asked.template.template.vpc_access = run_v2.VpcAccess(egress="PRIVATE_RANGES_ONLY")
        job = await made(google, asked)
        assert (job.name, job.generation, job.observed_generation) == (NAME, 1, 1)
        same = ("labels", "annotations", "launch_stage", "client", "client_version",
                "binary_authorization")  # fmt: skip
        assert [getattr(job, name) for name in same] == [getattr(asked, name) for name in same]
        task, wanted = job.template.template, asked.template.template
        assert task.execution_environment == wanted.execution_environment
        assert task.vpc_access == wanted.vpc_access
        assert task.containers[0].args == ["true"]
        assert (task.max_retries, task.timeout.total_seconds()) == (0, 600)
        assert job.terminal_condition.type_ == "Ready"
        assert job.terminal_condition.state.name == "CONDITION_SUCCEEDED"
        assert job == await google.ask(google.jobs.get_job, name=NAME)

    play(scenario)


def test_an_update_is_a_generation_more_and_keeps_what_is_the_servers(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        before = await made(google, job_of("true"))
        before.template.task_count = 5
        before.uid = "not the server's"
        operation = await google.ask(google.jobs.update_job, job=before)
        after = await google.ask(operation.result)
        assert (after.generation, after.template.task_count) == (2, 5)
        assert after.uid not in ("", before.uid)
        assert after.etag != before.etag
        stale = await google.refusal(google.jobs.update_job, job=before)
        assert (stale.http, stale.code) == (409, "ABORTED")

    play(scenario)


def test_an_update_makes_what_is_missing_only_if_allowed(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        job = job_of("true", name=NAME)
        refused = await google.refusal(google.jobs.update_job, job=job)
        assert refused.code == "NOT_FOUND"
        request = run_v2.UpdateJobRequest(job=job, allow_missing=True)
        operation = await google.ask(google.jobs.update_job, request)
        assert (await google.ask(operation.result)).generation == 1

    play(scenario)


def test_validate_only_finds_what_is_wrong_and_changes_nothing(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        job = job_of("true")
        create = run_v2.CreateJobRequest(parent=PLACE, job=job, job_id="report", validate_only=True)
        await google.ask((await google.ask(google.jobs.create_job, create)).result)
        assert await google.ask(lambda: list(google.jobs.list_jobs(parent=PLACE))) == []
        await made(google, job)
        assert (await google.refusal(google.jobs.create_job, create)).code == "ALREADY_EXISTS"
        job.name, job.template.task_count = NAME, 7
        update = run_v2.UpdateJobRequest(job=job, validate_only=True)
        shown = await google.ask((await google.ask(google.jobs.update_job, update)).result)
        assert shown.template.task_count == 7
        run = run_v2.RunJobRequest(name=NAME, validate_only=True, overrides=overrides(task_count=4))
        pretended = await google.ask((await google.ask(google.jobs.run_job, run)).result)
        assert pretended.task_count == 4
        delete = run_v2.DeleteJobRequest(name=NAME, validate_only=True)
        await google.ask((await google.ask(google.jobs.delete_job, delete)).result)
        kept = await google.ask(google.jobs.get_job, name=NAME)
        assert (kept.generation, kept.execution_count) == (1, 0)

    play(scenario)


def test_the_overrides_are_googles_and_leave_the_job_as_it_is(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        job = job_of("")
        container = job.template.template.containers[0]
        container.command, container.args = ["sh"], ["-c", 'test "$A$B" = "1" && test $# = 0']
        container.env = [run_v2.EnvVar(name="A", value="1"), run_v2.EnvVar(name="B", value="")]
        await made(google, job)
        await ran(google)
        script = 'test "$A$B" = 12 && test $CLOUD_RUN_TASK_COUNT = 2'
        how = overrides(args=["-c", script], env={"B": "2"}, task_count=2)
        how.timeout = "20s"  # proto-plus reads it as a Duration
        name = await ran(google, how)
        execution = await google.ask(google.executions.get_execution, name=name)
        assert execution.task_count == 2
        assert execution.template.timeout.total_seconds() == 20
        assert await ran(google, overrides(clear_args=True))  # a shell with nothing to read
        assert (await google.ask(google.jobs.get_job, name=NAME)).generation == 1

    play(scenario)


def test_a_run_and_a_deletion_may_name_the_etag_they_mean(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        job = await made(google, job_of("true"))
        run = run_v2.RunJobRequest(name=NAME, etag='"other"')
        assert (await google.refusal(google.jobs.run_job, run)).code == "ABORTED"
        delete = run_v2.DeleteJobRequest(name=NAME, etag='"other"')
        assert (await google.refusal(google.jobs.delete_job, delete)).code == "ABORTED"
        run.etag = delete.etag = job.etag
        await google.ask((await google.ask(google.jobs.run_job, run)).result)
        gone = await google.ask((await google.ask(google.jobs.delete_job, delete)).result)
        assert gone.delete_time is not None

    play(scenario)


def test_a_deleted_job_takes_its_executions_with_it_and_its_name_is_free(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        first = await made(google, job_of("sleep 60"))
        operation = await google.ask(google.jobs.run_job, name=NAME)
        execution = operation.metadata.name
        await google.ask((await google.ask(google.jobs.delete_job, name=NAME)).result)
        assert (await google.refusal(google.jobs.get_job, name=NAME)).code == "NOT_FOUND"
        assert (await google.refusal(google.jobs.run_job, name=NAME)).code == "NOT_FOUND"
        assert await google.ask(lambda: list(google.jobs.list_jobs(parent=PLACE))) == []
        deleting = f"{PLACE}/operations/delete.{execution.rpartition('/')[2]}"
        request = operations_pb2.WaitOperationRequest(name=deleting)
        assert (await google.ask(google.jobs.wait_operation, request)).done
        lost = await google.refusal(google.executions.get_execution, name=execution)
        assert lost.code == "NOT_FOUND"
        second = await made(google, job_of("true"))
        assert second.uid != first.uid
        assert (second.generation, second.execution_count) == (1, 0)
        assert (await google.ask(google.jobs.get_job, name=NAME)).execution_count == 0

    play(scenario)


def test_jobs_are_listed_by_name_a_page_at_a_time(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        for name in ("c", "a", "d", "b", "e"):
            await made(google, job_of("true"), name)
        request = run_v2.ListJobsRequest(parent=PLACE, page_size=2)
        pages = await google.ask(lambda: list(google.jobs.list_jobs(request).pages))
        names = [[job.name.rpartition("/")[2] for job in page.jobs] for page in pages]
        assert names == [["a", "b"], ["c", "d"], ["e"]]
        elsewhere = f"projects/local/locations/{face.world.cloud.regions[1].region.name}"
        assert await google.ask(lambda: list(google.jobs.list_jobs(parent=elsewhere))) == []
        other = run_v2.ListJobsRequest(parent=elsewhere, page_token=pages[0].next_page_token)
        refused = await google.refusal(google.jobs.list_jobs, other)
        assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ("pageToken",))

    play(scenario)


def test_a_token_is_asked_for_when_one_is_set(tmp_path: Path) -> None:
    async def main() -> None:
        async with google_face(tmp_path / "cloud", token="s3cret") as face:
            for token in ("s3cret", "wrong"):
                credentials = Credentials(token=token)  # type: ignore[no-untyped-call]
                with clients(face.endpoint, credentials) as google:
                    if token == face.token:
                        assert (await google.refusal(google.jobs.get_job, name=NAME)).http == 404
                        continue
                    with pytest.raises(RefreshError):  # what the client makes of a 401
                        await google.ask(google.jobs.get_job, name=NAME)

    asyncio.run(main())
