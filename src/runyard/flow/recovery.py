"""What an attempt's end means for its run. A verdict is a value; it touches nothing.

1. A success is a success, also when a cancel or a deadline was on its way.
2. A run that is being stopped never starts again.
3. A timeout is retried only by the policy's own rule for timeouts; every other failure, and an
   attempt that was lost, by the general rule.
4. What the provider refuses for good is not asked for again, unless it was a want of permission
   and the job waits for that.
5. A way back (`recovering`) or a wait (`holding`) that the job declares for the class of its
   failure comes before the rules of number 3, with limits of its own.
6. No retry beyond what all runs of the job may have together in a stretch of time (`budget`).
7. No retry is planned for an instant that the deadline forbids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.flow.backoff import delay_seconds
from runyard.flow.budget import refusal
from runyard.flow.holding import Await, wait_for
from runyard.flow.recovering import NoWayBack, WayBack, way_back
from runyard.model.failure import FailureClass
from runyard.model.outcome import Ending, Outcome
from runyard.model.run import Run, Spent, State

DEADLINE = "deadline"  #: the `stop_cause` of a run whose deadline passed


@dataclass(frozen=True, slots=True)
class Done:
    """It did what it was for."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Launch another attempt at `at`; with a `way_back` it is given more."""

    at: datetime
    reason: str
    way_back: WayBack | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No attempt will help, or none is left."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """It was cancelled, by us or at the provider."""

    reason: str


Verdict = Done | Retry | Await | GiveUp | Gone


def judge(run: Run, outcome: Outcome, now: datetime, spent: Spent | None = None) -> Verdict:
    """What `outcome`, reported at `now`, makes of `run`, whose last attempt it is about. `spent` is
    what its job has spent of its budget of retries."""
    if outcome.ending is Ending.SUCCEEDED:
        return Done(outcome.message)
    if run.state is State.STOPPING:
        return _stopped(run)
    if outcome.ending is Ending.CANCELLED:
        return Gone(f"it was cancelled at the provider: {outcome.message}")
    if outcome.ending is Ending.REFUSED and not _lacks_permission(outcome):
        return GiveUp(f"the provider refused it: {outcome.message}")
    verdict = _failed(run, outcome, now)
    budget = run.policy.budget
    if isinstance(verdict, Retry) and budget is not None:
        refused = refusal(budget, spent, now)
        return GiveUp(f"{outcome.message} ({refused})") if refused else verdict
    return verdict


def _stopped(run: Run) -> Verdict:
    if run.stop_cause == DEADLINE:
        return GiveUp(deadline_words(run))
    return Gone(run.reason)


def _failed(run: Run, outcome: Outcome, now: datetime) -> Verdict:
    way = way_back(run, outcome)
    if isinstance(way, NoWayBack):
        return GiveUp(f"{outcome.message} ({way.reason})")
    if way is not None:
        return _retry(run, outcome, now, way)
    wait = wait_for(run, outcome, now)
    if isinstance(wait, NoWayBack):
        return GiveUp(f"{outcome.message} ({wait.reason})")
    if wait is not None:
        return wait
    if outcome.ending is Ending.REFUSED:
        return GiveUp(f"the provider refused it: {outcome.message}")
    timed_out = outcome.ending is Ending.TIMED_OUT
    most = run.policy.timeout_attempts_max if timed_out else run.policy.attempts_max
    if run.attempt >= most:
        rule = "retry.on_timeout.attempts" if timed_out else "retry.attempts"
        return GiveUp(f"{outcome.message} (attempt {run.attempt} of {most} by {rule})")
    return _retry(run, outcome, now, None)


def _lacks_permission(outcome: Outcome) -> bool:
    failure = outcome.failure
    return failure is not None and failure.failure_class is FailureClass.PERMISSION


def _retry(run: Run, outcome: Outcome, now: datetime, way: WayBack | None) -> Verdict:
    at = now + timedelta(seconds=delay_seconds(run.policy.backoff, run.attempt_key, run.attempt))
    if run.deadline_at is not None and at >= run.deadline_at:
        return GiveUp(f"{outcome.message} (its deadline would pass before the next attempt)")
    return Retry(at, outcome.message, way)


def deadline_words(run: Run) -> str:
    """That the deadline of `run` passed, in words."""
    return f"its deadline of {run.policy.deadline_seconds or 0:g} s passed"
