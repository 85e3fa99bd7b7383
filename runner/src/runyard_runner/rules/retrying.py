"""When an endpoint is tried again: after what, and how long after it."""

from __future__ import annotations

from dataclasses import dataclass

#: However long a server asks us to wait, an execution has to end.
RETRY_AFTER_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow: `initial_seconds`, times `factor` each time, never above `max_seconds`."""

    initial_seconds: float = 1.0
    factor: float = 2.0
    max_seconds: float = 30.0

    def ceiling_seconds(self, attempt: int) -> float:
        """The longest wait after attempt number `attempt` (from 1)."""
        # beyond 64 doublings every sensible maximum is long reached
        grown = self.initial_seconds * self.factor ** min(attempt - 1, 64)
        return min(self.max_seconds, grown)

    def wait_seconds(self, attempt: int, chance: float, retry_after: str | None) -> float:
        """How long to wait after attempt `attempt`: what the server asks for, else a share of
        the ceiling that `chance` (0 to 1) gives, so that many runners do not come back at once."""
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            return min(float(retry_after), RETRY_AFTER_SECONDS_MAX)
        return self.ceiling_seconds(attempt) * (0.5 + chance / 2)
