"""What one command line gathers on its way: texts it has read, connections to close."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Session:
    """`sources` are texts of files by name, for showing the line that an error points at."""

    sources: dict[str, str] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)


#: `main` makes one for every command line.
SESSION: ContextVar[Session] = ContextVar("SESSION")
