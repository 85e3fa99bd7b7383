"""What a command is handed besides its arguments: settings, the clock, a way to wait.

`main` sets them once for each call; a test sets its own. Commands take their arguments from the
shell, so that these cannot be parameters, and a module-level variable would leak between tests.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from runyard.config import Config


def _now() -> datetime:
    # The one place of the CLI that asks what time it is: all else is handed the instant.
    return datetime.now(UTC)  # noqa: TID251


def _pause(seconds: float) -> None:
    Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`load` reads the settings (once, when a command first needs them)."""

    load: Callable[[], Config] = Config.load
    clock: Callable[[], datetime] = _now
    pause: Callable[[float], None] = _pause


_USUAL = Surroundings()
SURROUNDINGS: ContextVar[Surroundings] = ContextVar("SURROUNDINGS", default=_USUAL)


def settings() -> Config:
    """The settings in force; `ConfigError` when they are wrong."""
    return SURROUNDINGS.get().load()


def now() -> datetime:
    """The present instant, UTC."""
    return SURROUNDINGS.get().clock()


def pause(seconds: float) -> None:
    """Wait, before a broken connection is tried again."""
    SURROUNDINGS.get().pause(seconds)
