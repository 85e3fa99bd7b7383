"""What a job is watched for: its rules in words, and what each says now."""

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
from runyard.api.shapes_alerts import AlertRulesShape
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.rule_words import words
from runyard.flow.rules import fingerprint
from runyard.model.alert import Alert
from runyard.model.alert_rules import USUAL, AlertRule, named
from runyard.model.errors import NotFound
from runyard.model.job import JobSpec
from runyard.store.jobs import JobRow

alert_rules = router("alerts")
JobPath = Annotated[str, Path(alias="name", description="The job's name.")]


@alert_rules.get(
    "/jobs/{name}/alert-rules",
    response_model=AlertRulesShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.ALERTS_READ),
)
async def job_alert_rules(
    services: Use, who: Who, name: JobPath, query: Annotated[JobQuery, Query()]
) -> Response:
    """The rules of a job, those that every job has first: when each is wrong, and whether it is."""
    permission = Permission.ALERTS_READ
    key = await job_key(services, who, name, query.environment, query.project, permission)
    project, environment, job = key

    async def work(tx: Tx) -> tuple[list[JobRow], list[Alert]]:
        store = services.store
        return (
            await store.jobs.named(tx, environment, job),
            await store.alerts.unresolved_in(tx, environment),
        )

    rows, alerts = await services.database.read(work)
    row = next((one for one in rows if one.key == key), None)
    if row is None:
        raise NotFound(f"job {job} was deleted", hint="`runyard jobs restore` brings it back")
    spec = JobSpec.from_document(row.document)
    by_fingerprint = {one.fingerprint: one for one in alerts}
    found = [
        _document(each, rule, by_fingerprint.get(fingerprint(environment, spec, each)))
        for each, rule in named(spec.alerts).items()
    ]
    return answer({"project": project, "environment": environment, "job": job, "rules": found})


def _document(name: str, rule: AlertRule, alert: Alert | None) -> dict[str, Any]:
    return {
        "name": name,
        "kind": rule.kind,
        "is_usual": rule in USUAL,
        "severity": rule.severity,
        "for_seconds": rule.hold_seconds,
        "labels": rule.labels,
        "wrong_when": words(rule),
        "state": "" if alert is None else alert.state,
        "alert": "" if alert is None else alert.id,
        "title": "" if alert is None else alert.title,
    }
