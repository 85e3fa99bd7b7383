"""The server itself: is it there, is it ready, how is it, what does it measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.measured import reading
from runyard.api.people_documents import exception_document
from runyard.api.permits import allowed
from runyard.api.rest.routes import errors, router
from runyard.api.server_shapes import ReadyShape, StatusShape, WordShape
from runyard.api.services import LoopState, Use
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.model.errors import ServerUnavailable, StoreError
from runyard.model.policy import GuardException
from runyard.model.run import State
from runyard.telemetry.metrics import CONTENT_TYPE

probes = router("server", "")
status = router("server")


@probes.get("/health", response_model=WordShape, responses=errors())
async def health() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@probes.get("/ready", response_model=ReadyShape, responses=errors())
async def ready(services: Use) -> Response:
    """The database answers and every loop here is at work; how many engines work on it. Says
    nothing that a stranger may not know."""
    if services.streams.is_closing:
        raise ServerUnavailable("the server is stopping")
    try:
        await services.database.read(_nothing)
        processes = await services.processes()
    except StoreError:
        raise ServerUnavailable("the database does not answer") from None
    late = late_loops(services.loops(), services.settings.silence_max, services.clock())
    if late:
        raise ServerUnavailable(f"these loops have not looked lately: {', '.join(late)}")
    engines = sum(one.is_engine_at_work for one in processes)
    return answer({"status": "ready", "engines": engines})


async def _nothing(tx: Tx) -> None:
    await tx.fetch("SELECT 1")


def late_loops(
    loops: Sequence[LoopState], allowed: Mapping[str, timedelta], now: datetime
) -> list[str]:
    """The names of the loops that have been silent for longer than is allowed."""
    ticks = {loop.name: loop.last_tick_at for loop in loops}
    return [
        name
        for name, longest in allowed.items()
        if (at := ticks.get(name)) is None or now - at > longest
    ]


@status.get(
    "/status",
    response_model=StatusShape,
    responses=errors(),
    dependencies=allowed(Permission.STATUS_READ),
)
async def get_status(services: Use) -> Response:
    """How the server is: runs by state, regions, what the provider can do, loops, and which
    processes work on the same database."""

    async def work(tx: Tx) -> tuple[dict[State, int], list[GuardException]]:
        store = services.store
        return await store.runs.counts(tx), await store.people.exceptions(tx, services.clock())

    counts, exceptions = await services.database.read(work)
    settings = services.settings
    return answer(
        {
            "version": settings.version,
            "started_at": settings.started_at,
            "state_folder": settings.state_folder,
            "environment": settings.environment,
            "runs": {state: counts.get(state, 0) for state in State},
            "regions": list(await services.regions()),
            "abilities": dict(services.abilities()),
            "exceptions": [exception_document(one) for one in exceptions],
            "loops": {
                loop.name: {
                    "last_tick_at": loop.last_tick_at,
                    "ticks": loop.ticks,
                    "errors": loop.errors,
                    "last_error": loop.last_error,
                }
                for loop in services.loops()
            },
            "processes": list(await services.processes()),
        }
    )


@probes.get(
    "/metrics",
    response_class=Response,
    dependencies=allowed(Permission.METRICS_READ),
    responses=errors()
    | {200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."}},
)
async def metrics(services: Use) -> Response:
    """Everything that is measured here."""
    found = await reading(
        services.database,
        services.store,
        services.loops(),
        services.clock(),
        len(services.streams),
    )
    return Response(services.metrics.text(found), headers={"Content-Type": CONTENT_TYPE})
