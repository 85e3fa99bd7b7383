"""How a request becomes runs: one, or one in each region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from runyard.flow.lifecycle import Decision
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.event import Requested
from runyard.model.ids import RunId
from runyard.model.plan import Placement, Plan, RunRequest
from runyard.model.run import Run, State, TriggeredBy

PRIORITY_STEP = timedelta(minutes=1)
"""The head start that one point of priority gives among waiting runs. A fixed head start, not a
class of its own: a run of low priority is overtaken only by runs asked for within so many minutes
after it, so nothing starves."""


def request(
    plan: Plan, asked: RunRequest, new_id: Callable[[], RunId], now: datetime
) -> list[Decision]:
    """The runs that `asked` makes of `plan`, each queued and due at once.

    Raises InvalidSpec when the job is not placed in the region asked for.
    """
    return [_run(plan, asked, region, new_id(), now) for region in _regions(plan, asked)]


def _regions(plan: Plan, asked: RunRequest) -> tuple[str, ...]:
    if asked.region:
        if asked.region not in plan.regions:
            fault = Fault("region", asked.region, f"one of {', '.join(plan.regions)}")
            raise InvalidSpec(f"{plan.job} is not placed in {asked.region}", faults=(fault,))
        return (asked.region,)
    return plan.regions if plan.placement is Placement.ALL else plan.regions[:1]


def _run(plan: Plan, asked: RunRequest, region: str, run_id: RunId, now: datetime) -> Decision:
    policy = plan.policy
    if asked.priority is not None:
        policy = replace(policy, priority=asked.priority)
    deadline = policy.deadline_seconds
    run = Run(
        id=run_id,
        project=plan.project,
        environment=plan.environment,
        job=plan.job,
        revision=plan.revision,
        region=region,
        state=State.QUEUED,
        trigger=asked.trigger,
        requested_by=asked.by,
        requested_at=now,
        rank_at=now - policy.priority * PRIORITY_STEP,
        policy=policy,
        task_count=asked.overrides.task_count or plan.task_count,
        overrides=asked.overrides,
        labels=tuple(sorted((dict(plan.labels) | dict(asked.labels)).items())),
        due_at=now,
        deadline_at=None if deadline is None else now + timedelta(seconds=deadline),
        concurrency_slot=_slot(plan, region) if policy.concurrency_limit else "",
        triggered_by=_triggered_by(plan, asked, region),
        version=1,
    )
    return Decision(run, Requested(asked.trigger, asked.by, plan.revision, policy.priority))


def _slot(plan: Plan, region: str) -> str:
    """A job placed in all its regions has its limit in each; else it has one limit."""
    name = f"job/{plan.project}/{plan.environment}/{plan.job}"
    return f"{name}/{region}" if plan.placement is Placement.ALL else name


def _triggered_by(plan: Plan, asked: RunRequest, region: str) -> TriggeredBy | None:
    """Runs of one instant in several regions do not wait for each other."""
    by = asked.triggered_by
    if by is None or not by.slot or plan.placement is not Placement.ALL:
        return by
    return replace(by, slot=f"{by.slot}/{region}")


def slots_of(plan: Plan) -> tuple[str, ...]:
    """The names of the slots that the job's limit is counted in, if it has one."""
    return tuple(dict.fromkeys(_slot(plan, region) for region in plan.regions))
