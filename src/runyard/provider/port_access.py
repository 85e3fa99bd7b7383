"""The port of every provider for what a job may do and read: its identity and its secrets.

Promises as those of `provider.port_jobs`: idempotent, level-based, and the same three errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runyard.model.operation import StepKind

Names = tuple[tuple[str, str], ...]  #: (kind, name)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose access it is: a job, as it shall be and as it was before (empty: it is not)."""

    project: str
    environment: str
    job: str
    document: Mapping[str, Any]
    before: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What was found or done: a sentence, what was made or removed, what undoing has to know."""

    message: str
    touched: Names = ()
    undo: Names = ()


class Access(Protocol):
    """The hands that give access and take it away."""

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """Settle the part of access that `kind` names: identity, secrets, unbind or retire."""

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """What the job's document asks for and its identity has not, a sentence each; it changes
        nothing."""

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """Take back what `do` did; `undo` is what it said, empty when it never answered."""
