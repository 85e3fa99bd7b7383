"""What each step of an operation is, as calls to the provider; and what undoes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Database, Tx
from runyard.flow.deployment import unlike, wanted
from runyard.gate.door import Gate
from runyard.model.condition import ConditionState
from runyard.model.deployed import DeployedJob, Place
from runyard.model.errors import (
    IllegalTransition,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
)
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId
from runyard.model.operation import JobChange, Operation, Step, StepKind, StepResult
from runyard.provider.port_access import Access, Identity
from runyard.provider.port_jobs import Deployer, DeployOrder
from runyard.store.memory import Store

RUNS_MAX = 100  #: runs that are stopped by one turn of a step
Document = Mapping[str, Any]


@dataclass(slots=True)
class Doing:
    """Does steps, and undoes them. Both may be asked again whatever of it was done before.

    They raise ProviderRefused for what will never be done, another PlatformError for what may be
    done later.
    """

    gate: Gate
    database: Database
    store: Store
    deployer: Deployer
    access: Access
    clock: Callable[[], datetime]

    async def do(self, row: Operation, number: int) -> StepResult:
        """Do a step; what it found or did."""
        step = row.steps[number]
        change = row.jobs[step.job]
        match step.kind:
            case StepKind.NETWORK | StepKind.PROVE:
                words = await self._look(row, step, change)
                return StepResult(self.clock(), words)
            case StepKind.RUNS:
                await self._stop_runs(row, change)
                return StepResult(self.clock(), "no run of it is active")
            case StepKind.DEPLOY:
                return await self._deploy(row, step, change)
            case StepKind.REMOVE:
                return await self._remove(row, step, change)
            case _:
                return await self._settle_access(row, step, change)

    async def undo(self, row: Operation, number: int) -> str:
        """Undo a step, however much of it was done; what that was, in words."""
        step = row.steps[number]
        change = row.jobs[step.job]
        if step.kind in (StepKind.DEPLOY, StepKind.REMOVE):
            return await self._put_back(row, step, change)
        identity = _identity(row, change)
        result = row.results[number] if number < len(row.results) else None
        return await self.access.undo(step.kind, identity, result.undo if result else ())

    # -- looking ---------------------------------------------------------------------------------
    async def _look(self, row: Operation, step: Step, change: JobChange) -> str:
        document = _document(change)
        if step.kind is StepKind.NETWORK:
            place = _place(row, change, document["regions"][0])
            return await self.deployer.network(place, document["template"])
        places = [_place(row, change, region) for region in document["regions"]]
        for place, job in zip(places, await self.deployer.deployed(places), strict=True):
            _prove(place, job, change.target(place.region) or document)
        return f"read back in {', '.join(document['regions'])}: as it was asked for"

    # -- resources -------------------------------------------------------------------------------
    async def _deploy(self, row: Operation, step: Step, change: JobChange) -> StepResult:
        document = change.target(step.region) or _document(change)
        etag = dict(change.etags).get(step.region)
        place = _place(row, change, step.region)
        job = await self.deployer.deploy(_order(place, document, row.fence, etag))
        words = f"generation {job.generation}"
        return StepResult(self.clock(), words, undo=(("etag", job.etag),))

    async def _remove(self, row: Operation, step: Step, change: JobChange) -> StepResult:
        was_there = await self.deployer.remove(_place(row, change, step.region), row.fence)
        touched = (("job", f"{change.name} in {step.region}"),) if was_there else ()
        words = "removed" if was_there else "it was not there"
        return StepResult(self.clock(), words, touched=touched)

    async def _put_back(self, row: Operation, step: Step, change: JobChange) -> str:
        place, fence = _place(row, change, step.region), row.fence + 1
        document = dict(change.found).get(step.region, change.before)
        if not dict(change.etags).get(step.region) or document is None:
            await self.deployer.remove(place, fence)
            return "removed"
        job = await self.deployer.deploy(_order(place, document, fence, None))
        return f"as it was before, generation {job.generation}"

    # -- runs ------------------------------------------------------------------------------------
    async def _stop_runs(self, row: Operation, change: JobChange) -> None:
        async def work(tx: Tx) -> list[RunId]:
            key = (change.project, row.environment, change.name)
            return await self.store.runs.live_of_job(tx, key, RUNS_MAX)

        active = await self.database.read(work)
        for run in active:
            event = CancelRequested(row.requested_by, f"{row.id} deletes its job: {row.reason}")
            try:
                await self.gate.tell(run, event, self.clock())
            except (IllegalTransition, NotFound):
                continue  # it is being stopped already, or has just ended
        if active:
            raise ProviderUnavailable(f"{len(active)} runs have not ended yet")

    # -- identity and secrets --------------------------------------------------------------------
    async def _settle_access(self, row: Operation, step: Step, change: JobChange) -> StepResult:
        settled = await self.access.do(step.kind, _identity(row, change))
        return StepResult(self.clock(), settled.message, touched=settled.touched, undo=settled.undo)


def _document(change: JobChange) -> Document:
    if change.document is None:
        raise ProviderRefused(f"job {change.name} is to be deleted: there is nothing to deploy")
    return change.document


def _place(row: Operation, change: JobChange, region: str) -> Place:
    return Place(change.project, row.environment, region, change.name)


def _identity(row: Operation, change: JobChange) -> Identity:
    return Identity(
        change.project, row.environment, change.name, change.document or {}, change.before or {}
    )


def _order(place: Place, document: Document, fence: int, etag: str | None) -> DeployOrder:
    wish = wanted(document)
    return DeployOrder(place, wish.template, fence, wish.labels, wish.annotations, etag)


def _prove(place: Place, job: DeployedJob | None, document: Document) -> None:
    """Raises ProviderRefused with what is not as it was asked for, ProviderUnavailable while the
    provider has not made of it what was asked for yet."""
    where = f"job {place.job} in {place.region}"
    apart = unlike(job, document)
    if apart or job is None:
        raise ProviderRefused(
            f"{where}, read back, is not as it was asked for: {'; '.join(apart)}",
            hint="see who else changes it, then apply again",
        )
    ready = job.ready
    if ready is not None and ready.state is ConditionState.FAILED:
        words = f": {ready.message}" if ready.message else ""
        raise ProviderRefused(f"{where} does not become ready{words}")
    if not job.is_ready:
        raise ProviderUnavailable(f"{where} is not ready yet")
