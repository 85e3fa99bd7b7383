"""Who is told of every execution. Mostly nobody: a collector is loaded when one is configured."""

from __future__ import annotations

from typing import Protocol

from runyard_runner.model.result import Summary
from runyard_runner.rules.tracing import Trace


class Watcher(Protocol):
    """Is told of every execution, from its first to its last."""

    def start(self) -> None:
        """Begin; there is a loop now."""

    def note(self, summary: Summary, trace: Trace) -> None:
        """One more has ended."""

    async def stop(self) -> None:
        """Hand on what was noted, and end."""


class Nobody:
    """No collector is configured."""

    def start(self) -> None:
        """Nothing to begin."""

    def note(self, summary: Summary, trace: Trace) -> None:
        """Nothing to note."""

    async def stop(self) -> None:
        """Nothing to hand on."""
