"""An order as it comes over the socket, and the ends that go back: plain JSON objects.

`spawner/wire.py` is the other side of this; `localcloud/spawner/port.py` says what fields mean.
"""

from __future__ import annotations

import base64
from typing import Any


class File:
    """A secret file: mount path, content, mode."""

    __slots__ = ("content", "mode", "path")

    def __init__(self, path: str, content: bytes, mode: int) -> None:
        self.path = path
        self.content = content
        self.mode = mode


class Order:
    """See `port.TaskOrder`. Raises KeyError, TypeError or ValueError for anything else."""

    __slots__ = (
        "argv",
        "attempt",
        "env",
        "files",
        "folders",
        "grace_seconds",
        "key",
        "log_bytes_max",
        "memory_bytes",
        "redactions",
        "task",
        "timeout_seconds",
        "vcpu_milli",
        "working_folder",
    )

    def __init__(self, message: dict[str, Any]) -> None:
        self.key: str = message["key"]
        self.argv: list[str] = message["argv"]
        self.env: dict[str, str] = message["env"]
        self.task: int = message["task"]
        self.attempt: int = message["attempt"]
        self.timeout_seconds: float = message["timeout_seconds"]
        self.grace_seconds: float = message["grace_seconds"]
        self.folders: list[str] = message["folders"]
        self.working_folder: str = message["working_folder"]
        self.memory_bytes: int = message["memory_bytes"]
        self.vcpu_milli: int = message["vcpu_milli"]
        self.log_bytes_max: int = message["log_bytes_max"]
        self.redactions = [(name, value) for name, value in message["redactions"]]
        self.files = [File(p, base64.b64decode(c), m) for p, c, m in message["files"]]


def end_of(key: str, started_at: int, ended_at: int, **known: Any) -> dict[str, Any]:
    """See `port.TaskEnd`; instants in microseconds. What is not known stays at its default."""
    return {
        "key": key,
        "exit_code": None,
        "signal": None,
        "started_at": started_at,
        "ended_at": ended_at,
        **known,
    }
