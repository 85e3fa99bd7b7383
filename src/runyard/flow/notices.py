"""What people are told of a fact of an incident, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from runyard.model.incident import (
    Acknowledged,
    Escalated,
    Incident,
    IncidentEvent,
    Joined,
    Left,
    Resolved,
)
from runyard.model.notice import Notice, NoticeKind, Severity


def notice_of(incident: Incident, number: int, fact: IncidentEvent, at: datetime) -> Notice:
    """The notice of fact `number`, which was at `at`. The same fact always makes the same key."""
    kind, title, text = _words(incident, number, fact, at)
    details = [("incident", str(incident.id))]
    if incident.assignee:
        details.append(("assignee", incident.assignee))
    run = fact.run if isinstance(fact, Joined) else ""
    return Notice(
        key=f"{incident.id}/{number}",
        at=at,
        title=title,
        text=text,
        kind=kind,
        severity=_severity(incident, fact),
        thread=incident.id,
        environment=incident.environment,
        project=incident.project,
        job=incident.job,
        run=run,
        region=fact.region if isinstance(fact, Joined) else "",
        rule=fact.rule if isinstance(fact, Joined) else "",
        link=incident.runbook,
        details=tuple(details),
    )


def _severity(incident: Incident, fact: IncidentEvent) -> Severity:
    return fact.severity if isinstance(fact, Joined) else incident.severity


def _words(
    incident: Incident, number: int, fact: IncidentEvent, at: datetime
) -> tuple[NoticeKind, str, str]:
    whole = incident.title
    match fact:
        case Joined(title=title, text=text):
            return (NoticeKind.OPENED if number == 1 else NoticeKind.WORSENED), title, text
        case Acknowledged(by, note):
            return NoticeKind.ACKNOWLEDGED, f"{by} has it: {whole}", note
        case Escalated(step):
            waited = _span(at - incident.opened_at)
            text = f"Nobody acknowledged it in {waited}: `runyard incidents ack {incident.id}`."
            return NoticeKind.ESCALATED, f"Still open: {whole}", f"{text} This is step {step}."
        case Left(reason=reason) | Resolved(reason=reason):
            by = f" by {fact.by}" if isinstance(fact, Resolved) else ""
            lasted = _span(at - incident.opened_at)
            words = f"Resolved{by} after {lasted}" + (f": {reason}" if reason else "")
            return NoticeKind.RESOLVED, f"Resolved: {whole}", f"{words}."
        case _:
            return NoticeKind.ANNOUNCED, whole, ""


def _span(lasted: timedelta) -> str:
    seconds = int(lasted.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds / 3600:.1f} h"
