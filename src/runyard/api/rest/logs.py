"""Logs: what an attempt's tasks wrote, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.documents import entry_document
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import LogQuery
from runyard.api.queries_telemetry import LogSearchQuery
from runyard.api.rest.reads import RunPath, attempt_of, run_in
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes import LogSearchShape, LogShape
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.model.ids import AttemptKey, RunId, attempt_key, split_attempt_key
from runyard.model.principal import Caller
from runyard.model.run import Run
from runyard.provider.port import LogEntry, LogPage
from runyard.store import run_list
from runyard.store.run_list import RunQuestion

logs = router("logs")
RUNS_MAX = 10_000  #: whose logs one search looks through
_LOOKS_MAX = 16  #: pages that a filter may leave empty before an empty one is answered


@logs.get(
    "/runs/{id}/log",
    response_model=LogShape,
    responses=errors(404),
    dependencies=allowed(Permission.LOGS_READ),
)
async def read_log(
    services: Use, who: Who, run_id: RunPath, query: Annotated[LogQuery, Query()]
) -> Response:
    """Lines of an attempt's log after a position, oldest first."""
    run = await run_in(services, who, run_id, Permission.LOGS_READ)
    number = attempt_of(run, query.attempt)
    if not number:
        ended = run.is_final
        return answer({"attempt": 0, "entries": [], "after": query.after, "ended": ended})
    page = await _page(services, attempt_key(run.id, number), query)
    entries = [entry_document(entry, number) for entry in page.entries]
    return answer({"attempt": number, "entries": entries, "after": page.after, "ended": page.ended})


@logs.get(
    "/logs:search",
    response_model=LogSearchShape,
    responses=errors(404),
    dependencies=allowed(Permission.LOGS_READ),
)
async def search_logs(
    services: Use, who: Who, query: Annotated[LogSearchQuery, Query()]
) -> Response:
    """The newest lines of all logs that are wanted, oldest first; of the newest runs first, so a
    line that a long run wrote late may be left out when there are more than `limit`."""
    wanted = query.wanted()
    runs, every = await _searched(services, who, query)
    keys = [attempt_key(run.id, number) for run in runs for number in range(run.attempt, 0, -1)]
    findings = await services.viewer.search(keys, wanted, query.limit)
    by_id = {run.id: run for run in runs}
    return answer(
        {
            "entries": [_found(by_id, key, entry) for key, entry in findings.found],
            "bytes_searched": findings.bytes_searched,
            "complete": findings.complete and every,
            "unsearched": list(findings.unsearched),
        }
    )


def _found(runs: Mapping[RunId, Run], key: AttemptKey, entry: LogEntry) -> dict[str, Any]:
    run_id, number = split_attempt_key(key)
    run = runs[run_id]
    whose = {"run": run.id, "job": run.job, "environment": run.environment}
    return whose | entry_document(entry, number)


async def _searched(
    services: Services, who: Caller, query: LogSearchQuery
) -> tuple[list[Run], bool]:
    """The runs whose logs are searched, newest first; and whether that is all of them."""
    if query.run is not None:
        run = await run_in(services, who, query.run, Permission.LOGS_READ)
        fits = query.job in (None, run.job) and query.environment in (None, run.environment)
        return ([run] if fits else []), True
    if query.environment is not None:
        await permit(services, who, Permission.LOGS_READ, query.environment)
    seen = visible(who) if query.environment is None else (query.environment,)
    question = RunQuestion(job=query.job or "", until=query.until, environments=seen)

    async def work(tx: Tx) -> list[Run]:
        return await run_list.page(tx, services.store.runs, question, None, RUNS_MAX + 1)

    found = await services.database.read(work)
    since = query.since
    runs = [
        run for run in found[:RUNS_MAX] if not (since and run.ended_at and run.ended_at < since)
    ]
    return runs, len(found) <= RUNS_MAX


async def _page(services: Services, key: AttemptKey, query: LogQuery) -> LogPage:
    """A page; where the filter let nothing through, the next one that has something."""
    after = query.after
    for _ in range(_LOOKS_MAX):
        page = await services.viewer.log(key, after, query.limit, query.task)
        if page.entries or page.ended or page.after <= after:
            break
        after = page.after
    return page
