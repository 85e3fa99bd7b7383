"""A run's events, from now until it is final, over connections that may break.

The stream is resumed with the last event's id. What a server repeats nevertheless is dropped
here: a log entry by its position, a run by its version. So no line is lost and none comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from runyard.cli.client import Client
from runyard.cli.run_ref import path
from runyard.cli.sse import Event
from runyard.model.errors import PlatformError, ServerUnavailable

RECONNECTING = "reconnecting"  #: the kind of the event that this module adds
PATIENCE_SECONDS = 120.0  #: how long a server may stay away, for instance while it is upgraded
_FIRST_PAUSE_SECONDS = 0.1
_PAUSE_SECONDS_MAX = 2.0


@dataclass(slots=True)
class _Seen:
    """What was handed on already."""

    last_id: str = ""
    version: int = -1
    positions: dict[int, int] = field(default_factory=dict)

    def is_news(self, event: Event) -> bool:
        self.last_id = event.id or self.last_id
        if event.kind == "run":
            return self._later_version(int(event.data["version"]))
        if event.kind == "log":
            return self._later_position(attempt_of(event.data), int(event.data["position"]))
        return True

    def _later_version(self, version: int) -> bool:
        news, self.version = version > self.version, max(version, self.version)
        return news

    def _later_position(self, attempt: int, position: int) -> bool:
        news = position > self.positions.get(attempt, -1)
        self.positions[attempt] = max(position, self.positions.get(attempt, -1))
        return news


def attempt_of(entry: dict[str, Any]) -> int:
    """The number of the run's attempt that wrote a log entry (1 is the first)."""
    return int(entry.get("run_attempt", 0))


def events(
    connect: Callable[[], Client],
    run: str,
    pause: Callable[[float], None],
    *,
    log: bool = True,
) -> Iterator[Event]:
    """The events of `run` (an id) up to and with `end`.

    `connect` is called again for every connection, since a server may come back at another
    address. Raises what the server answers, and `ServerUnavailable` when it stays away.
    """
    seen, waited, delay = _Seen(), 0.0, _FIRST_PAUSE_SECONDS
    query = {"log": "true" if log else "false"}
    while True:
        trouble: PlatformError = ServerUnavailable("the stream of events broke off")
        try:
            for event in connect().stream(f"{path(run)}/events", query, seen.last_id):
                waited, delay = 0.0, _FIRST_PAUSE_SECONDS
                if seen.is_news(event):
                    yield event
                if event.kind == "end":
                    return
        except PlatformError as error:
            if not error.transient:
                raise
            trouble = error
        if waited >= PATIENCE_SECONDS:
            raise trouble
        yield Event(RECONNECTING, {"message": trouble.message})
        pause(delay)
        waited, delay = waited + delay, min(delay * 2, _PAUSE_SECONDS_MAX)
