"""Server-sent events, read as https://html.spec.whatwg.org/multipage/server-sent-events.html says.

Our server ends lines with a line feed and sends one JSON document as the data of each event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is what to hand back as `Last-Event-ID`; empty when none was sent yet."""

    kind: str
    data: dict[str, Any]
    id: str = ""


@dataclass(slots=True)
class _Pending:
    kind: str = ""
    data: list[str] = field(default_factory=list)


def read(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events in `lines`. One that the end of the stream cut short is dropped, as told there."""
    pending, last_id = _Pending(), ""
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if pending.data:
                yield Event(pending.kind or "message", _parsed(pending.data), last_id)
            pending = _Pending()
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and "\0" not in value:
            last_id = value
        elif name == "event":
            pending.kind = value
        elif name == "data":
            pending.data.append(value)


def _parsed(data: list[str]) -> dict[str, Any]:
    document = json.loads("\n".join(data))
    return document if isinstance(document, dict) else {"value": document}
