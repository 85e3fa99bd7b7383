"""What error lines of a job's logs have in common."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.queries import JobQuery
from runyard.api.rest.reads import job_key
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_telemetry import LogPatternsShape
from runyard.flow.access import Permission
from runyard.model.ids import AttemptKey, split_attempt_key
from runyard.model.log_pattern import LogExample, LogPattern

log_patterns = router("logs")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]


@log_patterns.get(
    "/jobs/{name}/log-patterns",
    response_model=LogPatternsShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.LOGS_READ),
)
async def job_log_patterns(
    services: Use, who: Who, name: JobPath, query: Annotated[JobQuery, Query()]
) -> Response:
    """Patterns of the error lines of a job, those that were seen last first."""
    permission = Permission.LOGS_READ
    key = await job_key(services, who, name, query.environment, query.project, permission)
    (found,) = await services.measures.patterns_of([key])
    project, environment, job = key
    return answer(
        {
            "project": project,
            "environment": environment,
            "job": job,
            "patterns": [_document(one) for one in found],
        }
    )


def _document(one: LogPattern) -> dict[str, Any]:
    return {
        "id": one.id,
        "template": one.template,
        "first_seen_at": one.first_seen_at,
        "last_seen_at": one.last_seen_at,
        "count": one.count,
        "examples": [_example(each) for each in one.examples],
    }


def _example(one: LogExample) -> dict[str, Any]:
    run, attempt = split_attempt_key(AttemptKey(one.attempt_key))
    return {"at": one.at, "run": run, "attempt": attempt, "text": one.text}
