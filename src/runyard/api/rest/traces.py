"""A run as a trace, for people and for programs."""

from __future__ import annotations

from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed
from runyard.api.rest.reads import RunPath, story
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_telemetry import TraceShape
from runyard.flow.access import Permission
from runyard.flow.tracing import Span, spans, trace_id
from runyard.model.ids import attempt_key
from runyard.provider.port import TaskView

traces = router("runs")
TASKS_MAX = 1_000  #: of an attempt that are among its spans


@traces.get(
    "/runs/{id}/trace",
    response_model=TraceShape,
    responses=errors(404),
    dependencies=allowed(Permission.RUNS_READ),
)
async def read_trace(services: Use, who: Who, run_id: RunPath) -> Response:
    """The spans of a run: the whole, its waits, attempts, launches and tasks. Each stands after
    what it is part of."""
    run, history, _ = await story(services, who, run_id)
    tasks: dict[int, list[TaskView]] = {}
    for number in range(1, run.attempt + 1):
        key = attempt_key(run.id, number)
        tasks[number] = await services.viewer.tasks(key, 0, TASKS_MAX)
    found = spans(run, history, tasks)
    return answer(
        {"run": run.id, "trace_id": trace_id(run.id), "spans": [_document(one) for one in found]}
    )


def _document(span: Span) -> dict[str, object]:
    ended = span.ended_at
    return {
        "span_id": span.id,
        "parent_span_id": span.parent,
        "name": span.name,
        "started_at": span.started_at,
        "ended_at": ended,
        "duration_seconds": None if ended is None else (ended - span.started_at).total_seconds(),
        "failed": span.failed,
        "message": span.message,
        "attributes": dict(span.attributes),
    }
