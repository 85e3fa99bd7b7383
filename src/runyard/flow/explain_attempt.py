"""What is told of one attempt: taken up, launched, ended, judged, released. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from datetime import datetime
from typing import Any, Protocol

from runyard.flow.wording import count, counts, listed, plain, sentence, signal_name, span
from runyard.model.outcome import FAILURES_KEPT, Ending
from runyard.model.run import Run

Instant = Callable[[datetime], str]  #: an instant in words
Data = Mapping[str, Any]

_ENDINGS = {
    Ending.SUCCEEDED: "succeeded",
    Ending.FAILED: "failed",
    Ending.TIMED_OUT: "timed out",
    Ending.CANCELLED: "was cancelled",
    Ending.LOST: "was lost",
    Ending.REFUSED: "was refused by the provider for good",
}


class Fact(Protocol):
    """One fact of a history."""

    @property
    def at(self) -> datetime:
        """When it was decided."""

    @property
    def data(self) -> Data:
        """Its fields as JSON."""


def started(run: Run, fact: Fact, at: Instant) -> Iterator[str]:
    """It was taken up, and how late."""
    attempt, waited = int(fact.data["attempt"]), float(fact.data.get("waited_seconds", 0))
    most = run.policy.launches_max
    which = f"attempt {attempt} of at most {most}" if most > 1 else "its only attempt"
    since = "after it was asked for" if attempt == 1 else "after it was due"
    yield sentence(f"{which} was taken up at {at(fact.at)}, {span(waited)} {since}")


def launched(run: Run, fact: Fact, told: Set[str]) -> Iterator[str]:
    """Where it runs, and what is not as on Google Cloud there, unless it was `told` already."""
    yield sentence(f"the provider has it in {run.region} as {plain(str(fact.data['handle']))}")
    for warning in fact.data.get("warnings", ()):
        if warning not in told:
            yield sentence(f"not as on Google Cloud: {plain(str(warning))}")


def ended(run: Run, fact: Fact, at: Instant) -> Iterator[str]:
    """How it ended, on what evidence, and what was made of it."""
    outcome = fact.data["outcome"]
    ending = Ending(outcome["ending"])
    tasks = counts(
        (outcome[f"{word}_count"], word) for word in ("succeeded", "failed", "cancelled")
    )
    of_tasks = f" ({count(outcome['task_count'], 'task')}: {tasks})" if tasks else ""
    which = f"attempt {fact.data['attempt']}"
    yield sentence(f"{which} {_ENDINGS[ending]} at {at(fact.at)}{of_tasks}")
    retried = int(outcome["retried_count"])
    if retried:
        yield sentence(
            f"{count(retried, 'task try', 'task tries')} failed and",
            f"{'was' if retried == 1 else 'were'} repeated in place (maxRetries)",
        )
    yield from _evidence(outcome, ending)
    yield from _why(outcome)
    yield from _verdict(run, fact, ending, at)


def _evidence(outcome: Data, ending: Ending) -> Iterator[str]:
    failures = outcome["failures"]
    for failure in failures:
        yield sentence(_failure(failure))
    more = int(outcome["failed_count"]) - len(failures)
    if failures and more > 0:
        yield sentence(
            f"{count(more, 'more task')} failed; the first {FAILURES_KEPT} are kept as evidence"
        )
    if ending is Ending.LOST:
        yield "The provider no longer knows what became of it, so it counts as failed."
    if not failures and ending not in (Ending.SUCCEEDED, Ending.CANCELLED) and outcome["message"]:
        yield sentence(f"the provider said: {plain(str(outcome['message']))}")


def _why(outcome: Data) -> Iterator[str]:
    """The class of the failure and what it was read from; rows of older programs have none, and
    a cancel is told as such."""
    failure = outcome.get("failure")
    if failure is None or outcome["ending"] == Ending.CANCELLED:
        return
    lacked = f", of {failure['shortage']}" if failure["shortage"] else ""
    rule = str(failure["rule"])
    told = failure["evidence"] if rule.startswith(("log: ", "failures[")) else ()  # else: above
    because = "".join(f"; {plain(str(words))}" for words in told)
    yield sentence(f"its class is {failure['failure_class']}{lacked} (rule: {rule}){because}")


def _failure(failure: Data) -> str:
    tries = int(failure["attempts"])
    after = f" after {tries} tries" if tries > 1 else ""
    message = plain(str(failure["message"]))
    if failure["timed_out"]:
        how = "reached its timeout"
    elif failure["out_of_memory"]:
        how = "used more memory than its limit and was killed"
    elif failure["exit_code"] is not None:
        how = f"ended with exit code {failure['exit_code']}"
    elif failure["signal"] is not None:
        how = f"was ended by signal {signal_name(int(failure['signal']))}"
    else:
        how = "failed"
    return f"task {failure['index']} {how}{after}" + (f": {message}" if message else "")


def _verdict(run: Run, fact: Fact, ending: Ending, at: Instant) -> Iterator[str]:
    verdict, reason = fact.data["verdict"], plain(str(fact.data["reason"]))
    if verdict == "retry":
        yield from _retry(run, fact, ending, at)
    elif verdict == "wait":
        yield sentence(str(fact.data["way_back"]))
    elif verdict == "give_up":
        yield sentence(f"it is not tried again: {reason}")
    elif verdict == "gone":
        yield sentence(f"it is not tried again, since {reason}")


def _retry(run: Run, fact: Fact, ending: Ending, at: Instant) -> Iterator[str]:
    policy = run.policy
    timed_out = ending is Ending.TIMED_OUT
    rule = "retry.on_timeout.attempts" if timed_out else "retry.attempts"
    most = policy.timeout_attempts_max if timed_out else policy.attempts_max
    due = datetime.fromisoformat(fact.data["retry_at"])
    grown = policy.backoff
    how = f"backoff from {span(grown.initial_seconds)} by {grown.factor:g}, jitter {grown.jitter}"
    way = fact.data.get("way_back")
    yield sentence(
        f"it is tried again, and {way}:"
        if way
        else f"it is tried again, since {rule} allows {most} attempts:",
        f"the next is due at {at(due)}, {span(due - fact.at)} later ({how})",
    )


def released(_: Run, fact: Fact, at: Instant) -> Iterator[str]:
    """What was cleared away after it, and what could not be."""
    which = f"attempt {fact.data['attempt']}"
    removed = [count(int(many), str(what)) for what, many in fact.data.get("removed", ()) if many]
    if removed:
        yield sentence(f"what {which} held was removed by {at(fact.at)}: {listed(removed)}")
    left = [plain(str(one)) for one in fact.data.get("left", ())]
    if left:
        yield sentence(f"this of {which} could not be removed: {'; '.join(left)}")
