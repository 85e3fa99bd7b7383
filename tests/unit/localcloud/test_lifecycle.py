"""What becomes of executions and tasks: the tables, single decisions, and whole random lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.localcloud.cloudrun.board import Board
from runyard.localcloud.cloudrun.book import Entry
from runyard.localcloud.cloudrun.lifecycle import (
    EXECUTIONS,
    TASKS,
    CancelRequested,
    Decision,
    Event,
    Impossible,
    TaskEnded,
    TaskStarted,
    decide,
    startable_count,
)
from runyard.localcloud.cloudrun.resources import (
    FINAL,
    Execution,
    ExecutionState,
    Reason,
    Region,
    Task,
    TaskState,
)
from runyard.model.errors import IllegalTransition
from runyard.model.quantities import GIB
from tests.support.cloud import START
from tests.support.executions import make_end, make_execution

NOW = START + timedelta(seconds=5)


def begun(execution: Execution, count: int = 1) -> tuple[Execution, list[Task]]:
    """`execution` after its first `count` tasks were started."""
    tasks = []
    for index in range(count):
        event = TaskStarted(Task(index, TaskState.PENDING), "spawner-1")
        decision = decide(execution, event, START)
        assert decision.task is not None
        execution = decision.execution
        tasks.append(decision.task)
    return execution, tasks


def test_every_state_has_a_row_and_final_ones_lead_nowhere() -> None:
    assert set(EXECUTIONS) == set(ExecutionState)
    assert {state for state, row in EXECUTIONS.items() if not row} == FINAL
    reached = {target for row in EXECUTIONS.values() for each in row.values() for target in each}
    assert reached | {ExecutionState.PENDING} == set(ExecutionState)
    assert set(TASKS) == set(TaskState)
    assert {target for row in TASKS.values() for target in row.values()} == set(TaskState)


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize(
    "event",
    [
        CancelRequested(),
        Impossible(Reason.NONE, "no"),
        TaskStarted(Task(0, TaskState.PENDING), "spawner-1"),
    ],
)
def test_final_is_final(state: ExecutionState, event: Event) -> None:
    with pytest.raises(IllegalTransition, match=f"while {state}"):
        decide(replace(make_execution(), state=state), event, NOW)


@pytest.mark.parametrize(
    ("how", "retries", "state", "words"),
    [
        ({"exit_code": 0}, 0, "succeeded", ""),
        ({"exit_code": 2}, 0, "failed", "The container exited with an error."),
        ({"exit_code": 2}, 1, "pending", "The container exited with an error."),
        ({"exit_code": None, "signal": 9}, 0, "failed", "The container exited with an error."),
        ({"exit_code": 0, "timed_out": True}, 0, "failed", "The configured timeout was reached."),
        ({"exit_code": None, "lost": True}, 0, "failed", "The task was lost"),
        ({"exit_code": None, "lost": True}, 3, "pending", "The task was lost"),
        (
            {"exit_code": None, "not_started": True, "message": "no such file: x"},
            0,
            "failed",
            "The command could not be executed: no such file: x",
        ),
        (
            {"exit_code": None, "signal": 9, "out_of_memory": True, "memory_peak_bytes": 543 << 20},
            0,
            "failed",
            "Memory limit of 512 MiB exceeded with 543 MiB used.",
        ),
    ],
)
def test_what_a_task_attempt_ends_as(
    how: dict[str, Any], retries: int, state: str, words: str
) -> None:
    execution, (task,) = begun(make_execution(retries=retries))
    decision = decide(execution, TaskEnded(task, make_end(execution, task, **how)), NOW)
    assert decision.task is not None
    assert decision.task.state == state
    assert decision.task.message.startswith(words)
    assert bool(decision.task.message) == bool(words)
    assert decision.task.attempt == (1 if state == "pending" else 0)


def test_a_task_that_ended_by_itself_before_its_sigterm_keeps_its_end() -> None:
    execution, (task,) = begun(make_execution())
    execution = decide(execution, CancelRequested(), NOW).execution
    assert execution.state is ExecutionState.CANCELLING
    ended = decide(execution, TaskEnded(task, make_end(execution, task, 0)), NOW)
    assert ended.execution.state is ExecutionState.SUCCEEDED
    stopped = decide(execution, TaskEnded(task, make_end(execution, task, 0, stopped=True)), NOW)
    assert stopped.execution.state is ExecutionState.CANCELLED
    assert stopped.execution.tally.cancelled_count == 1


def test_cancel_of_what_has_not_begun_is_final_at_once() -> None:
    decision = decide(make_execution(tasks=50), CancelRequested(), NOW)
    assert decision.execution.state is ExecutionState.CANCELLED
    assert decision.execution.tally.cancelled_count == 50
    assert decision.execution.completed_at == NOW


def test_what_is_impossible_waits_for_what_runs() -> None:
    execution, (task,) = begun(make_execution(tasks=3))
    failing = decide(execution, Impossible(Reason.SECRETS_ACCESS_CHECK_FAILED, "why"), NOW)
    assert failing.execution.state is ExecutionState.FAILING
    assert startable_count(failing.execution) == 0
    end = make_end(execution, task, 0)
    ended = decide(failing.execution, TaskEnded(task, end), NOW).execution
    assert (ended.state, ended.message) == (ExecutionState.FAILED, "why")
    tally = ended.tally
    assert (tally.succeeded_count, tally.failed_count, tally.cancelled_count) == (1, 0, 2)


def test_failures_are_kept_by_lowest_index_and_bounded() -> None:
    execution, tasks = begun(make_execution(tasks=30), 30)
    for task in reversed(tasks):
        end = make_end(execution, task, 1 + task.index)
        execution = decide(execution, TaskEnded(task, end), NOW).execution
    assert [each.index for each in execution.tally.failures] == list(range(10))
    assert execution.tally.failed_count == 30
    assert execution.message == (
        "Task report-aaaaa-task0 failed with exit code: 1 and message: The container exited with"
        " an error. (29 more tasks failed.)"
    )


def test_figures_add_up_over_attempts() -> None:
    execution, tasks = begun(make_execution(tasks=2, retries=1), 2)
    figures = {"cpu_milliseconds": 40, "removed": {"folder": 1, "cgroup": 1}, "left": ("x: busy",)}
    for peak, task in zip((7, 5), tasks, strict=True):
        end = make_end(execution, task, 1, memory_peak_bytes=peak, **figures)
        execution = decide(execution, TaskEnded(task, end), NOW).execution
    tally = execution.tally
    assert (tally.attempts, tally.wall_milliseconds, tally.billed_milliseconds) == (
        2,
        4000,
        120_000,
    )
    assert (tally.cpu_milliseconds, tally.memory_peak_bytes) == (80, 7)
    assert tally.removed == (("cgroup", 2), ("folder", 2))
    assert tally.left == ("x: busy", "x: busy")
    assert tally.waiting_count == 2


def test_what_never_was_an_instance_is_not_billed() -> None:
    execution, (task,) = begun(make_execution())
    end = make_end(execution, task, None, not_started=True)
    tally = decide(execution, TaskEnded(task, end), NOW).execution.tally
    assert (tally.attempts, tally.wall_milliseconds, tally.billed_milliseconds) == (0, 0, 0)


# -- whole lives -----------------------------------------------------------------------------------
ENDS: list[dict[str, Any]] = [
    {"exit_code": 0},
    {"exit_code": 0},
    {"exit_code": 1},
    {"exit_code": None, "signal": 9},
    {"exit_code": 0, "timed_out": True},
    {"exit_code": None, "lost": True},
    {"exit_code": None, "not_started": True},
]
JOBS = st.fixed_dictionaries(
    {
        "tasks": st.integers(1, 12),
        "parallelism": st.integers(0, 4),
        "retries": st.integers(0, 3),
        "cpu": st.sampled_from(["1", "2", "8"]),
    }
)


@settings(max_examples=150, deadline=None)
@given(jobs=st.lists(JOBS, min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_any_life_keeps_the_promises(jobs: list[dict[str, Any]], seed: int) -> None:
    chance = Random(seed)
    board = Board([Region("us-central1", 4000, 64 * GIB)])
    lives = {f"job{n}-aaaaa": make_execution(f"job{n}-aaaaa", **job) for n, job in enumerate(jobs)}
    attempts: dict[tuple[str, int], list[int]] = {}
    for execution in lives.values():
        board.add(execution)
    while list(board):
        _start(board, lives, attempts)
        running = [(held, task) for held in board for task in held.running.values()]
        assert running, "something is open, nothing runs, and nothing is started"
        _check_room(board)
        held, task = chance.choice(running)
        if chance.random() < 0.03 and held.execution.cancel_asked_at is None:
            _keep(board, lives, decide(held.execution, CancelRequested(), NOW))
            continue
        end = make_end(held.execution, task, **chance.choice(ENDS))
        _keep(board, lives, decide(held.execution, TaskEnded(task, end), NOW))
    _check_finals(lives, attempts)
    assert board.lines["us-central1"].used.vcpu_milli == 0
    assert board.executions_in("us-central1") == 0


def _start(
    board: Board, lives: dict[str, Execution], attempts: dict[tuple[str, int], list[int]]
) -> None:
    turns = board.turns(5)
    entry = Entry()
    for execution, task in turns:
        before = entry.executions.get(execution.name, execution)
        decision = decide(before, TaskStarted(task, "spawner-1"), NOW)
        assert decision.task is not None
        entry.executions[execution.name] = decision.execution
        entry.tasks.append((execution.name, decision.task))
        attempts.setdefault((execution.name, task.index), []).append(task.attempt)
        held = board.get(execution.name)
        assert held is not None
        assert task.index not in held.running, "an index runs twice at once"
        assert execution.cancel_asked_at is None, "something is started after a cancel"
    board.apply(entry)
    lives.update(entry.executions)


def _keep(board: Board, lives: dict[str, Execution], decision: Decision) -> None:
    entry = Entry({decision.execution.name: decision.execution})
    if decision.task is not None:
        entry.tasks.append((decision.execution.name, decision.task))
    board.apply(entry)
    lives.update(entry.executions)


def _check_room(board: Board) -> None:
    line = board.lines["us-central1"]
    assert line.used.vcpu_milli <= 4000
    taken = 0
    for held in board:
        plan, tally = held.execution.blueprint, held.execution.tally
        assert tally.running_count == len(held.running)
        assert tally.waiting_count == len(held.waiting)
        assert len(held.running) <= (plan.parallelism or plan.task_count)
        taken += held.demand.vcpu_milli * len(held.running)
    assert taken == line.used.vcpu_milli


def _check_finals(lives: dict[str, Execution], attempts: dict[tuple[str, int], list[int]]) -> None:
    for name, execution in lives.items():
        tally, plan = execution.tally, execution.blueprint
        assert execution.is_final
        done = tally.succeeded_count + tally.failed_count + tally.cancelled_count
        assert (done, tally.running_count) == (plan.task_count, 0)
        mine = [made for (each, _), made in attempts.items() if each == name]
        assert all(made == list(range(len(made))) for made in mine)
        assert all(len(made) <= plan.max_retries + 1 for made in mine)
        if execution.state is ExecutionState.SUCCEEDED:
            assert tally.succeeded_count == plan.task_count
        if execution.state is ExecutionState.FAILED:
            assert tally.failed_count > 0
            assert execution.message
