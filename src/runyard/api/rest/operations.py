"""Operations: listed, looked at, followed; confirmed, approved, refused, cancelled, resumed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer, encoded
from runyard.api.bodies import CancelBody
from runyard.api.changes import operation_in
from runyard.api.documents_operations import operation_document, operation_event
from runyard.api.event_stream import EventStream
from runyard.api.permits import Who, allowed, ground_of, permit, still_allowed
from runyard.api.queries import HistoryQuery, OperationsQuery
from runyard.api.reading import body, described
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_operations import (
    OperationHistoryShape,
    OperationPageShape,
    OperationShape,
)
from runyard.database.port import Tx
from runyard.flow.access import Permission, may_approve
from runyard.gate.operating import TellOperation
from runyard.model.errors import IllegalTransition, NotFound, PermissionDenied, Refused
from runyard.model.forms import Shaped
from runyard.model.ids import OperationId
from runyard.model.instants import to_micros
from runyard.model.operation import (
    AT_REST,
    Approved,
    CancelAsked,
    Confirmed,
    Declined,
    Operation,
    OperationEvent,
    OperationState,
    Resumed,
)
from runyard.model.principal import Caller
from runyard.store.operations import OperationHappening

operations = router("operations")
_ID = re.compile("op_[0-9abcdefghjkmnpqrstvwxyz]{26}")
OperationPath = Annotated[str, Path(alias="id", description="An operation's id, such as op_01k….")]
Why = Annotated[CancelBody, Depends(body(CancelBody, optional=True))]
HEARTBEAT = b": still here\n\n"
_STREAM = {
    "description": "Server-sent events: `operation`, and `end` as the last.",
    "content": {
        "text/event-stream": {
            "schema": {
                "description": "One event; `data` is JSON, `id` the operation's version.",
                "type": "object",
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9]{1,9}$"},
                    "event": {"enum": ["operation", "end"]},
                    "data": {"type": "string"},
                },
            }
        }
    },
}


async def _operation(
    services: Services, operation: str, who: Caller, permission: Permission
) -> Operation:
    """The operation, for who has the permission in its environment. Raises NotFound."""
    known = OperationId(operation if _ID.fullmatch(operation) else "")
    try:
        row = await operation_in(services, known)
    except NotFound:
        shown = operation if operation.isprintable() and len(operation) <= 60 else "with this id"
        raise NotFound(
            f"there is no operation {shown}", hint="list them with `runyard operations`"
        ) from None
    await permit(services, who, permission, row.environment)
    return row


@operations.get(
    "/operations",
    response_model=OperationPageShape,
    responses=errors(),
    dependencies=allowed(Permission.OPERATIONS_READ),
)
async def list_operations(
    services: Use, who: Who, query: Annotated[OperationsQuery, Query()]
) -> Response:
    """List operations, newest first. Pages neither lose nor double one."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.OPERATIONS_READ, environment)
    question = [environment, query.job]
    before = None
    if query.page_token:
        micros, last = cursors.place_in(question, query.page_token, ((int,), (str,)))
        before = (micros, last)

    async def work(tx: Tx) -> list[Operation]:
        store = services.store.operations
        return await store.page(tx, environment, before, query.page_size + 1, query.job or "")

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = ""
    if rest:
        token = cursors.token(question, to_micros(page[-1].requested_at), page[-1].id)
    documents = [operation_document(one) for one in page]
    return answer({"operations": documents, "next_page_token": token})


@operations.get(
    "/operations/{id}",
    response_model=OperationShape,
    responses=errors(404),
    dependencies=allowed(Permission.OPERATIONS_READ),
)
async def get_operation(services: Use, who: Who, operation: OperationPath) -> Response:
    """One operation with its steps."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_READ)
    return answer(operation_document(row))


@operations.get(
    "/operations/{id}/history",
    response_model=OperationHistoryShape,
    responses=errors(404),
    dependencies=allowed(Permission.OPERATIONS_READ),
)
async def get_operation_history(
    services: Use, who: Who, operation: OperationPath, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """All that happened to an operation, in order."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_READ)

    async def work(tx: Tx) -> list[OperationHappening]:
        return await services.store.operations.history(tx, row.id, query.after)

    history = await services.database.read(work)
    return answer({"events": [operation_event(fact) for fact in history]})


@operations.get(
    "/operations/{id}/events",
    response_class=Response,
    responses=errors(404) | {200: _STREAM},
    dependencies=allowed(Permission.OPERATIONS_READ),
)
async def follow_operation(
    request: Request,
    services: Use,
    who: Who,
    operation: OperationPath,
    last_event_id: Annotated[
        str,
        Header(description="Go on after the event with this id."),
        Shaped("[0-9]{0,9}", "the id of an event of this stream", 9),
    ] = "",
) -> Response:
    """Follow an operation: as it is at once and on each change, until it is at rest."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_READ)
    allowed_still = still_allowed(request, Permission.OPERATIONS_READ, row.environment)
    return EventStream(_events(services, row.id, int(last_event_id or 0), allowed_still))


async def _events(
    services: Services,
    operation: OperationId,
    told: int,
    allowed_still: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    pace = services.settings.pace
    with (
        services.signals.listening([f"operation/{operation}"]) as listener,
        services.streams.opened(listener),
    ):
        silent_seconds = 0.0
        while not services.streams.is_closing and await allowed_still():
            row = await operation_in(services, operation)
            if row.version > told:
                told, silent_seconds = row.version, 0.0
                yield _event("operation", row)
            if row.state in AT_REST:
                yield _event("end", row)
                return
            if not await listener.wait(pace.safety):
                silent_seconds += pace.safety
            if silent_seconds >= pace.heartbeat:
                silent_seconds = 0.0
                yield HEARTBEAT


def _event(kind: str, row: Operation) -> bytes:
    data = encoded(operation_document(row))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.version, kind.encode(), data)


async def _tell(services: Services, row: Operation, event: OperationEvent, who: Caller) -> Response:
    told = TellOperation(row.id, event, services.clock(), origin=who.origin)
    try:
        after = await services.gate.ask(told)
    except IllegalTransition:
        raise _not_now(await operation_in(services, row.id)) from None
    return answer(operation_document(after))


def _not_now(row: Operation) -> Refused:
    return Refused(
        f"that cannot be done to {row.id} now: it is {row.state}",
        hint=f"`runyard operations get {row.id}` shows where it stands",
    )


@operations.post(
    "/operations/{id}:approve",
    response_model=OperationShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.OPERATIONS_APPROVE),
    openapi_extra=described(CancelBody, required=False),
)
async def approve_operation(
    services: Use, who: Who, operation: OperationPath, asked: Why
) -> Response:
    """Say yes: who asked for it confirms what is unsafe, others approve it."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_APPROVE)
    if row.waits_for_confirmation and who.name == row.requested_by:
        return await _tell(services, row, Confirmed(who.name), who)
    if row.state is not OperationState.WAITING:
        raise _not_now(row)
    ground = await ground_of(services, row.environment)
    verdict = may_approve(who, row.requested_by, row.environment, services.clock(), ground)
    if not verdict.allowed:
        raise PermissionDenied(verdict.why, hint=verdict.hint)
    return await _tell(services, row, Approved(who.name), who)


@operations.post(
    "/operations/{id}:refuse",
    response_model=OperationShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.OPERATIONS_APPROVE),
    openapi_extra=described(CancelBody, required=False),
)
async def refuse_operation(
    services: Use, who: Who, operation: OperationPath, asked: Why
) -> Response:
    """Say no to an operation that waits for people."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_APPROVE)
    return await _tell(services, row, Declined(who.name, asked.reason), who)


@operations.post(
    "/operations/{id}:cancel",
    response_model=OperationShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.OPERATIONS_CHANGE),
    openapi_extra=described(CancelBody, required=False),
)
async def cancel_operation(
    services: Use, who: Who, operation: OperationPath, asked: Why
) -> Response:
    """Have an operation undone. What is complete stays so: roll back instead."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_CHANGE)
    return await _tell(services, row, CancelAsked(who.name, asked.reason), who)


@operations.post(
    "/operations/{id}:resume",
    response_model=OperationShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.OPERATIONS_CHANGE),
    openapi_extra=described(CancelBody, required=False),
)
async def resume_operation(
    services: Use, who: Who, operation: OperationPath, asked: Why
) -> Response:
    """Have a stuck operation undone further, after a person has mended what held it up."""
    row = await _operation(services, operation, who, Permission.OPERATIONS_CHANGE)
    return await _tell(services, row, Resumed(who.name), who)
