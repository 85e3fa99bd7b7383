"""What makes dead runs one group."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.fingerprint import (
    TEXT_CHARACTERS_MAX,
    error_text,
    failure_of,
    group_of,
    normalised,
)
from runyard.model.failure import Failure, FailureClass, FailureRule
from runyard.model.outcome import Ending, Outcome, TaskFailure
from runyard.model.run import Run, RunPolicy, State
from tests.support.runs import make_outcome, make_run


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("no row 4711 in orders", "no row <number> in orders"),
        ("took 1.50 s of 2 s", "took <duration> of <duration>"),
        ("took 350ms", "took <duration>"),
        ("used 512MiB of 1.5 GB, 77 bytes left", "used <size> of <size>, <size> left"),
        ("GET https://x.example/a?b=1 failed", "GET <url> failed"),
        ("mail to ann.b+c@x.example bounced", "mail to <email> bounced"),
        ("key 9f8b2c1e-0d4a-4b7f-9a61-3c5d8e7f0a12 is gone", "key <uuid> is gone"),
        ("run_01arz3ndektsv4rrffq69g5fav/2 is dead".replace("l", "1"), "<id> is dead"),
        ("2026-11-26T20:40:36.123Z boom", "<time> boom"),
        ("2026-11-26 20:40:36,123 boom", "<time> boom"),
        ("[20:40:36.5] boom", "[<time>] boom"),
        ("2026/11/26 20:40:36 boom", "<time> boom"),
        ("on 2026-11-26 it was", "on <time> it was"),
        ("dial 10.0.0.7:5432: refused", "dial <ip>: refused"),
        ("dial fe80:0:0:0:1 refused", "dial <ip> refused"),
        ("at 0x7ffEE3 and deadbeef01", "at <hex> and <hex>"),
        ("commit 3f2a9c1 is bad", "commit <hex> is bad"),
        ("no /tmp/work-x1/y.csv: gone", "no <path>: gone"),
        ("row -5, col 1,000.5", "row <number>, col <number>"),
        ("shard_0042 and part-123", "shard_<number> and part-<number>"),
        ("  two \n\t lines ", "two lines"),
        ("exit code 3", "exit code <number>"),
        ("utf8 and x86 and v2 stay", "utf8 and x86 and v2 stay"),
        ("Foo::bar failed", "Foo::bar failed"),
        ("", ""),
    ],
)
def test_what_changes_is_told_by_its_kind(text: str, title: str) -> None:
    assert normalised(text) == title


@given(st.text(max_size=600))
def test_a_text_keeps_a_length_and_a_line(text: str) -> None:
    line = normalised(text)
    assert "\n" not in line
    assert len(line) <= 10 * TEXT_CHARACTERS_MAX


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_tell_no_groups_apart(one: int, other: int) -> None:
    texts = (f"no row {number} in the table" for number in (one, other))
    assert len({normalised(text) for text in texts}) == 1


def dead(*lines: str, failure: Failure | None = None, **changes: Any) -> Run:
    tasks = (TaskFailure(1, 1, "it failed", 1, last_lines=lines),)
    outcome = make_outcome(Ending.FAILED, failures=tasks, failure=failure)
    return make_run(State.DEAD, outcome=outcome, reason="it failed (attempt 1 of 1)").evolve(
        **changes
    )


def title(run: Run) -> str:
    return group_of(run, failure_of(run)).title


def test_the_line_that_decided_is_the_text() -> None:
    run = dead("boom", "connect to db.internal:5432 failed: Connection refused", "bye")
    failure = failure_of(run)
    assert failure.rule.startswith("log")
    assert title(run).startswith("connect to db.internal:<number> failed: Connection refused")


def test_without_one_it_is_what_ended_the_program() -> None:
    run = dead("something failed before", "x.y.OrderError: no order 17", "error code was 3", "bye")
    assert title(run) == "x.y.OrderError: no order <number>"


def test_else_the_last_line_that_tells_of_an_error_else_the_evidence() -> None:
    assert title(dead("all failed: 3", "and so we end", '  File "x.py", line 3')) == (
        "all failed: <number>"
    )
    assert title(dead("hello", "bye")) == "ended with exit code <number>"
    assert title(dead()) == "ended with exit code <number>"


def test_only_the_task_that_decided_speaks() -> None:
    tasks = (
        TaskFailure(0, 1, "it failed", 1, last_lines=("OtherError: a",)),
        TaskFailure(2, 1, "it failed", 1, last_lines=("OneError: b",)),
    )
    failure = Failure(FailureClass.APPLICATION, "no other rule", ("task 2 ended",), task=2)
    run = dead().evolve(outcome=make_outcome(Ending.FAILED, failures=tasks, failure=failure))
    assert error_text(run, failure_of(run)) == "OneError: b"


def test_a_deadline_and_a_run_that_was_never_out_have_failures_too() -> None:
    late = dead("boom", stop_cause="deadline", reason="its deadline of 45 s passed")
    assert failure_of(late).failure_class is FailureClass.TIMEOUT
    assert title(late) == "its deadline of <duration> passed"
    never = make_run(State.DEAD, outcome=None, reason="the provider refused it 60 times")
    assert failure_of(never).failure_class is FailureClass.PLATFORM
    assert title(never) == "the provider refused it <number> times"
    odd = make_run(State.DEAD, outcome=make_outcome(), reason="odd")
    assert failure_of(odd).rule == "no evidence"
    assert title(odd) == "odd"
    bare = Failure(FailureClass.APPLICATION, "x")
    assert error_text(make_run(State.DEAD, reason="why"), bare) == "why"


def test_what_such_a_failure_is_read_from() -> None:
    late = dead("BoomError: 1", stop_cause="deadline", reason="its deadline of 45 s passed")
    said = ("its deadline of 45 s passed",)
    assert failure_of(late) == Failure(FailureClass.TIMEOUT, "deadline", said)
    assert title(late) == "its deadline of <duration> passed"  # whatever its task wrote
    never = make_run(State.DEAD, outcome=None, reason="refused")
    assert failure_of(never) == Failure(FailureClass.PLATFORM, "never launched", ("refused",))
    odd = make_run(State.DEAD, outcome=make_outcome(), reason="odd")
    assert failure_of(odd) == Failure(FailureClass.APPLICATION, "no evidence", ("odd",))


def test_a_rule_of_the_job_judges_first() -> None:
    policy = RunPolicy(failures=(FailureRule(FailureClass.NETWORK, exit_code=1),))
    assert failure_of(dead(policy=policy)).rule == "failures[0]"
    assert failure_of(dead()).failure_class is FailureClass.APPLICATION


def test_the_line_that_decided_speaks_whatever_came_after_it() -> None:
    said = Failure(FailureClass.NETWORK, "log: a peer", ("task 1 wrote: peer went away",), task=1)
    assert error_text(dead("peer went away", "BoomError: 1"), said) == "peer went away"


def test_where_in_the_source_it_was_is_no_error() -> None:
    frame = '  File "/app/errors.py", line 7, in fail'
    assert title(dead("it could not be read", frame)) == "it could not be read"


def test_a_group_is_the_same_for_good() -> None:
    """Groups are kept: another way to tell them would part what belongs together."""
    run = dead("BoomError: 1")
    assert group_of(run, failure_of(run)).fingerprint == "d11dc4f7170ddba9"


def test_what_was_judged_already_is_not_judged_again() -> None:
    said = Failure(FailureClass.NETWORK, "failures[0]", ("task 1 ended with exit code 9",), task=1)
    assert failure_of(dead(failure=said)) is said


def test_a_group_is_of_one_job_one_class_and_one_text() -> None:
    one = dead("BoomError: 1")
    same = dead("BoomError: 22", id="run_0000000000000000000000000b")
    others = [
        dead("BangError: 1"),
        dead("BoomError: 1", job="other"),
        dead("BoomError: 1", environment="dev"),
        dead("BoomError: 1", project="toys"),
        dead("BoomError: 1", failure=Failure(FailureClass.NETWORK, "failures[0]", ("e",))),
    ]
    prints = [group_of(each, failure_of(each)).fingerprint for each in (one, same, *others)]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 1 + len(others)
    assert all(len(each) == 16 for each in prints)


def test_an_outcome_that_is_no_failure_says_nothing() -> None:
    outcome = Outcome(Ending.REFUSED, "no such image", reason="ContainerMissing")
    run = make_run(State.DEAD, outcome=outcome, reason="the provider refused it: no such image")
    assert "no such image" in title(run)
