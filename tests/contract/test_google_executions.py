"""Google's clients of executions, tasks and operations work on the cloud of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import run_v2
from google.longrunning import operations_pb2

from tests.support.cloud import HERE
from tests.support.google_clients import PLACE, Clients, clients, job_of
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


async def begun(google: Clients, script: str, name: str = "report", **how: int) -> str:
    """The name of an execution of a new job."""
    await google.ask(google.jobs.create_job, parent=PLACE, job=job_of(script, **how), job_id=name)
    return await again(google, name)


async def again(google: Clients, name: str = "report") -> str:
    """The name of one more execution of a job."""
    operation = await google.ask(google.jobs.run_job, name=f"{PLACE}/jobs/{name}")
    return str(operation.metadata.name)


def short(name: str) -> str:
    return name.rpartition("/")[2]


def state(of: run_v2.Execution | run_v2.Task, kind: str) -> tuple[str, str, str]:
    """State, reason and message of a condition."""
    one = next(each for each in of.conditions if each.type_ == kind)
    reason = one.execution_reason.name if "execution_reason" in one else one.reason.name
    return one.state.name, reason, one.message


def test_an_execution_says_where_it_is_with_googles_reasons(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        name = await begun(google, "exit $((CLOUD_RUN_TASK_INDEX * 7))", tasks=2, retries=1)
        await face.world.ended(short(name))
        found = await google.ask(google.executions.get_execution, name=name)
        assert (found.succeeded_count, found.failed_count, found.retried_count) == (1, 1, 1)
        failed = f"Task {short(name)}-task1 failed with exit code: 7 and message: The container"
        kind, reason, words = state(found, "Completed")
        assert (kind, reason) == ("CONDITION_FAILED", "NON_ZERO_EXIT_CODE")
        assert words.startswith(failed)
        assert state(found, "Started")[0] == "CONDITION_SUCCEEDED"
        assert not found.reconciling
        assert (found.job, found.generation) == ("report", 1)

    play(scenario)


def test_tasks_are_listed_by_index_with_what_their_last_attempt_gave(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        script = "case $CLOUD_RUN_TASK_INDEX in 1) exit 7;; 2) kill -9 $$;; esac"
        name = await begun(google, script, tasks=5)
        await face.world.ended(short(name))
        request = run_v2.ListTasksRequest(parent=name, page_size=2)
        pages = await google.ask(lambda: list(google.tasks.list_tasks(request).pages))
        assert [len(page.tasks) for page in pages] == [2, 2, 1]
        tasks = [task for page in pages for task in page.tasks]
        assert [task.index for task in tasks] == [0, 1, 2, 3, 4]
        assert [task.name for task in tasks] == [
            f"{name}/tasks/{short(name)}-task{index}" for index in range(5)
        ]
        results = [task.last_attempt_result for task in tasks]
        assert [result.exit_code for result in results] == [0, 7, 0, 0, 0]
        assert [result.term_signal for result in results] == [0, 0, 9, 0, 0]
        assert [bool(result.status.code) for result in results] == [False, True, True, False, False]
        assert state(tasks[1], "Completed")[:2] == ("CONDITION_FAILED", "NON_ZERO_EXIT_CODE")
        assert len({task.uid for task in tasks}) == 5
        one = await google.ask(google.tasks.get_task, name=tasks[2].name)
        assert one == tasks[2]
        for wrong in (f"{short(name)}-task5", f"{short(name)}-task01", "other-task0", "x"):
            refused = await google.refusal(google.tasks.get_task, name=f"{name}/tasks/{wrong}")
            assert refused.code == "NOT_FOUND"

    play(scenario)


def test_a_cancelled_execution_ends_its_operations_without_an_error(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        await google.ask(
            google.jobs.create_job, parent=PLACE, job=job_of("sleep 60", tasks=3), job_id="report"
        )
        running = await google.ask(google.jobs.run_job, name=NAME)
        name = running.metadata.name
        cancelling = await google.ask(google.executions.cancel_execution, name=name)
        cancelled = await google.ask(cancelling.result)
        assert (cancelled.cancelled_count, cancelled.succeeded_count) == (3, 0)
        assert state(cancelled, "Completed")[:2] == ("CONDITION_FAILED", "CANCELLED")
        assert (await google.ask(running.result)).cancelled_count == 3
        job = await google.ask(google.jobs.get_job, name=NAME)
        status = job.latest_created_execution.completion_status
        assert status.name == "EXECUTION_CANCELLED"
        tasks = await google.ask(lambda: list(google.tasks.list_tasks(parent=name)))
        assert {state(task, "Completed")[:2] for task in tasks} == {
            ("CONDITION_FAILED", "CANCELLED")
        }

    play(scenario)


def test_an_execution_that_runs_is_cancelled_to_be_deleted(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        first = await begun(google, "sleep 60")
        second = await again(google)
        deleting = await google.ask(google.executions.delete_execution, name=first)
        assert not deleting.operation.done
        await google.ask(deleting.result)
        await face.world.cloud.cancel_execution(short(second))
        await face.world.ended(short(second))
        found = await google.ask(google.executions.get_execution, name=second)
        stale = run_v2.DeleteExecutionRequest(name=second, etag='"other"')
        refused = await google.refusal(google.executions.delete_execution, stale)
        assert refused.code == "ABORTED"
        pretend = run_v2.DeleteExecutionRequest(name=second, etag=found.etag, validate_only=True)
        await google.ask((await google.ask(google.executions.delete_execution, pretend)).result)
        left = await google.ask(lambda: list(google.executions.list_executions(parent=NAME)))
        assert left == [found]
        deleted = await google.ask(google.executions.delete_execution, name=second)
        assert deleted.operation.done
        assert await google.ask(lambda: list(google.executions.list_executions(parent=NAME))) == []

    play(scenario)


def test_executions_are_listed_newest_first_of_one_job_or_of_all(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        names = [await begun(google, "true"), await again(google), await again(google)]
        names.append(await begun(google, "true", "other"))
        for parent, wanted in ((NAME, names[2::-1]), (f"{PLACE}/jobs/-", names[::-1])):
            request = run_v2.ListExecutionsRequest(parent=parent, page_size=2)
            pages = await google.ask(lambda of: list(google.executions.list_executions(of).pages),
                                     request)  # fmt: skip
            assert [one.name for page in pages for one in page.executions] == wanted
            assert len(pages) == 2
        anywhere = f"{PLACE}/jobs/-/executions/{short(names[0])}"
        assert (await google.ask(google.executions.get_execution, name=anywhere)).name == names[0]
        wrong = names[0].replace("/report/", "/other/")
        refused = await google.refusal(google.executions.get_execution, name=wrong)
        assert refused.code == "NOT_FOUND"

    play(scenario)


def test_a_wait_ends_with_the_execution_or_with_its_timeout(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace) -> None:
        name = await begun(google, "sleep 60")
        operation = f"{PLACE}/operations/run.{short(name)}"
        request = operations_pb2.WaitOperationRequest(name=operation)
        request.timeout.FromMilliseconds(50)
        assert not (await google.ask(google.jobs.wait_operation, request)).done
        request.timeout.FromSeconds(50)
        waiting = asyncio.create_task(google.ask(google.jobs.wait_operation, request))
        await face.world.cloud.cancel_execution(short(name))
        assert (await waiting).done
        assert (await google.ask(google.jobs.get_operation, {"name": operation})).done
        unknown = {"name": f"{PLACE}/operations/run.never-12345"}
        assert (await google.refusal(google.jobs.get_operation, unknown)).code == "NOT_FOUND"

    play(scenario)


def test_the_operation_of_a_run_is_there_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with google_face(tmp_path / "cloud") as face:
            with clients(face.endpoint) as google:
                name = await begun(google, "true")
                await face.world.ended(short(name))
        async with google_face(tmp_path / "cloud") as face:
            with clients(face.endpoint) as google:
                operation = {"name": f"{PLACE}/operations/run.{short(name)}"}
                found = await google.ask(google.jobs.get_operation, operation)
                execution = run_v2.Execution.deserialize(found.response.value)
                assert (found.done, execution.succeeded_count) == (True, 1)

    asyncio.run(main())


def test_too_many_executions_at_once_are_refused_as_googles_quota_does(tmp_path: Path) -> None:
    async def main() -> None:
        regions = [replace(HERE, active_executions_max=1)]
        async with google_face(tmp_path / "cloud", regions=regions) as face:
            with clients(face.endpoint) as google:
                await begun(google, "sleep 60")
                refused = await google.refusal(google.jobs.run_job, name=NAME)
                assert (refused.http, refused.code) == (429, "RESOURCE_EXHAUSTED")

    asyncio.run(main())
