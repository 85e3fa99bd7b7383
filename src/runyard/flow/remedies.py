"""What can be done about an incident now, and what of it would make sense: with why, or why not.

Nothing is done by it: a person decides. Each action is looked at by itself, in this order; what is
suggested follows from how the runs of the job ended, and since when.

    replay         something has changed since the runs died, or the fault was not theirs
    rollback       an older revision succeeded last, and the one in force has died since
    pause          runs in a row are dead, and a schedule goes on asking for more
    raise_memory   the last dead run was killed for memory, and the job has no more since
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.flow.growing import MEMORY_BYTES_MAX, next_size, template_memory
from runyard.flow.recovering import MEMORY_PATH, offers
from runyard.flow.wording import count, listed, memory
from runyard.model.dead_letter import DeadLetter
from runyard.model.failure import FailureClass, Shortage
from runyard.model.incident import RemedyAction
from runyard.model.quantities import memory_bytes_of
from runyard.model.run import Run, TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState

STREAK_MIN = 3  #: dead runs in a row, as in the rule `failing` that every job has
#: Faults that are not the job's: an older revision, or less often, is no help.
NOT_ITS_OWN = frozenset({FailureClass.NETWORK, FailureClass.PLATFORM})


@dataclass(frozen=True, slots=True)
class Case:
    """What a suggestion is made from. No `document`: the `job` is gone; no job: it is about none.

    `revisions` has the numbers of those that are kept, `dead` the newest dead runs of the job,
    newest first, `letters` the open dead letters of the incident, in the order in which they died.
    `succeeded` is its last success, `worked` the last one that a way back from a want
    of memory brought to its end. `triggers` are all of the job's.
    """

    job: str = ""
    revision: int = 0
    document: Mapping[str, Any] | None = None
    revisions: frozenset[int] = frozenset()
    dead: Sequence[Run] = ()
    letters: Sequence[DeadLetter] = ()
    succeeded: Run | None = None
    worked: Run | None = None
    triggers: Sequence[Trigger] = ()

    @property
    def since(self) -> list[Run]:
        """The runs that died after the last success."""
        good = self.succeeded
        return [run for run in self.dead if good is None or _is_later(run, good)]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One action: whether it would make sense now, and why (not). `target` is what it would be done
    to, or with, if nobody says anything else: runs, a revision, triggers, an amount of memory;
    empty: it cannot be done without a word."""

    action: RemedyAction
    suggested: bool
    reason: str
    target: tuple[str, ...] = ()


def suggestions(case: Case) -> list[Suggestion]:
    """Each action, in the order of the module's words."""
    if case.document is None:
        reason = f"{case.job} is not in force any more" if case.job else "it is about no job"
        return [Suggestion(action, suggested=False, reason=reason) for action in ACTIONS]
    return [look(case, case.document) for look in ACTIONS.values()]


def suggestion(case: Case, action: RemedyAction) -> Suggestion:
    """What is to be said of one action."""
    return next(one for one in suggestions(case) if one.action is action)


def _replay(case: Case, document: Mapping[str, Any]) -> Suggestion:
    if not case.letters:
        return _no(RemedyAction.REPLAY, "no dead run of it waits for somebody")
    target = tuple(one.run for one in case.letters)
    why = _is_worth_it(case, case.letters[-1])
    reason = why or "nothing of the job has changed since, so they would end the same way"
    return Suggestion(RemedyAction.REPLAY, suggested=bool(why), reason=reason, target=target)


def _is_worth_it(case: Case, newest: DeadLetter) -> str:
    """Why a run in place of a dead one would end otherwise; empty: it would not."""
    good = case.succeeded
    if good is not None and _ended(good) > newest.died_at:
        return f"the job works again: {good.id} succeeded since"
    if newest.revision < case.revision:
        return f"revision {case.revision} came into force since they died"
    if newest.failure_class in NOT_ITS_OWN:
        return f"{newest.run} failed for the {newest.failure_class}, which may be over"
    return ""


def _rollback(case: Case, document: Mapping[str, Any]) -> Suggestion:
    good, newer = case.succeeded, [run for run in case.since if run.revision == case.revision]
    if good is None:
        return _no(RemedyAction.ROLLBACK, "no revision of it is known to have succeeded")
    if good.revision >= case.revision:
        return _no(RemedyAction.ROLLBACK, f"revision {case.revision}, in force, has succeeded")
    if good.revision not in case.revisions:
        return _no(RemedyAction.ROLLBACK, f"revision {good.revision}, which succeeded, is not kept")
    target = (str(good.revision),)
    if not newer:
        reason = f"no run of revision {case.revision}, in force, has died since the last success"
        return Suggestion(RemedyAction.ROLLBACK, suggested=False, reason=reason, target=target)
    if _class(newer[0]) in NOT_ITS_OWN:
        reason = f"{newer[0].id} failed for the {_class(newer[0])}, not for the job"
        return Suggestion(RemedyAction.ROLLBACK, suggested=False, reason=reason, target=target)
    have = "has" if len(newer) == 1 else "have"
    reason = (
        f"revision {good.revision} succeeded last ({good.id}), and {count(len(newer), 'run')} of "
        f"revision {case.revision} {have} died since"
    )
    return Suggestion(RemedyAction.ROLLBACK, suggested=True, reason=reason, target=target)


def _pause(case: Case, document: Mapping[str, Any]) -> Suggestion:
    schedules = [
        one
        for one in case.triggers
        if one.kind is TriggerKind.SCHEDULE and one.state is TriggerState.ENABLED
    ]
    if not schedules:
        return _no(RemedyAction.PAUSE, "no schedule of it asks for runs")
    target, died = tuple(one.name for one in schedules), len(case.since)
    if died < STREAK_MIN:
        reason = f"{count(died, 'run')} in a row died; it makes sense from {STREAK_MIN} on"
        return Suggestion(RemedyAction.PAUSE, suggested=False, reason=reason, target=target)
    more = "asks for more" if len(target) == 1 else "ask for more"
    reason = f"{count(died, 'run')} in a row are dead, and {listed(target)} {more}"
    return Suggestion(RemedyAction.PAUSE, suggested=True, reason=reason, target=target)


def _raise_memory(case: Case, document: Mapping[str, Any]) -> Suggestion:
    has = template_memory(document["template"])
    if has >= MEMORY_BYTES_MAX:
        return _no(RemedyAction.RAISE_MEMORY, f"its tasks have {memory(has)}, the most there is")
    worked = _offered(case.worked)
    target = (memory(worked if worked > has else next_size(has)),)
    newest = case.dead[0] if case.dead else None
    if newest is None or not _is_short_of_memory(newest):
        reason = "the last dead run was not killed for memory"
        return Suggestion(RemedyAction.RAISE_MEMORY, suggested=False, reason=reason, target=target)
    had = memory_of(newest)
    if had < has:
        reason = f"its tasks have {memory(has)} now, more than {newest.id} had"
        return Suggestion(RemedyAction.RAISE_MEMORY, suggested=False, reason=reason, target=target)
    reason = f"{newest.id} was killed for memory with {memory(had)}"
    if case.worked is not None and worked > has:
        reason = f"{reason}, and {case.worked.id} succeeded with {memory(worked)}"
    return Suggestion(RemedyAction.RAISE_MEMORY, suggested=True, reason=reason, target=target)


def memory_of(run: Run) -> int:
    """What each task of a run's last attempt had."""
    usage = run.outcome.usage.memory_bytes if run.outcome is not None else 0
    return run.scaled.memory_bytes or usage


def _offered(run: Run | None) -> int:
    """The memory that a run which recovered offers to its job; 0: none."""
    found = (one.value for one in offers(run) if one.path == MEMORY_PATH) if run else ()
    return max((memory_bytes_of(value) for value in found), default=0)


def _is_short_of_memory(run: Run) -> bool:
    failure = run.outcome.failure if run.outcome is not None else None
    return failure is not None and failure.shortage is Shortage.MEMORY


def _class(run: Run) -> FailureClass | None:
    failure = run.outcome.failure if run.outcome is not None else None
    return None if failure is None else failure.failure_class


def _is_later(one: Run, other: Run) -> bool:
    return _ended(one) > _ended(other)


def _ended(run: Run) -> datetime:
    return run.ended_at or run.requested_at


def _no(action: RemedyAction, reason: str) -> Suggestion:
    return Suggestion(action, suggested=False, reason=reason)


ACTIONS = {
    RemedyAction.REPLAY: _replay,
    RemedyAction.ROLLBACK: _rollback,
    RemedyAction.PAUSE: _pause,
    RemedyAction.RAISE_MEMORY: _raise_memory,
}
