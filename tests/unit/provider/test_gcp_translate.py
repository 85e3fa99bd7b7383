"""What Google's executions and tasks are to us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import run_v2

from runyard.model.ids import AttemptKey
from runyard.model.outcome import FAILURES_KEPT, Ending
from runyard.provider.gcp import names
from runyard.provider.gcp.translate import is_ended, outcome, phase, report, task_view
from runyard.provider.port import Phase

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = AttemptKey("run_a/1")
NAME = "projects/p/locations/us-central1/jobs/report/executions/report-abcde"
State: Any = run_v2.Condition.State


def make_execution(state: Any = None, **how: Any) -> run_v2.Execution:
    """An execution of two tasks with 2 vCPU and 1.5 GiB."""
    reason = {key: how.pop(key) for key in ("reason", "execution_reason") if key in how}
    conditions = [run_v2.Condition(type_="Started", state=State.CONDITION_SUCCEEDED)]
    if state is not None:
        said = how.pop("message", "")
        conditions.append(run_v2.Condition(type_="Completed", state=state, message=said, **reason))
        how = {"completion_time": AT + timedelta(seconds=100), **how}
    limits = ({"cpu": "1500m", "memory": "1Gi"}, {"cpu": "500m", "memory": "512Mi"})
    containers = [
        run_v2.Container(image="x", resources=run_v2.ResourceRequirements(limits=one))
        for one in limits
    ]
    return run_v2.Execution(
        name=NAME,
        task_count=how.pop("task_count", 2),
        create_time=AT,
        start_time=how.pop("start_time", AT),
        conditions=conditions,
        template=run_v2.TaskTemplate(containers=containers),
        **how,
    )


def make_task(index: int, state: Any, seconds: float = 10, **how: Any) -> run_v2.Task:
    """A task that has ended."""
    reason = how.pop("execution_reason", 0)
    completed = run_v2.Condition(type_="Completed", state=state, execution_reason=reason)
    last = run_v2.TaskAttemptResult(
        exit_code=how.pop("exit_code", 0), term_signal=how.pop("term_signal", 0)
    )
    last.status.message = how.pop("message", "")
    return run_v2.Task(
        index=index,
        start_time=AT,
        completion_time=AT + timedelta(seconds=seconds),
        conditions=[completed],
        last_attempt_result=last,
        **how,
    )


@pytest.mark.parametrize(
    ("execution", "expected"),
    [
        (make_execution(start_time=None), Phase.PENDING),
        (make_execution(), Phase.RUNNING),
        (make_execution(start_time=None, running_count=1), Phase.RUNNING),
        (make_execution(State.CONDITION_RECONCILING, completion_time=None), Phase.RUNNING),
        (make_execution(State.CONDITION_SUCCEEDED), Phase.ENDED),
        (make_execution(State.CONDITION_FAILED), Phase.ENDED),
        (make_execution(State.CONDITION_FAILED, completion_time=None), Phase.ENDED),
        (
            make_execution(State.CONDITION_FAILED, completion_time=None, running_count=1),
            Phase.RUNNING,
        ),
    ],
)
def test_where_an_execution_is(execution: run_v2.Execution, expected: Phase) -> None:
    assert phase(execution) is expected
    assert is_ended(execution) is (expected is Phase.ENDED)


def test_a_success_has_its_figures() -> None:
    execution = make_execution(
        State.CONDITION_SUCCEEDED, succeeded_count=2, retried_count=1, message="Done in 100s."
    )
    tasks = [
        make_task(0, State.CONDITION_SUCCEEDED, 90.25),
        make_task(1, State.CONDITION_SUCCEEDED, 200, retried=1),
    ]
    found = report(KEY, "report", execution, tasks)
    assert (found.handle, found.warnings) == (NAME, ())
    assert found.progress.succeeded_count == 2
    ended = found.outcome
    assert ended is not None
    assert (ended.ending, ended.message, ended.reason) == (Ending.SUCCEEDED, "Done in 100s.", "")
    assert (ended.started_at, ended.ended_at) == (AT, AT + timedelta(seconds=100))
    usage = ended.usage
    assert (usage.task_attempts, usage.wall_milliseconds) == (3, 290_250)
    assert usage.billed_milliseconds == 90_300 + 2 * 100_000
    assert (usage.vcpu_milli, usage.memory_bytes) == (2000, 1536 * 1024 * 1024)


def test_without_tasks_the_usage_is_that_of_the_whole() -> None:
    execution = make_execution(State.CONDITION_SUCCEEDED, succeeded_count=2)
    ended = outcome(execution, None)
    assert ended.message == "All 2 tasks succeeded."
    assert (ended.usage.task_attempts, ended.usage.billed_milliseconds) == (2, 200_000)
    unknown = make_execution(State.CONDITION_FAILED, completion_time=None)
    assert outcome(unknown, None).usage.wall_milliseconds == 0


def test_a_failure_names_the_first_tasks() -> None:
    said = "Task report-abcde-task0 failed with exit code: 7."
    execution = make_execution(
        State.CONDITION_FAILED,
        task_count=30,
        failed_count=20,
        message=said,
        execution_reason="NON_ZERO_EXIT_CODE",
    )
    tasks = [
        make_task(index, State.CONDITION_FAILED, exit_code=7, retried=2, message="It exited.")
        for index in range(20)
    ]
    ended = outcome(execution, list(reversed(tasks)))
    assert (ended.ending, ended.reason, ended.message) == (
        Ending.FAILED, "NON_ZERO_EXIT_CODE", said,
    )  # fmt: skip
    assert [one.index for one in ended.failures] == list(range(FAILURES_KEPT))
    first = ended.failures[0]
    assert (first.exit_code, first.signal, first.attempts) == (7, None, 3)
    assert first.message == "It exited."


def test_how_tasks_end_is_told_apart() -> None:
    late = "The configured timeout was reached."
    full = "Memory limit of 512 MiB exceeded with 543 MiB used. Consider increasing the limit"
    execution = make_execution(State.CONDITION_FAILED, failed_count=3)
    tasks = [
        make_task(0, State.CONDITION_FAILED, term_signal=9, message=full),
        make_task(1, State.CONDITION_FAILED, message=late),
        make_task(2, State.CONDITION_FAILED, exit_code=143, message=late),
        make_task(3, State.CONDITION_FAILED, execution_reason="CANCELLED"),
    ]
    memory, unknown, trapped = outcome(execution, tasks).failures
    assert (memory.signal, memory.exit_code, memory.out_of_memory) == (9, None, True)
    assert (unknown.signal, unknown.exit_code, unknown.timed_out) == (None, None, True)
    assert (trapped.exit_code, trapped.out_of_memory) == (143, False)
    assert outcome(execution, tasks).ending is Ending.FAILED
    assert outcome(execution, tasks[1:]).ending is Ending.TIMED_OUT


@pytest.mark.parametrize("reason", ["CANCELLED", "CANCELLING", "DELETED"])
def test_what_somebody_ended_is_cancelled(reason: str) -> None:
    execution = make_execution(State.CONDITION_FAILED, cancelled_count=2, execution_reason=reason)
    assert outcome(execution, []).ending is Ending.CANCELLED


def test_reasons_are_googles_words() -> None:
    missing = make_execution(State.CONDITION_FAILED, reason="CONTAINER_MISSING")
    assert outcome(missing, []).reason == "CONTAINER_MISSING"
    newer = make_execution(State.CONDITION_FAILED, execution_reason=99)
    with pytest.warns(UserWarning, match="Unrecognized ExecutionReason"):
        ended = outcome(newer, [])
    assert ended.reason == "99"


def test_an_execution_of_a_clone_says_so() -> None:
    assert report(KEY, "other", make_execution()).warnings == (
        "launched as report, a clone of job other with 1Gi of memory and CPU 1500m: "
        "RunJob cannot change a job's template for one run",
    )


def test_tasks_are_shown() -> None:
    views = [
        task_view(make_task(0, State.CONDITION_SUCCEEDED)),
        task_view(make_task(1, State.CONDITION_FAILED, exit_code=3, retried=1, message="no")),
        task_view(make_task(2, State.CONDITION_FAILED, execution_reason="CANCELLED")),
        task_view(run_v2.Task(index=3, start_time=AT)),
        task_view(run_v2.Task(index=4)),
    ]
    assert [(one.index, one.state, one.exit_code) for one in views] == [
        (0, "succeeded", 0), (1, "failed", 3), (2, "cancelled", None), (3, "running", None),
        (4, "pending", None),
    ]  # fmt: skip
    assert (views[1].attempt, views[1].message) == (1, "no")
    assert views[0].ended_at == AT + timedelta(seconds=10)
    assert views[4].started_at is None


def test_names_of_clones_tell_their_template_and_fit() -> None:
    long = "a" * 49
    assert len(names.clone(long, b"x")) == names.JOB_NAME_MAX
    assert names.clone(long, b"x") != names.clone("a" * 48 + "b", b"x")
    assert names.clone("report", b"x") == names.clone("report", b"x") != names.clone("report", b"y")
    assert "--" not in names.clone("a" * 39 + "-bbbb", b"x")
    assert names.execution("report-abcde") is None
    assert names.execution(NAME) == (NAME.partition("/executions")[0], "report", "report-abcde")
