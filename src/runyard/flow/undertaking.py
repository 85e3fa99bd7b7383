"""How a wish becomes an operation: what becomes of each job, and the steps that lead there.

Steps come in phases over all jobs, so that everything that only looks has looked before anything is
changed: network, identity, secrets, then the resources, then the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.flow.deployment import found, unlike
from runyard.model.deployed import DeployedJob
from runyard.model.ids import OperationId
from runyard.model.instants import to_micros
from runyard.model.operation import (
    Change,
    JobChange,
    Operation,
    OperationKind,
    Step,
    StepKind,
)
from runyard.model.standing import Standing

Document = Mapping[str, Any]
Live = Mapping[str, DeployedJob | None]  #: a job's resources by region, as they are

_IN_PLACE = frozenset({Change.CREATED, Change.UPDATED, Change.RESTORED})
FENCE_STEP = 2  #: an operation does with its fence, and undoes with the next number


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants what, and when. `forced`: runs that are active are stopped first. `confirmed`: who
    asks knows what is unsafe about it."""

    id: OperationId
    kind: OperationKind
    environment: str
    by: str
    at: datetime
    reason: str = ""
    approvals_needed: int = 0
    forced: bool = False
    confirmed: bool = False
    grace_seconds: float = 0.0


def put(
    key: tuple[str, str],
    document: Document,
    standing: Standing | None,
    live: Live,
    *,
    last: int = 0,
    restores: bool = False,
    targets: tuple[tuple[str, Document], ...] = (),
) -> JobChange:
    """What becomes of a job (project, name) that shall be as `document` says.

    `targets`: see `JobChange`. `last` is the last revision it had when it has none in force;
    `restores`: it is to have that revision again, and no new one.
    """
    before = standing.document if standing is not None else None
    base = standing.revision if standing is not None else 0
    if before is None:
        change, revision = Change.CREATED, last + 1
        if restores:
            change, revision = Change.RESTORED, last
    elif before == document:
        change, revision = Change.UNCHANGED, base
    else:
        change, revision = Change.UPDATED, base + 1
    return JobChange(
        *key,
        change,
        revision,
        base,
        document,
        before,
        etags=_etags(live),
        found=_found(before, live),
        targets=targets,
    )


def drop(key: tuple[str, str], standing: Standing, live: Live) -> JobChange:
    """What becomes of a job that shall be no more."""
    return JobChange(
        *key,
        Change.DELETED,
        standing.revision,
        standing.revision,
        None,
        standing.document,
        etags=_etags(live),
        found=_found(standing.document, live),
    )


def _etags(live: Live) -> tuple[tuple[str, str], ...]:
    return tuple((region, job.etag if job else "") for region, job in sorted(live.items()))


def _found(before: Document | None, live: Live) -> tuple[tuple[str, Document], ...]:
    """Resources that are not as our last document wants them: kept, to be put back if need be."""
    return tuple(
        (region, found(job))
        for region, job in sorted(live.items())
        if job is not None and (before is None or unlike(job, before))
    )


def next_fence(last: int, at: datetime) -> int:
    """Greater than `last`, the greatest there is; and no smaller than the time, so that a database
    that was restored or has forgotten its operations does not begin again."""
    return max(to_micros(at), last + FENCE_STEP)


def draft(
    wish: Wish,
    changes: Sequence[JobChange],
    live: Mapping[tuple[str, str], Live],
    unsafe: Sequence[str] = (),
    fence: int = 0,
) -> Operation | None:
    """The operation that makes `changes`, not begun; None when there is nothing to do.

    `live` is by (project, name). `unsafe`: what has to be confirmed beside what is seen here.
    """
    steps = tuple(_steps(wish, changes, live))
    if not steps:
        return None
    return Operation(
        id=wish.id,
        kind=wish.kind,
        environment=wish.environment,
        requested_by=wish.by,
        requested_at=wish.at,
        jobs=tuple(changes),
        steps=steps,
        reason=wish.reason,
        unsafe=(*unsafe, *_unsafe(changes)),
        confirmed_by=wish.by if wish.confirmed else "",
        approvals_needed=wish.approvals_needed,
        forced=wish.forced,
        grace_seconds=wish.grace_seconds,
        fence=fence,
    )


def _unsafe(changes: Sequence[JobChange]) -> Iterator[str]:
    for change in changes:
        if change.before is None:
            for region, _ in change.found:
                yield (
                    f"{change.name} is in {region} already and not ours: what is there is replaced"
                )


_Phase = Callable[[Wish, int, JobChange, Live], Iterator[Step]]


def _steps(
    wish: Wish, changes: Sequence[JobChange], live: Mapping[tuple[str, str], Live]
) -> Iterator[Step]:
    phases: tuple[_Phase, ...] = (
        _look(StepKind.NETWORK), _look(StepKind.IDENTITY), _look(StepKind.SECRETS), _runs, _deploy,
        _remove, _part(StepKind.UNBIND), _part(StepKind.RETIRE), _prove,
    )  # fmt: skip
    for phase in phases:
        for number, change in enumerate(changes):
            yield from phase(wish, number, change, live.get((change.project, change.name), {}))


def _look(kind: StepKind) -> _Phase:
    def phase(_: Wish, number: int, change: JobChange, __: Live) -> Iterator[Step]:
        if change.change in _IN_PLACE:
            yield Step(kind, number)

    return phase


def _part(kind: StepKind) -> _Phase:
    def phase(_: Wish, number: int, change: JobChange, __: Live) -> Iterator[Step]:
        if change.change is Change.DELETED:
            yield Step(kind, number)

    return phase


def _runs(wish: Wish, number: int, change: JobChange, _: Live) -> Iterator[Step]:
    if change.change is Change.DELETED and wish.forced:
        yield Step(StepKind.RUNS, number)


def _deploy(_: Wish, number: int, change: JobChange, live: Live) -> Iterator[Step]:
    if change.document is None:
        return
    for region in change.document["regions"]:
        if change.change in _IN_PLACE or unlike(live.get(region), change.target(region) or {}):
            yield Step(StepKind.DEPLOY, number, region)


def _remove(_: Wish, number: int, change: JobChange, live: Live) -> Iterator[Step]:
    """Where it was and shall not be, and wherever it is and nobody wants it."""
    before = change.before["regions"] if change.before is not None else ()
    kept = change.document["regions"] if change.document is not None else ()
    if change.change in _IN_PLACE or change.change is Change.DELETED:
        for region in before:
            if region not in kept:
                yield Step(StepKind.REMOVE, number, region)


def _prove(wish: Wish, number: int, change: JobChange, live: Live) -> Iterator[Step]:
    if any(True for _ in _deploy(wish, number, change, live)):
        yield Step(StepKind.PROVE, number)
