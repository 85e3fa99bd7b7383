"""Many dead letters at once: replayed, one after the other, discarded, published."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer, encoded
from runyard.api.letter_bodies import (
    CancelReplayBody,
    DiscardManyBody,
    FixedBody,
    PublishLettersBody,
    ReplayManyBody,
    WhichBody,
)
from runyard.api.letter_queries import ReplaysQuery
from runyard.api.letter_shapes import (
    BegunReplayShape,
    DiscardedShape,
    PublishedLettersShape,
    ReplayShape,
    ReplaysShape,
    letter_document,
    replay_document,
)
from runyard.api.permits import Who, allowed, permit
from runyard.api.reading import body, described
from runyard.api.rest.reads import job_key
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.flow.replaying import in_turn
from runyard.gate.dead_letters import DiscardMany, NotePublished
from runyard.gate.replaying import BeginReplay, CancelReplay, no_replay
from runyard.gate.resuming import GoOn
from runyard.model.dead_letter import (
    LETTERS_MAX,
    DeadLetter,
    LetterState,
    Replay,
    ReplayHow,
    ReplayId,
)
from runyard.model.errors import IllegalTransition, QuotaExceeded
from runyard.model.ids import RANDOM_BITS, RunId, stamped
from runyard.model.principal import Caller
from runyard.model.pubsub.message import Draft
from runyard.model.run import State

replays = router("dead-letters")
READ, DISCARD = Permission.DEAD_LETTERS_READ, Permission.DEAD_LETTERS_DISCARD
ReplayPath = Annotated[str, Path(alias="replay", description="A replay's id, such as rp_01k….")]


@replays.post(
    "/dead-letters:replay",
    status_code=202,
    response_model=BegunReplayShape,
    responses=errors(404, 412, 413)
    | {200: {"model": BegunReplayShape, "description": "What there would be."}},
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(ReplayManyBody),
)
async def replay_letters(
    services: Use, who: Who, asked: Annotated[ReplayManyBody, Depends(body(ReplayManyBody))]
) -> Response:
    """Replay open dead letters, one after the other, those that died first come first. It goes on
    by itself; `GET /replays` shows how far it is."""
    environment, letters = await _meant(services, who, Permission.RUNS_START, asked.which)
    ids = [one.run for one in letters]
    if asked.preview:
        return answer({"replay": None, "letters": ids, "resumed": []})
    row = _row(services, who, environment, asked.which.words(), asked.how())
    row = row.evolve(per_minute=asked.per_minute, verify_first=asked.verify_first)
    begun = await services.gate.ask(BeginReplay(who, row, ids, services.clock()))
    return answer({"replay": replay_document(begun), "letters": ids, "resumed": []}, 202)


@replays.post(
    "/dead-letters:fixed",
    status_code=202,
    response_model=BegunReplayShape,
    responses=errors(404, 413) | {200: {"model": BegunReplayShape, "description": "None is open."}},
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(FixedBody),
)
async def mark_fixed(
    services: Use, who: Who, asked: Annotated[FixedBody, Depends(body(FixedBody))]
) -> Response:
    """Say that a job (or what one group of its dead died of) is fixed: its open dead letters are
    replayed on its newest revision, the first of them before the others. Where no group is said,
    runs of it that wait to be mended go on."""
    which = WhichBody(
        environment=asked.environment, job=asked.job, project=asked.project, group=asked.group
    )
    environment, letters = await _meant(services, who, Permission.RUNS_START, which)
    ids = [one.run for one in letters]
    held = [] if asked.group else await _held(services, who, asked, environment)
    resumed = await _resumed(services, who, held)
    if not ids:
        await job_key(services, who, asked.job, environment, asked.project)
        return answer({"replay": None, "letters": [], "resumed": resumed})
    row = _row(services, who, environment, f"fixed: {which.words()}", ReplayHow())
    row = row.evolve(per_minute=asked.per_minute, verify_first=True)
    begun = await services.gate.ask(BeginReplay(who, row, ids, services.clock()))
    done = {"replay": replay_document(begun), "letters": ids, "resumed": resumed}
    return answer(done, 202)


async def _held(services: Services, who: Caller, asked: FixedBody, environment: str) -> list[RunId]:
    """The runs of a job that wait to be mended, oldest first. Raises NotFound or Refused."""
    key = await job_key(services, who, asked.job, environment, asked.project)

    async def work(tx: Tx) -> list[RunId]:
        live = await services.store.runs.live_of_job(tx, key, LETTERS_MAX)
        rows = await services.store.runs.get(tx, live)
        return sorted(row.id for row in rows if row.state is State.AWAITING_FIX)

    return await services.database.read(work)


async def _resumed(services: Services, who: Caller, runs: Sequence[RunId]) -> list[RunId]:
    """Those of `runs` that go on now, and did not by themselves meanwhile."""
    resumed = []
    for run in runs:
        with suppress(IllegalTransition):
            await services.gate.ask(GoOn(run, services.clock(), "its job is fixed", who.name))
            resumed.append(run)
    return resumed


@replays.post(
    "/dead-letters:discard",
    response_model=DiscardedShape,
    responses=errors(404, 413),
    dependencies=allowed(DISCARD),
    openapi_extra=described(DiscardManyBody),
)
async def discard_letters(
    services: Use, who: Who, asked: Annotated[DiscardManyBody, Depends(body(DiscardManyBody))]
) -> Response:
    """Take open dead letters out of the queue without runs, and say why."""
    _, letters = await _meant(services, who, DISCARD, asked.which)
    ids = [one.run for one in letters]
    done = await services.gate.ask(DiscardMany(who, ids, asked.reason, services.clock()))
    return answer({"discarded": [one.run for one in done]})


@replays.post(
    "/dead-letters:publish",
    response_model=PublishedLettersShape,
    responses=errors(404, 413),
    dependencies=allowed(Permission.TOPICS_PUBLISH),
    openapi_extra=described(PublishLettersBody),
)
async def publish_letters(
    services: Use,
    who: Who,
    asked: Annotated[PublishLettersBody, Depends(body(PublishLettersBody))],
) -> Response:
    """Publish open dead letters to a topic of their environment. They stay in the queue. One that
    was published there before is not published again, unless that is asked for; should the server
    die between publishing and writing it down, it may be."""
    environment, letters = await _meant(services, who, READ, asked.which)
    await permit(services, who, Permission.TOPICS_PUBLISH, environment)
    before = [] if asked.again else [one for one in letters if _was_published(one, asked.topic)]
    new = [one for one in letters if one not in before]
    messages: dict[RunId, str] = {}
    if new:
        drafts = [_draft(services, one) for one in new]
        ids = await services.broker.publish(environment, asked.topic, drafts)
        messages = {one.run: str(each) for one, each in zip(new, ids, strict=True)}
        note = NotePublished(who, asked.topic, messages, services.clock())
        await services.gate.ask(note)
    return answer(
        {"topic": asked.topic, "published": messages, "before": [one.run for one in before]}
    )


def _was_published(one: DeadLetter, topic: str) -> bool:
    return any(each.topic == topic for each in one.published)


def _draft(services: Services, one: DeadLetter) -> Draft:
    document = letter_document(one, services.settings.letter_retention)
    attributes = {
        "run": str(one.run),
        "job": one.job,
        "failure_class": one.failure_class.value,
        "group": one.fingerprint,
    }
    return Draft(encoded(document), attributes)


# -- replays ---------------------------------------------------------------------------------------
@replays.get(
    "/replays", response_model=ReplaysShape, responses=errors(), dependencies=allowed(READ)
)
async def list_replays(
    services: Use, who: Who, query: Annotated[ReplaysQuery, Query()]
) -> Response:
    """Replays of dead letters, newest first."""
    environments = visible(who)
    if query.environment:
        await permit(services, who, READ, query.environment)
        environments = (query.environment,)
    before = ""
    if query.page_token:
        (before,) = cursors.place_in(environments, query.page_token, ((str,),))

    async def work(tx: Tx) -> list[Replay]:
        port = services.store.dead_letters
        return await port.replay_page(tx, environments, before, query.page_size + 1)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(environments, page[-1].id) if rest else ""
    return answer({"replays": [replay_document(one) for one in page], "next_page_token": token})


@replays.get(
    "/replays/{replay}",
    response_model=ReplayShape,
    responses=errors(404),
    dependencies=allowed(READ),
)
async def get_replay(services: Use, who: Who, replay: ReplayPath) -> Response:
    """How far a replay is."""
    return answer(replay_document(await _replay_in(services, who, replay, READ)))


@replays.post(
    "/replays/{replay}:cancel",
    response_model=ReplayShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_CANCEL),
    openapi_extra=described(CancelReplayBody, required=False),
)
async def cancel_replay(
    services: Use,
    who: Who,
    replay: ReplayPath,
    asked: Annotated[CancelReplayBody, Depends(body(CancelReplayBody, optional=True))],
) -> Response:
    """Have no more letters of a replay asked for; they are open again. Runs that were asked for go
    on."""
    row = await _replay_in(services, who, replay, Permission.RUNS_CANCEL)
    command = CancelReplay(who, row.id, asked.reason, services.clock())
    return answer(replay_document(await services.gate.ask(command)))


async def _replay_in(
    services: Services, who: Caller, replay: str, permission: Permission
) -> Replay:
    async def work(tx: Tx) -> list[Replay]:
        known = replay.isascii() and replay.isprintable()
        return await services.store.dead_letters.replays(tx, [ReplayId(replay)]) if known else []

    found = await services.database.read(work)
    if not found:
        raise no_replay(replay)
    await permit(services, who, permission, found[0].environment)
    return found[0]


async def _meant(
    services: Services, who: Caller, permission: Permission, which: WhichBody
) -> tuple[str, Sequence[DeadLetter]]:
    """The environment, and the open letters that are meant, those that died first come first.

    Raises PermissionDenied, InvalidSpec, or QuotaExceeded where they are too many.
    """
    environment = which.environment or services.settings.environment
    await permit(services, who, permission, environment)
    question, named = which.question(environment), frozenset(which.letters)

    async def work(tx: Tx) -> list[DeadLetter]:
        port = services.store.dead_letters
        if named:
            letters = await port.get(tx, [RunId(each) for each in which.letters])
            return [one for one in letters if which.holds(one, question)]
        return await port.page(tx, question, None, LETTERS_MAX + 1)

    found = await services.database.read(work)
    if len(found) > LETTERS_MAX:
        raise QuotaExceeded(
            f"more than {LETTERS_MAX:,} dead letters are meant, the most at once",
            hint="say which by job, group, class, since or until",
        )
    mine = [one for one in found if one.state is LetterState.OPEN]
    return environment, in_turn([one for one in mine if one.environment == environment])


def _row(services: Services, who: Caller, environment: str, what: str, how: ReplayHow) -> Replay:
    now = services.clock()
    identity = ReplayId(stamped("rp", now, int.from_bytes(services.chance(RANDOM_BITS // 8))))
    return Replay(identity, environment, what, how, who.name, now, 0)
