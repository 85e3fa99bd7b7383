"""The app: every route, behind everything a request must pass."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware

from runyard.api import documentation
from runyard.api.edge.bearer import Bearer
from runyard.api.edge.headers import UsualHeaders
from runyard.api.edge.host import HostCheck
from runyard.api.edge.last_resort import LastResort
from runyard.api.edge.size import BodyLimit
from runyard.api.errors import add_handlers
from runyard.api.reading import refused_query
from runyard.api.rest.alert_rules import alert_rules
from runyard.api.rest.alerts import alerts
from runyard.api.rest.audit import audit
from runyard.api.rest.backfills import backfills
from runyard.api.rest.break_glass import break_glass
from runyard.api.rest.bundles import bundles
from runyard.api.rest.channels import channels
from runyard.api.rest.dead_letters import dead_letters
from runyard.api.rest.deliveries import deliveries
from runyard.api.rest.environments import environments
from runyard.api.rest.events import events
from runyard.api.rest.forecasts import forecasts
from runyard.api.rest.hooks import calls, hooks
from runyard.api.rest.incident_summary import incident_summary
from runyard.api.rest.incidents import incidents
from runyard.api.rest.job_changes import job_changes
from runyard.api.rest.jobs import jobs
from runyard.api.rest.log_patterns import log_patterns
from runyard.api.rest.logs import logs
from runyard.api.rest.measures import measures
from runyard.api.rest.offers import offers
from runyard.api.rest.operations import operations
from runyard.api.rest.plans import plans
from runyard.api.rest.principals import principals
from runyard.api.rest.remedies import remedies
from runyard.api.rest.replays import replays
from runyard.api.rest.revisions import revisions
from runyard.api.rest.runs import runs
from runyard.api.rest.schedules import schedules
from runyard.api.rest.secret_readers import readers
from runyard.api.rest.secret_versions import versions
from runyard.api.rest.secrets import secrets
from runyard.api.rest.status import probes, status
from runyard.api.rest.subscriptions import subscriptions
from runyard.api.rest.tokens import tokens
from runyard.api.rest.topics import topics
from runyard.api.rest.traces import traces
from runyard.api.rest.trigger_graph import trigger_graph
from runyard.api.rest.triggers import triggers
from runyard.api.rest.watch_changes import changes_of_watch
from runyard.api.services import Services

#: Every route of the API is in one of these; what is asked for most is found first.
ROUTERS = (
    runs,
    calls,
    logs,
    events,
    topics,
    subscriptions,
    jobs,
    plans,
    job_changes,
    trigger_graph,
    triggers,
    backfills,
    schedules,
    forecasts,
    environments,
    operations,
    hooks,
    deliveries,
    secrets,
    versions,
    revisions,
    measures,
    traces,
    log_patterns,
    readers,
    principals,
    tokens,
    audit,
    break_glass,
    alerts,
    alert_rules,
    incidents,
    offers,
    remedies,
    incident_summary,
    dead_letters,
    replays,
    bundles,
    changes_of_watch,
    channels,
    status,
    probes,
)


def make_app(services: Services) -> FastAPI:
    """The ASGI app over `services`. It starts and stops nothing: who made them does."""
    settings = services.settings
    app = FastAPI(
        title="Runyard",
        version=settings.version,
        summary="Runs jobs on Google Cloud Run, or on this machine.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(LastResort),
            Middleware(UsualHeaders),
            Middleware(HostCheck, hosts=settings.hosts),
            Middleware(BodyLimit, bytes_max=settings.request_bytes_max),
            Middleware(Bearer, sign_in=services.sign_in, clock=services.clock),
        ],
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    documentation.add(app)
    add_handlers(app)
    app.add_exception_handler(RequestValidationError, refused_query)
    return app
