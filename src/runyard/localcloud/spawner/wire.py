"""Orders and ends as they go over the spawner's socket. `server/order.py` is the other side."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runyard.localcloud.spawner.port import Abilities, TaskEnd, TaskOrder
from runyard.model.instants import from_micros


def order_message(order: TaskOrder) -> dict[str, Any]:
    """An order as JSON. The log goes as an open file, not as a path."""
    return {
        "key": order.key,
        "argv": order.argv,
        "env": dict(order.env),
        "task": order.task,
        "attempt": order.attempt,
        "timeout_seconds": order.timeout_seconds,
        "grace_seconds": order.grace_seconds,
        "working_folder": order.working_folder,
        "folders": order.folders,
        "memory_bytes": order.memory_bytes,
        "vcpu_milli": order.vcpu_milli,
        "log_bytes_max": order.log_bytes_max,
        "redactions": order.redactions,
        "files": [
            (file.path, base64.b64encode(file.content).decode(), file.mode) for file in order.files
        ],
    }


def end_from(message: Mapping[str, Any]) -> TaskEnd:
    """An end from JSON."""
    known = dict(message)
    known["started_at"] = from_micros(known["started_at"])
    known["ended_at"] = from_micros(known["ended_at"])
    known["left"] = tuple(known.get("left", ()))
    return TaskEnd(**known)


def lost_end(key: str, now: datetime) -> TaskEnd:
    """The end of a task the spawner has never heard of."""
    return TaskEnd(
        key=key,
        exit_code=None,
        signal=None,
        started_at=now,
        ended_at=now,
        lost=True,
        message="nothing on this machine knows of this task any more",
    )


def abilities_from(hello: Mapping[str, Any]) -> Abilities:
    """What the spawner says of itself at the start of a connection."""
    return Abilities(
        cgroup=hello["cgroup"],
        cgroup_reason=hello["cgroup_reason"],
        memory_enforced_by=hello["memory_enforced_by"],
        memory_files=hello["memory_files"],
        user=hello["user"],
    )
