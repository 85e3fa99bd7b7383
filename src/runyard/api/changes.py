"""Changes of jobs: how things are is looked at, what shall be is asked of the gate, and its end is
waited for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from runyard.api.permits import ground_of
from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.flow.access import approvals_needed
from runyard.flow.undertaking import Live, Wish
from runyard.gate.reserving import Aim, Undertake, Undertaken
from runyard.model.deployed import DeployedJob, Place
from runyard.model.errors import NotFound, Refused
from runyard.model.ids import OperationId
from runyard.model.operation import AT_REST, Operation, OperationKind, OperationState
from runyard.model.principal import Caller
from runyard.store.jobs import JobRow

Key = tuple[str, str]  #: project and name


@dataclass(frozen=True, slots=True)
class Looked:
    """A job as it is: in force (None: it is not) and at the provider, by region."""

    row: JobRow | None
    live: Live


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a change, why, and how."""

    environment: str
    who: Caller
    reason: str = ""
    confirmed: bool = False
    forced: bool = False
    approvals_needed: int = 0
    wait_seconds: float = 0.0


async def look(
    services: Services, environment: str, regions: dict[Key, Iterable[str]]
) -> dict[Key, Looked]:
    """How jobs are, in force and in the regions that are named and those they are in already."""

    async def work(tx: Tx) -> dict[Key, JobRow]:
        rows = [
            row
            for name in dict.fromkeys(name for _, name in regions)
            for row in await services.store.jobs.named(tx, environment, name)
        ]
        return {(row.project, row.name): row for row in rows}

    rows = await services.database.read(work)
    places = [
        Place(key[0], environment, region, key[1])
        for key, named in regions.items()
        for region in dict.fromkeys([*named, *_regions(rows.get(key))])
    ]
    found: dict[Key, dict[str, DeployedJob | None]] = {key: {} for key in regions}
    for place, job in zip(places, await services.deployer.deployed(places), strict=True):
        found[place.project, place.job][place.region] = job
    return {key: Looked(rows.get(key), live) for key, live in found.items()}


def _regions(row: JobRow | None) -> Sequence[str]:
    return row.document["regions"] if row is not None else ()


def aim(key: Key, looked: Looked) -> Aim:
    """An aim at a job as it is: as long as nothing else is said, it is to be deleted."""
    return Aim(key, looked.row.revision if looked.row is not None else 0, looked.live)


async def approvals(services: Services, who: Caller, environment: str) -> int:
    """How many others have to approve what `who` changes in an environment now."""
    return approvals_needed(who, await ground_of(services, environment), services.clock())


async def undertake(
    services: Services, kind: OperationKind, asked: Asked, aims: Sequence[Aim]
) -> Undertaken:
    """Begin an operation, and wait for its end (or until it waits for people) as long as asked.

    Raises Refused when it was undone meanwhile, and whatever `Undertake` raises.
    """
    done = await services.gate.ask(undertaking(services, kind, asked, aims))
    if done.operation is None or not asked.wait_seconds:
        return done
    return replace(done, operation=await ended(services, done.operation, asked.wait_seconds))


def undertaking(
    services: Services, kind: OperationKind, asked: Asked, aims: Sequence[Aim]
) -> Undertake:
    """The command that begins an operation."""
    now = services.clock()
    wish = Wish(
        services.new_operation_id(),
        kind,
        asked.environment,
        asked.who.name,
        now,
        asked.reason,
        asked.approvals_needed,
        asked.forced,
        asked.confirmed,
        services.settings.undelete_seconds,
    )
    waits = timedelta(seconds=services.settings.approval_seconds)
    return Undertake(wish, aims, waits, now, asked.who.origin)


async def at_rest(services: Services, operation: OperationId, wait_seconds: float) -> Operation:
    """The operation once it is at rest, or as it is after `wait_seconds`."""
    until = services.clock() + timedelta(seconds=wait_seconds)
    with services.signals.listening([f"operation/{operation}"]) as listener:
        while True:
            row = await operation_in(services, operation)
            left = (until - services.clock()).total_seconds()
            if row.state in AT_REST or left <= 0 or services.streams.is_closing:
                return row
            await listener.wait(min(left, services.settings.pace.safety))


async def ended(services: Services, begun: Operation, wait_seconds: float) -> Operation:
    """The operation once it is at rest, or as it is after a while. Raises Refused when it was
    undone."""
    row = await at_rest(services, begun.id, wait_seconds)
    if row.state is OperationState.UNDONE:
        raise Refused(f"nothing was changed, {row.id} was undone: {row.error}", hint=row.hint)
    return row


async def operation_in(services: Services, operation: OperationId) -> Operation:
    """The operation. Raises NotFound."""

    async def work(tx: Tx) -> list[Operation]:
        return await services.store.operations.get(tx, [operation])

    found = await services.database.read(work)
    if not found:
        shown = operation if operation.isprintable() and len(operation) <= 60 else "of this name"
        raise NotFound(f"there is no operation {shown}", hint="list them with `runyard operations`")
    return found[0]
