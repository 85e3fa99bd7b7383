"""Runs: asked for, listed, looked at, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.bodies import CancelBody, ResumeBody, RunBody
from runyard.api.documents import attempt_documents, happening_document, run_document, task_document
from runyard.api.durations import unusual
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import HistoryQuery, RunsQuery, TasksQuery
from runyard.api.reading import body, described
from runyard.api.rest.reads import RunPath, attempt_of, run_in, story
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes import (
    ExplanationShape,
    HistoryShape,
    RunDetailShape,
    RunPageShape,
    RunShape,
    RunsShape,
    TasksShape,
)
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.flow.chaining import output_of
from runyard.flow.explain import explain
from runyard.gate.asking import Request
from runyard.gate.resuming import GoOn
from runyard.model.errors import IllegalTransition, Refused
from runyard.model.event import CancelRequested
from runyard.model.ids import RunId, attempt_key
from runyard.model.plan import Accepted
from runyard.model.principal import Caller
from runyard.model.run import AWAITING, Run, State
from runyard.store import run_list
from runyard.store.run_list import SORTS, After, RunQuestion

runs = router("runs")
_STOPPED = frozenset({State.STOPPING, State.CANCELLED})  #: a cancel has nothing left to do


@runs.post(
    "/runs",
    status_code=201,
    response_model=RunsShape,
    responses=errors(404, 409, 412, 413)
    | {200: {"model": RunsShape, "description": "The idempotency key was seen: its runs."}},
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(RunBody),
)
async def create_runs(
    services: Use, who: Who, asked: Annotated[RunBody, Depends(body(RunBody))]
) -> Response:
    """Ask for a run of a job: one run, or one in each region when its placement is `all`."""
    request = asked.request(services.settings.environment, who.name)
    await permit(services, who, Permission.RUNS_START, request.environment)
    accepted = await services.gate.ask(Request(request, services.clock(), services.new_run_id))

    found = await _accepted(services, accepted)
    documents = [run_document(found[each]) for each in accepted.runs if each in found]
    return answer({"runs": documents}, 200 if accepted.seen else 201)


async def _accepted(services: Services, accepted: Accepted) -> Mapping[RunId, Run]:
    """The runs of an answer: as the gate has just committed them, or as their rows say."""
    recent = services.gate.recent
    if not accepted.seen and all(each in recent for each in accepted.runs):
        return recent

    async def work(tx: Tx) -> list[Run]:
        return await services.store.runs.get(tx, accepted.runs)

    return {run.id: run for run in await services.database.read(work)}


@runs.get(
    "/runs",
    response_model=RunPageShape,
    responses=errors(),
    dependencies=allowed(Permission.RUNS_READ),
)
async def list_runs(services: Use, who: Who, query: Annotated[RunsQuery, Query()]) -> Response:
    """List runs, newest first unless asked otherwise. Pages neither lose nor double a run."""
    question = replace(query.question(), environments=visible(who))
    after = _after(question, query.page_token)

    async def work(tx: Tx) -> list[Run]:
        limit = query.page_size + 1
        return await run_list.page(tx, services.store.runs, question, after, limit)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, _place(question, page[-1]), page[-1].id) if rest else ""
    return answer({"runs": [run_document(run) for run in page], "next_page_token": token})


def _place(question: RunQuestion, run: Run) -> str | int | None:
    return SORTS[question.sort].place(run)


def _after(question: RunQuestion, token: str) -> After | None:
    if not token:
        return None
    sort = SORTS[question.sort]
    kinds = (sort.kind, type(None)) if sort.optional else (sort.kind,)
    place, run_id = cursors.place_in(question, token, (kinds, (str,)))
    return After(place, RunId(run_id))


@runs.get(
    "/runs/{id}",
    response_model=RunDetailShape,
    responses=errors(404),
    dependencies=allowed(Permission.RUNS_READ),
)
async def get_run(services: Use, who: Who, run_id: RunPath) -> Response:
    """One run with its attempts."""
    run, history, charges = await story(services, who, run_id)
    attempts = attempt_documents(run, history, charges)
    return answer(run_document(run) | {"output": output_of(run), "attempts": attempts})


@runs.post(
    "/runs/{id}:cancel",
    response_model=RunShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_CANCEL),
    openapi_extra=described(CancelBody, required=False),
)
async def cancel_run(
    services: Use,
    who: Who,
    run_id: RunPath,
    asked: Annotated[CancelBody, Depends(body(CancelBody, optional=True))],
) -> Response:
    """Have a run end. Asking again while it is stopping or once it is cancelled changes nothing."""
    run = await run_in(services, who, run_id, Permission.RUNS_CANCEL)
    if run.state not in _STOPPED:
        run = await _cancel(services, who, run, CancelRequested(who.name, asked.reason))
    return answer(run_document(run))


async def _cancel(services: Services, who: Caller, run: Run, event: CancelRequested) -> Run:
    try:
        return await services.gate.tell(run.id, event, services.clock())
    except IllegalTransition:
        now = await run_in(services, who, run.id)
        if now.state in _STOPPED:
            return now
        raise Refused(
            f"{run.id} has ended already: it is {now.state}",
            hint="only a run that has not ended can be cancelled",
        ) from None


@runs.post(
    "/runs/{id}:resume",
    response_model=RunShape,
    responses=errors(404, 412, 413),
    dependencies=allowed(Permission.RUNS_START),
    openapi_extra=described(ResumeBody, required=False),
)
async def resume_run(
    services: Use,
    who: Who,
    run_id: RunPath,
    asked: Annotated[ResumeBody, Depends(body(ResumeBody, optional=True))],
) -> Response:
    """Have a run go on that waits for something, without looking whether it is there. One that
    waits for its job to be mended goes on with the newest revision. Of a run that went on already
    nothing is changed."""
    run = await run_in(services, who, run_id, Permission.RUNS_START)
    if run.state in AWAITING:
        try:
            run = await services.gate.ask(GoOn(run.id, services.clock(), asked.reason, who.name))
        except IllegalTransition:  # it went on, or was cancelled, meanwhile
            run = await run_in(services, who, run.id)
    elif run.is_final or run.state is State.QUEUED:
        raise Refused(
            f"{run.id} waits for nothing that can be there: it is {run.state}",
            hint="only a run that is awaiting something can be resumed",
        )
    return answer(run_document(run))


@runs.get(
    "/runs/{id}/history",
    response_model=HistoryShape,
    responses=errors(404),
    dependencies=allowed(Permission.RUNS_READ),
)
async def get_history(
    services: Use, who: Who, run_id: RunPath, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """All that happened to a run, in order."""
    _, history, _ = await story(services, who, run_id, query.after)
    return answer({"events": [happening_document(fact) for fact in history]})


@runs.get(
    "/runs/{id}/explanation",
    response_model=ExplanationShape,
    responses=errors(404),
    dependencies=allowed(Permission.RUNS_READ),
)
async def explain_run(services: Use, who: Who, run_id: RunPath) -> Response:
    """Why a run ran, waited, was skipped, retried or ended, and what it cost."""
    run, history, charges = await story(services, who, run_id)
    sentences = explain(run, history, charges, services.clock())
    sentences += await unusual(services, run)
    return answer({"run": run_document(run), "sentences": sentences})


@runs.get(
    "/runs/{id}/tasks",
    response_model=TasksShape,
    responses=errors(404),
    dependencies=allowed(Permission.RUNS_READ),
)
async def list_tasks(
    services: Use, who: Who, run_id: RunPath, query: Annotated[TasksQuery, Query()]
) -> Response:
    """Tasks of an attempt, by index."""
    run = await run_in(services, who, run_id)
    number = attempt_of(run, query.attempt)
    if not number:
        return answer({"attempt": 0, "tasks": []})
    key = attempt_key(run.id, number)
    tasks = await services.viewer.tasks(key, query.first, query.limit)
    return answer({"attempt": number, "tasks": [task_document(task) for task in tasks]})
