"""Lines of logs as Cloud Logging says them: JSON of google.logging.v2.LogEntry. Pure.

Sources: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry and, for what becomes
of a line that is JSON, https://cloud.google.com/logging/docs/structured-logging.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from runyard.localcloud.cloudrun.resources import Execution
from runyard.localcloud.google.shapes import JsonMap, instant
from runyard.localcloud.logging.reader import Entry

EXECUTION = "run.googleapis.com/execution_name"
TASK = "run.googleapis.com/task_index"
ATTEMPT = "run.googleapis.com/task_attempt"
RESOURCE = "cloud_run_job"
_LOGS = {"stdout": "stdout", "stderr": "stderr", "system": "varlog%2Fsystem"}
_TIMES = ("time", "timestamp")  #: fields of a line that say when it was written


def entry_message(execution: Execution, line: Entry) -> JsonMap:
    """A line of an execution's log."""
    payload, said_at = _payload(line)
    log = _LOGS.get(line.stream, line.stream)
    return payload | {
        "insertId": f"{line.position:012x}-{execution.name}",
        "resource": {
            "type": RESOURCE,
            "labels": {
                "project_id": execution.project,
                "location": execution.region,
                "job_name": execution.job,
            },
        },
        "timestamp": instant(said_at or line.at),
        "receiveTimestamp": instant(line.at),
        "severity": line.severity,
        "logName": f"projects/{execution.project}/logs/run.googleapis.com%2F{log}",
        "labels": {
            EXECUTION: execution.name,
            TASK: str(line.task),
            ATTEMPT: str(line.attempt),
        },
    }


def _payload(line: Entry) -> tuple[JsonMap, datetime | None]:
    """What a line says, and when it says itself that it was written."""
    if line.fields is None:
        return {"textPayload": line.text}, None
    said = dict(line.fields)
    if not _is_whole(line):
        said["message"] = line.text
    for name in _TIMES:
        at = _instant(said.get(name))
        if at is not None:
            del said[name]
            return {"jsonPayload": said}, at
    return {"jsonPayload": said}, None


def _is_whole(line: Entry) -> bool:
    """True where the text is all of a structured line, for want of a message in it."""
    try:
        whole = orjson.loads(line.text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(whole, Mapping) and dict(line.fields or {}).items() <= whole.items()


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)
