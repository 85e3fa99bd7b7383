"""Trace ids: read from `traceparent` or `X-Cloud-Trace-Context`, passed on to the endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CLOUD = re.compile(r"([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;o=(\d))?")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace, our own span in it, and the span that called us (empty at a root)."""

    trace_id: str
    span_id: str
    parent_span_id: str = ""
    sampled: bool = True

    def parent(self) -> str:
        """The `traceparent` that calls from our span carry."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def log_name(self, project: str) -> str:
        """The trace as Cloud Logging groups by it."""
        return f"projects/{project}/traces/{self.trace_id}" if project else self.trace_id


def read_trace(parent: str | None, cloud: str | None, new_id: Callable[[int], str]) -> Trace:
    """The trace of a call, a new one when its headers name none; `new_id(8)` gives the
    hexadecimal digits of 8 random bytes."""
    span_id = new_id(8)
    found = _PARENT.fullmatch(parent) if parent else None
    if found and found[1] != "ff" and found[2].strip("0") and found[3].strip("0"):
        return Trace(found[2], span_id, found[3], sampled=bool(int(found[4], 16) & 1))
    found = _CLOUD.fullmatch(cloud) if cloud else None
    if found and found[1].strip("0"):
        span = f"{int(found[2] or 0) & 0xFFFFFFFFFFFFFFFF:016x}"
        above = span if span.strip("0") else ""
        return Trace(found[1].lower(), span_id, above, sampled=found[3] != "0")
    return Trace(new_id(16), span_id)
