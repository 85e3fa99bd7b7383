"""How much of anything there may be. Every one is a setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that hold for every call."""

    endpoints_max: int = 1000
    workers_max: int = 1000
    host_connections_max: int = 1000
    request_bytes_max: int = 1 << 20
    response_bytes_max: int = 1 << 20
    answer_bytes_max: int = 16 << 20
    timeout_seconds: float = 30.0
    timeout_seconds_max: float = 1800.0
    deadline_seconds: float = 170.0
    retries_max: int = 10
    redirects_max: int = 10
