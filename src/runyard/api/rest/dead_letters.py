"""Dead letters: listed, grouped, looked at, replayed, discarded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from runyard.api import cursors
from runyard.api.answers import answer, encoded
from runyard.api.documents import run_document
from runyard.api.letter_bodies import DiscardBody, ReplayBody
from runyard.api.letter_queries import LetterGroupsQuery, LettersQuery, WhichLettersQuery
from runyard.api.letter_shapes import (
    LetterGroupsShape,
    LetterPageShape,
    LetterShape,
    group_document,
    letter_document,
)
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.reads import RUN_ID
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes import RunShape
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.gate.dead_letters import Discard
from runyard.gate.replaying import ReplayOne, no_letter
from runyard.model.dead_letter import DeadLetter
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.model.principal import Caller
from runyard.store.dead_letters import LetterGroup, LetterPlace, LetterQuestion

dead_letters = router("dead-letters")
READ, DISCARD = Permission.DEAD_LETTERS_READ, Permission.DEAD_LETTERS_DISCARD
EXPORT_PAGE = 200  #: letters read at a time for an export
LetterPath = Annotated[str, Path(alias="id", description="A dead run's id, such as run_01k….")]
_LINES = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}


@dead_letters.get(
    "/dead-letters",
    response_model=LetterPageShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_letters(
    services: Use, who: Who, query: Annotated[LettersQuery, Query()]
) -> Response:
    """Dead letters, the latest death first; those in the queue unless asked otherwise."""
    question = await _question(services, who, query)
    before: LetterPlace | None = None
    if query.page_token:
        at, run = cursors.place_in(question, query.page_token, ((int,), (str,)))
        before = (at, run)

    async def work(tx: Tx) -> tuple[list[DeadLetter], int]:
        port = services.store.dead_letters
        page = await port.page(tx, question, before, query.page_size + 1)
        return page, await port.count(tx, question)

    found, count = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, *_place(page[-1])) if rest else ""
    letters = [_document(services, one) for one in page]
    return answer({"letters": letters, "count": count, "next_page_token": token})


@dead_letters.get(
    "/dead-letters:export",
    responses=errors() | {200: _LINES | {"description": "One dead letter a line, as JSON."}},
    dependencies=allowed(READ),
)
async def export_letters(
    services: Use, who: Who, query: Annotated[WhichLettersQuery, Query()]
) -> Response:
    """All dead letters that fit, as JSON lines, the latest death first."""
    question = await _question(services, who, query)
    return StreamingResponse(_lines(services, question), media_type="application/x-ndjson")


async def _lines(services: Services, question: LetterQuestion) -> AsyncIterator[bytes]:
    before: LetterPlace | None = None
    while True:

        async def work(tx: Tx, after: LetterPlace | None = before) -> list[DeadLetter]:
            return await services.store.dead_letters.page(tx, question, after, EXPORT_PAGE)

        found = await services.database.read(work)
        for one in found:
            yield encoded(_document(services, one)) + b"\n"
        if len(found) < EXPORT_PAGE:
            return
        before = _place(found[-1])


@dead_letters.get(
    "/dead-letter-groups",
    response_model=LetterGroupsShape,
    responses=errors(),
    dependencies=allowed(READ),
)
async def list_groups(
    services: Use, who: Who, query: Annotated[LetterGroupsQuery, Query()]
) -> Response:
    """Groups of dead letters that say the same, the one with the latest death first."""
    question = await _question(services, who, query)

    async def work(tx: Tx) -> list[LetterGroup]:
        return await services.store.dead_letters.groups(tx, question, query.limit)

    found = await services.database.read(work)
    return answer({"groups": [group_document(one) for one in found]})


@dead_letters.get(
    "/dead-letters/{id}",
    response_model=LetterShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_letter(services: Use, who: Who, run: LetterPath) -> Response:
    """One dead letter, with what was done to it."""
    return answer(_document(services, await letter_in(services, who, run, READ)))


@dead_letters.post(
    "/dead-letters/{id}:replay",
    status_code=201,
    response_model=RunShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(ReplayBody, required=False),
)
async def replay_letter(
    services: Use,
    who: Who,
    run: LetterPath,
    asked: Annotated[ReplayBody, Depends(body(ReplayBody, optional=True))],
) -> Response:
    """Ask for a new run in place of a dead one; its letter is settled by how that ends."""
    found = await letter_in(services, who, run, Permission.RUNS_START)
    command = ReplayOne(who, found.run, asked.how(), services.clock(), services.new_run_id)
    return answer(run_document(await services.gate.ask(command)), 201)


@dead_letters.post(
    "/dead-letters/{id}:discard",
    response_model=LetterShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(DISCARD),
    openapi_extra=described(DiscardBody),
)
async def discard_letter(
    services: Use,
    who: Who,
    run: LetterPath,
    asked: Annotated[DiscardBody, Depends(body(DiscardBody))],
) -> Response:
    """Take a dead letter out of the queue without a run, and say why."""
    found = await letter_in(services, who, run, DISCARD)
    after = await services.gate.ask(Discard(who, found.run, asked.reason, services.clock()))
    return answer(_document(services, after))


async def letter_in(
    services: Services, who: Caller, run: str, permission: Permission
) -> DeadLetter:
    """The letter of a run. Raises NotFound, or PermissionDenied in its environment."""
    known = RUN_ID.fullmatch(run) is not None

    async def work(tx: Tx) -> list[DeadLetter]:
        return await services.store.dead_letters.get(tx, [RunId(run)]) if known else []

    found = await services.database.read(work)
    if not found:
        raise no_letter(run)
    await permit(services, who, permission, found[0].environment)
    return found[0]


async def _question(services: Services, who: Caller, query: WhichLettersQuery) -> LetterQuestion:
    if query.environment:
        await permit(services, who, READ, query.environment)
    return replace(query.question(), environments=visible(who))


def _place(one: DeadLetter) -> LetterPlace:
    return (to_micros(one.died_at), one.run)


def _document(services: Services, one: DeadLetter) -> dict[str, Any]:
    return letter_document(one, services.settings.letter_retention)
