"""One run as people read it: a row of the list, a page, a last line; the head of a log line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runyard.cli.times import local, span

Document = dict[str, Any]
HEADINGS = ("run", "job", "region", "state", "tasks", "attempt", "requested", "took", "cost")


def row(run: Document, now: datetime) -> tuple[str, ...]:
    """The cells under `HEADINGS`."""
    return (
        run["id"],
        run["job"],
        run["region"],
        run["state"],
        tasks(run),
        f"{run['attempt']}/{run['attempts_max']}",
        local(run["requested_at"], now),
        took(run),
        run["cost"] or "",
    )


def tasks(run: Document) -> str:
    """`11/12` (succeeded of all) once there is an outcome, else only how many there are."""
    outcome = run["outcome"]
    if not outcome or not outcome["task_count"]:
        return str(run["task_count"])
    return f"{outcome['succeeded_count']}/{outcome['task_count']}"


def took(run: Document) -> str:
    """How long it ran, empty while that is not known."""
    seconds = run["duration_seconds"]
    return "" if seconds is None else span(seconds)


def page(run: Document, now: datetime) -> list[tuple[str, Any]]:
    """Names and values of all that is worth knowing."""
    outcome = run["outcome"] or {}
    return [
        ("run", run["id"]),
        ("job", f"{run['job']} (revision {run['revision']})"),
        ("project", f"{run['project']}, environment {run['environment']}"),
        ("region", run["region"]),
        ("state", run["state"]),
        ("reason", run["reason"]),
        ("ending", outcome.get("ending", "")),
        ("message", _unless(run["reason"], outcome.get("message", ""))),
        ("asked for", f"{local(run['requested_at'], now)} by {run['requested_by']}"),
        ("trigger", run["trigger"]),
        ("follows", ", ".join((run.get("triggered_by") or {}).get("after", ()))),
        ("due", local(run["due_at"], now)),
        ("waits for", run["waiting_on"]),
        ("waits", _awaiting(run.get("awaiting"), now)),
        ("deadline", local(run["deadline_at"], now)),
        ("started", local(run["started_at"], now)),
        ("ended", local(run["ended_at"], now)),
        ("took", took(run)),
        ("attempt", f"{run['attempt']} of {run['attempts_max']}"),
        ("tasks", task_counts(run)),
        ("priority", run["priority"] or ""),
        ("labels", ", ".join(f"{name}={value}" for name, value in run["labels"].items())),
        ("overrides", ", ".join(overrides(run["overrides"]))),
        ("stopped by", run["stop_cause"]),
        ("cost", run["cost"]),
        ("handle", run["handle"]),
        ("output", _result(run.get("output"))),
    ]


def _awaiting(found: Document | None, now: datetime) -> str:
    """Until when it waits at most, and what somebody who looked saw last."""
    if found is None:
        return ""
    looks = f"; looked {found['looks']} times: {found['words']}" if found["looks"] else ""
    return f"until {local(found['until'], now)}{looks}"


def _result(output: Any) -> str:
    return "" if output is None else json.dumps(output, ensure_ascii=False)


def _unless(said: str, text: str) -> str:
    return "" if text == said else text


def overrides(given: Document) -> list[str]:
    """What was changed for this run, each as the option that changes it."""
    args, env = given.get("args"), given.get("env") or {}
    parts = [] if args is None else [f"--args-json {json.dumps(args)}"]
    parts += [f"--env {name}={value}" for name, value in env.items()]
    parts += [f"--tasks {given['task_count']}"] if given.get("task_count") else []
    parts += [f"--timeout {given['timeout']}"] if given.get("timeout") else []
    file = given.get("file")
    return parts + ([f"a file {file['path']} of {file['size_bytes']} bytes"] if file else [])


def task_counts(run: Document) -> str:
    """`12: 11 succeeded, 1 failed`."""
    outcome = run["outcome"]
    if not outcome or not outcome["task_count"]:
        return str(run["task_count"])
    words = ("succeeded", "failed", "cancelled", "retried")
    counts = [f"{outcome[f'{word}_count']} {word}" for word in words if outcome[f"{word}_count"]]
    return f"{outcome['task_count']}: {', '.join(counts)}" if counts else str(outcome["task_count"])


def failures(run: Document) -> list[str]:
    """A line for each task failure that was kept as evidence."""
    outcome = run["outcome"] or {}
    return [f"task {failure['index']}: {_why(failure)}" for failure in outcome.get("failures", ())]


def _why(failure: Document) -> str:
    attempts, code, signal = failure["attempts"], failure.get("exit_code"), failure.get("signal")
    facts = [
        f"exit code {code}" if code is not None else "",
        f"signal {signal}" if signal is not None else "",
        f"tried {attempts} times" if attempts > 1 else "",
    ]
    told = ", ".join(fact for fact in facts if fact)
    return f"{failure['message']} ({told})" if told else str(failure["message"])


def summary(run: Document) -> str:
    """The last line about a run that is final."""
    parts = [
        f"{run['job']} in {run['region']} {run['state']}",
        f"in {took(run)}" if took(run) else "",
        f"tasks {task_counts(run)}",
        f"attempt {run['attempt']} of {run['attempts_max']}" if run["attempts_max"] > 1 else "",
        run["cost"] or "",
    ]
    return " · ".join(part for part in parts if part)


def prefix(entry: Document, region: str = "") -> str:
    """`[3]`: the task; `[3.1]`: its first retry; `[europe-west1 3]` where several regions run."""
    retry = f".{entry['attempt']}" if entry["attempt"] else ""
    return f"[{region} {entry['task']}{retry}]" if region else f"[{entry['task']}{retry}]"


def is_ours(entry: Document) -> bool:
    """Whether the platform wrote a log entry, not the task: told beside the result."""
    return bool(entry["stream"] == "system")
