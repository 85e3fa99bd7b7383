"""A command that only writes to the audit log: for what was done outside our database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runyard.model.audit import AuditEntry
from runyard.store.working_set import Needs, WorkingSet


@dataclass(slots=True)
class Record:
    """Add entries to the audit log."""

    entries: Sequence[AuditEntry]
    now: datetime

    def needs(self, needs: Needs) -> None:
        """See `Command.needs`."""

    async def load(self, work: WorkingSet) -> None:
        """See `Command.load`."""

    def frees(self, work: WorkingSet) -> None:
        """See `Command.frees`."""

    def act(self, work: WorkingSet) -> None:
        """See `Command.act`."""
        for entry in self.entries:
            work.record(entry)
