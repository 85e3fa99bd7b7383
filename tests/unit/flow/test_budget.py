"""All runs of a job have so many retries together in a stretch of time, and no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.budget import refusal, spend
from runyard.flow.lifecycle import Facts, Slot, decide, region_slot
from runyard.flow.recovery import GiveUp, Retry, judge
from runyard.model.event import Ended
from runyard.model.outcome import Ending
from runyard.model.run import RetryBudget, RunPolicy, Spent, State
from tests.support.runs import NOW, make_outcome, make_run, make_spec

KEY = ("shop", "local", "report")
TWO = RetryBudget(2, 60)
FAILED = make_outcome(Ending.FAILED)
RUN = make_run(State.RUNNING, policy=RunPolicy(attempts_max=9, budget=TWO))


def test_a_retry_beyond_the_budget_is_a_death_that_says_so() -> None:
    assert isinstance(judge(RUN, FAILED, NOW, Spent(KEY, NOW, 1)), Retry)
    verdict = judge(RUN, FAILED, NOW, Spent(KEY, NOW, 2))
    words = "it failed (its job has had 2 retries within 1 min by retry.budget)"
    assert verdict == GiveUp(words)
    later = NOW + timedelta(seconds=60)
    assert isinstance(judge(RUN, FAILED, later, Spent(KEY, NOW, 2)), Retry)


def test_a_job_without_one_has_all_the_retries_of_its_runs() -> None:
    free = make_run(State.RUNNING, policy=RunPolicy(attempts_max=9))
    assert isinstance(judge(free, FAILED, NOW, Spent(KEY, NOW, 10**6)), Retry)


def test_the_first_retry_begins_a_stretch() -> None:
    one = RetryBudget(1, 60)
    assert refusal(one, None, NOW) == ""
    spent = spend(KEY, one, None, NOW)
    assert spent == Spent(KEY, NOW, 1)
    words = "its job has had 1 retry within 1 min by retry.budget"
    assert refusal(one, spent, NOW) == words
    later = NOW + timedelta(seconds=60)
    assert spend(KEY, one, Spent(KEY, NOW, 1), later) == Spent(KEY, later, 1)


def test_only_a_retry_spends() -> None:
    slot = Slot(region_slot("local", "us-central1"), 9, 1)
    facts = Facts({slot.name: slot}, spent=Spent(KEY, NOW, 1))
    assert decide(RUN, Ended(1, FAILED), facts, NOW).spent == Spent(KEY, NOW, 2)
    assert decide(RUN, Ended(1, make_outcome()), facts, NOW).spent is None
    last = make_run(State.RUNNING, policy=RunPolicy(budget=TWO))
    assert decide(last, Ended(1, FAILED), facts, NOW).spent is None
    free = make_run(State.RUNNING, policy=RunPolicy(attempts_max=9))
    assert decide(free, Ended(1, FAILED), facts, NOW).spent is None


@given(st.lists(st.floats(0, 90), max_size=60), st.integers(1, 5))
def test_no_stretch_has_more_than_its_retries(pauses: list[float], most: int) -> None:
    budget, spent, now = RetryBudget(most, 60), None, NOW
    had: list[datetime] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not refusal(budget, spent, now):
            spent = spend(KEY, budget, spent, now)
            had.append(now)
    began = [at for at in had if sum(at - timedelta(seconds=60) < one <= at for one in had) > most]
    for at in began:  # a stretch began between them: twice as many at most, side by side
        near = sum(at - timedelta(seconds=60) < one <= at for one in had)
        assert near <= 2 * most


def test_a_clock_that_is_behind_is_of_the_stretch_that_began() -> None:
    spent = Spent(KEY, NOW, 1)
    assert spend(KEY, TWO, spent, NOW - timedelta(minutes=5)) == Spent(KEY, NOW, 2)


def test_a_job_declares_it() -> None:
    spec = make_spec(retry={"attempts": 3, "budget": {"retries": 20}})
    assert spec.policy().budget == RetryBudget(20, 3600)
    assert make_spec().policy().budget is None
