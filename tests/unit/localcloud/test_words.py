"""Google's conditions and sentences, names, turns in a region, and rows there and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.localcloud.cloudrun.conditions import (
    completion_status,
    execution_conditions,
    task_conditions,
)
from runyard.localcloud.cloudrun.lifecycle import (
    CancelRequested,
    Impossible,
    TaskEnded,
    TaskStarted,
    decide,
)
from runyard.localcloud.cloudrun.messages import duration_text, signal_name
from runyard.localcloud.cloudrun.names import (
    attempt_name,
    execution_name,
    split_attempt_name,
    uid,
)
from runyard.localcloud.cloudrun.regions import RegionLine, Room
from runyard.localcloud.cloudrun.resources import Execution, Reason, Region, Task, TaskState
from runyard.localcloud.cloudrun.rows import (
    STATUS_VERSION,
    execution_of,
    execution_row,
    task_of,
    task_row,
)
from runyard.model.errors import SchemaMismatch
from tests.support.cloud import START
from tests.support.executions import make_end, make_execution


def after(execution: Execution, exit_code: int) -> Execution:
    """`execution` after its one task has run for two minutes."""
    at = START + timedelta(seconds=56.03)
    started = decide(execution, TaskStarted(Task(0, TaskState.PENDING), "s"), at)
    assert started.task is not None
    end = make_end(execution, started.task, exit_code)
    later = at + timedelta(seconds=118.04)
    return decide(started.execution, TaskEnded(started.task, end), later).execution


def told(execution: Execution) -> dict[str, tuple[str, str, str]]:
    return {
        each.type: (str(each.state), each.reason, each.message)
        for each in execution_conditions(execution)
    }


def test_conditions_of_a_success() -> None:
    done = after(make_execution(), 0)
    assert told(done) == {
        "Completed": ("SUCCEEDED", "", "Execution completed successfully in 1m58.04s."),
        "ResourcesAvailable": ("SUCCEEDED", "", "Provisioned imported containers."),
        "Started": ("SUCCEEDED", "", "Started deployed execution in 56.03s."),
    }
    assert completion_status(done) == "EXECUTION_SUCCEEDED"


def test_conditions_of_a_failure() -> None:
    done = after(make_execution(), 1)
    words = (
        "Task report-aaaaa-task0 failed with exit code: 1 and message:"
        " The container exited with an error."
    )
    assert told(done)["Completed"] == ("FAILED", "NON_ZERO_EXIT_CODE", words)
    assert completion_status(done) == "EXECUTION_FAILED"


def test_conditions_before_and_without_a_start() -> None:
    fresh = make_execution()
    assert told(fresh)["Completed"] == ("PENDING", "", "Waiting for execution to complete.")
    assert completion_status(fresh) == "EXECUTION_PENDING"
    cancelled = decide(fresh, CancelRequested(), START).execution
    assert told(cancelled)["Completed"][:2] == ("FAILED", "CANCELLED")
    reason = Reason.SECRETS_ACCESS_CHECK_FAILED
    failed = decide(fresh, Impossible(reason, "no secret"), START).execution
    assert told(failed)["ResourcesAvailable"] == ("FAILED", str(reason), "no secret")
    assert told(failed)["Started"][0] == "FAILED"


def test_conditions_of_tasks() -> None:
    task = Task(0, TaskState.FAILED, exit_code=3, started_at=START, ended_at=START, message="m")
    completed, started = task_conditions(make_execution(), task)
    assert (completed.state, completed.reason) == ("FAILED", "NON_ZERO_EXIT_CODE")
    assert started.state == "SUCCEEDED"
    assert task_conditions(make_execution(), Task(0, TaskState.PENDING))[1].state == "PENDING"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (56.03, "56.03s"), (118.04, "1m58.04s"), (60, "1m0s"), (7203, "2h0m3s")],
)
def test_durations_as_google_writes_them(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text


def test_signals_have_names() -> None:
    assert (signal_name(9), signal_name(200)) == ("SIGKILL", "200")


@given(st.integers(0, 2**64))
def test_names_of_executions_look_like_googles(chance: int) -> None:
    job, _, suffix = execution_name("nightly-report", chance).rpartition("-")
    assert job == "nightly-report"
    assert len(suffix) == 5
    assert suffix.isascii()
    assert suffix.isalnum()
    assert suffix.islower() or suffix.isdigit()


@given(st.integers(0, 10_000), st.integers(0, 10))
def test_keys_of_attempts_come_apart_again(index: int, attempt: int) -> None:
    execution = "my-task7-job-ab12c"
    key = attempt_name(execution, index, attempt)
    assert split_attempt_name(key) == (execution, index, attempt)


@pytest.mark.parametrize("key", ["", "x", "a-task1", "a-task/1", "-task1/1", "a-task1/x", "/1"])
def test_other_keys_are_told_apart(key: str) -> None:
    assert split_attempt_name(key) is None


def test_uids_are_uuid4() -> None:
    assert uid(0)[14] == "4"


def test_a_line_gives_turns_in_order_and_lets_nobody_overtake() -> None:
    line = RegionLine(Region("r", 4, 100))
    for name in ("small", "large", "tiny"):
        line.stand(name)
    wants = {"small": Room(1, 1), "large": Room(4, 1), "tiny": Room(1, 1)}
    startable = {"small": 3, "large": 1, "tiny": 3}
    turns = list(line.turns(startable.__getitem__, wants.__getitem__, 10))
    assert turns == ["small"]  # the large one waits for room, and nobody passes it
    line.used = Room()
    assert list(line.turns(startable.__getitem__, wants.__getitem__, 10)) == ["large"]
    startable["large"] = 0
    turns = list(line.turns(startable.__getitem__, wants.__getitem__, 10))
    assert turns == ["tiny", "small", "tiny", "small"]


def test_a_region_that_is_down_starts_nothing() -> None:
    line = RegionLine(Region("r", 4, 100))
    line.stand("a")
    line.faults.down = True
    assert list(line.turns(lambda name: 1, lambda name: Room(1, 1), 10)) == []
    line.faults.down = False
    assert list(line.turns(lambda name: 1, lambda name: Room(1, 1), 10)) == ["a"]


def test_rows_there_and_back() -> None:
    execution = after(make_execution(tasks=1), 1)
    row = execution_row(execution)
    assert execution_of((*row[:12], row[13])) == execution
    newer = (*row[:11], str(row[11]).replace(f'"v":{STATUS_VERSION}', '"v":99'), row[13])
    with pytest.raises(SchemaMismatch, match="newer program"):
        execution_of(newer)
    task = Task(4, TaskState.FAILED, 1, "s", START, START, 7, None, True, message="m")
    assert task_of(task_row("x", task)[1:]) == task
