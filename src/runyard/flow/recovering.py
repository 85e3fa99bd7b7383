"""What a failed attempt's class makes of the next one: the declared ways back, with their limits.

1. A way back is only for its own failure: `timeout` for the task's own timeout (a longer one mends
   no deadline of a call), `memory` for a want of memory.
2. Each has a number of attempts and a cap. At either the run gives up, and says which it was.
3. What an attempt was given more stays for the rest of the run, and for this run only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from runyard.flow.wording import memory, span
from runyard.model.cloudrun.sizes import PAIRS
from runyard.model.durations import SECOND_NANOS, google_form
from runyard.model.failure import FailureClass, Shortage
from runyard.model.outcome import Outcome
from runyard.model.quantities import MIB
from runyard.model.recovery import Extend, Grow, Scaled
from runyard.model.run import Run, State

TIMEOUT_PATH = "template.template.timeout"
MEMORY_PATH = "template.template.containers[0].resources.limits.memory"
STEP_BYTES = 128 * MIB  #: sizes are whole steps of it: Cloud Run's least memory of a container


@dataclass(frozen=True, slots=True)
class WayBack:
    """The next attempt is made with `scaled`; `told` says what that is, and by which rule."""

    scaled: Scaled
    told: str


@dataclass(frozen=True, slots=True)
class NoWayBack:
    """A way back is declared, and it is at its limit."""

    reason: str


def way_back(run: Run, outcome: Outcome) -> WayBack | NoWayBack | None:
    """What is declared for the failure of `outcome`; None when nothing is."""
    failure, declared = outcome.failure, run.policy.recovery
    if failure is None:
        return None
    if failure.failure_class is FailureClass.TIMEOUT and _is_the_tasks(outcome):
        return None if declared.timeout is None else _longer(run, declared.timeout)
    if failure.shortage is Shortage.MEMORY:
        return None if declared.memory is None else _larger(run, declared.memory, outcome)
    return None


def _is_the_tasks(outcome: Outcome) -> bool:
    return any(each.timed_out for each in outcome.failures)


def _longer(run: Run, extend: Extend) -> WayBack | NoWayBack:
    rule = "recovery.timeout"
    had = run.scaled.timeout_seconds or run.overrides.timeout_seconds or extend.initial_seconds
    if run.attempt >= extend.attempts_max:
        return NoWayBack(f"attempt {run.attempt} of {extend.attempts_max} by {rule}.attempts")
    now = min(had * extend.factor, extend.max_seconds)
    if now <= had:
        return NoWayBack(f"its tasks may last {span(had)} already, {rule}.max")
    told = f"its tasks may last {span(now)} instead of {span(had)} ({rule})"
    return WayBack(replace(run.scaled, timeout_seconds=now), told)


def _larger(run: Run, grow: Grow, outcome: Outcome) -> WayBack | NoWayBack:
    rule = "recovery.memory"
    had = run.scaled.memory_bytes or outcome.usage.memory_bytes
    if run.attempt >= grow.attempts_max:
        return NoWayBack(f"attempt {run.attempt} of {grow.attempts_max} by {rule}.attempts")
    now = min(-(-int(had * grow.factor) // STEP_BYTES) * STEP_BYTES, grow.max_bytes)
    if now <= had:
        return NoWayBack(f"its tasks have {memory(had)} of memory already, {rule}.max")
    told = f"its tasks get {memory(now)} of memory instead of {memory(had)} ({rule})"
    return WayBack(replace(run.scaled, memory_bytes=now), told)


@dataclass(frozen=True, slots=True)
class Offer:
    """A change of the job that would give every run what made this one succeed."""

    path: str
    value: str


def offers(run: Run) -> tuple[Offer, ...]:
    """What a run that recovered has to offer to its job; nothing of one that did not succeed."""
    if run.state is not State.SUCCEEDED:
        return ()
    found = []
    if run.scaled.timeout_seconds is not None:
        nanos = round(run.scaled.timeout_seconds * SECOND_NANOS)
        found.append(Offer(TIMEOUT_PATH, google_form(nanos)))
    if run.scaled.memory_bytes is not None:
        found.append(Offer(MEMORY_PATH, memory(run.scaled.memory_bytes)))
    return tuple(found)


def vcpu_milli_for(memory_bytes: int, vcpu_milli: int) -> int:
    """Thousandths of a CPU that a task with so much memory needs at least, and `vcpu_milli` at
    least (https://cloud.google.com/run/docs/configuring/jobs/memory-limits)."""
    enough = [cpu * 1000 for cpu, (_, most) in PAIRS.items() if memory_bytes <= most]
    return max(vcpu_milli, min(enough, default=max(PAIRS) * 1000))
