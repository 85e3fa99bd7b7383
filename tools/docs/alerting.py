"""docs/flows/06-monitoring-and-alerting.md, from `runyard.flow.alerting` and `.incident`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from runyard.flow import alerting, incident
from runyard.model.alert import AlertState
from runyard.model.alert_rules import USUAL
from runyard.model.incident import IncidentState
from tools.docs.colours import LEGEND, Kind, classes
from tools.docs.markdown import code, page, table

KINDS: Mapping[StrEnum, Kind] = {
    AlertState.FIRING: Kind.ERROR,
    AlertState.SILENCED: Kind.WARNING,
    AlertState.RESOLVED: Kind.SUCCESS,
    IncidentState.OPEN: Kind.ERROR,
    IncidentState.RESOLVED: Kind.SUCCESS,
}
Transitions = Mapping[Any, Mapping[type, Any]]
#: From a run to a finding: which box of the flow lives where.
WATCHING = (
    ("Metrics Collection", "runyard.telemetry.measuring:Measuring"),
    ("Log Generation", "runyard.localcloud.logging.format"),
    ("Trace Data", "runyard.flow.tracing:spans"),
    ("Cloud Monitoring", "runyard.telemetry.recorder:Recorder"),
    ("Cloud Logging", "runyard.engine.log_reading:LogReading"),
    ("Cloud Trace", "runyard.exporting:Exporter"),
    ("Custom Metrics", "runyard.model.log_metrics:own_samples"),
    ("Log Analysis", "runyard.flow.log_reading:measured"),
    ("Performance Insights", "runyard.flow.explain_pace:pace"),
    ("Error Pattern Detection", "runyard.flow.patterns:Miner"),
    ("Latency Analysis", "runyard.flow.latency:regression"),
)


def alert_diagram() -> str:
    """The table of alerts as a drawing."""
    return _diagram(alerting.TRANSITIONS, (AlertState.PENDING, AlertState.FIRING))


def incident_diagram() -> str:
    """The table of incidents as a drawing."""
    return _diagram(incident.TRANSITIONS, (IncidentState.OPEN,))


def _diagram(table_: Transitions, first: tuple[StrEnum, ...]) -> str:
    """Parallel arrows are one; what changes no state is left out."""
    arrows: dict[tuple[Any, Any], list[str]] = {}
    for state, row in table_.items():
        for cause, following in row.items():
            if following is not state:
                arrows.setdefault((state, following), []).append(cause.__name__)
    lines = ["stateDiagram-v2", "    direction LR", *(f"    [*] --> {one}" for one in first)]
    lines += [f"    {a} --> {b}: {', '.join(causes)}" for (a, b), causes in arrows.items()]
    lines += classes(map(_kind, table_))
    lines += [f"    class {state} {_kind(state)}" for state in table_]
    return "\n".join(lines)


def _kind(state: StrEnum) -> Kind:
    return KINDS.get(state, Kind.PROCESS)


def _promises(module: object) -> str:
    text = (inspect.getdoc(module) or "").partition("Promises")[2]
    return "Promises" + " ".join(text.split()).rstrip(".") + "."


def alerting_page() -> str:
    """The lifecycles of alerts and incidents: drawings, promises, what every job is watched for."""
    return page(
        "Monitoring, alerting and response",
        f"Flow 6 of the platform. {LEGEND} [Measure](../guides/measure.md) and "
        "[Be told when something is wrong](../guides/alerts.md) show how it is used.",
        "## From a run to a finding",
        table(("box of the flow", "lives in"), ((box, code(place)) for box, place in WATCHING)),
        "## From a finding to people",
        table(
            ("box of the flow", "lives in"),
            (
                ("Threshold Monitoring, Alert Conditions", code("runyard.flow.rules:judge")),
                ("Generate Alert", code("runyard.flow.alerting:begin")),
                ("Notification Channels", code("runyard.flow.routing:channels_for")),
                ("Email Notifications", code("runyard.channel.declared.mail:MailVoice")),
                ("Slack Messages", code("runyard.channel.declared.slack:SlackVoice")),
                ("PagerDuty Alerts", code("runyard.channel.declared.pagerduty:PagerDutyVoice")),
                ("Operations Team", code("runyard.flow.routing:escalations")),
                ("Investigate Issue", code("runyard.api.rest.incidents:incidents")),
                ("Remediation Actions", code("runyard.flow.remedies:suggestions")),
                ("Update Monitoring", code("runyard.flow.watch_changes:watch_changes")),
            ),
        ),
        "## An alert",
        "Drawn from `runyard.flow.alerting:TRANSITIONS`. An arrow is named by what causes it.",
        f"```mermaid\n{alert_diagram()}\n```",
        _promises(alerting),
        "## An incident",
        "Drawn from `runyard.flow.incident:TRANSITIONS`.",
        f"```mermaid\n{incident_diagram()}\n```",
        _promises(incident),
        "## What every job is watched for",
        table(
            ("rule", "severity", "wrong when"),
            (
                (code(one.name or ""), one.severity, inspect.getdoc(type(one)) or "")
                for one in USUAL
            ),
        ),
    )
