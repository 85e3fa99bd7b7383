"""One step inside a batch: an event on a run of the working set, and room given on."""

from __future__ import annotations

from datetime import datetime

from runyard.flow.lifecycle import Facts, decide
from runyard.model.errors import NotFound
from runyard.model.event import Due, Event, SlotFreed
from runyard.model.ids import RunId
from runyard.model.run import OnConflict, Run
from runyard.store.working_set import WorkingSet


async def refill(work: WorkingSet, now: datetime) -> None:
    """Give freed room to those who wait for it, best rank first."""
    while work.freed:
        name = min(work.freed)
        work.freed.discard(name)
        while waiting := await work.waiting_on(name, work.room(name)):
            for run in waiting:  # each leaves the queue: it starts, or waits for another slot
                tell_in(work, run.id, SlotFreed(name), now)
                tell_in(work, run.id, Due(), now)


def tell_in(work: WorkingSet, run_id: RunId, event: Event, now: datetime) -> Run:
    """Decide one event on a run of the working set.

    Raises NotFound or IllegalTransition; the working set is then as it was.
    """
    run = work.runs.get(run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}", hint="list runs with `runyard runs`")
    return work.apply(decide(run, event, facts_of(work, run), now), now)


def facts_of(work: WorkingSet, run: Run) -> Facts:
    """The facts that a decision on `run` needs, from the working set."""
    spent = work.budgets.get(run.job_key)
    if run.policy.on_conflict is not OnConflict.CANCEL_OLDER:
        return Facts(work.slots, spent=spent)
    live = work.rivals[run.concurrency_slot]
    older = (other for other in live if other < run.id and _is_live(work, other))
    return Facts(work.slots, tuple(older), spent)


def _is_live(work: WorkingSet, run_id: RunId) -> bool:
    run = work.runs.get(run_id)
    return run is None or not run.is_final
