"""Failures whole: the class with the rule, the words and the task that a person is shown."""

from __future__ import annotations

import pytest

from runyard.flow.failure.classify import LINE_SHOWN_MAX, classify
from runyard.model.failure import Failure, FailureClass, FailureRule, Shortage
from runyard.model.outcome import Ending, Outcome, TaskFailure

F = FailureClass
NO_SPACE = "OSError: [Errno 28] No space left on device"
REFUSED = "connect ECONNREFUSED 10.0.0.1:5432"


def task(*lines: str, index: int = 0, exit_code: int | None = 1, **how: object) -> TaskFailure:
    return TaskFailure(index, 1, "it ended", exit_code=exit_code, last_lines=lines, **how)  # type: ignore[arg-type]


def failed(*tasks: TaskFailure, reason: str = "") -> Outcome:
    return Outcome(Ending.FAILED, "it failed", reason=reason, failures=tasks)


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (
            failed(task(index=2, timed_out=True)),
            Failure(F.TIMEOUT, "timeout of the task", ("task 2 reached its timeout",), 2),
        ),
        (
            failed(task(index=1, out_of_memory=True)),
            Failure(
                F.RESOURCE,
                "memory limit",
                ("task 1 was killed by the kernel: it used more memory than its limit",),
                1,
                Shortage.MEMORY,
            ),
        ),
        (
            failed(task(exit_code=None, signal=9)),
            Failure(
                F.RESOURCE,
                "signal",
                ("task 0 was ended by signal 9 (SIGKILL)",),
                0,
                Shortage.MEMORY,
            ),
        ),
        (
            failed(task(exit_code=137)),
            Failure(
                F.RESOURCE, "exit code", ("task 0 ended with exit code 137",), 0, Shortage.MEMORY
            ),
        ),
        (
            failed(task(index=4, exit_code=3)),
            Failure(F.APPLICATION, "no other rule", ("task 4 ended with exit code 3",), 4),
        ),
        (
            failed(),
            Failure(F.APPLICATION, "ending", ("the provider said: it failed",)),
        ),
        (
            Outcome(Ending.CANCELLED, "somebody stopped it", reason="CANCELLED"),
            Failure(F.CANCELLED, "ending", ("the provider said CANCELLED: somebody stopped it",)),
        ),
        (
            Outcome(Ending.LOST, "nobody knows it"),
            Failure(F.PLATFORM, "ending", ("the provider said lost: nobody knows it",)),
        ),
        (
            Outcome(Ending.REFUSED, "too many", reason="RESOURCE_EXHAUSTED"),
            Failure(
                F.RESOURCE,
                "reason",
                ("the provider said RESOURCE_EXHAUSTED: too many",),
                None,
                Shortage.CAPACITY,
            ),
        ),
    ],
)
def test_a_failure_is_told_whole(outcome: Outcome, failure: Failure) -> None:
    assert classify(outcome) == failure


def test_a_line_is_told_with_its_rule_and_what_was_short() -> None:
    found = classify(failed(task("reading", f"  {NO_SPACE}   now ", index=5)))
    assert found is not None
    assert found.rule.startswith("log: ")
    assert found.evidence == (f"task 5 wrote: {NO_SPACE} now",)
    assert (found.failure_class, found.task) == (F.RESOURCE, 5)
    assert found.shortage is not None


@pytest.mark.parametrize("more", [0, 1])
def test_a_long_line_is_cut_to_its_bound(more: int) -> None:
    line = REFUSED + "x" * (LINE_SHOWN_MAX - len(REFUSED) + more)
    found = classify(failed(task(line)))
    shown = line if not more else f"{line[: LINE_SHOWN_MAX - 1]}…"
    assert found is not None
    assert found.evidence == (f"task 0 wrote: {shown}",)


def test_of_several_tasks_most_decide_and_say_how_many() -> None:
    found = classify(failed(task("KeyError: 'x'"), task(REFUSED, index=1), task(REFUSED, index=2)))
    assert found is not None
    assert (found.failure_class, found.task) == (F.NETWORK, 1)
    assert found.evidence == (
        f"task 1 wrote: {REFUSED}",
        "2 of 3 failed tasks that are kept say so",
    )


@pytest.mark.parametrize("turned", [False, True])
def test_of_as_many_tasks_decides_the_class_that_trying_again_helps_least(turned: bool) -> None:
    two = [task(REFUSED, index=1), task("KeyError: 'x'", index=2)]
    found = classify(failed(*(reversed(two) if turned else two)))
    assert found is not None
    assert (found.failure_class, found.task) == (F.APPLICATION, 2)
    assert found.evidence[1] == "1 of 2 failed tasks that are kept say so"


@pytest.mark.parametrize(
    ("rule", "evidence", "index"),
    [
        (FailureRule(F.NETWORK, reason="ODD"), ("reason ODD",), None),
        (FailureRule(F.NETWORK, exit_code=7), ("task 1 ended with exit code 7",), 1),
        (FailureRule(F.NETWORK, signal=10), ("task 2 was ended by signal 10 (SIGUSR1)",), 2),
        (FailureRule(F.NETWORK, log="^odd"), ("task 1 wrote: odd thing",), 1),
        (
            FailureRule(F.NETWORK, reason="ODD", exit_code=7, log="odd"),
            ("reason ODD", "task 1 ended with exit code 7", "task 1 wrote: odd thing"),
            1,
        ),
    ],
)
def test_a_rule_of_ones_own_is_told_with_all_it_matched(
    rule: FailureRule, evidence: tuple[str, ...], index: int | None
) -> None:
    tasks = (
        task("even", index=0),
        task("odd thing", "bye", index=1, exit_code=7),
        task(index=2, exit_code=None, signal=10),
    )
    others = (FailureRule(F.PLATFORM, reason="OTHER"), FailureRule(F.PLATFORM, exit_code=99))
    found = classify(failed(*tasks, reason="ODD"), (*others, rule))
    assert found == Failure(F.NETWORK, "failures[2]", evidence, index)
