"""The class of a failure: every kind of evidence, and which of them decides."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.flow.failure.classify import ORDER, classify
from runyard.model.failure import Failure, FailureClass, FailureRule, Shortage
from runyard.model.outcome import Ending, Outcome, TaskFailure
from tests.support.failure_texts import FailureText, read
from tests.support.runs import make_outcome

F = FailureClass


def task(*lines: str, index: int = 0, **how: Any) -> TaskFailure:
    evidence = {"exit_code": 1} if not {"exit_code", "signal"} & how.keys() else {}
    return TaskFailure(index, 1, "it ended", **(evidence | how), last_lines=lines)


def why(*tasks: TaskFailure, rules: tuple[FailureRule, ...] = (), **how: Any) -> Failure:
    outcome = Outcome(Ending.FAILED, "it failed", failures=tasks, **how)
    found = classify(outcome, rules)
    assert found is not None
    return found


@pytest.mark.parametrize("text", read("developed"), ids=lambda text: text.source)
def test_the_texts_that_the_rules_were_written_for_are_right(text: FailureText) -> None:
    lines = text.text.split("\n")
    found = why(
        task(
            *lines,
            exit_code=text.exit_code,
            signal=text.signal,
            timed_out=text.timed_out,
            out_of_memory=text.out_of_memory,
        )
    )
    assert found.failure_class == text.failure_class


def test_a_success_is_no_failure() -> None:
    assert classify(make_outcome()) is None


@pytest.mark.parametrize(
    ("outcome", "failure_class", "rule"),
    [
        (make_outcome(Ending.CANCELLED), F.CANCELLED, "ending"),
        (make_outcome(Ending.LOST, failures=()), F.PLATFORM, "ending"),
        (make_outcome(Ending.REFUSED, failures=(), reason="UNAVAILABLE"), F.PLATFORM, "reason"),
        (make_outcome(Ending.REFUSED, failures=()), F.APPLICATION, "ending"),
        (make_outcome(Ending.TIMED_OUT, failures=()), F.TIMEOUT, "ending"),
        (make_outcome(Ending.FAILED, reason="SECRETS_ACCESS_CHECK_FAILED"), F.PERMISSION, "reason"),
    ],
)
def test_some_endings_say_it_as_a_whole(
    outcome: Outcome, failure_class: FailureClass, rule: str
) -> None:
    found = classify(outcome)
    assert found is not None
    assert (found.failure_class, found.rule, found.task) == (failure_class, rule, None)


@pytest.mark.parametrize(
    ("how", "failure_class", "shortage", "rule"),
    [
        ({"timed_out": True}, F.TIMEOUT, None, "timeout of the task"),
        ({"out_of_memory": True}, F.RESOURCE, Shortage.MEMORY, "memory limit"),
        ({"signal": 9}, F.RESOURCE, Shortage.MEMORY, "signal"),
        ({"signal": 11}, F.APPLICATION, None, "signal"),
        ({"signal": 15}, F.CANCELLED, None, "signal"),
        ({"signal": 40}, F.APPLICATION, None, "no other rule"),
        ({"exit_code": 137}, F.RESOURCE, Shortage.MEMORY, "exit code"),
        ({"exit_code": 124}, F.TIMEOUT, None, "exit code"),
        ({"exit_code": 77}, F.PERMISSION, None, "exit code"),
        ({"exit_code": 3}, F.APPLICATION, None, "no other rule"),
        ({"exit_code": None}, F.APPLICATION, None, "no other rule"),
    ],
)
def test_exit_codes_and_signals_are_read(
    how: dict[str, Any], failure_class: FailureClass, shortage: Shortage | None, rule: str
) -> None:
    found = why(task(**how))
    assert (found.failure_class, found.shortage, found.rule) == (failure_class, shortage, rule)


def test_the_evidence_is_in_words_and_bounded() -> None:
    assert why(task(index=3, exit_code=4)).evidence == ("task 3 ended with exit code 4",)
    long = why(task("connection refused " + "x" * 500)).evidence[0]
    assert long.startswith("task 0 wrote: connection refused xxx")
    assert len(long) < 330
    assert why(task(exit_code=None)).evidence == ("task 0 failed: it ended",)
    assert why(task(signal=40)).evidence == ("task 0 was ended by signal 40",)


def test_the_last_line_that_says_something_decides() -> None:
    lines = ("connection refused", "", "KeyError: 'x'", "bye")
    assert why(task(*lines)).failure_class is F.APPLICATION
    assert why(task("KeyError: 'x'", "connection refused")).failure_class is F.NETWORK


def test_what_a_program_survived_counts_only_where_nothing_else_is_said() -> None:
    survived = "WARN connection refused, retrying"
    assert why(task(survived, "done")).failure_class is F.NETWORK
    assert why(task(survived, "shop.OrderError: 12")).failure_class is F.APPLICATION
    assert why(task("INFO the network is odd, error ignored")).rule == "log: words of networks"


def test_a_stack_names_what_was_called_and_not_what_went_wrong() -> None:
    assert why(task("    at com.shop.TimeoutError.of(A.java:3)")).failure_class is F.APPLICATION


def test_weak_words_need_a_line_that_tells_of_an_error() -> None:
    assert why(task("42 connections made")).failure_class is F.APPLICATION
    found = why(task("error: 42 connection attempts"))
    assert (found.failure_class, found.rule) == (F.NETWORK, "log: words of networks")
    assert why(task("error: no luck")).failure_class is F.APPLICATION


def test_the_class_of_most_tasks_decides_and_of_as_many_the_first() -> None:
    refused, oom = "connection refused", "MemoryError"
    found = why(task(refused), task(oom, index=1), task(oom, index=2))
    assert (found.failure_class, found.task) == (F.RESOURCE, 1)
    assert found.evidence[1] == "2 of 3 failed tasks that are kept say so"
    assert why(task(refused), task(oom, index=1)).failure_class is F.RESOURCE
    assert set(ORDER) == set(F)


@pytest.mark.parametrize(
    ("rule", "is_so"),
    [
        (FailureRule(F.NETWORK, exit_code=1), True),
        (FailureRule(F.NETWORK, exit_code=2), False),
        (FailureRule(F.NETWORK, exit_code=1, log="ORA-[0-9]+"), True),
        (FailureRule(F.NETWORK, log="ORA-9"), False),
        (FailureRule(F.NETWORK, signal=9), False),
        (FailureRule(F.NETWORK, reason="ODD"), True),
        (FailureRule(F.NETWORK, reason="ODD", exit_code=1), True),
        (FailureRule(F.NETWORK, reason="EVEN"), False),
    ],
)
def test_the_jobs_own_rules_come_first(rule: FailureRule, is_so: bool) -> None:
    found = why(task("MemoryError", "ORA-123"), rules=(rule,), reason="ODD")
    assert (found.failure_class is F.NETWORK) is is_so
    assert (found.rule == "failures[0]") is is_so


def test_a_rule_may_be_about_a_signal() -> None:
    rules = (FailureRule(F.PLATFORM, exit_code=9), FailureRule(F.PLATFORM, signal=9))
    found = why(task(signal=9), rules=rules)
    assert (found.rule, found.task) == ("failures[1]", 0)
