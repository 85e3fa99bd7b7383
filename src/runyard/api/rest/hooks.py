"""Webhooks: called by anybody who can prove who they are, listed and looked at by people."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.errors import error_answer
from runyard.api.hooks.documents import (
    CalledShape,
    HookShape,
    HooksShape,
    called_document,
    hook_document,
)
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import EnvironmentQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.webhook.proving import Headers
from runyard.flow.webhook.reading import headers_of, shown_headers, told_of
from runyard.flow.webhook.taking import challenge_of, delivery_key
from runyard.gate.delivering import Take, Taken, spec_of
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import CallerError, Fault, InvalidSpec, NotFound, Unauthenticated
from runyard.model.ids import RANDOM_BITS, DeliveryId, stamped
from runyard.model.run import TriggerKind
from runyard.model.trigger.pointing import Told
from runyard.model.trigger.row import Trigger, TriggerKey
from runyard.model.trigger.webhook import WebhookSpec

calls = router("hooks", prefix="")
hooks = router("hooks")
READ = Permission.HOOKS_READ
UNKNOWN_BYTES_MAX = 1024 * 1024  #: read of a call for a webhook that there is not
Part = Annotated[str, Path(description="As the manifest names it.")]
_NAME = re.compile("[a-z][a-z0-9-]{0,62}")


@calls.post(
    "/hooks/{project}/{environment}/{job}/{name}",
    status_code=202,
    response_model=CalledShape,
    responses=errors(404, 409, 412, 413)
    | {200: {"model": CalledShape, "description": "It asked for no run, or had been taken."}},
    openapi_extra={"security": []},
)
async def call(
    request: Request, services: Use, project: Part, environment: Part, job: Part, name: Part
) -> Response:
    """Bring something to a webhook: it asks for runs when it proves to be sent by who has the
    secret, as the trigger says. The answer comes at once, with the addresses of the runs."""
    row = await webhook(services, (project, environment, job, name))
    spec = None if row is None else _spec(row)
    bytes_max = UNKNOWN_BYTES_MAX if spec is None else spec.body_bytes_max
    content = await _content(request, bytes_max)
    headers, sender = headers_of(request.headers.raw), None if spec is None else spec.webhook
    doubt = await services.hooks.proofs.doubt(sender, environment, headers, content or b"")
    if row is None or spec is None:
        raise NotFound("there is no such webhook")
    delivery = _delivery(request, services, row, content or b"")
    if content is None or doubt:
        reason = f"it is larger than {spec.max_body}" if content is None else doubt
        services.hooks.doubts.note(delivery.evolve(reason=reason))
        services.metrics.delivered(DeliveryFate.DOUBTED)
        if content is None:
            return _too_large(spec)
        raise Unauthenticated("this is not accepted")
    return await _take(request, services, row, spec, delivery, headers, content)


async def _take(
    request: Request,
    services: Services,
    row: Trigger,
    spec: WebhookSpec,
    delivery: Delivery,
    headers: Headers,
    content: bytes,
) -> Response:
    shown = shown_headers(spec.webhook, headers)
    told: Told | CallerError
    key, challenge = "", None
    try:
        told = told_of(shown, content)
        challenge = challenge_of(spec, told)
        key = "" if challenge is not None else delivery_key(spec, headers, told)
    except InvalidSpec as error:
        told = error
    given = delivery.evolve(headers=shown, key=key)
    command = Take(row.key, given, told, content, delivery.received_at, services.new_run_id)
    taken = await services.gate.ask(command)
    services.metrics.delivered("again" if taken.again else taken.delivery.fate)
    if challenge is not None:
        return answer({"challenge": challenge})
    return taken_answer(request, services, taken)


def taken_answer(request: Request, services: Services, taken: Taken) -> Response:
    """What became of a delivery, for who sent it. Raises the error that it was refused with."""
    if taken.error is not None:
        raise taken.error
    begun = taken.delivery.fate is DeliveryFate.ACCEPTED and not taken.again
    document = called_document(taken.delivery, base_of(request, services), again=taken.again)
    return answer(document, 202 if begun else 200)


@hooks.get("/hooks", response_model=HooksShape, responses=errors(), dependencies=allowed(READ))
async def list_hooks(
    request: Request, services: Use, who: Who, where: Annotated[EnvironmentQuery, Query()]
) -> Response:
    """Webhooks of an environment, with their addresses."""
    environment = where.environment or services.settings.environment
    await permit(services, who, READ, environment)

    async def work(tx: Tx) -> list[Trigger]:
        return await services.store.triggers.of_kind(tx, environment, TriggerKind.WEBHOOK)

    rows, base = await services.database.read(work), base_of(request, services)
    return answer({"hooks": [hook_document(row, base) for row in rows]})


@hooks.get(
    "/hooks/{project}/{environment}/{job}/{name}",
    response_model=HookShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_hook(
    request: Request,
    services: Use,
    who: Who,
    project: Part,
    environment: Part,
    job: Part,
    name: Part,
) -> Response:
    """A webhook, with what its manifest says."""
    await permit(services, who, READ, environment)
    row = await webhook(services, (project, environment, job, name))
    if row is None:
        raise NotFound(
            f"there is no webhook {project}/{environment}/{job}/{name}",
            hint="list them with `runyard hooks`",
        )
    return answer(hook_document(row, base_of(request, services)))


async def webhook(services: Services, key: TriggerKey) -> Trigger | None:
    """The trigger of this key, if it is a webhook."""
    if not all(_NAME.fullmatch(part) for part in key):
        return None

    async def work(tx: Tx) -> list[Trigger]:
        return await services.store.triggers.of_jobs(tx, [(key[1], key[2])])

    rows = await services.database.read(work)
    found = (row for row in rows if row.key == key and row.kind is TriggerKind.WEBHOOK)
    return next(found, None)


def base_of(request: Request, services: Services) -> str:
    """How the server is reached: as its setting says, or as it was reached just now."""
    return (services.settings.public_url or str(request.base_url)).rstrip("/")


def new_delivery_id(services: Services) -> DeliveryId:
    """An id for something that comes in now."""
    chance = int.from_bytes(services.chance(RANDOM_BITS // 8))
    return DeliveryId(stamped("dlv", services.clock(), chance))


def _spec(row: Trigger) -> WebhookSpec | None:
    try:
        return spec_of(row)
    except CallerError:
        return None  # of a version to come: here there is no such webhook


def _delivery(request: Request, services: Services, row: Trigger, content: bytes) -> Delivery:
    now = services.clock()
    return Delivery(
        id=new_delivery_id(services),
        environment=row.environment,
        trigger=row.path,
        key="",
        received_at=now,
        last_at=now,
        address=request.client.host if request.client else "",
        body_bytes=len(content),
    )


async def _content(request: Request, bytes_max: int) -> bytes | None:
    """What was sent; None when it is more than that. All of it is read, so that who sends it
    reads the answer; the server's own limit bounds it."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= bytes_max:
            parts.append(part)
    return b"".join(parts) if size <= bytes_max else None


def _too_large(spec: WebhookSpec) -> Response:
    fault = Fault("body", "", f"at most {spec.max_body}", "the webhook's maxBody is the limit")
    return error_answer(InvalidSpec("what was sent is too large", faults=(fault,)), 413)
