"""Our values as JSON documents, in the shapes of `shapes.py`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from runyard.flow import costing
from runyard.flow.recovering import offers
from runyard.model.cost import Charge
from runyard.model.durations import SECOND_NANOS, google_form
from runyard.model.errors import Fault
from runyard.model.ids import attempt_key
from runyard.model.job import JobSpec
from runyard.model.outcome import Outcome
from runyard.model.run import Overrides, Run, TriggeredBy
from runyard.provider.port import LogEntry, TaskView
from runyard.store.jobs import JobRow
from runyard.store.runs import Happening

Document = dict[str, Any]
_OUTCOME = tuple(field.name for field in fields(Outcome) if field.name != "output")
_MICROSECOND = timedelta(microseconds=1)


def run_document(run: Run) -> Document:
    """RUN of the API."""
    ended, started = run.ended_at, run.started_at
    took = ended - started if ended and started else None
    return {
        "id": run.id,
        "project": run.project,
        "environment": run.environment,
        "job": run.job,
        "revision": run.revision,
        "region": run.region,
        "state": run.state,
        "trigger": run.trigger,
        "triggered_by": triggered_by_document(run.triggered_by),
        "replays": run.replays,
        "requested_by": run.requested_by,
        "requested_at": run.requested_at,
        "due_at": run.due_at,
        "waiting_on": run.waiting_on,
        "deadline_at": run.deadline_at,
        "started_at": started,
        "ended_at": ended,
        "duration_seconds": None if took is None else took / _MICROSECOND / 1e6,
        "attempt": run.attempt,
        "attempts_max": run.policy.launches_max,
        "task_count": run.task_count,
        "priority": run.policy.priority,
        "reason": run.reason,
        "stop_cause": run.stop_cause,
        "labels": dict(run.labels),
        "overrides": overrides_document(run.overrides),
        "handle": run.handle,
        "outcome": _outcome(run.outcome),
        "scaled": run.scaled,
        "awaiting": run.awaiting,
        "offers": offers(run),
        "cost_nano_dollars": run.cost_nano_dollars,
        "cost": costing.display(run.cost_nano_dollars),
        "version": run.version,
    }


def triggered_by_document(by: TriggeredBy | None) -> Document | None:
    """The trigger that asked, and for which instant; None where a person asked."""
    if by is None:
        return None
    return {
        "trigger": by.trigger,
        "instant": by.instant,
        "start_by": by.start_by,
        "after": list(by.after),
    }


def _outcome(outcome: Outcome | None) -> Document | None:
    """How an attempt ended. What it wrote stands beside, in the page of its run."""
    return None if outcome is None else {name: getattr(outcome, name) for name in _OUTCOME}


def overrides_document(overrides: Overrides) -> Document:
    """Only what was asked for, in the words of the request."""
    found: Document = {}
    if overrides.args is not None:
        found["args"] = list(overrides.args)
    if overrides.env:
        found["env"] = dict(overrides.env)
    if overrides.task_count is not None:
        found["task_count"] = overrides.task_count
    if overrides.timeout_seconds is not None:
        found["timeout"] = google_form(round(overrides.timeout_seconds * SECOND_NANOS))
    if overrides.file is not None:
        found["file"] = {"path": overrides.file.path, "size_bytes": overrides.file.size_bytes}
    return found


def charge_document(charge: Charge) -> Document:
    """One line of the ledger."""
    return {
        "at": charge.at,
        "region": charge.region,
        "tier": charge.tier,
        "tier_assumed": charge.tier_assumed,
        "price_table": charge.price_table,
        "vcpu_nano_dollars": charge.vcpu_nano_dollars,
        "memory_nano_dollars": charge.memory_nano_dollars,
        "nano_dollars": charge.nano_dollars,
        "cost": costing.display(charge.nano_dollars),
        "usage": charge.usage,
    }


def attempt_documents(
    run: Run, history: Sequence[Happening], charges: Sequence[Charge]
) -> list[Document]:
    """The attempts of a run, first to last, from what its history and the ledger say."""
    by_key = {charge.key: charge for charge in charges}
    attempts: dict[int, Document] = {}
    for fact in history:
        number = fact.data.get("attempt")
        if fact.kind == "started" and number is not None:
            attempts[number] = _begun(number) | {"started_at": fact.at}
        elif fact.kind == "launched" and number in attempts:
            attempts[number]["handle"] = fact.data["handle"]
        elif fact.kind == "attempt_ended" and number in attempts:
            ended = {"ended_at": fact.at, "outcome": _told(fact)}
            attempts[number] |= ended
    for number, attempt in attempts.items():
        charge = by_key.get(attempt_key(run.id, number))
        attempt["charge"] = None if charge is None else charge_document(charge)
    return [attempts[number] for number in sorted(attempts)]


def _told(fact: Happening) -> Document:
    outcome: Document = dated(fact.data["outcome"])
    return {key: value for key, value in outcome.items() if key != "output"}


def _begun(number: int) -> Document:
    return {"number": number, "handle": "", "started_at": None, "ended_at": None, "outcome": None}


def happening_document(fact: Happening) -> Document:
    """One fact of a history."""
    return {
        "sequence": fact.sequence,
        "at": fact.at,
        "kind": fact.kind,
        "state": fact.state,
        "data": dated(fact.data),
    }


def dated(value: Any) -> Any:
    """`value` of a row's document with its instants ending in `Z`, as everywhere in the API."""
    if isinstance(value, dict):
        return {key: _instant(key, dated(inner)) for key, inner in value.items()}
    if isinstance(value, list):
        return [dated(inner) for inner in value]
    return value


def _instant(key: str, value: Any) -> Any:
    if isinstance(value, str) and (key.endswith("_at") or key == "until"):
        return value.replace("+00:00", "Z")
    return value


def task_document(task: TaskView) -> Document:
    """One task of an attempt."""
    return asdict(task)


def entry_document(entry: LogEntry, attempt: int) -> Document:
    """One line of the log of a run's attempt `attempt`."""
    return {
        "position": entry.position,
        "at": entry.at,
        "task": entry.task,
        "attempt": entry.attempt,
        "run_attempt": attempt,
        "stream": entry.stream,
        "severity": entry.severity,
        "text": entry.text,
        "fields": entry.fields or {},
    }


def job_document(row: JobRow, spec: JobSpec, warnings: Iterable[Fault]) -> Document:
    """JOB of the API; `spec` is what the row's document says."""
    return {
        "project": row.project,
        "environment": row.environment,
        "name": row.name,
        "revision": row.revision,
        "labels": spec.labels,
        "regions": list(spec.regions),
        "placement": spec.placement,
        "priority": spec.priority,
        "conditions": [asdict(each) for each in row.conditions],
        "blocked": row.blocked,
        "operation": row.operation,
        "spec": row.document,
        "launches_max": spec.launches_max,
        "warnings": [asdict(warning) for warning in warnings],
        "applied_at": row.applied_at,
        "applied_by": row.applied_by,
    }


def applied_document(spec: JobSpec, environment: str, revision: int, change: str) -> Document:
    """A job of a manifest that was validated or applied."""
    return {
        "project": spec.project,
        "environment": environment,
        "name": spec.name,
        "revision": revision,
        "change": change,
        "launches_max": spec.launches_max,
        "regions": list(spec.regions),
    }
