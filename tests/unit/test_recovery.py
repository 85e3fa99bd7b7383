"""What an attempt's end means: tables and properties."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.backoff import delay_seconds
from runyard.flow.recovery import (
    DEADLINE,
    Done,
    GiveUp,
    Gone,
    Retry,
    Verdict,
    judge,
)
from runyard.model.ids import AttemptKey
from runyard.model.outcome import Ending
from runyard.model.run import Backoff, Jitter, RunPolicy, State
from tests.support.runs import NOW, make_outcome, make_run

RUNNING = make_run(State.RUNNING)
PATIENT = RunPolicy(attempts_max=3, timeout_attempts_max=2)


@pytest.mark.parametrize("state", [State.LAUNCHING, State.RUNNING, State.STOPPING])
def test_a_success_is_a_success(state: State) -> None:
    assert isinstance(judge(make_run(state), make_outcome(), NOW), Done)


@pytest.mark.parametrize("ending", [each for each in Ending if each is not Ending.SUCCEEDED])
def test_what_is_being_stopped_never_starts_again(ending: Ending) -> None:
    run = make_run(State.STOPPING, policy=PATIENT, stop_cause="cancel", reason="cancelled by ann")
    assert judge(run, make_outcome(ending), NOW) == Gone("cancelled by ann")


def test_a_passed_deadline_is_a_death() -> None:
    policy = RunPolicy(deadline_seconds=90)
    run = make_run(State.STOPPING, policy=policy, stop_cause=DEADLINE)
    assert judge(run, make_outcome(Ending.CANCELLED), NOW) == GiveUp("its deadline of 90 s passed")


@pytest.mark.parametrize(
    ("ending", "attempt", "verdict"),
    [
        (Ending.FAILED, 1, Retry),
        (Ending.FAILED, 2, Retry),
        (Ending.FAILED, 3, GiveUp),
        (Ending.LOST, 2, Retry),
        (Ending.LOST, 3, GiveUp),
        (Ending.TIMED_OUT, 1, Retry),
        (Ending.TIMED_OUT, 2, GiveUp),
        (Ending.CANCELLED, 1, Gone),
        (Ending.REFUSED, 1, GiveUp),
    ],
)
def test_each_ending_has_its_rule(ending: Ending, attempt: int, verdict: type) -> None:
    run = make_run(State.RUNNING, policy=PATIENT, attempt=attempt)
    assert type(judge(run, make_outcome(ending), NOW)) is verdict


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending.SUCCEEDED, Done("it is here")),
        (Ending.CANCELLED, Gone("it was cancelled at the provider: it is here")),
        (Ending.REFUSED, GiveUp("the provider refused it: it is here")),
        (Ending.FAILED, Retry(NOW + timedelta(seconds=5), "it is here")),
    ],
)
def test_a_verdict_says_what_the_provider_said(ending: Ending, verdict: Verdict) -> None:
    policy = RunPolicy(attempts_max=2, backoff=Backoff(5, 2, 600, Jitter.NONE))
    run = make_run(State.RUNNING, policy=policy)
    assert judge(run, make_outcome(ending, message="it is here"), NOW) == verdict


def test_by_default_a_timeout_is_not_retried_whatever_the_attempts() -> None:
    run = make_run(State.RUNNING, policy=RunPolicy(attempts_max=10))
    verdict = judge(run, make_outcome(Ending.TIMED_OUT), NOW)
    assert isinstance(verdict, GiveUp)
    assert "retry.on_timeout.attempts" in verdict.reason


def test_no_retry_is_planned_beyond_the_deadline() -> None:
    policy = RunPolicy(attempts_max=2, backoff=Backoff(60, 2, 600, Jitter.NONE))
    run = make_run(State.RUNNING, policy=policy, deadline_at=NOW + timedelta(seconds=60))
    assert isinstance(judge(run, make_outcome(Ending.FAILED), NOW), GiveUp)
    assert isinstance(judge(run, make_outcome(Ending.FAILED), NOW - timedelta(seconds=1)), Retry)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 40), (7, 600), (5000, 600)])
def test_backoff_grows_to_its_cap(attempt: int, seconds: float) -> None:
    backoff = Backoff(10, 2, 600, Jitter.NONE)
    assert delay_seconds(backoff, AttemptKey("run_x/1"), attempt) == seconds


@given(
    st.floats(0.001, 3600),
    st.floats(1, 10),
    st.floats(0.001, 86400),
    st.sampled_from(Jitter),
    st.integers(1, 5000),
    st.text(min_size=1),
)
def test_a_delay_is_within_its_bounds_and_always_the_same(
    initial: float, factor: float, most: float, jitter: Jitter, attempt: int, key: str
) -> None:
    backoff = Backoff(initial, factor, most, jitter)
    plain = delay_seconds(Backoff(initial, factor, most, Jitter.NONE), AttemptKey(key), attempt)
    seconds = delay_seconds(backoff, AttemptKey(key), attempt)
    assert 0 <= seconds <= plain <= most
    if jitter is Jitter.EQUAL:
        assert seconds >= plain / 2
    assert seconds == delay_seconds(backoff, AttemptKey(key), attempt)


@given(st.floats(1, 600), st.text(min_size=1))
def test_an_equal_jitter_is_half_the_delay_and_half_of_a_full_jitter(
    initial: float, key: str
) -> None:
    full, equal = (
        delay_seconds(Backoff(initial, 2, 600, jitter), AttemptKey(key), 1)
        for jitter in (Jitter.FULL, Jitter.EQUAL)
    )
    assert equal == pytest.approx((initial + full) / 2)


def test_runs_that_fail_together_come_back_apart() -> None:
    backoff = Backoff(100, 2, 600, Jitter.FULL)
    seconds = sorted(delay_seconds(backoff, AttemptKey(f"run_{n}/1"), 1) for n in range(100))
    assert seconds[10] < 30
    assert seconds[-10] > 70
