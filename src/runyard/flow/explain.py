"""A run's story in sentences: why it ran, waited, was retried, ended, and what it cost. Pure.

One paragraph's worth: first what happened, in the order of its history, then how things are now
or how it ended, then what it cost and by which price. Nothing is said that no row says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from runyard.flow import explain_attempt
from runyard.flow.explain_cost import cost
from runyard.flow.lifecycle import region_slot
from runyard.flow.recovering import offers
from runyard.flow.request import PRIORITY_STEP
from runyard.flow.wording import count, instant, listed, plain, sentence, span
from runyard.model.cost import Charge
from runyard.model.run import AWAITING, Run, State


class Happening(Protocol):
    """One fact of a history. `data` holds the fact's fields as JSON; `kind` names it."""

    @property
    def at(self) -> datetime:
        """When it was decided."""

    @property
    def kind(self) -> str:
        """`model.event.kind_of` of the fact."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Its fields."""


@dataclass(frozen=True, slots=True)
class _Story:
    run: Run
    history: Sequence[Happening]
    now: datetime

    def at(self, when: datetime) -> str:
        """`when` in words; the date only where it is another than the request's."""
        return instant(when, self.run.requested_at)

    def next_of(self, place: int, *kinds: str) -> Happening | None:
        """The first fact after `place` of one of these kinds."""
        return next((one for one in self.history[place + 1 :] if one.kind in kinds), None)


def explain(
    run: Run, history: Sequence[Happening], charges: Sequence[Charge], now: datetime
) -> list[str]:
    """The story of `run` as of `now`. `history` is whole and in order; so are `charges`."""
    story = _Story(run, history, now)
    told = [
        text
        for place, fact in enumerate(history)
        for text in _TELLERS.get(fact.kind, _unknown)(story, place, fact)
    ]
    return [*told, *_present(story), *cost(run, charges)]


def _requested(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    run, by = story.run, plain(str(fact.data["by"]))
    day = fact.at.strftime("%Y-%m-%d %H:%M:%S UTC")
    how = "by hand" if fact.data["trigger"] == "manual" else f"by {fact.data['trigger']}"
    what = f"run of {run.job} (revision {fact.data['revision']}) in {run.region}"
    yield sentence(f"this {what} was asked for {how}, by {by}, on {day}")
    if run.replays:
        yield sentence(f"it is in the place of {run.replays}, which is dead")
    meant = run.triggered_by
    if meant is not None and meant.after:
        last = f", the last of which ended at {story.at(meant.instant)}" if meant.instant else ""
        yield sentence(f"it follows {listed(list(meant.after))}{last}")
    elif meant is not None and meant.instant is not None and meant.instant != fact.at:
        late = span(fact.at - meant.instant)
        yield sentence(f"it is for the instant {story.at(meant.instant)}, {late} before")
    changes = _changes(run)
    if changes:
        yield sentence("for this run only,", listed(changes))
    priority = int(fact.data.get("priority", 0))
    if priority:
        ahead = "ahead" if priority > 0 else "behind"
        lead = span(abs(priority) * PRIORITY_STEP)
        yield sentence(f"its priority {priority} puts it {lead} {ahead} among those that wait")


def _changes(run: Run) -> list[str]:
    own = run.overrides
    changes = []
    if own.args is not None:
        given = " ".join(plain(one) for one in own.args)
        changes.append(
            f"the arguments are {plain(given)}" if own.args else "there are no arguments"
        )
    if own.env:
        names = listed([name for name, _ in own.env[:10]])
        more = f" and {len(own.env) - 10} more" if len(own.env) > 10 else ""
        changes.append(f"the environment has {names}{more} changed")
    if own.task_count is not None:
        changes.append(
            f"there {'is' if own.task_count == 1 else 'are'} {count(own.task_count, 'task')}"
        )
    if own.timeout_seconds is not None:
        changes.append(f"a task may last {span(own.timeout_seconds)}")
    return changes


def _waited(story: _Story, place: int, fact: Happening) -> Iterator[str]:
    run, capacity = story.run, int(fact.data["capacity"])
    by = run.triggered_by
    if fact.data["slot"] == region_slot(run.environment, run.region):
        why = f"{count(capacity, 'run')} were out in {run.region}, which is the limit of a region"
    elif by is not None and fact.data["slot"] == by.slot:
        why = f"its trigger has {count(capacity, 'run')} at once and an earlier one was not over"
    else:
        why = f"its job runs at most {capacity} at once (concurrency.limit) and that many ran"
    over = story.next_of(
        place, "slot_freed", "started", "skipped", "cancel_requested", "deadline_passed"
    )
    if over is not None:
        yield sentence(f"it waited {span(over.at - fact.at)} because {why}")
    else:
        yield sentence(f"it has waited {span(story.now - fact.at)} so far because {why}")
        yield "It starts when one of those ends, in the order in which they were asked for."


def _skipped(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    reason = plain(str(fact.data["reason"]))
    of_job = story.run.triggered_by is None or reason.startswith("its job runs")
    rule = " (concurrency.on_conflict: skip)" if of_job else " (its trigger's policy)"
    at = story.at(fact.at)
    yield sentence(f"it was skipped at {at} and will never start: {reason}{rule}")


def _cancel_requested(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    by, reason = plain(str(fact.data["by"])), plain(str(fact.data.get("reason", "")))
    newer = fact.data.get("newer")
    if newer:
        rule = "concurrency.on_conflict: cancel_older"
        yield sentence(f"the newer run {newer} took its place at {story.at(fact.at)} ({rule})")
        return
    why = f": {reason}" if reason else ""
    yield sentence(f"it was cancelled by {by} at {story.at(fact.at)}{why}")


def _deadline_passed(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    after = span(fact.at - story.run.requested_at)
    yield sentence(f"its deadline passed at {story.at(fact.at)}, {after} after it was asked for")


def _looked(story: _Story, place: int, fact: Happening) -> Iterator[str]:
    """Of many looks one after the other only the last is told, with their number."""
    following = story.next_of(place, "looked", "restored", "wait_over")
    if following is None or following.kind != "looked":
        looks, words = count(int(fact.data["look"]), "look"), plain(str(fact.data["words"]))
        yield sentence(f"after {looks}, the last at {story.at(fact.at)}: {words}")


def _restored(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    by, words = plain(str(fact.data["by"])), plain(str(fact.data["words"]))
    why = f": {words}" if words else ""
    how = f"it was resumed by {by} at {story.at(fact.at)}{why}"
    revision = fact.data["revision"]
    of = f", with revision {revision}" if revision is not None else ""
    yield sentence((how if by else f"it went on at {story.at(fact.at)}, since {words}") + of)


def _wait_over(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    yield sentence(f"it waited in vain until {story.at(fact.at)}")


def _of_attempt(
    tell: Callable[[Run, Happening, explain_attempt.Instant], Iterator[str]],
) -> Callable[[_Story, int, Happening], Iterator[str]]:
    return lambda story, _, fact: tell(story.run, fact, story.at)


def _launched(story: _Story, place: int, fact: Happening) -> Iterator[str]:
    """What is not as on Google Cloud is told of the first attempt only, while it stays the same."""
    told = {
        warning
        for earlier in story.history[:place]
        if earlier.kind == "launched"
        for warning in earlier.data.get("warnings", ())
    }
    yield from explain_attempt.launched(story.run, fact, told)


def _delayed(story: _Story, place: int, fact: Happening) -> Iterator[str]:
    """Of many delays of one launch only the last is told, with their number."""
    following = story.history[place + 1] if place + 1 < len(story.history) else None
    if following is not None and following.kind == "delayed":
        return
    times = 1
    while times <= place and story.history[place - times].kind == "delayed":
        times += 1
    often = f" ({times} times)" if times > 1 else ""
    message = plain(str(fact.data["message"]))
    yield sentence(f"the provider could not take it then{often}: {message}")


def _untold(_: _Story, __: int, ___: Happening) -> Iterator[str]:
    """What `_waited` told already."""
    yield from ()


def _unknown(story: _Story, _: int, fact: Happening) -> Iterator[str]:
    yield sentence(f"{fact.kind.replace('_', ' ')} at {story.at(fact.at)}")


_TELLERS: dict[str, Callable[[_Story, int, Happening], Iterator[str]]] = {
    "requested": _requested,
    "waited": _waited,
    "slot_freed": _untold,
    "skipped": _skipped,
    "started": _of_attempt(explain_attempt.started),
    "launched": _launched,
    "delayed": _delayed,
    "attempt_ended": _of_attempt(explain_attempt.ended),
    "looked": _looked,
    "restored": _restored,
    "wait_over": _wait_over,
    "released": _of_attempt(explain_attempt.released),
    "cancel_requested": _cancel_requested,
    "deadline_passed": _deadline_passed,
}


def _present(story: _Story) -> Iterator[str]:
    """How it ended, or how it is now."""
    run = story.run
    if run.ended_at is not None:
        yield from _end(story, run.ended_at)
        return
    now = {
        State.QUEUED: "it is queued",
        State.LAUNCHING: f"attempt {run.attempt} is on its way to the provider",
        State.RUNNING: f"attempt {run.attempt} is running",
        State.BACKING_OFF: f"it is backing off after attempt {run.attempt}",
        **{state: f"it is {state} after attempt {run.attempt}" for state in AWAITING},
        State.STOPPING: "it was asked to stop and its tasks have 10 s to end by themselves",
    }[run.state]
    began = ""
    if run.started_at is not None:
        began = f"; it first started {span(story.now - run.started_at)} ago"
    yield sentence(now + began + _due(story))
    if run.awaiting is not None:
        waited = span(story.now - run.awaiting.since)
        until = f"at most until {story.at(run.awaiting.until)}"
        yield sentence(f"it has waited {waited} so far, and waits {until}")
    if run.deadline_at is not None:
        left = run.deadline_at - story.now
        yield sentence(f"its deadline is {story.at(run.deadline_at)}, in {span(left)}")


def _due(story: _Story) -> str:
    run = story.run
    if run.due_at is None:
        return ""
    ahead = run.due_at - story.now
    when = f"in {span(ahead)}" if ahead.total_seconds() > 0 else "now"
    return f"; attempt {run.attempt + 1} is due {when}, at {story.at(run.due_at)}"


def _end(story: _Story, ended_at: datetime) -> Iterator[str]:
    run, at = story.run, story.at(ended_at)
    took = f", {span(ended_at - run.started_at)} after its first start" if run.started_at else ""
    match run.state:
        case State.SUCCEEDED:
            yield sentence(f"it succeeded at {at}{took}")
            for offer in offers(run):
                yield sentence(
                    f"what worked can be the job's own: set {offer.path} to {offer.value}"
                )
        case State.DEAD:
            kinds = [fact.kind for fact in story.history if fact.kind != "released"]
            why = "" if kinds[-1:] == ["attempt_ended"] else f": {plain(run.reason)}"
            yield sentence(f"it is dead since {at}{took}{why}")
        case State.CANCELLED:
            started = "" if run.started_at else ", before it had started"
            yield sentence(f"it is cancelled since {at}{took}{started}")
        case _:  # it was skipped, and that is told with its reason
            return
