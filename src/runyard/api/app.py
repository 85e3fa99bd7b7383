"""The app: every route, behind everything a request must pass."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware

from runyard.api.edge.bearer import Bearer
from runyard.api.edge.headers import UsualHeaders
from runyard.api.edge.host import HostCheck
from runyard.api.edge.last_resort import LastResort
from runyard.api.edge.size import BodyLimit
from runyard.api.errors import add_handlers
from runyard.api.late import Late, Part, Parts
from runyard.api.reading import refused_query
from runyard.api.rest.events import events
from runyard.api.rest.logs import logs
from runyard.api.rest.runs import runs
from runyard.api.rest.status import probes, status
from runyard.api.services import Services

#: Every route of the API is in one of these; what is asked for most is found first. What stands
#: here as a router is needed to have a run and to follow it; the rest waits to be asked for.
PARTS: tuple[APIRouter | Part, ...] = (
    runs,
    Part("rest.hooks", "calls", ("hooks",)),
    logs,
    events,
    Part("rest.topics", "topics", ("topics",)),
    Part("rest.subscriptions", "subscriptions", ("subscriptions",)),
    Part("rest.jobs", "jobs", ("jobs",)),
    Part("rest.plans", "plans", ("jobs…:plan",)),
    Part("rest.job_changes", "job_changes", ("jobs…/", "deleted-jobs")),
    Part("rest.trigger_graph", "trigger_graph", ("triggers…/graph",)),
    Part("rest.triggers", "triggers", ("triggers", "jobs…/triggers/")),
    Part("rest.backfills", "backfills", ("jobs…ackfill",)),
    Part("rest.schedules", "schedules", ("schedules…:preview",)),
    Part("rest.forecasts", "forecasts", ("schedules…:forecast",)),
    Part("rest.environments", "environments", ("environments",)),
    Part("rest.operations", "operations", ("operations",)),
    Part("rest.hooks", "hooks", ("hooks",)),
    Part("rest.deliveries", "deliveries", ("deliveries",)),
    Part("rest.secrets", "secrets", ("secrets",)),
    Part("rest.secret_versions", "versions", ("secrets…ersion",)),
    Part("rest.revisions", "revisions", ("jobs…/revisions",)),
    Part("rest.measures", "measures", ("jobs…/metrics",)),
    Part("rest.traces", "traces", ("runs…/trace",)),
    Part("rest.log_patterns", "log_patterns", ("jobs…/log-patterns",)),
    Part("rest.secret_readers", "readers", ("secrets",)),
    Part("rest.principals", "principals", ("principals", "me")),
    Part("rest.tokens", "tokens", ("tokens",)),
    Part("rest.audit", "audit", ("audit",)),
    Part("rest.break_glass", "break_glass", ("break-glass",)),
    Part("rest.alerts", "alerts", ("alerts", "silences")),
    Part("rest.alert_rules", "alert_rules", ("jobs…/alert-rules",)),
    Part("rest.incidents", "incidents", ("incidents",)),
    Part("rest.offers", "offers", ("runs…:accept",)),
    Part("rest.remedies", "remedies", ("incidents…/",)),
    Part("rest.incident_summary", "incident_summary", ("incidents…:summary",)),
    Part("rest.dead_letters", "dead_letters", ("dead-letters", "dead-letter-groups")),
    Part("rest.replays", "replays", ("dead-letters…:", "replays")),
    Part("rest.bundles", "bundles", ("runs…/bundle",)),
    Part("rest.watch_changes", "changes_of_watch", ("incidents…watch",)),
    Part("rest.channels", "channels", ("channels",)),
    status,
    probes,
    Part("documentation", "documentation", ("docs",)),
)


def make_app(services: Services) -> FastAPI:
    """The ASGI app over `services`. It starts and stops nothing: who made them does."""
    settings = services.settings
    parts: Parts
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
            Middleware(Late, parts=lambda: parts),
        ],
    )
    app.state.services = services
    parts = Parts(app, PARTS)
    add_handlers(app)
    app.add_exception_handler(RequestValidationError, refused_query)
    return app


def every_router() -> list[APIRouter]:
    """All of them in order, imported now."""
    return [one.router() if isinstance(one, Part) else one for one in PARTS]
