"""What starts what: the graph of an environment's triggers."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import GraphQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Use
from runyard.api.shapes_triggers import GraphShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.trigger_graph import Graph, graph

trigger_graph = router("triggers")


@trigger_graph.get(
    "/triggers/graph",
    response_model=GraphShape,
    responses=errors(),
    dependencies=allowed(Permission.JOBS_READ),
)
async def show_graph(services: Use, who: Who, query: Annotated[GraphQuery, Query()]) -> Response:
    """What starts what in an environment: schedules, topics, webhooks, and jobs after jobs."""
    environment = query.environment or services.settings.environment
    await permit(services, who, Permission.JOBS_READ, environment, query.project or "")

    async def work(tx: Tx) -> Graph:
        rows = await services.store.triggers.in_environment(tx, environment)
        jobs = await services.store.jobs.names(tx, environment)
        project = query.project
        return graph(
            [row for row in rows if project in (None, row.project)],
            jobs,
        )

    found = await services.database.read(work)
    return answer({"environment": environment, "nodes": found.nodes, "edges": found.edges})
